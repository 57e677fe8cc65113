/* SPDX-License-Identifier: Apache-2.0 */
#include "clock.h"

#include <time.h>

int64_t nook_now_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t); /* fails only for a bad clock or address */
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int64_t nook_now_ms(void)
{
	return nook_now_ns() / 1000000;
}

#define PAUSE_MIN 100000
#define PAUSE_MAX 5000000

struct nook_patience nook_patience(int64_t ms)
{
	return (struct nook_patience){ nook_now_ns() + ms * 1000000, PAUSE_MIN };
}

bool nook_patience_lasts(struct nook_patience *p)
{
	int64_t left = p->end - nook_now_ns(), pause = p->pause < left ? p->pause : left;

	if (left <= 0)
		return false;
	(void)nanosleep(&(struct timespec){ .tv_nsec = pause }, NULL); /* shorter after a signal */
	p->pause = p->pause * 2 < PAUSE_MAX ? p->pause * 2 : PAUSE_MAX;
	return true;
}
