/* SPDX-License-Identifier: Apache-2.0 */
/* A process' numbers in other pid namespaces, asked of the kernel: ioctl_nsfs(2), Linux 6.11. */
#ifndef NOOK_SYS_PIDNS_H
#define NOOK_SYS_PIDNS_H

#include <stdbool.h>

/**
 * nook_pidns_from() - what the caller calls a process that @ns calls @pid
 * @ns:     descriptor of a pid namespace
 * @leader: of its thread group: then @pid may be any of its threads
 *
 * Return: the number; -ESRCH nobody has it there, or the caller can't see it; -ENOTTY before
 * Linux 6.11.
 */
int nook_pidns_from(int ns, int pid, bool leader);

/* The reverse: what @ns calls a process that the caller calls @pid. -ESRCH: it is not in there. */
int nook_pidns_in(int ns, int pid, bool leader);

#endif
