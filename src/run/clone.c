/* SPDX-License-Identifier: Apache-2.0 */
/* The one clone: straight into new namespaces, or by way of a joiner that enters existing ones
 * first. */
#include "create.h"

#include "base/own.h"
#include "base/text.h"
#include "ns/kinds.h"
#include "seal.h"
#include "sys/pidfd.h"
#include "sys/process.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

/* In the child. What belongs to nook alone is closed at once: the lock, above all, must die with
 * nook. */
static _Noreturn void be_stage(struct nook_create *c)
{
	close_fd(&c->walk.channel);
	close_fd(&c->cgroup);
	nook_state_close(&c->state);
	if (!nook_lets_go_later(c->plan))
		close_fd(&c->stage.own_mount);

	struct nook_error err = { .wanted = "join the namespaces" };

	if (nook_join_late(c, &err) < 0) {
		(void)nook_send(c->peer, NOOK_MSG_FAILED, &err, sizeof(err),
				NO_FD); /* nobody else to tell */
		_exit(125);
	}
	close_fd(&c->links);
	nook_stage_run(c->stage_steps, c->n_stage_steps, &c->stage, c->peer, c->walk.trace);
}

static pid_t clone_into(struct nook_create *c, uint64_t extra, int *ret_pidfd)
{
	pid_t pid = nook_clone(c->plan->clone_flags | extra, c->cgroup, ret_pidfd);

	if (pid == 0)
		be_stage(c);
	return pid;
}

static int fail_clone(const struct nook_create *c, pid_t rc, struct nook_error *err)
{
	char kinds[64] = "";
	size_t len = 0;

	for (int k = 0; k < NOOK_NS_COUNT; k++) {
		if (c->plan->clone_flags & nook_ns_kinds[k].clone_flag)
			len += nook_format(kinds + len, sizeof(kinds) - len, "%s%s", len ? "," : "",
					   nook_ns_kinds[k].name);
	}
	return nook_fail(err, -rc, "clone3(new %s)", len ? kinds : "process");
}

/*
 * Where somebody else is inside already, our child is born with no more descriptors than it needs:
 * with CAP_SYS_PTRACE over the host's ids, they could take these from its /proc/PID/fd.
 */
static int leave_behind(const struct nook_create *c, struct nook_error *err)
{
	/* Our /proc leads to our files: where we will be seen, it stays out, and the stage goes by
	 * the success of its setns(2) alone. */
	const int needed[] = {
		c->peer,
		c->cgroup,
		c->time_ns,
		c->cgroup_ns,
		c->user_ns,
		c->stage.own_mount,
		nook_joins_seen(c->plan) ? NO_FD : c->links,
	};

	if (c->plan->root_how != NOOK_PLAN_ROOT_KEEP)
		return 0; /* it has a root to build */

	int rc = nook_close_others_from(3 + (int)c->plan->process.preserve_fds, needed,
					ARRAY_SIZE(needed));

	return rc < 0 ? nook_fail(err, -rc, "close_range") : 0;
}

/* Joins, clones a child of its own parent, notes its pid, ends. We are suspended meanwhile, and
 * share its memory. */
static int be_joiner(void *ctx)
{
	struct nook_create *c = ctx;
	struct nook_error err = { 0 };
	int rc = nook_join_all(c, &err);

	if (rc == 0)
		rc = leave_behind(c, &err);
	if (rc == 0) {
		pid_t pid = clone_into(c, CLONE_PARENT, NULL);

		if (pid > 0) {
			c->pid = pid;
			return 0;
		}
		rc = fail_clone(c, pid, &err);
	}
	(void)nook_send(c->peer, NOOK_MSG_FAILED, &err, sizeof(err),
			NO_FD); /* nobody else to tell */
	return 1;
}

