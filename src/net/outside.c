/* SPDX-License-Identifier: Apache-2.0 */
#include "outside.h"

#include "base/own.h"
#include "base/text.h"
#include "ports.h"
#include "sys/pidfd.h"
#include "sys/process.h"
#include "sys/send_fd.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define VARIABLE "NOOK_OUTSIDE"

static bool apart;
static int channel = NO_FD;
static pid_t helper;

bool nook_net_homeless(void)
{
	return geteuid() != 0;
}

bool nook_net_apart(void)
{
	return apart;
}

void nook_net_set_apart(void)
{
	apart = true;
}

int *nook_outside_channel(void)
{
	return &channel;
}

/* ---- what is said: between two processes of this very program ---- */

enum question { LOOK = 'l', OPEN = 'o' };

struct question_of {
	enum question what;
	uint8_t family;
	unsigned offset;
	struct nook_plan_port port; /* without ->from */
};

/* ---- the process that stays behind ---- */

/* A taken port may be so by UDP or TCP, of either family: each is tried. */
static int look(const struct nook_plan_port *port, struct nook_error *err)
{
	static const uint8_t families[] = { AF_INET, AF_INET6 };
	int rc = nook_port_look(port, err);

	for (size_t i = 0; i < ARRAY_SIZE(families) && rc == 0; i++) {
		if (port->host.family && port->host.family != families[i])
			continue;

		auto_close int fd = nook_port_open(port, families[i], 0, err);

		rc = fd >= 0 || fd == -EAFNOSUPPORT ? 0 : fd;
	}
	return rc;
}

/* Return: could it be said? */
static bool answer(int to, int fd, int rc, struct nook_error *err)
{
	struct iovec text = { .iov_base = err, .iov_len = sizeof(*err) };
	struct msghdr m = { .msg_iov = &text, .msg_iovlen = 1 };

	err->errnum = rc < 0 ? -rc : 0;
	return nook_sendmsg_fd(to, &m, fd) > 0;
}

static _Noreturn void serve(int from)
{
	struct question_of q;

	for (;;) {
		struct nook_error err = { 0 };
		ssize_t n = recv(from, &q, sizeof(q), 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n != (ssize_t)sizeof(q))
			_exit(0); /* nobody asks any more */

		auto_close int fd =
			q.what == OPEN ? nook_port_open(&q.port, q.family, q.offset, &err) : NO_FD;
		int rc = q.what == OPEN ? (fd < 0 ? fd : 0) : look(&q.port, &err);

		if (!answer(from, fd, rc, &err))
			_exit(0);
	}
}

static _Noreturn void stay(int end, pid_t maker)
{
	sigset_t none;

	for (int sig = 1; sig <= 64; sig++)
		nook_reset_signal(sig);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL); /* valid arguments */
	(void)setsid();                              /* we are nobody's leader yet */
	(void)nook_prctl(PR_SET_NAME, (unsigned long)"nook-outside", 0); /* for people only */
	/* Others hold the channel, too: a container's first process, for a moment. */
	if (nook_prctl(PR_SET_PDEATHSIG, SIGKILL, 0) < 0 || getppid() != maker ||
	    nook_close_others(&end, 1) < 0)
		_exit(125);
	serve(end);
}

int nook_outside_begin(struct nook_error *err)
{
	const pid_t maker = getpid();
	int pair[2];

	if (channel >= 0 || !nook_net_homeless())
		return 0;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return nook_fail(err, errno, "socketpair");

	auto_close int ours = pair[0];
	auto_close int its = pair[1];
	pid_t pid = nook_fork();

	if (pid == 0)
		stay(its, maker);
	if (pid < 0)
		return nook_fail(err, -pid, "fork (who opens ports outside)");
	channel = move_fd(&ours);
	helper = pid;
	return 0;
}

