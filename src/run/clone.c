/* SPDX-License-Identifier: Apache-2.0 */
/* The one clone: straight into new namespaces, or by way of a joiner that enters existing ones
 * first. */
#include "create.h"

#include "base/own.h"
#include "base/text.h"
#include "ns/kinds.h"
#include "sys/pidfd.h"
#include "sys/process.h"
#include "sys/procfs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* The pidfd first: what is true of the pid afterwards is true of its process, or that has ended. */
static int check_start(const struct nook_plan_join *j, int pidfd, struct nook_error *err)
{
	uint64_t started = 0;
	int rc = j->start_time ? nook_start_time(j->pid, &started, err) : 0;

	if (rc < 0 || !j->start_time)
		return rc;
	if (started == j->start_time && nook_pidfd_wait(pidfd, 0) != 0)
		return 0;
	nook_hint(err, "the process has ended; `nook ps` shows the containers that live");
	return nook_refuse(err, ESRCH, "process %d is another one by now", j->pid);
}

static int open_join(const struct nook_plan_join *j, struct nook_error *err)
{
	const struct nook_ns_info *kind = &nook_ns_kinds[j->kind];

	if (!j->path) {
		int fd = nook_pidfd_open(j->pid, 0);

		if (fd == -ESRCH)
			nook_hint(err,
				  "the process has ended; `ps` or `nook ps` shows those that live");
		if (fd < 0)
			return nook_fail(err, -fd, "pidfd_open %d", j->pid);

		int rc = check_start(j, fd, err);

		if (rc < 0)
			close_fd(&fd);
		return rc < 0 ? rc : fd;
	}

	auto_close int fd = open(j->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return nook_fail(err, errno, "open %s", j->path);

	int type = ioctl(fd, NS_GET_NSTYPE);

	if (type < 0) {
		nook_cause(err, "not-a-namespace", "%s is a file of another sort", j->path);
		return nook_refuse(err, EINVAL, "%s is not a namespace", j->path);
	}
	if ((uint64_t)type != kind->clone_flag) {
		nook_cause(err, "not-a-namespace", "it is a namespace of another kind");
		return nook_refuse(err, EINVAL, "%s is a namespace of another kind, not %s",
				   j->path, kind->name);
	}

	struct stat st;

	if (j->ino && (fstat(fd, &st) < 0 || st.st_ino != j->ino)) {
		nook_cause(err, "namespace-gone", "another one has taken its place");
		return nook_refuse(err, ESTALE, "%s is not the namespace any more that was meant",
				   j->path);
	}
	return move_fd(&fd);
}

#ifndef PIDFD_GET_TIME_NAMESPACE
#define PIDFD_GET_CGROUP_NAMESPACE _IO(0xFF, 1) /* Linux 6.11 */
#define PIDFD_GET_TIME_NAMESPACE   _IO(0xFF, 7)
#endif

/*
 * What the joiner leaves to the stage. It shares our memory, and the kernel lets nobody change its
 * clocks who does: the time namespace waits for the stage, which has memory of its own. So does the
 * cgroup namespace: from inside of it nobody outside can be brought into its cgroups, clone3 would
 * answer ENOENT on a tree mounted with nsdelegate, as systemd mounts it.
 */
#define JOINED_BY_STAGE ((uint64_t)(CLONE_NEWTIME | CLONE_NEWCGROUP))

/*
 * And a user namespace that comes last, when nothing new is made in it: these two may belong to the one
 * that we are in now, and then its rights are what lets us in.
 */
static bool user_is_late(const struct nook_plan *plan)
{
	const struct nook_plan_join *last = &plan->joins[plan->n_joins - 1];

	return plan->n_joins > 1 && last->kind == NOOK_NS_USER && last->path && !plan->clone_flags;
}

static uint64_t joined_by_stage(const struct nook_plan *plan)
{
	return JOINED_BY_STAGE | (user_is_late(plan) ? (uint64_t)CLONE_NEWUSER : 0);
}

static int *late_ns(struct nook_create *c, enum nook_ns_kind kind)
{
	if (kind == NOOK_NS_USER && user_is_late(c->plan))
		return &c->user_ns;
	return kind == NOOK_NS_TIME ? &c->time_ns : kind == NOOK_NS_CGROUP ? &c->cgroup_ns : NULL;
}

/*
 * What is joined by the stage, who is in the container's user namespace by then and may not look at
 * the process any more, needs the namespace itself.
 */
static int open_late_ns(enum nook_ns_kind kind, int pid, int pidfd, int *ret,
			struct nook_error *err)
{
	*ret = ioctl(pidfd,
		     kind == NOOK_NS_TIME ? PIDFD_GET_TIME_NAMESPACE : PIDFD_GET_CGROUP_NAMESPACE,
		     0);
	if (*ret >= 0)
		return 0;

	/* Before Linux 6.11: by the process' directory, which was not reused if the pidfd still
	 * means it. */
	auto_close int proc = nook_procfs_open(false, err);

	if (proc < 0)
		return proc;
	*ret = nook_procfs_open_ns(proc, pid, nook_ns_kinds[kind].name, err);
	if (*ret < 0)
		return *ret;

	int rc = nook_pidfd_send_signal(pidfd, 0);

	return rc == -ESRCH ? nook_fail(err, ESRCH, "pidfd_send_signal(%d, 0)", pid) : 0;
}

static int dup_ns(int fd, int *ret, struct nook_error *err)
{
	*ret = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	return *ret < 0 ? nook_fail(err, errno, "fcntl(F_DUPFD_CLOEXEC)") : 0;
}

/* Every namespace is opened before the first is joined: afterwards paths and pids mean something
 * else. */
int open_joins(void *ctx, struct nook_error *err)
{
	struct nook_create *c = ctx;
	int first = NO_FD;

	/* The joiner and the stage look at themselves through it. */
	c->links = nook_procfs_open(false, err);
	if (c->links < 0)
		return c->links;
	for (size_t i = 0; i < c->plan->n_joins; i++) {
		const struct nook_plan_join *j = &c->plan->joins[i];

		/* Several kinds of one process are joined by one pidfd and one call. */
		if (i == 0 || j->path || j[-1].path || j->pid != j[-1].pid)
			c->joins[i] = first = open_join(j, err);

		int rc = first;

		int *late = late_ns(c, j->kind);

		if (rc >= 0 && late)
			rc = j->path ? dup_ns(first, late, err)
				     : open_late_ns(j->kind, j->pid, first, late, err);
		if (rc < 0) {
			if (j->from)
				nook_where(err, "%s", j->from);
			return rc;
		}
	}
	return 0;
}

void open_joins_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	for (size_t i = 0; i < plan->n_joins; i++) {
		const struct nook_plan_join *j = &plan->joins[i];

		if (j->path)
			nook_show(rows, "open it first", "open(\"%s\")", j->path);
		else if (i == 0 || j[-1].path || j[-1].pid != j->pid)
			nook_show(rows, "hold the process", "pidfd_open(%d)", j->pid);
	}
}

