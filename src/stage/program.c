/* SPDX-License-Identifier: Apache-2.0 */
/* From the finished container to the program in it. */
#include "stage.h"

#include "base/own.h"
#include "base/text.h"
#include "init.h"
#include "path_search.h"
#include "program_failed.h"
#include "pty.h"
#include "sys/pidfd.h"
#include "sys/process.h"
#include "texts.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

int set_limits(void *ctx, struct nook_error *err)
{
	const struct nook_plan_process *p = &((struct nook_stage *)ctx)->plan->process;

	for (size_t i = 0; i < p->n_rlimits; i++) {
		const struct nook_plan_rlimit *l = &p->rlimits[i];
		struct rlimit limit = { l->soft, l->hard };

		if (setrlimit(l->resource, &limit) < 0) {
			int saved = errno;

			if (l->from)
				nook_where(err, "%s", l->from);
			if (saved == EPERM)
				nook_cause(err, "missing-capability",
					   "raising a hard limit takes CAP_SYS_RESOURCE, which is "
					   "missing here");
			return nook_fail(err, saved, "setrlimit(%s, %lu:%lu)", l->name, l->soft,
					 l->hard);
		}
	}
	return 0;
}

void set_limits_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	for (size_t i = 0; i < plan->process.n_rlimits; i++) {
		const struct nook_plan_rlimit *l = &plan->process.rlimits[i];

		nook_show(rows, l->from ? nook_printf(rows->arena, "for %s", l->from) : "a limit",
			  "setrlimit(%s, %s:%s)", l->name, nook_limit_text(rows, l->soft),
			  nook_limit_text(rows, l->hard));
	}
}

int take_terminal(void *ctx, struct nook_error *err)
{
	return nook_pty_open(ctx, err);
}

void take_terminal_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	(void)plan;
	nook_show(rows, "a new terminal, whose master goes to nook",
		  "open(ptmx), ioctl(TIOCGPTPEER), sendmsg");
}

/* A session of its own: nothing inside can write into the caller's terminal (TIOCSTI) or get its
 * signals. */
static int new_session(struct nook_error *err)
{
	/* EPERM: we lead one already, as a joiner's child may. */
	if (setsid() < 0 && errno != EPERM)
		return nook_fail(err, errno, "setsid");
	return 0;
}

static mode_t mask_of(const struct nook_plan_process *p)
{
	return p->set_umask ? p->umask : 022;
}

static int take_stdio(struct nook_stage *s, struct nook_error *err)
{
	int rc = new_session(err);

	if (rc < 0 || s->console < 0)
		return rc;
	if (ioctl(s->console, TIOCSCTTY, 0) < 0)
		return nook_fail(err, errno, "ioctl(TIOCSCTTY)");
	for (int fd = 0; fd <= 2; fd++) {
		if (dup2(s->console, fd) < 0)
			return nook_fail(err, errno, "dup2(terminal, %d)", fd);
	}
	return 0;
}

/*
 * Filters that an engine brings need not know what we do before execve(2): so what can be done
 * before one is loaded is. What the caller had open is nobody's business for as long as the program
 * waits for its start: Buildah, for one, waits for the end of a pipe that it has leaked to us.
 */
int begin_session(void *ctx, struct nook_error *err)
{
	struct nook_stage *s = ctx;
	const struct nook_plan_process *p = &s->plan->process;
	int rc = take_stdio(s, err);

	if (rc < 0)
		return rc;
	close_fd(&s->console);
	(void)umask(mask_of(p)); /* returns the old mask, never fails */
	rc = nook_close_others_from(
		3 + (int)p->preserve_fds,
		(int[]){ s->walk.channel, s->walk.send_fd, s->start, s->own_mount }, 4);
	return rc < 0 ? nook_fail(err, -rc, "close_range") : 0;
}

int let_go_of_self(void *ctx, struct nook_error *err)
{
	(void)err;
	close_fd(&((struct nook_stage *)ctx)->own_mount);
	return 0;
}

void let_go_of_self_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	(void)plan;
	nook_show(rows, "the mount of our own file, if there is one", "close");
}

