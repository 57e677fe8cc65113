/* SPDX-License-Identifier: Apache-2.0 */
/* Making and ending a container's relay. */
#include "relay_parts.h"

#include "base/own.h"
#include "outside.h"
#include "state/files.h"
#include "sys/pidfd.h"
#include "sys/process.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>

#define READY_SECONDS 10
#define WORD_GO       'g'

/* ---- the relay ---- */

/* Out of the way of the streams, where nook itself was started without some. */
static int move_up(int *fd)
{
	if (*fd >= 0)
		*fd = fcntl(*fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	return *fd < 0 ? -errno : 0;
}

/* Nothing of nook's stays open: its locks would be held as long. */
static int lay_out_fds(int *channel, int *pidfd, struct nook_error *err)
{
	int *outside = nook_outside_channel();
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0)
		return nook_fail(err, errno, "open /dev/null");
	if (move_up(channel) < 0 || move_up(pidfd) < 0 || (*outside >= 0 && move_up(outside) < 0))
		return nook_fail(err, errno, "fcntl(F_DUPFD)");
	for (int fd = 0; fd <= STDERR_FILENO; fd++) {
		if (dup2(null, fd) < 0)
			return nook_fail(err, errno, "dup2(/dev/null, %d)", fd);
	}

	const int keep[] = { *channel, *pidfd, *outside };
	int rc = nook_close_others(keep, ARRAY_SIZE(keep));

	return rc < 0 ? nook_fail(err, -rc, "close_range") : 0;
}

/* Each connection takes two descriptors, each port one. */
static void raise_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit); /* with fewer it serves fewer at a time */
	}
}

static int set_up(struct nook_relay **ret, int *channel, int *pidfd,
		  const struct nook_plan_port *ports, size_t n, struct nook_error *err)
{
	int rc = lay_out_fds(channel, pidfd, err);

	if (rc < 0)
		return rc;
	raise_limit();
	if (setsid() < 0)
		return nook_fail(err, errno, "setsid");
	if (chdir("/") < 0)
		return nook_fail(err, errno, "chdir /");
	(void)nook_prctl(PR_SET_NAME, (unsigned long)"nook-relay", 0); /* for people only */

	struct nook_relay *r = mmap(NULL, sizeof(*r), PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (r == MAP_FAILED)
		return nook_fail(err, errno, "mmap");
	for (unsigned i = 0; i < NOOK_RELAY_SESSIONS; i++)
		r->sessions[i].fd = NO_FD;
	for (unsigned i = 0; i < NOOK_RELAY_CONNECTIONS; i++)
		r->connections[i].fd[0] = r->connections[i].fd[1] = NO_FD;
	r->pidfd = *pidfd;
	r->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (r->epoll < 0)
		return nook_fail(err, errno, "epoll_create1");
	rc = nook_relay_watch(r, EPOLL_CTL_ADD, r->pidfd, EPOLLIN,
			      nook_relay_tag(NOOK_RELAY_END, 0, 0));
	if (rc < 0)
		return nook_fail(err, -rc, "epoll_ctl");
	rc = nook_relay_listen(r, ports, n, err);
	close_fd(nook_outside_channel());
	nook_relay_prepare(r);
	*ret = r;
	return rc;
}

/* Tells how it went: an error, or how many ports it listens on. Return: could it be said? */
static bool tell(int channel, int rc, struct nook_error *err)
{
	err->errnum = rc < 0 ? -rc : 0;
	return send(channel, rc > 0 ? (const void *)"" : err, rc > 0 ? 1 : sizeof(*err),
		    MSG_NOSIGNAL) > 0;
}

static _Noreturn void be_relay(int channel, int pidfd, const struct nook_plan_port *ports, size_t n)
{
	struct nook_error err = { 0 };
	struct nook_relay *r = NULL;
	sigset_t none;
	char word = 0;

	for (int sig = 1; sig <= 64; sig++)
		nook_reset_signal(sig);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL); /* valid arguments */

	int rc = set_up(&r, &channel, &pidfd, ports, n, &err);

	/* Who can't say that it is ready ends, or its maker would wait for that for ever. */
	if (!tell(channel, rc, &err) || rc <= 0)
		_exit(125);
	/* Our maker has died, or could not write down who we are. */
	while ((rc = (int)recv(channel, &word, 1, 0)) < 0 && errno == EINTR)
		;
	if (rc != 1 || word != WORD_GO || nook_relay_confine(&err) < 0)
		_exit(125);
	(void)close(channel);
	nook_relay_run(r);
}

/* ---- its maker ---- */

/* Return: 1: it listens; 0: there is nothing to listen on; a negative errno. */
static int hear(int channel, struct nook_error *err)
{
	struct nook_error theirs = { 0 };
	ssize_t n;

	do
		n = recv(channel, &theirs, sizeof(theirs), 0);
	while (n < 0 && errno == EINTR);
	if (n == 1)
		return 1;
	if (n != (ssize_t)sizeof(theirs))
		return nook_refuse(err, EPIPE, "the relay ended before it was ready");
	if (theirs.errnum == 0)
		return 0;
	if (err)
		*err = theirs;
	return -theirs.errnum;
}

static void reap(int pid)
{
	while (waitpid(pid, NULL, __WALL) < 0 && errno == EINTR)
		; /* ECHILD: it is another nook's */
}

/* From here on it is found by whoever ends it, and those before it still are. */
static int note(const struct nook_state *state, int pid, const struct nook_relay_notes *old,
		struct nook_error *err)
{
	struct nook_relay_notes all = { .n = 1, .of[0].pid = pid };
	int rc = nook_start_time(pid, &all.of[0].start, err);

	for (unsigned i = 0; i < old->n && all.n < NOOK_RELAY_NOTES; i++)
		all.of[all.n++] = old->of[i];
	return rc < 0 ? rc : nook_relay_notes_write(state, &all, err);
}

static int start(const struct nook_state *state, int channel, int pid,
		 const struct nook_relay_notes *old, struct nook_error *err)
{
	static const char go = WORD_GO;
	int rc = hear(channel, err);

	if (rc <= 0)
		return rc;
	rc = note(state, pid, old, err);
	if (rc == 0 && send(channel, &go, 1, MSG_NOSIGNAL) < 0)
		rc = nook_fail(err, errno, "send to the relay");
	if (rc < 0)
		(void)nook_relay_notes_write(state, old, NULL); /* the first failure is told */
	return rc < 0 ? rc : 1;
}

int nook_relay_start(const struct nook_state *state, const struct nook_plan_port *ports, size_t n,
		     int pidfd, struct nook_error *err)
{
	const struct timeval patience = { .tv_sec = READY_SECONDS };
	struct nook_relay_notes old;
	int pair[2];

	if (!nook_relay_wanted(ports, n))
		return nook_relay_stop(state, err);

	int rc = nook_relay_notes_read(state, &old, err);

	if (rc < 0)
		return rc;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return nook_fail(err, errno, "socketpair");

	auto_close int ours = pair[0];
	auto_close int theirs = pair[1];
	pid_t pid = nook_fork();

	if (pid == 0)
		be_relay(theirs, pidfd, ports, n);
	if (pid < 0)
		return nook_fail(err, -pid, "fork the relay");
	close_fd(&theirs);
	/* Refused, its end is still heard of. */
	(void)setsockopt(ours, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));

	rc = start(state, ours, pid, &old, err);
	if (rc > 0) {
		nook_relay_let_go(&old);
		return 0;
	}
	close_fd(&ours); /* which ends it */
	reap(pid);
	return rc < 0 ? rc : nook_relay_stop(state, err);
}
