/* SPDX-License-Identifier: Apache-2.0 */
#include "criu.h"

#include "base/own.h"
#include "base/text.h"
#include "sys/pidfd.h"
#include "sys/process.h"
#include "sys/send_fd.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <poll.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

/* Past what a caller may want to pass on. */
#define ASIDE    64
#define LOG_TAIL 65536

/* ---- the child ---- */

/* The socket becomes 3, the others follow; whatever else is open ends with execve. */
static int place_descriptors(const struct nook_criu_start *s, int sock)
{
	int aside[1 + 16];
	size_t n = 0;

	if (s->n_fds >= ARRAY_SIZE(aside))
		return -E2BIG;
	for (size_t i = 0; i <= s->n_fds; i++) {
		int fd = fcntl(i == 0 ? sock : s->fds[i - 1], F_DUPFD_CLOEXEC, ASIDE);

		if (fd < 0)
			return -errno;
		aside[n++] = fd;
	}
	/* 3 and on may be anything, the pipe that tells of failures, too: that one is set aside by
	 * who made it. */
	for (size_t i = 0; i < n; i++) {
		if (dup2(aside[i], NOOK_CRIU_FIRST_FD - 1 + (int)i) < 0)
			return -errno;
	}
	return nook_close_range(NOOK_CRIU_FIRST_FD - 1 + (unsigned)n, UINT_MAX,
				CLOSE_RANGE_CLOEXEC);
}

static int become_criu(const struct nook_criu_start *s, pid_t parent, int sock,
		       struct nook_error *err)
{
	static char swrk[] = "swrk", number[] = "3";
	const char *program = s->program ? s->program : "criu";
	char *argv[] = { (char *)(uintptr_t)program, swrk, number, NULL };
	int rc = s->dies_with_us ? nook_prctl(PR_SET_PDEATHSIG, SIGKILL, 0) : 0;

	if (rc < 0)
		return nook_fail(err, -rc, "prctl(PR_SET_PDEATHSIG)");
	if (s->dies_with_us && getppid() != parent)
		return nook_refuse(err, ESRCH, "who started it has ended");
	rc = s->prepare ? s->prepare(s->data, err) : 0;
	if (rc < 0)
		return rc;
	rc = place_descriptors(s, sock);
	if (rc < 0)
		return nook_fail(err, -rc, "dup2 of descriptors for %s", program);
	if (sigprocmask(SIG_SETMASK, s->signals, NULL) < 0)
		return nook_fail(err, errno, "sigprocmask");
	(void)execvp(program, argv);

	int saved = errno;

	if (saved == ENOENT) {
		nook_cause(err, "no-criu", "CRIU is not installed, or not in PATH");
		nook_hint(err, "install it (Debian's package: criu), or say where it is: --criu "
			       "PATH");
	}
	return nook_fail(err, saved, "execve %s", program);
}

static _Noreturn void be_child(const struct nook_criu_start *s, pid_t parent, int sock, int tell)
{
	struct nook_error err = { 0 };

	(void)become_criu(s, parent, sock, &err);
	/* Nobody else to tell. */
	if (write(tell, &err, sizeof(err)) < 0)
		_exit(126);
	_exit(125);
}

/* Nothing comes when execve has closed the other end. */
static int read_failure(int fd, struct nook_error *err)
{
	struct nook_error why;
	ssize_t n;

	do
		n = read(fd, &why, sizeof(why));
	while (n < 0 && errno == EINTR);
	if (n == 0)
		return 0;
	if (n != sizeof(why) || !why.errnum)
		return nook_fail(err, n < 0 ? errno : EIO, "read from the child");
	if (err)
		*err = why;
	return -why.errnum;
}

int nook_criu_start(const struct nook_criu_start *s, int *ret_sock, int *ret_pidfd,
		    struct nook_error *err)
{
	int pair[2], tell[2], pidfd = NO_FD;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return nook_fail(err, errno, "socketpair");

	auto_close int ours = pair[0], theirs = pair[1];

	if (pipe2(tell, O_CLOEXEC) < 0)
		return nook_fail(err, errno, "pipe");

	auto_close int hear = tell[0];
	auto_close int say = fcntl(tell[1], F_DUPFD_CLOEXEC, ASIDE);

	close_fd(&tell[1]);
	if (say < 0)
		return nook_fail(err, errno, "fcntl(F_DUPFD)");

	pid_t us = getpid(), pid = nook_clone(0, s->cgroup, &pidfd);

	if (pid == 0)
		be_child(s, us, theirs, say);
	if (pid < 0)
		return nook_fail(err, -pid, "clone3");
	close_fd(&say);

	int rc = read_failure(hear, err);

	if (rc < 0) {
		nook_criu_end(pid, pidfd, true);
		close_fd(&pidfd);
		return rc;
	}
	*ret_sock = move_fd(&ours);
	*ret_pidfd = pidfd;
	return pid;
}

void nook_criu_end(int pid, int pidfd, bool kill)
{
	int status;

	if (kill)
		(void)nook_pidfd_send_signal(pidfd, SIGKILL); /* ESRCH: it has ended by itself */
	while (waitpid(pid, &status, __WALL) < 0 && errno == EINTR)
		;
}

