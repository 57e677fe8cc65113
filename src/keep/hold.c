/* SPDX-License-Identifier: Apache-2.0 */
#include "hold.h"

#include "stage/init.h"
#include "sys/call.h"
#include "sys/mount.h"
#include "sys/pidfd.h"
#include "sys/process.h"
#include "sys/trim.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CHANNEL 3

enum word { WORD_SET_UP = 's', WORD_READY = 'r', WORD_GO = 'g' };

/* ---- the holder ---- */

static int set_up(const struct nook_hold_spec *spec, struct nook_error *err)
{
	if (spec->hostname && sethostname(spec->hostname, strlen(spec->hostname)) < 0)
		return nook_fail(err, errno, "sethostname %s", spec->hostname);

	/* As unshare(1) does: what is mounted in here stays in here. */
	if (spec->clone_flags & CLONE_NEWNS) {
		int rc = nook_mount_old(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);

		if (rc < 0)
			return nook_fail(err, -rc, "mount(\"/\", MS_REC|MS_PRIVATE)");
	}
	if (setsid() < 0)
		return nook_fail(err, errno, "setsid");
	if (chdir("/") < 0)
		return nook_fail(err, errno, "chdir /");
	return 0;
}

/* Puts @fds at NOOK_HOLD_FD and up, /dev/null at 0 to 2, and closes the rest. */
static int lay_out_fds(const struct nook_hold_spec *spec, int channel, struct nook_error *err)
{
	int first = NOOK_HOLD_FD + (int)spec->n_fds;
	int high[16];
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0)
		return nook_fail(err, errno, "open /dev/null");

	/* First out of the way of the numbers that they are to get. */
	null = fcntl(null, F_DUPFD_CLOEXEC, first);
	channel = fcntl(channel, F_DUPFD_CLOEXEC, first);
	if (null < 0 || channel < 0)
		return nook_fail(err, errno, "fcntl(F_DUPFD)");
	for (size_t i = 0; i < spec->n_fds && i < ARRAY_SIZE(high); i++) {
		high[i] = fcntl(spec->fds[i], F_DUPFD_CLOEXEC, first);
		if (high[i] < 0)
			return nook_fail(err, errno, "fcntl(F_DUPFD)");
	}
	for (int fd = 0; fd <= 2; fd++) {
		if (dup2(null, fd) < 0)
			return nook_fail(err, errno, "dup2(/dev/null, %d)", fd);
	}
	if (dup3(channel, CHANNEL, O_CLOEXEC) < 0)
		return nook_fail(err, errno, "dup3(channel)");
	for (size_t i = 0; i < spec->n_fds && i < ARRAY_SIZE(high); i++) {
		if (dup3(high[i], NOOK_HOLD_FD + (int)i, O_CLOEXEC) < 0)
			return nook_fail(err, errno, "dup3(namespace)");
	}

	int rc = nook_close_range((unsigned)first, UINT_MAX, 0);

	return rc < 0 ? nook_fail(err, -rc, "close_range") : 0;
}

/* Whoever looks from outside is let in, and finds nothing of the caller's. */
static int become_small(const struct nook_hold_spec *spec, struct nook_error *err)
{
	static const char name[] = "nook-hold";
	int rc = nook_prctl(PR_SET_NAME, (unsigned long)name, 0);

	nook_forget_words(name);
	nook_arena_free(spec->arena);
	if (rc == 0)
		rc = nook_prctl(PR_SET_NO_NEW_PRIVS, 1, 0);
	if (rc == 0)
		rc = nook_capset(0, 0, 0);
	/* A change of capabilities may clear it; and root's own may be entered by root only. */
	if (rc == 0)
		rc = nook_prctl(PR_SET_DUMPABLE, 1, 0);
	return rc < 0 ? nook_fail(err, -rc, "prctl, capset of the holder") : 0;
}

static void reap(void)
{
	/* __WALL: orphans may come from a clone that tells of its end by no signal. */
	while (waitpid(-1, NULL, WNOHANG | __WALL) > 0)
		;
}

/* A sender that our pid namespace has no number for is outside of it. */
static bool from_outside(const siginfo_t *info)
{
	return getpid() != 1 || info->si_pid == 0;
}

static _Noreturn void hold(void)
{
	static const struct timespec first = { 0, NOOK_TRIM_AFTER_MS * 1000000L };
	const struct timespec *timeout = &first;
	sigset_t all;

	(void)sigfillset(&all); /* these can't fail for good arguments */
	reap();
	for (;;) {
		siginfo_t info;
		int sig = sigtimedwait(&all, &info, timeout);

		if (sig == SIGCHLD) {
			reap();
		} else if (sig == SIGTERM && from_outside(&info)) {
			_exit(0);
		} else if (sig < 0 && errno == EAGAIN) {
			timeout = NULL;
			nook_trim();
		}
	}
}

