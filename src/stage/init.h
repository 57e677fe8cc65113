/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NOOK_STAGE_INIT_H
#define NOOK_STAGE_INIT_H

#include <sys/types.h>

/**
 * nook_init_main() - be pid 1: reap what is orphaned, pass signals on to the program, end with its
 * status
 * @child: the program
 *
 * Runs in the container's own pid namespace after all privilege is gone and seccomp is on, without
 * allocation. Every signal but SIGKILL, SIGSTOP, SIGCHLD and those that a fault raises is passed to
 * @child (to its process group when it leads one that holds the terminal). When @child ends, the
 * others get no grace: pid 1's end kills them, and that is what a container means. SIGTTIN and
 * SIGTTOU don't stop it.
 *
 * Does not return: _exit with the program's status, 128+N for a signal.
 */
_Noreturn void nook_init_main(pid_t child);

#endif
