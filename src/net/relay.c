/* SPDX-License-Identifier: Apache-2.0 */
/* Making and ending a container's relay. */
#include "relay_parts.h"

#include "base/own.h"
#include "base/text.h"
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

#define FOLDER        "relays"
#define PATH_SIZE     300 /* "net/relays/" and 255 bytes */
#define STOP_MS       5000
#define READY_SECONDS 10
#define WORD_GO       'g'

static void path_of(const struct nook_state *state, char out[PATH_SIZE])
{
	(void)nook_format(out, PATH_SIZE, "net/" FOLDER "/%s", state->name);
}

/* ---- the relay ---- */

/* Nothing of nook's stays open: its locks would be held as long. */
static int lay_out_fds(int *channel, int *pidfd, struct nook_error *err)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0)
		return nook_fail(err, errno, "open /dev/null");
	/* Out of the way of the streams, where nook itself was started without some. */
	*channel = fcntl(*channel, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	*pidfd = fcntl(*pidfd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	if (*channel < 0 || *pidfd < 0)
		return nook_fail(err, errno, "fcntl(F_DUPFD)");
	for (int fd = 0; fd <= STDERR_FILENO; fd++) {
		if (dup2(null, fd) < 0)
			return nook_fail(err, errno, "dup2(/dev/null, %d)", fd);
	}

	const int keep[] = { *channel, *pidfd };
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
		return nook_refuse(err, EPIPE, "the relay to [::1] ended before it was ready");
	if (theirs.errnum == 0)
		return 0;
	if (err)
		*err = theirs;
	return -theirs.errnum;
}

static int write_note(const struct nook_state *state, int pid, struct nook_error *err)
{
	char path[PATH_SIZE], text[64];
	uint64_t start = 0;
	auto_close int folder = nook_net_folder(state->base, FOLDER, true, err);
	int rc = folder < 0 ? folder : nook_start_time(pid, &start, err);

	if (rc < 0)
		return rc;
	path_of(state, path);
	(void)nook_format(text, sizeof(text), "%d:%llu", pid, (unsigned long long)start);
	if (symlinkat(text, state->base, path) < 0)
		return nook_fail(err, errno, "symlink %s in the state directory", path);
	return 0;
}

static void reap(int pid)
{
	while (waitpid(pid, NULL, __WALL) < 0 && errno == EINTR)
		; /* ECHILD: it is another nook's */
}

int nook_relay_start(const struct nook_state *state, const struct nook_plan_port *ports, size_t n,
		     int pidfd, struct nook_error *err)
{
	static const char go = WORD_GO;
	const struct timeval patience = { .tv_sec = READY_SECONDS };
	int pair[2];
	int rc = nook_relay_stop(state, err);

	if (rc < 0 || !nook_relay_wanted(ports, n))
		return rc;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return nook_fail(err, errno, "socketpair");

	auto_close int ours = pair[0];
	auto_close int theirs = pair[1];
	pid_t pid = nook_fork();

	if (pid == 0)
		be_relay(theirs, pidfd, ports, n);
	if (pid < 0)
		return nook_fail(err, -pid, "fork the relay to [::1]");
	close_fd(&theirs);
	/* Refused, its end is still heard of. */
	(void)setsockopt(ours, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));

	rc = hear(ours, err);
	if (rc > 0)
		rc = write_note(state, pid, err);
	else if (rc == 0) {
		reap(pid);
		return 0;
	}
	if (rc == 0 && send(ours, &go, 1, MSG_NOSIGNAL) < 0)
		rc = nook_fail(err, errno, "send to the relay to [::1]");
	if (rc < 0) {
		close_fd(&ours); /* which ends it */
		reap(pid);
		(void)nook_relay_stop(state, NULL); /* the first failure is told */
	}
	return rc;
}

/* Who it is. Return: 0; -ENOENT, nothing noted; others. */
static int read_note(const struct nook_state *state, int *ret_pid, uint64_t *ret_start,
		     struct nook_error *err)
{
	char path[PATH_SIZE], text[64];
	uint64_t pid = 0;

	path_of(state, path);

	ssize_t n = readlinkat(state->base, path, text, sizeof(text) - 1);

	if (n < 0)
		return errno == ENOENT
			       ? -ENOENT
			       : nook_fail(err, errno, "readlink %s in the state directory", path);
	text[n] = '\0';

	char *start = strchr(text, ':');

	if (start)
		*start++ = '\0';
	if (!start || nook_parse_u64(text, NOOK_PID_MAX, &pid) < 0 || pid == 0 ||
	    nook_parse_u64(start, UINT64_MAX, ret_start) < 0)
		return nook_refuse(err, EBADMSG, "%s in the state directory names no process",
				   path);
	*ret_pid = (int)pid;
	return 0;
}

/* The descriptor first: what is true of the pid afterwards is true of it, or it has ended. */
static int end_process(int pid, uint64_t start, struct nook_error *err)
{
	uint64_t started = 0;
	auto_close int fd = nook_pidfd_open(pid, 0);

	if (fd == -ESRCH || fd == -EINVAL)
		return 0;
	if (fd < 0)
		return nook_fail(err, -fd, "pidfd_open %d", pid);

	int rc = nook_start_time(pid, &started, err);

	if (rc < 0)
		return rc == -ESRCH ? 0 : rc;
	if (started != start)
		return 0;
	rc = nook_pidfd_send_signal(fd, SIGKILL);
	if (rc < 0 && rc != -ESRCH)
		return nook_fail(err, -rc, "kill the relay to [::1], pid %d", pid);
	rc = nook_pidfd_wait(fd, STOP_MS);
	if (rc < 0)
		return nook_fail(err, -rc, "wait for the relay to [::1], pid %d", pid);
	reap(pid);
	return 0;
}

int nook_relay_stop(const struct nook_state *state, struct nook_error *err)
{
	char path[PATH_SIZE];
	uint64_t start = 0;
	int pid = 0, rc = read_note(state, &pid, &start, err);

	if (rc == -ENOENT)
		return 0;
	if (rc == 0)
		rc = end_process(pid, start, err);
	if (rc < 0 && rc != -EBADMSG)
		return rc;
	path_of(state, path);
	if (unlinkat(state->base, path, 0) < 0 && errno != ENOENT)
		return nook_fail(err, errno, "unlink %s in the state directory", path);
	return 0;
}
