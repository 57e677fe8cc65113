/* SPDX-License-Identifier: Apache-2.0 */
/* One direction of a copy between two descriptors: one bounded buffer, filled only when it is
 * empty, so that a reader who does not read stops the writer, and nothing is lost or read ahead. */
#ifndef NOOK_RUN_PUMP_H
#define NOOK_RUN_PUMP_H

#include <stdbool.h>
#include <stddef.h>

struct nook_pump {
	int from, to;
	size_t most;    /* bytes that one write may have: small when @to may block; 0: all */
	size_t at, len; /* what waits in the buffer: len - at bytes */
	char last;      /* of what was read so far; meaningful once any was */
	bool any;
	char buffer[4096]; /* as much as a pty hands out at once */
};

/**
 * nook_pump_fill() - read once, when the buffer is empty
 *
 * Return: bytes read; 0 at the end; -EAGAIN when there is nothing now; another negative errno.
 */
int nook_pump_fill(struct nook_pump *p);

/**
 * nook_pump_flush() - write once, what is in the buffer
 *
 * Return: bytes that still wait: 0 to 4096; or a negative errno, never -EAGAIN.
 */
int nook_pump_flush(struct nook_pump *p);

static inline bool nook_pump_empty(const struct nook_pump *p)
{
	return p->at == p->len;
}

#endif
