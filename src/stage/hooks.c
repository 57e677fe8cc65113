/* SPDX-License-Identifier: Apache-2.0 */
/* Hooks: programs of the bundle's. */
#include "hooks.h"
#include "stage.h"

#include "base/clock.h"
#include "base/own.h"
#include "base/text.h"
#include "sys/call.h"
#include "sys/pidfd.h"
#include "sys/process.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U /* Linux 6.3 */
#endif

/* Who was killed ends within this, or the kernel holds it: then we go on. */
#define KILL_MS 10000

/* ---- what a hook reads ---- */

/* In runc's order, which hooks in shell match as text: id, status, pid, bundle, annotations. */
int nook_hooks_state(char *out, size_t size, const char *state, int pid, const char *status)
{
	const char *rest = strstr(state, "\"bundle\":");
	int head = (int)(rest ? (size_t)(rest - state) : strlen(state));
	int tail = rest ? (int)strlen(rest) : 0;

	/* The longest text: a cut one would show by its length. */
	if (strlen(state) + sizeof("\"status\":\"\",\"pid\":-2147483648,}") + strlen(status) > size)
		return -E2BIG;

	size_t len = nook_format(out, size, "%.*s\"status\":\"%s\"", head, state, status);

	if (pid)
		len += nook_format(out + len, size - len, ",\"pid\":%d", pid);
	if (tail) /* its last comma has waited for more */
		len += nook_format(out + len, size - len, ",%.*s", tail - 1, rest);
	len += nook_format(out + len, size - len, "}");
	return (int)len;
}

/* All of it at once, before anyone reads: so nobody waits for a reader, and one that closes its
 * stdin is no SIGPIPE. NO_FD: it doesn't fit. */
static int in_pipe(const char *text, size_t len)
{
	int pair[2];

	if (pipe2(pair, O_CLOEXEC | O_NONBLOCK) < 0)
		return NO_FD;

	auto_close int out = pair[0];
	auto_close int in = pair[1];

	/* The hook's end waits for what comes, as any stdin; and here that is the end. */
	if (write(in, text, len) != (ssize_t)len || fcntl(out, F_SETFL, O_RDONLY) < 0)
		return NO_FD;
	return move_fd(&out);
}

static int in_memory(const char *text, size_t len, struct nook_error *err)
{
	unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
	auto_close int fd = (int)NOOK_CALL(SYS_memfd_create, "hook-state", flags | MFD_NOEXEC_SEAL);

	if (fd == -EINVAL) /* before Linux 6.3 */
		fd = (int)NOOK_CALL(SYS_memfd_create, "hook-state", flags);
	if (fd < 0)
		return nook_fail(err, -fd, "memfd_create for the hook's stdin");

	for (size_t done = 0; done < len;) {
		ssize_t n = write(fd, text + done, len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return nook_fail(err, n < 0 ? errno : EIO, "write the hook's stdin");
		done += (size_t)n;
	}
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) < 0)
		return nook_fail(err, errno, "fcntl(F_ADD_SEALS)");
	if (lseek(fd, 0, SEEK_SET) < 0)
		return nook_fail(err, errno, "lseek the hook's stdin");
	return move_fd(&fd);
}

static int open_stdin(const char *text, size_t len, struct nook_error *err)
{
	/* A pipe holds 64 KiB, or less where the user has many. */
	int fd = len <= 16 * (size_t)PIPE_BUF ? in_pipe(text, len) : NO_FD;

	return fd < 0 ? in_memory(text, len, err) : fd;
}

/* ---- the hook's process ---- */

struct start {
	const struct nook_plan_hook *hook;
	const struct nook_hooks_about *about;
	int in;
	pid_t parent;
	const char *failed; /* what the child could not do, with @errnum: it is in our memory */
	int errnum;
};

static int fail(struct start *s, const char *what, int errnum)
{
	s->failed = what;
	s->errnum = errnum;
	return 125;
}

static int take_stdin(int fd)
{
	/* dup2(2) of the same number would leave it CLOEXEC. */
	if (fd == STDIN_FILENO)
		return fcntl(fd, F_SETFD, 0);
	return dup2(fd, STDIN_FILENO);
}

