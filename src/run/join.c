/* SPDX-License-Identifier: Apache-2.0 */
/* Entering namespaces that are there: all opened first, then joined, then looked at. */
#include "create.h"

#include "base/own.h"
#include "ns/kinds.h"
#include "sys/pidfd.h"
#include "sys/process.h"
#include "sys/procfs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

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

int nook_join_open(const struct nook_plan_join *j, struct nook_error *err)
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
 * And a user namespace that comes last, when nothing new is made in it: these two may belong to the
 * one that we are in now, and then its rights are what lets us in.
 */
static bool user_is_late(const struct nook_plan *plan)
{
	size_t n = plan->n_joins;

	return n > 1 && plan->joins[n - 1].kind == NOOK_NS_USER && plan->joins[n - 1].path &&
	       !plan->clone_flags;
}

uint64_t nook_joined_by_stage(const struct nook_plan *plan)
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
			c->joins[i] = first = nook_join_open(j, err);

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

		if (j->path && !(nook_ns_kinds[j->kind].clone_flag & nook_joined_by_stage(c->plan)))
			rc = check_ns(self, j->kind, c->joins[i], err);
	}
	return rc;
}

int nook_join_all(const struct nook_create *c, struct nook_error *err)
{
	for (size_t i = 0; i < c->plan->n_joins;) {
		const struct nook_plan_join *j = &c->plan->joins[i];
		int fd = c->joins[i];
		uint64_t flags = 0;

		do
			flags |= nook_ns_kinds[c->plan->joins[i++].kind].clone_flag;
		while (i < c->plan->n_joins && c->joins[i] < 0);
		flags &= ~nook_joined_by_stage(c->plan);

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

/* A pid namespace is entered, whose processes see our child. */
bool nook_joins_seen(const struct nook_plan *plan)
{
	for (size_t i = 0; i < plan->n_joins; i++) {
		if (plan->joins[i].kind == NOOK_NS_PID)
			return true;
	}
	return false;
}

int nook_join_late(const struct nook_create *c, struct nook_error *err)
{
	const struct {
		int fd;
		enum nook_ns_kind kind;
	} late[] = {
		{ c->time_ns, NOOK_NS_TIME },
		{ c->cgroup_ns, NOOK_NS_CGROUP },
		{ c->user_ns, NOOK_NS_USER },
	};
	bool alone = c->plan->root_how == NOOK_PLAN_ROOT_KEEP && nook_joins_seen(c->plan);
	auto_close int self = NO_FD;

	for (size_t i = 0; i < ARRAY_SIZE(late); i++) {
		const struct nook_ns_info *kind = &nook_ns_kinds[late[i].kind];

		if (late[i].fd < 0)
			continue;
		if (self < 0 && !alone)
			self = nook_procfs_self(c->links, err);
		if (self < 0 && !alone)
			return self;

		int rc = nook_setns(late[i].fd, kind->clone_flag);

		if (rc < 0)
			return nook_fail(err, -rc, "setns(%s)", kind->flag_name);
		rc = alone ? 0 : check_ns(self, late[i].kind, late[i].fd, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}