static void show_session(const struct nook_plan_process *p, const char *how, struct nook_rows *rows)
{
	nook_show(rows, p->terminal ? "a session with the new terminal" : "a session of its own",
		  "setsid%s", p->terminal ? ", ioctl(TIOCSCTTY), dup2" : "");
	nook_show(rows,
		  p->preserve_fds ? "no descriptor but the standard ones and those to be passed on"
				  : "no descriptor but stdin, stdout and stderr",
		  "close_range(%u%s)", 3 + p->preserve_fds, how);
}

void begin_session_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	show_session(&plan->process, " and on, but ours", rows);
	nook_show(rows, "of the files that it makes", "umask(0%03o)", mask_of(&plan->process));
}

static const char *const *env_of(const struct nook_stage *s)
{
	return s->env ? s->env : s->plan->process.env;
}

/* One try. Return: the negative errno, with @err filled for those that end the search. */
static int try_exec(const char *path, const struct nook_stage *s, struct nook_error *err)
{
	(void)execve(path, (char *const *)(uintptr_t)s->plan->process.argv,
		     (char *const *)(uintptr_t)env_of(s));
	int saved = errno;

	nook_program_failed(path, saved, err);
	return nook_fail(err, saved, "execve %s", path);
}

/* As execvp(3) does, but for its fallback to a shell: what has no #! is not a program. */
static int search(const struct nook_stage *s, struct nook_error *err)
{
	const char *name = s->plan->process.argv[0], *dirs = nook_search_dirs(env_of(s));
	char path[PATH_MAX];
	bool denied = false;

	for (const char *at = dirs; nook_search_next(&at, name, path);) {
		int rc = try_exec(path, s, err);

		/* A script that is there but lacks its interpreter is the find, and so is anything
		 * odd. */
		if ((rc == -ENOENT && err->id[0]) ||
		    (rc != -ENOENT && rc != -ENOTDIR && rc != -EACCES))
			return rc;
		denied = denied || rc == -EACCES;
	}

	if (denied)
		return nook_refuse(err, EACCES, "execve %s: Permission denied", name);
	return nook_search_failed(name, dirs, err);
}

/* The end of the channel says that it runs, as execve(2) would. Only stdin, stdout and stderr are
 * open to it. */
static int call_function(struct nook_stage *s, struct nook_error *err)
{
	const struct nook_plan_process *p = &s->plan->process;

	(void)umask(mask_of(p)); /* returns the old mask, never fails */
	if (sigprocmask(SIG_SETMASK, &s->signals, NULL) < 0)
		return nook_fail(err, errno, "sigprocmask");
	if (p->seccomp && p->seccomp_late) {
		int rc = nook_seccomp_load(p->seccomp, p->n_seccomp, p->seccomp_flags);

		if (rc < 0)
			return nook_fail(err, -rc, "seccomp(SET_MODE_FILTER, %zu instructions)",
					 p->n_seccomp);
	}

	int rc = nook_close_range(3, UINT_MAX, 0);

	if (rc < 0)
		return nook_fail(err, -rc, "close_range");

	int status = s->function(s->function_arg);

	/* Its output; the exit handlers are the caller's. */
	(void)fflush(NULL);
	_exit(status);
}

/* From here on our channel tells by its end that the program runs; so do all descriptors go, but
 * those of the caller's that it is to get. What of ours lies in a gap between these was born to go.
 */
static int leave_all(struct nook_stage *s, struct nook_error *err)
{
	const struct nook_plan_process *p = &s->plan->process;
	int rc = nook_close_range(3 + p->preserve_fds, UINT_MAX, CLOSE_RANGE_CLOEXEC);

	(void)umask(mask_of(p)); /* returns the old mask, never fails */
	return rc < 0 ? nook_fail(err, -rc, "close_range(CLOEXEC)") : 0;
}

