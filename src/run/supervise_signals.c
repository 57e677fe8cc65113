/* SPDX-License-Identifier: Apache-2.0 */
/* Which signals are ours while a program runs, and what becomes of each. */
#include "supervise_parts.h"

#include "base/own.h"
#include "stage/init.h"
#include "sys/pidfd.h"
#include "tty.h"

#include <errno.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

static bool is_kept(int sig)
{
	switch (sig) {
	case SIGKILL:
	case SIGSTOP:
	case SIGCHLD:
	case SIGSEGV:
	case SIGBUS:
	case SIGILL:
	case SIGFPE:
	case SIGABRT:
	case SIGTRAP:
	case SIGSYS:
		return true;
	default:
		return false;
	}
}

void nook_supervise_signals(sigset_t *set)
{
	(void)sigfillset(set); /* never fails for a good pointer; nor does sigdelset here */
	for (int sig = 1; sig < 32; sig++) {
		if (is_kept(sig))
			(void)sigdelset(set, sig);
	}
}

void nook_supervise_block(void)
{
	struct sigaction action;
	sigset_t set;

	nook_supervise_signals(&set);
	for (int sig = 1; sig < 32; sig++) {
		if (sigaction(sig, NULL, &action) < 0 || action.sa_handler != SIG_IGN)
			continue;
		if (sig == SIGCHLD)
			(void)signal(SIGCHLD, SIG_DFL); /* a valid number */
		else
			(void)sigdelset(&set, sig);
	}
	(void)sigprocmask(SIG_BLOCK, &set, NULL); /* valid arguments */
}

static void pass_on(const struct nook_supervisor *s, int sig, bool group)
{
	/* -ESRCH: it has just ended, which the pidfd tells next. */
	if (group)
		(void)nook_pidfd_queue_signal(s->pidfd, sig, NOOK_SIGNAL_FOR_GROUP);
	else
		(void)nook_pidfd_send_signal(s->pidfd, sig);
}

bool nook_supervise_stop(int sig, pid_t whom)
{
	sigset_t one, pending;

	(void)sigemptyset(&one); /* these can't fail for good arguments */
	(void)sigaddset(&one, sig);
	(void)kill(whom, sig); /* ourselves; others of our group may have ended */
	(void)sigprocmask(SIG_UNBLOCK, &one, NULL);
	(void)sigprocmask(SIG_BLOCK, &one, NULL);

	return sigpending(&pending) == 0 && sigismember(&pending, SIGCONT) == 1;
}

int nook_supervise_take_terminal(struct nook_supervisor *s, struct nook_error *err)
{
	if (!s->keyboard || s->master < 0)
		return 0;
	if (!nook_tty_ours(STDIN_FILENO)) {
		(void)nook_supervise_stop(SIGTTOU, 0); /* an orphan goes on without keyboard */
		return 0;
	}

	s->input = true;
	nook_terminal_copy_size(s->master);
	return nook_tty_raw(STDIN_FILENO, s->plain, err);
}

static int handle_with_terminal(struct nook_supervisor *s, int sig, bool group,
				struct nook_error *err)
{
	switch (sig) {
	case SIGWINCH:
		if (s->master >= 0)
			nook_terminal_copy_size(s->master);
		return 0;
	case SIGCONT:
		return nook_supervise_take_terminal(s, err);
	case SIGTSTP:
	case SIGTTIN:
	case SIGTTOU:
		nook_tty_restore();
		if (!nook_supervise_stop(sig, getpid()) && nook_tty_ours(STDIN_FILENO))
			return nook_supervise_take_terminal(s, err);
		return 0;
	default:
		pass_on(s, sig, group);
		return 0;
	}
}

static void handle_without(struct nook_supervisor *s, int sig, bool group)
{
	switch (sig) {
	case SIGTSTP:
	case SIGTTIN:
	case SIGTTOU:
		pass_on(s, SIGTSTP, true);
		if (!nook_supervise_stop(sig, getpid()))
			pass_on(s, SIGCONT, true);
		return;
	case SIGCONT:
		pass_on(s, SIGCONT, true);
		return;
	default:
		pass_on(s, sig, group);
	}
}

int nook_supervise_handle(struct nook_supervisor *s, struct nook_error *err)
{
	struct signalfd_siginfo info;
	ssize_t n = read(s->signals, &info, sizeof(info));

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0
							 : nook_fail(err, errno, "read signalfd");

	int sig = (int)info.ssi_signo;
	bool group = info.ssi_code == SI_KERNEL; /* a terminal's key, or its end */

	if (sig == SIGPIPE)
		return 0; /* of a write of ours, whose EPIPE has told */
	if (s->terminal)
		return handle_with_terminal(s, sig, group, err);

	handle_without(s, sig, group);
	return 0;
}