void nook_outside_end(void)
{
	if (channel < 0)
		return;
	(void)shutdown(channel, SHUT_RDWR); /* whoever else has it open */
	close_fd(&channel);
	while (helper > 0 && waitpid(helper, NULL, __WALL) < 0 && errno == EINTR)
		; /* ECHILD: we are a copy of who made it */
	helper = 0;
}

/* ---- over an execve(2) ---- */

const char *nook_outside_leave_word(void)
{
	static char word[64];

	if (channel < 0 || fcntl(channel, F_SETFD, 0) < 0)
		return NULL;
	(void)nook_format(word, sizeof(word), VARIABLE "=%d:%d", channel, helper); /* it fits */
	return word;
}

/* What it says is looked at: the variable may be anybody's, of our own user. */
void nook_outside_take_word(void)
{
	const char *word = getenv(VARIABLE), *colon = word ? strchr(word, ':') : NULL;
	char fd[16];
	uint64_t number = 0, pid = 0;
	struct stat st;

	if (!colon || (size_t)(colon - word) >= sizeof(fd))
		return;
	(void)nook_format(fd, sizeof(fd), "%.*s", (int)(colon - word), word); /* it fits */
	if (nook_parse_u64(fd, INT32_MAX, &number) < 0 ||
	    nook_parse_u64(colon + 1, INT32_MAX, &pid) < 0 || number <= STDERR_FILENO ||
	    fstat((int)number, &st) < 0 || !S_ISSOCK(st.st_mode) ||
	    fcntl((int)number, F_SETFD, FD_CLOEXEC) < 0)
		return;
	channel = (int)number;
	helper = (pid_t)pid;
}

/* ---- what it is asked ---- */

static int hear(int *ret_fd, struct nook_error *err)
{
	struct nook_error its = { 0 };
	struct iovec text = { .iov_base = &its, .iov_len = sizeof(its) };
	struct msghdr m = { .msg_iov = &text, .msg_iovlen = 1 };
	auto_close int fd = NO_FD;
	ssize_t n;

	do
		n = nook_recvmsg_fd(channel, &m, 0, &fd);
	while (n == -EINTR);
	if (n != (ssize_t)sizeof(its))
		return nook_refuse(err, EPIPE, "the process that opens ports outside has ended");

	/* The kernel leaves out a descriptor that there is no room for. */
	if (fd < 0 && (m.msg_flags & MSG_CTRUNC))
		return nook_fail(err, EMFILE, "recvmsg(a socket from outside)");
	*ret_fd = move_fd(&fd);
	if (its.errnum && its.why[0] && err)
		*err = its;
	return -its.errnum;
}

static int ask(enum question what, const struct nook_plan_port *port, uint8_t family,
	       unsigned offset, int *ret_fd, struct nook_error *err)
{
	struct question_of q;

	memset(&q, 0, sizeof(q)); /* its holes, too */
	q.what = what;
	q.family = family;
	q.offset = offset;
	q.port = *port;
	q.port.from = NULL;
	if (channel < 0)
		return nook_refuse(err, ENOTCONN,
				   "nobody was left outside to open ports of the machine");
	if (send(channel, &q, sizeof(q), MSG_NOSIGNAL) < 0)
		return nook_fail(err, errno, "send to the process that opens ports outside");

	int rc = hear(ret_fd, err);

	if (rc < 0 && port->from)
		nook_where(err, "%s", port->from);
	return rc;
}

int nook_outside_look(const struct nook_plan_port *port, struct nook_error *err)
{
	auto_close int none = NO_FD;

	return ask(LOOK, port, 0, 0, &none, err);
}

int nook_outside_open(const struct nook_plan_port *port, uint8_t family, unsigned offset,
		      struct nook_error *err)
{
	auto_close int fd = NO_FD;
	int rc = ask(OPEN, port, family, offset, &fd, err);

	if (rc == 0 && fd < 0)
		return nook_refuse(err, EPROTO, "no socket came from outside");
	return rc < 0 ? rc : move_fd(&fd);
}
