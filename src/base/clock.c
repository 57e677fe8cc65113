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
