/* SPDX-License-Identifier: Apache-2.0 */
/* The time that only goes forward: CLOCK_MONOTONIC, clock_gettime(2). For waiting, not for dates.
 */
#ifndef NOOK_BASE_CLOCK_H
#define NOOK_BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

int64_t nook_now_ns(void);
int64_t nook_now_ms(void);

/*
 * Trying again until something can be had, or it has lasted too long: for locks. fcntl(2) waits for
 * one (F_OFD_SETLKW), but nothing ends that except a signal, and signals, their handlers and timers
 * belong to the program that the library is a part of. A child could wait for us, as such a lock is
 * the open file's; but it has to be made, watched and reaped, and where there can be no further
 * process there would have to be this all the same.
 */
struct nook_patience {
	int64_t end, pause; /* ns */
};
struct nook_patience nook_patience(int64_t ms);
/* Waits for a moment: a tenth of a millisecond, then twice as long each time, 5 ms at most. So what
 * is over soon is seen soon. Return: false, at once, when the patience is at its end. */
bool nook_patience_lasts(struct nook_patience *p);

#endif