static int wait_joiner(struct nook_create *c, pid_t joiner, struct nook_error *err)
{
	int status;

	while (waitpid(joiner, &status, 0) < 0) {
		if (errno != EINTR)
			return nook_fail(err, errno, "waitpid(joiner)");
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;

	/* Should it not have been able to tell why, the wait must end all the same. */
	close_fd(&c->peer);

	int rc = WIFEXITED(status) ? nook_wait(&c->walk, NOOK_MSG_NONE, err) : -EPIPE;

	return rc < 0 && rc != -EPIPE
		       ? rc
		       : nook_refuse(err, EPIPE, "the joiner ended with status 0x%x", status);
}

static int clone_by_joiner(struct nook_create *c, struct nook_error *err)
{
	static _Alignas(16) char stack[65536];
	pid_t joiner = nook_vfork(be_joiner, c, stack, sizeof(stack));
	int rc =
		joiner < 0 ? nook_fail(err, -joiner, "clone(joiner)") : wait_joiner(c, joiner, err);

	if (rc < 0)
		return rc;

	/* Ours by CLONE_PARENT: the pid can't be reused before we have waited for it. */
	c->pidfd = nook_pidfd_open(c->pid, 0);
	return c->pidfd < 0 ? nook_fail(err, -c->pidfd, "pidfd_open %d", c->pid) : 0;
}

/*
 * The files in /proc of a process that is not dumpable belong to root, and an ordinary user could
 * write no id map: so the stage is born dumpable, and changes that as soon as it has its ids.
 * Nobody is inside with it before.
 */
static bool born_dumpable(const struct nook_plan *plan)
{
	return plan->userns.writer != NOOK_IDMAP_NONE && !plan->sources_outside &&
	       plan->n_joins == 0;
}

int clone_stage(void *ctx, struct nook_error *err)
{
	struct nook_create *c = ctx;
	int rc = nook_prctl(PR_SET_DUMPABLE, born_dumpable(c->plan), 0);

	if (rc < 0)
		return nook_fail(err, -rc, "prctl(PR_SET_DUMPABLE)");

	c->stage.own_mount = nook_seal_take_mount();
	if (c->plan->n_joins) {
		rc = clone_by_joiner(c, err);
	} else {
		c->pid = clone_into(c, 0, &c->pidfd);
		rc = c->pid < 0 ? fail_clone(c, c->pid, err) : 0;
	}
	close_fd(&c->peer);
	if (c->plan->start_later)
		close_fd(&c->stage.own_mount); /* else await_program() does it */
	c->walk.peer = c->pidfd;

	int again = nook_prctl(PR_SET_DUMPABLE, 0, 0);

	if (rc == 0 && again < 0)
		rc = nook_fail(err, -again, "prctl(PR_SET_DUMPABLE)");
	return rc;
}

int kill_stage(void *ctx, struct nook_error *err)
{
	struct nook_create *c = ctx;
	int status;

	if (c->pid <= 0)
		return 0;
	/* Our child, not waited for yet: the pid can mean nobody else. ESRCH: it has ended by
	 * itself. */
	if (c->pidfd < 0 || nook_pidfd_send_signal(c->pidfd, SIGKILL) < 0)
		(void)kill(c->pid, SIGKILL);
	for (int failed = 0; waitpid(c->pid, &status, __WALL) < 0;) {
		if (errno == ECHILD)
			break;
		if (errno != EINTR && failed++)
			return nook_fail(err, errno, "waitpid %d", c->pid);
	}
	c->pid = 0;
	return 0;
}

static void show_joins(const struct nook_plan *plan, bool by_stage, struct nook_rows *rows)
{
	const char *what = by_stage ? "entered by that process" : "entered by a joiner, its parent";

	for (size_t i = 0; i < plan->n_joins; i++) {
		const struct nook_plan_join *j = &plan->joins[i];
		const struct nook_ns_info *kind = &nook_ns_kinds[j->kind];

		if (by_stage != !!(kind->clone_flag & nook_joined_by_stage(plan)))
			continue;
		if (j->path)
			nook_show(rows, what, "setns(\"%s\", %s)", j->path, kind->flag_name);
		else
			nook_show(rows, what, "setns(pidfd of %d, %s)", j->pid, kind->flag_name);
	}
}

void clone_stage_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	bool v2 = plan->cgroup.n_dirs && plan->cgroup.dirs[0].v2;
	const char *flags = plan->n_joins ? "PARENT" : "PIDFD";

	show_joins(plan, false, rows);
	if (v2)
		flags = nook_printf(rows->arena, "%s|INTO_CGROUP", flags);
	for (int k = 0; k < NOOK_NS_COUNT; k++) {
		if (plan->clone_flags & nook_ns_kinds[k].clone_flag)
			flags = nook_printf(rows->arena, "%s|%s", flags,
					    nook_ns_kinds[k].flag_name + strlen("CLONE_"));
	}
	nook_show(rows, "the container's first process", "clone3(%s)", flags);
	show_joins(plan, true, rows);
}