/* The child, until its execve(2): only its return value and @s may change in our memory. */
static int be_hook(void *ctx)
{
	static const char *const nothing[] = { NULL };
	struct start *s = ctx;
	const struct nook_plan_hook *h = s->hook;
	const char *const alone[] = { h->path, NULL };
	const char *const *args = h->args && h->args[0] ? h->args : alone;

	int rc = nook_prctl(PR_SET_PDEATHSIG, SIGKILL, 0);

	if (rc < 0)
		return fail(s, "prctl(PR_SET_PDEATHSIG)", -rc);
	if (getppid() != s->parent) /* it has died before that call */
		return 125;
	/* None of the terminal's keys, and a group to kill. */
	if (setsid() < 0)
		return fail(s, "setsid", errno);
	if (s->about->dir && chdir(s->about->dir) < 0)
		return fail(s, "chdir to the bundle", errno);
	if (take_stdin(s->in) < 0)
		return fail(s, "dup2 to stdin", errno);
	rc = nook_close_range(3, ~0u, 0);
	if (rc < 0)
		return fail(s, "close_range", -rc);

	for (int sig = 1; sig <= 64; sig++)
		nook_reset_signal(sig);
	(void)sigprocmask(SIG_SETMASK, &s->about->mask, NULL); /* valid arguments */

	(void)execve(h->path, (char *const *)(uintptr_t)args,
		     (char *const *)(uintptr_t)(h->env ? h->env : nothing));
	return fail(s, "execve", errno);
}

/* @end: by nook_now_ms(); negative: none. Return: 0, -ETIMEDOUT, -EINTR; others. */
static int wait_until(int pidfd, int interrupt, int64_t end)
{
	struct pollfd p[2] = { { pidfd, POLLIN, 0 }, { interrupt, POLLIN, 0 } };

	for (;;) {
		int64_t left = end < 0 ? -1 : end - nook_now_ms();

		if (end >= 0 && left < 0)
			left = 0;

		int n = poll(p, 2, left > INT_MAX ? INT_MAX : (int)left);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0 && p[0].revents)
			return 0;
		if (n > 0)
			return -EINTR;
		if (n == 0 && left <= INT_MAX)
			return -ETIMEDOUT;
	}
}

/* Our child, not waited for yet: its pid and its group can mean nobody else. */
static void kill_hook(pid_t pid)
{
	(void)kill(-pid, SIGKILL); /* ESRCH: it has not come to its setsid(2) */
	(void)kill(pid, SIGKILL);
}

static int describe_end(const struct nook_plan_hook *h, int status, struct nook_error *err)
{
	if (WIFSIGNALED(status))
		return nook_refuse(err, EIO, "the hook %s was killed by signal %d", h->path,
				   WTERMSIG(status));
	if (WEXITSTATUS(status))
		return nook_refuse(err, EIO, "the hook %s ended with status %d", h->path,
				   WEXITSTATUS(status));
	return 0;
}

static int describe_wait(const struct nook_plan_hook *h, int rc, struct nook_error *err)
{
	if (rc == -ETIMEDOUT)
		return nook_refuse(err, ETIMEDOUT,
				   "the hook %s did not end within %u s, and was killed", h->path,
				   h->timeout);
	if (rc == -EINTR)
		return nook_refuse(err, EINTR, "interrupted by a signal while the hook %s ran",
				   h->path);
	return nook_fail(err, -rc, "wait for the hook %s", h->path);
}

static int wait_hook(const struct start *s, pid_t pid, struct nook_error *err)
{
	const struct nook_plan_hook *h = s->hook;
	int64_t end = h->timeout ? nook_now_ms() + (int64_t)h->timeout * 1000 : -1;
	auto_close int pidfd = nook_pidfd_open(pid, 0);
	int rc = pidfd < 0 ? pidfd : wait_until(pidfd, s->about->interrupt, end);
	int status, how = 0;

	if (rc < 0) {
		kill_hook(pid);
		if (pidfd >= 0 && nook_pidfd_wait(pidfd, KILL_MS) < 0)
			how = WNOHANG; /* the kernel does not let go of it */
	}

	pid_t got;

	do {
		got = waitpid(pid, &status, how | __WALL);
	} while (got < 0 && errno == EINTR);

	if (rc < 0)
		return describe_wait(h, rc, err);
	return got < 0 ? nook_fail(err, errno, "wait for the hook %s", h->path)
		       : describe_end(h, status, err);
}

static int describe_start(const struct start *s, struct nook_error *err)
{
	if (!s->failed)
		return nook_refuse(err, EIO, "the hook %s did not start", s->hook->path);
	if (s->errnum == ENOENT && strcmp(s->failed, "execve") == 0)
		nook_hint(err, "the path, or what its first line begins with, is not there");
	if (s->errnum == ENOEXEC)
		nook_hint(err, "hooks are executed without a shell: a script needs a first line "
			       "such as #!/bin/sh");
	return nook_fail(err, s->errnum, "%s for the hook %s", s->failed, s->hook->path);
}

