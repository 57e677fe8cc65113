/* SPDX-License-Identifier: Apache-2.0 */
/* The caller's terminal while a container's program has a pty of its own: raw here, job control in
 * there. */
#ifndef NOOK_RUN_TERMINAL_H
#define NOOK_RUN_TERMINAL_H

#include "nook/error.h"

#include <stdbool.h>

/**
 * nook_supervise() - stay while the program runs
 * @pidfd:    of the container's pid 1, our child
 * @pid:      its pid: waited for
 * @master:   the pty's master, NO_FD without a terminal; taken over and closed
 * @ret_status: receives the exit status as a shell has it: the program's, or 128+N for signal N
 *
 * With a terminal: the caller's becomes raw, bytes are copied both ways without loss or busy
 * waiting, the size follows SIGWINCH, and what was set is restored on return and when a signal ends
 * us. A background job's stop and continue (SIGTSTP, SIGTTIN, SIGTTOU, SIGCONT) leave the terminal
 * as the shell expects. What the program wrote last is shown before the return. stdin's end closes
 * nothing inside but gives the pty its EOF character. Without: SIGTERM, SIGINT, SIGHUP, SIGQUIT,
 * SIGUSR1, SIGUSR2, SIGWINCH, SIGCONT, SIGALRM and others that ask are passed on. The caller blocks
 * the signals (nook_supervise_block) before the clone, so that none is lost between.
 *
 * Return: 0 or a negative errno.
 */
int nook_supervise(int pidfd, int pid, int master, int *ret_status, struct nook_error *err);

/* Blocks what nook_supervise() reads by signalfd. The stage restores the mask for the program. */
void nook_supervise_block(void);

/* Sets @master's window to that of our terminal: before the program starts, so that it never sees 0
 * by 0. */
void nook_terminal_copy_size(int master);

#endif