/* Are we where we wanted to go? A pid namespace is that of our children. */
static int check_ns(int self, enum nook_ns_kind kind, int wanted, struct nook_error *err)
{
	const char *link = kind == NOOK_NS_PID ? "pid_for_children" : nook_ns_kinds[kind].name;
	struct stat ours, its;
	auto_close int fd = nook_procfs_open_ns_at(self, link, err);

	if (fd < 0)
		return fd;
	if (fstat(fd, &ours) < 0 || fstat(wanted, &its) < 0)
		return nook_fail(err, errno, "fstat of a %s namespace", nook_ns_kinds[kind].name);
	if (ours.st_ino == its.st_ino && ours.st_dev == its.st_dev)
		return 0;
	return nook_refuse(err, EPERM, "setns did not lead into the %s namespace that was opened",
			   nook_ns_kinds[kind].name);
}

/* Those that were opened one by one; several by a pidfd are joined all or none. */
static int check_joins(const struct nook_create *c, struct nook_error *err)
{
	auto_close int self = nook_procfs_self(c->links, err);
	int rc = self < 0 ? self : 0;

	for (size_t i = 0; rc == 0 && i < c->plan->n_joins; i++) {
		const struct nook_plan_join *j = &c->plan->joins[i];

		if (j->path && !(nook_ns_kinds[j->kind].clone_flag & joined_by_stage(c->plan)))
			rc = check_ns(self, j->kind, c->joins[i], err);
	}
	return rc;
}