static int run_hook(const struct nook_plan_hook *h, const struct nook_hooks_about *about,
		    const char *text, size_t len, struct nook_error *err)
{
	static _Alignas(16) char stack[65536];
	auto_close int in = open_stdin(text, len, err);
	struct start s = { .hook = h, .about = about, .in = in, .parent = getpid() };

	if (in < 0)
		return in;

	/* In our memory: it executes at once, and tells there why it couldn't. */
	pid_t pid = nook_vfork(be_hook, &s, stack, sizeof(stack));

	if (pid < 0)
		return nook_fail(err, -pid, "clone for the hook %s", h->path);
	close_fd(&in);

	if (!s.failed)
		return wait_hook(&s, pid, err);
	while (waitpid(pid, NULL, __WALL) < 0 && errno == EINTR)
		;
	return describe_start(&s, err);
}

int nook_hooks_run(const struct nook_plan_hook *hooks, size_t n,
		   const struct nook_hooks_about *about, struct nook_error *err)
{
	const struct sigaction as_usual = { .sa_handler = SIG_DFL };
	size_t size = strlen(about->state) + 256;
	struct sigaction before;
	int rc = 0;

	if (n == 0)
		return 0;

	/* Not the heap, which the stage must not touch. */
	char *text = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (text == MAP_FAILED)
		return nook_fail(err, errno, "mmap(%zu bytes) for the state that hooks read", size);

	int len = nook_hooks_state(text, size, about->state, about->pid, about->status);

	if (len < 0) {
		rc = nook_fail(err, -len, "the state that hooks read");
		goto unmap;
	}

	/* A caller that ignores SIGCHLD would have the kernel reap the hook, and lose its status.
	 */
	if (sigaction(SIGCHLD, &as_usual, &before) < 0) {
		rc = nook_fail(err, errno, "sigaction(SIGCHLD)");
		goto unmap;
	}
	for (size_t i = 0; rc == 0 && i < n; i++) {
		rc = run_hook(&hooks[i], about, text, (size_t)len, err);
		if (rc < 0 && hooks[i].from)
			nook_where(err, "%s", hooks[i].from);
	}
	(void)sigaction(SIGCHLD, &before, NULL); /* as it was a moment ago */
unmap:
	(void)munmap(text, size); /* just mapped */
	return rc;
}

void nook_hooks_show(const struct nook_plan *plan, enum nook_hook_kind kind, const char *what,
		     struct nook_rows *rows)
{
	for (size_t i = 0; i < plan->hooks->n[kind]; i++) {
		const struct nook_plan_hook *h = &plan->hooks->list[kind][i];

		nook_show(rows, what, "clone(VM|VFORK), execve(\"%s\"), poll%s", h->path,
			  h->timeout ? nook_printf(rows->arena, " up to %u s", h->timeout) : "");
	}
}

/* ---- the stage's ---- */

static int run_in_stage(struct nook_stage *s, enum nook_hook_kind kind, const char *status,
			struct nook_error *err)
{
	const struct nook_plan_hooks *hooks = s->plan->hooks;
	const struct nook_hooks_about about = {
		.state = hooks->state,
		/* runtime.md, "State": in the container's namespaces the pid is as seen there. */
		.pid = getpid(),
		.status = status,
		.mask = s->signals,
		.interrupt = NO_FD, /* we are killed ourselves, and a hook with us */
	};
	int rc = nook_hooks_run(hooks->list[kind], hooks->n[kind], &about, err);

	/* What hooks have left behind is ours as pid 1: the program shall not find the dead among
	 * its children. */
	while (rc == 0 && waitpid(-1, NULL, WNOHANG | __WALL) > 0)
		;
	return rc;
}

int run_container_hooks(void *ctx, struct nook_error *err)
{
	struct nook_stage *s = ctx;

	/* runc's hooks find themselves in the new root; pivot goes there by itself. */
	if (s->root >= 0 && fchdir(s->root) < 0)
		return nook_fail(err, errno, "fchdir to the container's root");

	(void)umask(022); /* returns the old mask, never fails; so below */
	int rc = run_in_stage(s, NOOK_HOOK_CREATE_CONTAINER, "creating", err);

	(void)umask(0);
	return rc;
}

void run_container_hooks_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	nook_hooks_show(plan, NOOK_HOOK_CREATE_CONTAINER, "a createContainer hook, the host's file",
			rows);
}

int run_start_hooks(void *ctx, struct nook_error *err)
{
	struct nook_stage *s = ctx;
	const struct nook_plan_process *p = &s->plan->process;

	(void)umask(p->set_umask ? p->umask : 022); /* the program's, from here on */
	return run_in_stage(s, NOOK_HOOK_START_CONTAINER, "created", err);
}

void run_start_hooks_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	nook_hooks_show(plan, NOOK_HOOK_START_CONTAINER, "a startContainer hook, the container's",
			rows);
}
