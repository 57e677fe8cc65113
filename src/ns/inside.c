/* SPDX-License-Identifier: Apache-2.0 */
#include "inside.h"

#include "base/file.h"
#include "base/own.h"
#include "kinds.h"
#include "sys/call.h"
#include "sys/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

/* A child that answers nothing for as long is taken as stuck. */
#define ANSWER_MS 5000

struct work {
	const struct nook_inside_join *joins;
	size_t n;
	int (*fn)(int out, void *arg);
	void *arg;
};

/* The child's side: first an int, 0 or a negative errno, then what fn says. */
static void child(const struct work *w, int channel, pid_t parent)
{
	int rc = nook_prctl(PR_SET_PDEATHSIG, SIGKILL, 0);

	if (rc == 0 && getppid() != parent)
		_exit(1);
	for (size_t i = 0; i < w->n && rc == 0; i++) {
		rc = nook_setns(w->joins[i].fd, nook_ns_kinds[w->joins[i].kind].clone_flag);
		/* To change user namespaces hides a process from its own user; but we are here to
		 * be looked through. */
		if (rc == 0 && w->joins[i].kind == NOOK_NS_USER)
			rc = nook_prctl(PR_SET_DUMPABLE, 1, 0);
	}
	if (nook_write_fd(channel, &rc, sizeof(rc)) < 0 || rc < 0)
		_exit(1);
	if (w->fn) {
		rc = w->fn(channel, w->arg);
	} else {
		char end;

		(void)!read(channel, &end, 1); /* only the end of the channel is waited for */
	}
	_exit(rc < 0 ? -rc & 0xff : 0);
}

static int begin(const struct work *w, struct nook_inside *ret, struct nook_error *err)
{
	int pair[2], rc = 0;
	pid_t parent = getpid();
	struct timeval patience = { .tv_sec = ANSWER_MS / 1000 };

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return nook_fail(err, errno, "socketpair");

	auto_close int ours = pair[0], theirs = pair[1];
	pid_t pid = nook_fork();

	if (pid < 0)
		return nook_fail(err, -pid, "clone");
	if (pid == 0) {
		(void)close(ours); /* so that its end shows */
		child(w, theirs, parent);
	}
	close_fd(&theirs);
	*ret = (struct nook_inside){ .pid = pid, .channel = move_fd(&ours) };
	(void)setsockopt(ret->channel, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));

	ssize_t n = read(ret->channel, &rc, sizeof(rc));

	if (n == sizeof(rc) && rc == 0)
		return 0;
	nook_inside_end(ret);
	return nook_fail(err, n == sizeof(rc) ? -rc : EIO, "setns");
}

int nook_inside_begin(const struct nook_inside_join *joins, size_t n, struct nook_inside *ret,
		      struct nook_error *err)
{
	struct work w = { .joins = joins, .n = n };

	return begin(&w, ret, err);
}

/* Return: its exit status as waitpid(2) gives it; 0 when somebody else has taken it. */
static int end(struct nook_inside *inside, bool kill_it)
{
	int status = 0;

	close_fd(&inside->channel);
	if (kill_it)
		(void)kill(inside->pid, SIGKILL); /* it is ours, and not waited for yet */
	while (waitpid(inside->pid, &status, 0) < 0) {
		if (errno != EINTR)
			return 0;
	}
	return status;
}

void nook_inside_end(struct nook_inside *inside)
{
	(void)end(inside, true);
}

int nook_inside_call(const struct nook_inside_join *joins, size_t n, int (*fn)(int out, void *arg),
		     void *arg, size_t max, struct nook_arena *a, char **ret, size_t *ret_len,
		     struct nook_error *err)
{
	struct work w = { .joins = joins, .n = n, .fn = fn, .arg = arg };
	struct nook_inside inside;
	size_t size = 4096, len = 0;
	char *text = nook_alloc(a, size);
	int rc = begin(&w, &inside, err);
	ssize_t got;

	if (rc < 0)
		return rc;
	while ((got = read(inside.channel, text + len, size - len - 1)) > 0) {
		len += (size_t)got;
		if (len + 1 < size)
			continue;
		if (len > max) {
			(void)end(&inside, true);
			return nook_refuse(err, EFBIG, "the answer has more than %zu bytes", max);
		}

		char *more = nook_alloc(a, size * 2);

		memcpy(more, text, len);
		text = more;
		size *= 2;
	}
	rc = got < 0 ? -errno : 0;

	int status = end(&inside, rc < 0);

	if (rc < 0)
		return nook_fail(err, -rc, "read from the process inside");
	if (status != 0)
		return nook_fail(err, WIFEXITED(status) ? WEXITSTATUS(status) : EIO, "look inside");
	*ret = text;
	*ret_len = len;
	return 0;
}