/* ---- the talk ---- */

static int send_message(int sock, const struct nook_criu_message *m, struct nook_error *err)
{
	ssize_t n = send(sock, m->bytes, m->len, MSG_NOSIGNAL);

	return n < 0 ? nook_fail(err, errno, "send %zu bytes to CRIU", m->len) : 0;
}

static int wait_readable(const struct nook_criu_talk *t, struct nook_error *err)
{
	struct pollfd fds[] = { { .fd = t->sock, .events = POLLIN },
				{ .fd = t->interrupt, .events = POLLIN } };

	while (poll(fds, 2, -1) < 0) {
		if (errno != EINTR)
			return nook_fail(err, errno, "poll");
	}
	if (fds[0].revents)
		return 0;
	return nook_refuse(err, EINTR, "interrupted by a signal");
}

static int receive(const struct nook_criu_talk *t, struct nook_criu_answer *ret, int *ret_fd,
		   struct nook_error *err)
{
	unsigned char bytes[8192];
	struct iovec part = { bytes, sizeof(bytes) };
	struct msghdr msg = { .msg_iov = &part, .msg_iovlen = 1 };
	auto_close int fd = NO_FD;
	ssize_t n;
	int rc = wait_readable(t, err);

	if (rc < 0)
		return rc;
	n = nook_recvmsg_fd(t->sock, &msg, 0, &fd);
	if (n < 0 && n != -ECONNRESET)
		return nook_fail(err, (int)-n, "receive from CRIU");
	if (n <= 0)
		return nook_refuse(err, EIO, "CRIU ended without an answer");
	rc = (msg.msg_flags & MSG_TRUNC) ? -EBADMSG : nook_criu_read(bytes, (size_t)n, ret);
	if (rc < 0)
		return nook_refuse(err, EIO, "CRIU's answer can't be understood");
	*ret_fd = move_fd(&fd);
	return 0;
}

static int answer_question(const struct nook_criu_talk *t, const struct nook_criu_answer *a, int fd,
			   struct nook_error *err)
{
	struct nook_criu_message reply = { .arena = t->options->arena };
	int rc = 0;

	if (t->notify)
		rc = t->notify(t->data, a->script, a->pid, fd, err);
	else
		close_fd(&fd);
	nook_criu_number(&reply, 1, NOOK_CRIU_NOTIFY);
	nook_criu_number(&reply, 3, rc == 0);

	int sent = send_message(t->sock, &reply, rc < 0 ? NULL : err);

	return rc < 0 ? rc : sent;
}

int nook_criu_ask(const struct nook_criu_talk *t, int *ret_pid, struct nook_error *err)
{
	struct nook_criu_message request = { .arena = t->options->arena };
	struct nook_criu_answer a;
	int rc;

	nook_criu_number(&request, 1, t->what);
	nook_criu_part(&request, 2, t->options);
	rc = send_message(t->sock, &request, err);
	while (rc == 0) {
		int fd = NO_FD;

		rc = receive(t, &a, &fd, err);
		if (rc < 0 || a.what != NOOK_CRIU_NOTIFY) {
			close_fd(&fd);
			break;
		}
		rc = answer_question(t, &a, fd, err);
	}
	if (rc < 0)
		return rc;

	a.why[strcspn(a.why, "\n")] = '\0';
	if (!a.success && a.why[0])
		return nook_refuse(err, EIO, "CRIU failed: %s", a.why);
	if (!a.success)
		return nook_refuse(err, EIO, "CRIU failed");
	if (ret_pid && a.pid <= 0)
		return nook_refuse(err, EIO, "CRIU's answer names no process");
	if (ret_pid)
		*ret_pid = a.pid;
	return 0;
}

/* ---- its log ---- */

/* The last line that tells of an error: some that come earlier did no harm. */
static const char *last_error(char *text)
{
	const char *found = NULL;
	char *save = NULL;

	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		const char *at = strstr(line, "Error (");

		/* "Dumping FAILED." tells nothing. */
		if (at && !strstr(at, "FAILED"))
			found = at;
	}
	return found;
}

void nook_criu_log(int work_dir, const char *dir, const char *name, struct nook_error *err)
{
	static char text[LOG_TAIL];
	auto_close int fd = openat(work_dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	char why[sizeof(err->why)];
	off_t size = fd < 0 ? -1 : lseek(fd, 0, SEEK_END);

	if (size < 0)
		return; /* it did not come to that */

	off_t from = size >= LOG_TAIL ? size - LOG_TAIL + 1 : 0;
	ssize_t n = pread(fd, text, LOG_TAIL - 1, from);
	const char *line;

	if (n < 0)
		n = 0;
	text[n] = '\0';
	/* What its answer said is told already. */
	line = strchr(err->why, ':') ? NULL : last_error(text);
	(void)nook_format(why, sizeof(why), "%s%s%s", err->why, line ? ": " : "", line ? line : "");
	memcpy(err->why, why, sizeof(why));
	if (!err->hint[0])
		nook_hint(err, "its log: %s/%s", dir, name);
}
