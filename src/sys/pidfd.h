/* SPDX-License-Identifier: Apache-2.0 */
/* Processes by descriptor, pidfd_open(2): the name of one process, never of a later one with its
 * pid. */
#ifndef NOOK_SYS_PIDFD_H
#define NOOK_SYS_PIDFD_H

#include <stddef.h>

/* @flags: 0 or PIDFD_NONBLOCK; the descriptor is close-on-exec always. Return: it, or a negative
 * errno; -ESRCH when there is no such process. */
int nook_pidfd_open(int pid, unsigned flags);

/* Return: 0; -ESRCH when it has ended and was reaped; -EPERM and others. */
int nook_pidfd_send_signal(int pidfd, int signal);

/* The same with a number beside it, as sigqueue(3): si_code SI_QUEUE, si_value.sival_int @value. */
int nook_pidfd_queue_signal(int pidfd, int signal, int value);

/**
 * nook_pidfd_wait() - wait until a process has ended; it need not be our child, and is not reaped
 * @timeout_ms: milliseconds; negative: without end; 0: just look. Signals that interrupt don't
 * lengthen it
 *
 * Return: 0 ended; -ETIMEDOUT; others.
 */
int nook_pidfd_wait(int pidfd, int timeout_ms);

/* close_range(2) of @first to @last, both included. @flags: CLOSE_RANGE_*. Return: 0 or a negative
 * errno. */
int nook_close_range(unsigned first, unsigned last, unsigned flags);

/* Closes every descriptor from 3 up but those in @keep, where negative ones are none. Return: 0 or
 * a negative errno, then some are open still. */
int nook_close_others(const int *keep, size_t n);
int nook_close_others_from(int from, const int *keep, size_t n);

#endif