static int join_all(const struct nook_create *c, struct nook_error *err)
{
	for (size_t i = 0; i < c->plan->n_joins;) {
		const struct nook_plan_join *j = &c->plan->joins[i];
		int fd = c->joins[i];
		uint64_t flags = 0;

		do
			flags |= nook_ns_kinds[c->plan->joins[i++].kind].clone_flag;
		while (i < c->plan->n_joins && c->joins[i] < 0);
		flags &= ~joined_by_stage(c->plan);

		int rc = flags ? nook_setns(fd, flags) : 0;

		if (rc < 0) {
			if (j->from)
				nook_where(err, "%s", j->from);
			return nook_fail(err, -rc, "setns(%s, 0x%lx)",
					 j->path ? j->path : "a process of the container", flags);
		}
	}
	return check_joins(c, err);
}

static int join_late(const struct nook_create *c, struct nook_error *err)
{
	const struct {
		int fd;
		enum nook_ns_kind kind;
	} late[] = {
		{ c->time_ns, NOOK_NS_TIME },
		{ c->cgroup_ns, NOOK_NS_CGROUP },
		{ c->user_ns, NOOK_NS_USER },
	};
	auto_close int self = NO_FD;

	for (size_t i = 0; i < ARRAY_SIZE(late); i++) {
		const struct nook_ns_info *kind = &nook_ns_kinds[late[i].kind];

		if (late[i].fd < 0)
			continue;
		if (self < 0)
			self = nook_procfs_self(c->links, err);
		if (self < 0)
			return self;

		int rc = nook_setns(late[i].fd, kind->clone_flag);

		if (rc < 0)
			return nook_fail(err, -rc, "setns(%s)", kind->flag_name);
		rc = check_ns(self, late[i].kind, late[i].fd, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* In the child. What belongs to nook alone is closed at once: the lock, above all, must die with
 * nook. */
static _Noreturn void be_stage(struct nook_create *c)
{
	close_fd(&c->walk.channel);
	close_fd(&c->cgroup);
	nook_state_close(&c->state);

	struct nook_error err = { 0 };

	if (join_late(c, &err) < 0) {
		(void)nook_send(c->peer, NOOK_MSG_FAILED, &err, sizeof(err),
				NO_FD); /* nobody else to tell */
		_exit(125);
	}
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
	const int needed[] = { c->peer, c->cgroup, c->time_ns, c->cgroup_ns };

	if (c->plan->root_how != NOOK_PLAN_ROOT_KEEP)
		return 0; /* it has a root to build */

	int rc = nook_close_others(needed, ARRAY_SIZE(needed));

	return rc < 0 ? nook_fail(err, -rc, "close_range") : 0;
}

/* Joins, clones a child of its own parent, notes its pid, ends. We are suspended meanwhile, and
 * share its memory. */
static int be_joiner(void *ctx)
{
	struct nook_create *c = ctx;
	struct nook_error err = { 0 };
	int rc = join_all(c, &err);

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

	if (c->plan->n_joins) {
		rc = clone_by_joiner(c, err);
	} else {
		c->pid = clone_into(c, 0, &c->pidfd);
		rc = c->pid < 0 ? fail_clone(c, c->pid, err) : 0;
	}
	close_fd(&c->peer);

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
	if (c->pidfd >= 0)
		(void)nook_pidfd_send_signal(c->pidfd, 9); /* ESRCH: it has ended by itself */
	while (waitpid(c->pid, &status, 0) < 0) {
		if (errno == ECHILD)
			break;
		if (errno != EINTR)
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

		if (by_stage != !!(kind->clone_flag & JOINED_BY_STAGE))
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
