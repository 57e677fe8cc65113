/* SPDX-License-Identifier: Apache-2.0 */
#include "run/pump.h"

#include <errno.h>
#include <unistd.h>

int nook_pump_fill(struct nook_pump *p)
{
	if (!nook_pump_empty(p))
		return -EAGAIN;

	ssize_t n = read(p->from, p->buffer, sizeof(p->buffer));

	if (n < 0)
		return errno == EINTR ? -EAGAIN : -errno;

	p->at = 0;
	p->len = (size_t)n;
	if (n > 0) {
		p->last = p->buffer[n - 1];
		p->any = true;
	}
	return (int)n;
}

int nook_pump_flush(struct nook_pump *p)
{
	size_t n = p->len - p->at;

	if (n == 0)
		return 0;
	if (p->most && n > p->most)
		n = p->most;

	ssize_t done = write(p->to, p->buffer + p->at, n);

	if (done < 0 && errno != EAGAIN && errno != EINTR)
		return -errno;
	if (done > 0)
		p->at += (size_t)done;
	return (int)(p->len - p->at);
}
