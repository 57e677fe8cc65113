/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel's names of numbers: capabilities, resource limits, signals. */
#ifndef NOOK_SYS_NAMES_H
#define NOOK_SYS_NAMES_H

/* Lower-case names without "CAP_", "RLIMIT_" or "SIG", in the order of their numbers, separated by
 * spaces. */
extern const char nook_cap_words[];    /* from 0 */
extern const char nook_rlimit_words[]; /* from 0 */
extern const char nook_signal_words[]; /* from 1 */

/* "net_admin", "NET_ADMIN", "CAP_NET_ADMIN". Return: CAP_*; -EINVAL. */
int nook_cap_number(const char *name);

/* "nofile", "NOFILE", "RLIMIT_NOFILE". Return: RLIMIT_*; -EINVAL. */
int nook_rlimit_number(const char *name);

/**
 * nook_signal_number() - a signal as people write it
 * @name: "TERM", "SIGTERM", "term", "15", "RTMIN", "RTMIN+3", "RTMAX-1"
 *
 * Return: 1 to 64; -EINVAL for anything else, and for 32 and 33, which the C library keeps to
 * itself. signal(7).
 */
int nook_signal_number(const char *name);

#endif
