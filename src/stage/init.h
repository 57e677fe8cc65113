/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NOOK_STAGE_INIT_H
#define NOOK_STAGE_INIT_H

#include <stddef.h>
#include <sys/types.h>

/*
 * How nook_supervise() tells pid 1 that a signal is for the program's whole process group:
 * siginfo's si_code is SI_QUEUE and si_value.sival_int this. A terminal's keys signal every process
 * of the foreground job; so Ctrl-C must end a script's running command, and not only the shell that
 * waits for it. Anyone inside who forges it can reach no more than with kill(2).
 */
#define NOOK_SIGNAL_FOR_GROUP 0x6e6f6f6b

/**
 * nook_init_main() - be pid 1: reap what is orphaned, pass signals on to the program, end with its
 * status
 * @child: the program
 * @go:    NO_FD; or the write end of a pipe at which @child waits: we become dumpable when the
 * caller's words and environment are forgotten, so that its user may enter the namespaces by our
 * pid (setns(2) asks what ptrace(2) asks; root needs no such leave), and then close it
 *
 * Runs in the container's own pid namespace after all privilege is gone and seccomp is on, without
 * allocation. It asks for rt_sigprocmask, close_range (close where that is refused),
 * rt_sigtimedwait, wait4, kill, madvise and exit_group; where a profile refuses rt_sigtimedwait,
 * signals are not passed on but the rest works.
 *
 * The stage prepares:
 * - before the fork, what should reach the program blocked (nook_supervise_block() has done it), so
 *   that no signal is lost between, and every disposition the default: an ignored SIGCHLD would
 *   lose the program's status. pid 1 blocks the rest; the child sets the program's mask just
 *   before it executes;
 * - before the fork, setsid(2): pid 1 leaves the caller's process group, so that a Ctrl-C at the
 *   caller's terminal reaches the container once, through nook_supervise();
 * - in the child, setsid(2) again, and TIOCSCTTY when it has a terminal: the program leads its own
 *   session and process group; pid 1 has no terminal;
 * - non-dumpable, as the stage is from its first line: this process still holds the caller's
 *   environment and the plan.
 *
 * Every descriptor is closed first: pid 1 must not keep the error channel or the caller's pipes
 * open.
 *
 * Every signal but SIGKILL, SIGSTOP and SIGCHLD is passed to @child, and to it alone, as tini,
 * docker-init and catatonit do: the program decides for its children, and a server that passes a
 * signal on itself would give it twice. Those that nook_supervise() marks NOOK_SIGNAL_FOR_GROUP go
 * to @child's process group, as from a terminal; SIGTSTP becomes SIGSTOP then, for the kernel lets
 * no terminal-stop signal stop an orphaned group (dumb-init does so too). From elsewhere SIGTTIN,
 * SIGTTOU and SIGTSTP are passed on and don't stop pid 1.
 *
 * When @child ends, the others get no grace: pid 1's end kills them, and that is what a container
 * means.
 *
 * Does not return: _exit with the program's status, 128+N for a signal.
 */
_Noreturn void nook_init_main(pid_t child, int go);

/**
 * nook_init_words() - where this process's command line and environment lie in memory
 * @words, @size: argv[0] up to the NUL of the last variable; NULL: nowhere
 *
 * The program nook says it once: pid 1 overwrites its copy, since /proc/1/cmdline would show those
 * inside what the host's user typed.
 */
void nook_init_words(char *words, size_t size);

/* Overwrites them: before the program runs, which might look. nook_init_main() does so in any case.
 */
void nook_init_forget(void);

/* The same for other processes of ours that stay: @name is what is left. */
void nook_forget_words(const char *name);

#endif