int exec_program(void *ctx, struct nook_error *err)
{
	struct nook_stage *s = ctx;
	const struct nook_plan_process *p = &s->plan->process;
	bool begun = s->plan->bundle; /* begin_session() has done it */
	int rc = begun ? 0 : take_stdio(s, err);

	if (rc < 0)
		return rc;

	if (s->function)
		return call_function(s, err);

	rc = begun ? 0 : leave_all(s, err);
	if (rc < 0)
		return rc;
	if (sigprocmask(SIG_SETMASK, &s->signals, NULL) < 0)
		return nook_fail(err, errno, "sigprocmask");

	if (p->seccomp && p->seccomp_late) {
		rc = nook_seccomp_load(p->seccomp, p->n_seccomp, p->seccomp_flags);
		if (rc < 0)
			return nook_fail(err, -rc, "seccomp(SET_MODE_FILTER, %zu instructions)",
					 p->n_seccomp);
	}

	if (strchr(p->argv[0], '/')) {
		rc = try_exec(p->argv[0], s, err);
		if (rc == -ENOENT || rc == -ENOTDIR)
			nook_cause(err, "command-not-found", "the container has no file %s",
				   p->argv[0]);
		return rc;
	}
	return search(s, err);
}

void exec_program_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	const struct nook_plan_process *p = &plan->process;

	if (p->no_program) /* it waits for a start that will be refused */
		return;
	if (!plan->bundle)
		show_session(p, ", CLOEXEC", rows);
	if (p->seccomp && p->seccomp_late)
		nook_show_seccomp(plan, rows);
	nook_show(rows, "the program's environment", "environ: %s", nook_words_text(rows, p->env));
	nook_show(rows, strchr(p->argv[0], '/') ? "the program" : "the program, searched in PATH",
		  "execve(%s)", nook_words_text(rows, p->argv));
}

/* In pid 1's memory, but it is the program's process: pid 1 waits until it has executed. */
static int be_program(void *ctx)
{
	struct nook_stage *s = ctx;
	struct nook_error err = { .wanted = NOOK_WANTED_EXEC };

	(void)exec_program(s, &err); /* it returns with the reason in err, or not at all */
	(void)nook_send(s->walk.channel, NOOK_MSG_FAILED, &err, sizeof(err), NO_FD);
	return 125;
}

/*
 * An ordinary user's `nook exec` needs a pid 1 that is dumpable, and the program must find one that
 * has nothing of the caller's left: so the program, a copy of us here, waits at a pipe until pid 1
 * is as it is to be.
 */
static int start_behind_pipe(struct nook_stage *s, struct nook_error *err)
{
	int go[2];
	char none;

	if (pipe2(go, O_CLOEXEC) < 0)
		return nook_fail(err, errno, "pipe2");

	pid_t child = nook_fork();

	if (child == 0) {
		/* Holding the other end we would wait for ever. */
		if (close(go[1]) < 0 && close(go[1]) < 0)
			_exit(125);
		(void)!read(go[0], &none, 1); /* its end comes, and whatever else, we go on */
		_exit(be_program(s));
	}
	if (child < 0) {
		close_fd(&go[0]);
		close_fd(&go[1]);
		return nook_fail(err, -child, "clone (the program, below our pid 1)");
	}
	nook_arena_free(s->arena);
	nook_init_main(child, s->plan->sources_outside ? NO_FD : go[1]);
}

int start_program(void *ctx, struct nook_error *err)
{
	static _Alignas(16) char stack[65536];
	struct nook_stage *s = ctx;
	int rc = new_session(err);

	if (rc < 0)
		return rc;

	/* The program runs before pid 1 does again: who may trace the latter finds nothing of the
	 * host's in its /proc/1/fd. */
	rc = nook_close_others((int[]){ s->walk.channel, s->console }, 2);
	if (rc < 0)
		return nook_fail(err, -rc, "close_range");

	/* Root enters whatever it likes; our own user has to be let in. A function is no execve(2),
	 * which would end the sharing of our memory. */
	if (!s->plan->sources_outside || s->function)
		return start_behind_pipe(s, err);

	nook_init_forget();

	pid_t child = nook_vfork(be_program, s, stack, sizeof(stack));

	if (child < 0)
		return nook_fail(err, -child, "clone (the program, below our pid 1)");
	nook_arena_free(s->arena);
	nook_init_main(child, NO_FD);
}

void start_program_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	nook_show(rows, "pid 1 stays, reaps and passes signals on", "setsid, clone(VM|VFORK)");
	exec_program_show(plan, rows);
}
