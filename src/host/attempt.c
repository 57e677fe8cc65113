/* SPDX-License-Identifier: Apache-2.0 */
#include "attempt.h"
#include "base/own.h"
#include "base/text.h"
#include "sys/pidfd.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define PATIENCE_MS 2000

/* What comes back through the pipe: smaller than PIPE_BUF, so it comes whole or not at all. */
struct outcome {
	int rc;
	struct nook_error err;
};
_Static_assert(sizeof(struct outcome) <= 4096, "an outcome is one write to a pipe");

static _Noreturn void be_child(int (*fn)(void *, struct nook_error *), void *data, int out,
			       pid_t parent)
{
	struct outcome o = { 0 };

	/* We must not outlive the one who asked, who may be gone by now. */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (getppid() != parent)
		_exit(1);

	/* nook is non-dumpable, which gives /proc/self to the machine's root: no id map could be
	 * written. There is nothing to hide in here. */
	(void)prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);

	o.rc = fn(data, &o.err);
	_exit(write(out, &o, sizeof(o)) == sizeof(o) ? 0 : 1);
}

/* Waits for the child's end, which comes, if need be by our hand. */
static int await(pid_t pid, int patience_ms, struct nook_error *err)
{
	auto_close int pidfd = nook_pidfd_open(pid, 0);
	int rc = pidfd < 0 ? pidfd : nook_pidfd_wait(pidfd, patience_ms);

	if (rc < 0)
		(void)kill(pid,
			   SIGKILL); /* our own child, not reaped yet: nobody else has its pid */
	while (waitpid(pid, NULL, 0) < 0) {
		if (errno != EINTR)
			return nook_fail(err, errno, "waitpid");
	}
	return rc < 0 ? nook_fail(err, -rc, "wait for a probe") : 0;
}

int nook_attempt(int (*fn)(void *data, struct nook_error *err), void *data, struct nook_error *err)
{
	return nook_attempt_for(PATIENCE_MS, fn, data, err);
}

int nook_attempt_for(int patience_ms, int (*fn)(void *data, struct nook_error *err), void *data,
		     struct nook_error *err)
{
	int fds[2];
	struct outcome o;
	pid_t parent = getpid();

	if (pipe2(fds, O_CLOEXEC) < 0)
		return nook_fail(err, errno, "pipe2");

	auto_close int in = fds[0];
	auto_close int out = fds[1];
	pid_t pid = fork();

	if (pid < 0)
		return nook_fail(err, errno, "fork");
	if (pid == 0)
		be_child(fn, data, out, parent);
	close_fd(&out);

	int rc = await(pid, patience_ms, err);

	if (rc < 0)
		return rc;
	if (read(in, &o, sizeof(o)) != sizeof(o))
		return nook_fail(err, ECHILD, "a probe ended without an answer");
	if (err && o.rc < 0)
		*err = o.err;
	return o.rc;
}

static int write_text(const char *path, const char *text, struct nook_error *err)
{
	auto_close int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return nook_fail(err, errno, "open %s", path);
	if (write(fd, text, strlen(text)) < 0)
		return nook_fail(err, errno, "write %s \"%s\"", path, text);
	return 0;
}

int nook_enter_userns(unsigned long flags, struct nook_error *err)
{
	char uids[32], gids[32];

	(void)nook_format(uids, sizeof(uids), "0 %u 1", geteuid());
	(void)nook_format(gids, sizeof(gids), "0 %u 1", getegid());

	if (unshare(CLONE_NEWUSER) < 0)
		return nook_fail(err, errno, "unshare (user)");

	int rc = write_text("/proc/self/setgroups", "deny", err);

	rc = rc < 0 ? rc : write_text("/proc/self/uid_map", uids, err);
	rc = rc < 0 ? rc : write_text("/proc/self/gid_map", gids, err);
	if (rc < 0)
		return rc;
	if (flags && unshare((int)flags) < 0)
		return nook_fail(err, errno, "unshare (namespaces in the user namespace)");
	return 0;
}

int nook_enter_tmpfs(struct nook_error *err)
{
	static const char *const places[] = { "/tmp", "/mnt", "/run", "/dev/shm", "/proc" };
	int errnum = ENOENT;

	/* Nothing of ours may travel to another mount namespace. */
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return nook_fail(err, errno, "mount / (private)");
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		if (mount("nook-probe", places[i], "tmpfs", MS_NOSUID | MS_NODEV, "size=1m") == 0)
			return chdir(places[i]) < 0 ? nook_fail(err, errno, "chdir %s", places[i])
						    : 0;
		errnum = errno;
	}
	return nook_fail(err, errnum, "mount tmpfs");
}

int nook_attempt_in_child(int (*fn)(struct nook_error *err), struct nook_error *err)
{
	int fds[2];
	struct outcome o;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return nook_fail(err, errno, "pipe2");

	auto_close int in = fds[0];
	auto_close int out = fds[1];
	pid_t pid = fork();

	if (pid < 0)
		return nook_fail(err, errno, "fork (first process of the namespace)");
	if (pid == 0) {
		/* No check of the parent's pid: in a new pid namespace it reads 0. */
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		o = (struct outcome){ 0 };
		o.rc = fn(&o.err);
		_exit(write(out, &o, sizeof(o)) == sizeof(o) ? 0 : 1);
	}
	close_fd(&out);
	if (read(in, &o, sizeof(o)) != sizeof(o))
		o = (struct outcome){ .rc = nook_fail(&o.err, ECHILD, "a probe's child ended") };
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	if (o.rc < 0 && err)
		*err = o.err;
	return o.rc;
}

int nook_attempt_mute(struct nook_error *err)
{
	auto_close int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return nook_fail(err, errno, "open /dev/null");
	for (int i = 0; i <= 2; i++) {
		if (dup2(fd, i) < 0)
			return nook_fail(err, errno, "dup2");
	}
	/* When it took the place of one of these, it stays. */
	if (fd <= 2)
		(void)move_fd(&fd);
	return 0;
}