static void say(char word)
{
	(void)send(CHANNEL, &word, 1, MSG_NOSIGNAL); /* nobody there: the next wait ends us */
}

static void await(char word)
{
	char got = 0;
	ssize_t n;

	do
		n = recv(CHANNEL, &got, 1, 0);
	while (n < 0 && errno == EINTR);
	if (n != 1 || got != word)
		_exit(125); /* our maker has died, or does not want us */
}

static _Noreturn void be_holder(const struct nook_hold_spec *spec, int channel)
{
	struct nook_error err = { 0 };
	sigset_t all;
	int rc;

	for (int sig = 1; sig <= 64; sig++)
		(void)signal(sig, SIG_DFL); /* refused for KILL, STOP and the C library's own two */
	(void)sigfillset(&all);
	(void)sigprocmask(SIG_BLOCK, &all, NULL); /* valid arguments */

	rc = lay_out_fds(spec, channel, &err);
	channel = rc < 0 ? channel : CHANNEL;
	if (rc == 0)
		await(WORD_SET_UP);
	if (rc == 0)
		rc = set_up(spec, &err);
	if (rc == 0)
		rc = become_small(spec, &err);
	if (rc < 0) {
		(void)send(channel, &err, sizeof(err), MSG_NOSIGNAL); /* nobody else to tell */
		_exit(125);
	}
	say(WORD_READY);
	await(WORD_GO);
	say(WORD_GO);
	(void)close(CHANNEL);
	hold();
}

/* ---- its maker ---- */

int nook_hold_start(const struct nook_hold_spec *spec, struct nook_hold *ret,
		    struct nook_error *err)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return nook_fail(err, errno, "socketpair");

	auto_close int ours = pair[0];
	auto_close int theirs = pair[1];
	int pidfd = NO_FD;
	/* A process that is not dumpable keeps an ordinary user from writing its id maps. Nobody is
	 * in its namespaces before these are. */
	int rc = nook_prctl(PR_SET_DUMPABLE, 1, 0);
	pid_t pid = rc < 0 ? rc : nook_clone(spec->clone_flags, NO_FD, &pidfd);

	if (pid == 0) {
		(void)close(ours);
		be_holder(spec, theirs);
	}

	int again = nook_prctl(PR_SET_DUMPABLE, 0, 0);

	if (pid < 0)
		return nook_fail(err, -pid, "clone3(the holder, new namespaces 0x%lx)",
				 spec->clone_flags);
	*ret = (struct nook_hold){ .pid = pid, .pidfd = pidfd, .channel = move_fd(&ours) };
	if (again < 0) {
		nook_hold_end(ret);
		return nook_fail(err, -again, "prctl(PR_SET_DUMPABLE)");
	}
	return 0;
}

/* One datagram: the word, or why it failed. */
static int ask(struct nook_hold *h, char word, char answer, struct nook_error *err)
{
	struct nook_error theirs = { 0 };
	ssize_t n;

	if (send(h->channel, &word, 1, MSG_NOSIGNAL) < 0)
		return nook_fail(err, errno, "send to the holder");
	do
		n = recv(h->channel, &theirs, sizeof(theirs), 0);
	while (n < 0 && errno == EINTR);
	if (n == 1 && *(const char *)&theirs == answer)
		return 0;
	if (n == (ssize_t)sizeof(theirs) && theirs.errnum > 0) {
		if (err)
			*err = theirs;
		return -theirs.errnum;
	}
	return nook_refuse(err, EPIPE, "the holder ended before it was ready");
}

int nook_hold_ready(struct nook_hold *h, struct nook_error *err)
{
	return ask(h, WORD_SET_UP, WORD_READY, err);
}

int nook_hold_go(struct nook_hold *h, struct nook_error *err)
{
	int rc = ask(h, WORD_GO, WORD_GO, err);

	if (rc < 0)
		return rc;
	close_fd(&h->channel);
	close_fd(&h->pidfd);
	*h = NOOK_HOLD_NONE;
	return 0;
}

void nook_hold_end(struct nook_hold *h)
{
	if (h->pid > 0) {
		(void)nook_pidfd_send_signal(h->pidfd, SIGKILL); /* ESRCH: it has ended */
		while (waitpid(h->pid, NULL, __WALL) < 0 && errno == EINTR)
			;
	}
	close_fd(&h->channel);
	close_fd(&h->pidfd);
	*h = NOOK_HOLD_NONE;
}
