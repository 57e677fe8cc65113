/* SPDX-License-Identifier: Apache-2.0 */
/* Causes in cgroup file systems. cgroups(7); the kernel's admin-guide/cgroup-v2 */
#include "explain.h"
#include "base/own.h"
#include "base/text.h"

#include <string.h>

/* Does the path, or the nearest directory above it that is there, lie on a cgroup file system? */
static bool on_cgroup(const struct nook_question *q)
{
	char path[PATH_MAX], type[32];

	if (q->path[0] != '/')
		return false;
	(void)nook_format(path, sizeof(path), "%s", q->path);
	for (;;) {
		if (nook_evidence_fstype(path, type, sizeof(type)))
			return nook_starts(type, "cgroup");

		char *slash = strrchr(path, '/');

		if (slash == path)
			return false;
		*slash = '\0';
	}
}

/* "memory" of ".../memory.max"; false for cgroup.procs and the like, which belong to none. */
static bool controller_of(const char *path, char *out, size_t size)
{
	const char *name = strrchr(path, '/');
	const char *dot = name ? strchr(name, '.') : NULL;

	if (!dot)
		return false;
	(void)nook_format(out, size, "%.*s", (int)(dot - name - 1), name + 1);
	return strcmp(out, "cgroup") != 0;
}

static bool look_refused(struct nook_question *q)
{
	if (!on_cgroup(q))
		return false;
	if (q->err->errnum == EROFS)
		return nook_answer(q, "no-delegated-cgroup",
				   "Start the outer container with its cgroup mounted writable.",
				   "The cgroup file system is mounted read-only.");
	return nook_answer(q, "no-delegated-cgroup", "", "This user may not write in %s.", q->path);
}

static bool look_subtree_control(struct nook_question *q)
{
	return on_cgroup(q) && strstr(q->path, "cgroup.subtree_control") &&
	       nook_answer(q, "controller-unavailable", "",
			   "cgroup.controllers of that cgroup doesn't list the controller.");
}

static bool look_controller(struct nook_question *q)
{
	char name[64], dir[PATH_MAX];

	if (!on_cgroup(q) || !controller_of(q->path, name, sizeof(name)))
		return false;

	const char *file = strrchr(q->path, '/');

	(void)nook_format(dir, sizeof(dir), "%.*s", (int)(file - q->path), q->path);
	return access(dir, F_OK) == 0 &&
	       nook_answer(q, "controller-unavailable", "",
			   "The cgroup has no file %s: the controller %s is not handed down to it.",
			   file + 1, name);
}

static bool look_busy(struct nook_question *q)
{
	return on_cgroup(q) &&
	       nook_answer(q, "cgroup-busy", "",
			   "The cgroup holds processes, or is threaded, and v2 allows either "
			   "processes or controllers for those below.");
}

static bool look_clone_busy(struct nook_question *q)
{
	return nook_answer(q, "cgroup-busy", "",
			   "The new process was to start in a cgroup that hands controllers on to "
			   "those below, or is threaded.");
}

static bool look_count(struct nook_question *q)
{
	return on_cgroup(q) &&
	       nook_answer(q, "cgroup-limit", "",
			   "cgroup.max.descendants or cgroup.max.depth of a cgroup above is "
			   "reached, or the machine has no number left for a cgroup.");
}

static bool look_cpuset(struct nook_question *q)
{
	return on_cgroup(q) && (strstr(q->path, "cgroup.procs") || strstr(q->path, "tasks")) &&
	       nook_answer(q, "cpuset-empty", "",
			   "A cpuset takes no process before cpuset.cpus and cpuset.mems are "
			   "filled.");
}

#define MAKING  " mkdir mkdirat "
#define WRITING " open openat openat2 write mkdir mkdirat "

static const struct nook_rule rows[] = {
	{ EACCES, WRITING, look_refused },
	{ EPERM, WRITING, look_refused },
	{ EROFS, WRITING, look_refused },
	{ ENOENT, " open openat openat2 write ", look_controller },
	{ ENOENT, " write ", look_subtree_control },
	{ EINVAL, " write ", look_subtree_control },
	{ EBUSY, WRITING, look_busy },
	{ EOPNOTSUPP, WRITING, look_busy },
	{ EBUSY, " clone3 ", look_clone_busy },
	{ EOPNOTSUPP, " clone3 ", look_clone_busy },
	{ EAGAIN, MAKING, look_count },
	{ ENOSPC, MAKING, look_count },
	{ ENOSPC, " write ", look_cpuset },
};

const struct nook_rules nook_rules_cgroup = { rows, ARRAY_SIZE(rows) };
