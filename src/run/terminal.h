/* SPDX-License-Identifier: Apache-2.0 */
/* Staying while a container's program runs: its signals, its exit status, and the caller's terminal
 * while the program has a pty of its own: raw here, job control in there. */
#ifndef NOOK_RUN_TERMINAL_H
#define NOOK_RUN_TERMINAL_H

#include "nook/error.h"

#include <stdbool.h>

/**
 * nook_supervise() - stay while the program runs
 * @pidfd:    of the container's pid 1, our child
 * @pid:      its pid: waited for
 * @master:   the pty's master, NO_FD without a terminal; taken over and closed, also on failure
 * @ret_status: receives the exit status as a shell has it: the program's, or 128+N for signal N
 *
 * Without a terminal, signals are passed on to @pid: all that were blocked by
 * nook_supervise_block() but SIGPIPE. Those that the caller's terminal made are marked
 * NOOK_SIGNAL_FOR_GROUP; so are SIGTSTP and SIGCONT, for ^Z and `fg` stop and continue both the
 * container and us.
 *
 * With one: when stdin is a terminal it becomes raw, once we are its foreground job (until then we
 * stop as SIGTTOU does); bytes are copied both ways without loss or busy waiting; the size follows
 * SIGWINCH. Other signals are passed on, but SIGTSTP, SIGTTIN and SIGTTOU stop us only, with the
 * terminal as it was before, and SIGCONT takes it again. What was set is restored on return and
 * when a fatal signal ends us. The end of a stdin that is no terminal gives the pty its EOF
 * character, once. When the caller's terminal is hung up or stdout can't be written any more, the
 * pty is hung up. What the program wrote last is shown before the return. O_NONBLOCK is never set
 * on the caller's descriptors.
 *
 * A pty whose output is not processed (ONLCR off, as engines' runtimes leave it) is shown on a
 * terminal that processes it, as before.
 *
 * One call at a time in a process when it has a terminal: fatal signals find what to restore in
 * static storage. Leaves the signal mask as nook_supervise_block() made it.
 *
 * Return: 0 or a negative errno; the program may then still run.
 */
int nook_supervise(int pidfd, int pid, int master, int *ret_status, struct nook_error *err);

/* One more descriptor to look after meanwhile. */
struct nook_supervise_also {
	int fd;
	bool (*readable)(void *data); /* returns false: no more */
	void *data;
};

/* nook_supervise() with such a one; NULL: none. */
int nook_supervise_also(int pidfd, int pid, int master, const struct nook_supervise_also *also,
			int *ret_status, struct nook_error *err);

/**
 * nook_supervise_block() - block what nook_supervise() reads by signalfd
 *
 * Before the clone, so that no signal is lost between. The stage restores mask and dispositions for
 * the program. Not blocked: SIGKILL, SIGSTOP, SIGCHLD, faults, and what our caller ignores (nohup,
 * a script's background jobs): that stays ignored. SIGCHLD, when ignored, becomes the default
 * again: else the kernel would reap the program and its status be lost.
 */
void nook_supervise_block(void);

/* Turns ONLCR off: lines of a program that is not shown on a terminal end as it has written them,
 * which those who run it by an engine's runtime rely on. */
void nook_terminal_plain(int master);

/* Sets @master's window to that of our terminal (the first of stdin, stdout, stderr that has one):
 * before the program starts, so that it never sees 0 by 0. */
void nook_terminal_copy_size(int master);

#endif
