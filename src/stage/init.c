/* SPDX-License-Identifier: Apache-2.0 */
#include "stage/init.h"

#include "sys/pidfd.h"
#include "sys/process.h"
#include "sys/trim.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char *typed;
static size_t typed_size;

void nook_init_words(char *words, size_t size)
{
	typed = words;
	typed_size = words ? size : 0;
}

void nook_forget_words(const char *name)
{
	size_t size = strlen(name) + 1;

	if (typed_size < size)
		return;
	memset(typed, 0, typed_size);
	memcpy(typed, name, size);
}

void nook_init_forget(void)
{
	nook_forget_words("nook-init");
}

/* All but @keep, which may be none. */
static void close_all(int keep)
{
	unsigned after = keep < 0 ? 0 : (unsigned)keep + 1;

	if ((after <= 1 || nook_close_range(0, after - 2, 0) == 0) &&
	    nook_close_range(after, ~0u, 0) == 0)
		return;

	/* A profile refuses it. The stage's descriptors are the lowest that were free. */
	for (int fd = 0; fd < 1024; fd++) {
		if (fd != keep)
			(void)close(fd); /* most are not open */
	}
}

static _Noreturn void end_with(int status)
{
	_exit(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
}

/* Reaps what has ended; @how is waitpid(2)'s. Returns when nothing has, or nobody is left. A
 * profile may refuse the call: no other error lasts. */
static void reap(pid_t child, int how)
{
	for (int refused = 0; refused < 100;) {
		int status;
		/* __WALL: orphans may come from a clone that tells of its end by no signal. */
		pid_t pid = waitpid(-1, &status, how | __WALL);

		if (pid == child)
			end_with(status);
		if (pid == 0 || (pid < 0 && errno == ECHILD))
			return;
		if (pid < 0 && errno != EINTR)
			refused++;
	}
}

static bool is_for_group(const siginfo_t *info)
{
	return info->si_code == SI_QUEUE && info->si_value.sival_int == NOOK_SIGNAL_FOR_GROUP;
}

static void pass_on(pid_t child, int sig, bool group)
{
	if (group && sig == SIGTSTP)
		sig = SIGSTOP;
	/* Before the program's setsid(2) there is no such group yet. */
	if (group && kill(-child, sig) == 0)
		return;
	(void)kill(child, sig); /* a zombie takes it too; a profile that refuses kill is obeyed */
}

_Noreturn void nook_init_main(pid_t child, int go)
{
	static const struct timespec first = { 0, NOOK_TRIM_AFTER_MS * 1000000L };
	const struct timespec *timeout = &first;
	sigset_t all;

	/* SIGKILL and SIGSTOP in it are passed over by the kernel. */
	(void)sigfillset(&all);
	/* An open SIGCHLD would be thrown away: what ended before it was blocked is looked for now.
	 */
	(void)sigprocmask(SIG_BLOCK, &all, NULL);
	nook_init_forget();
	close_all(go);
	if (go >= 0) {
		/* Nothing of the caller's is left in here now. Refused by a profile: then `nook
		 * exec` is. */
		(void)nook_prctl(PR_SET_DUMPABLE, 1, 0);
		/* Else the program would wait for ever; nobody else opens a file here meanwhile. */
		if (close(go) < 0)
			(void)close(go);
	}
	reap(child, WNOHANG);

	for (;;) {
		siginfo_t info;
		int sig = sigtimedwait(&all, &info, timeout);

		if (sig == SIGCHLD) {
			reap(child, WNOHANG);
		} else if (sig > 0) {
			pass_on(child, sig, is_for_group(&info));
		} else if (errno == EAGAIN) {
			timeout = NULL;
			nook_trim();
		} else if (errno != EINTR) {
			break;
		}
	}

	/* A profile refuses to wait for signals: be a pid 1 that reaps. */
	reap(child, 0);
	_exit(125); /* nor may it wait for children */
}
