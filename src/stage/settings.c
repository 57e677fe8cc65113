/* SPDX-License-Identifier: Apache-2.0 */
/* What a bundle says about the process, and the settings of its namespaces. */
#include "stage.h"

#include "base/own.h"
#include "sys/label.h"
#include "sys/openat2.h"
#include "sys/process.h"
#include "sys/procfs.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* By clone3(2) its root would be the cgroup that we were born in: of v1 we were in none of ours
 * then. */
int enter_cgroup_namespace(void *ctx, struct nook_error *err)
{
	int rc = nook_unshare(CLONE_NEWCGROUP);

	(void)ctx;
	return rc < 0 ? nook_fail(err, -rc, "unshare(CLONE_NEWCGROUP)") : 0;
}

void enter_cgroup_namespace_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	(void)plan;
	nook_show(rows, "its cgroups become its roots", "unshare(CLONE_NEWCGROUP)");
}

static int fail_sysctl(const struct nook_plan_sysctl *c, int error, const char *call,
		       struct nook_error *err)
{
	if (c->from)
		nook_where(err, "%s", c->from);
	if (error == ENOENT)
		nook_hint(err, "this kernel has no such setting, or a module that brings it is not "
			       "loaded");
	else if (error == EXDEV || error == EROFS)
		nook_hint(err, "/proc/sys is covered or read-only here: leave the sysctl out, or "
			       "run where /proc is whole");
	else if (error == EACCES || error == EPERM)
		nook_hint(err, "only settings of the container's own namespaces can be changed "
			       "from in there");
	return nook_fail(err, error, call, c->path, c->value);
}

static int write_sysctl(int sys, const struct nook_plan_sysctl *c, struct nook_error *err)
{
	auto_close int fd = nook_openat2(sys, c->path, O_WRONLY, 0,
					 RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS |
						 RESOLVE_NO_SYMLINKS);
	size_t len = strlen(c->value);

	if (fd < 0)
		return fail_sysctl(c, -fd, "open /proc/sys/%s", err);

	ssize_t done = write(fd, c->value, len);

	if (done < 0)
		return fail_sysctl(c, errno, "write /proc/sys/%s, \"%.100s\"", err);
	return (size_t)done == len ? 0 : fail_sysctl(c, EIO, "write /proc/sys/%s, \"%.100s\"", err);
}

int set_sysctls(void *ctx, struct nook_error *err)
{
	struct nook_stage *s = ctx;
	/* Of the namespaces that whoever opens them is in. */
	auto_close int sys = nook_openat2(s->proc, "sys", O_PATH | O_DIRECTORY, 0,
					  RESOLVE_BENEATH | RESOLVE_NO_XDEV |
						  RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS);

	if (sys < 0)
		return fail_sysctl(&s->plan->sysctls[0], -sys, "open /proc/sys, for %s", err);

	int net = nook_enter_network(s, err);

	if (net < 0)
		return net;
	for (size_t i = 0; i < s->plan->n_sysctls; i++) {
		int rc = write_sysctl(sys, &s->plan->sysctls[i], err);

		if (rc < 0)
			return rc;
	}
	return 0;
}

void set_sysctls_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	for (size_t i = 0; i < plan->n_sysctls; i++)
		nook_show(rows, "a setting of its namespaces", "write(\"/proc/sys/%s\", \"%s\")",
			  plan->sysctls[i].path, plan->sysctls[i].value);
}

static int set_label(struct nook_stage *s, enum nook_label kind, const char *label,
		     struct nook_error *err)
{
	if (s->label < 0) {
		auto_close int self = nook_procfs_self(s->proc, err);

		if (self < 0)
			return self;
		s->label = nook_label_open(self, kind, err);
		if (s->label < 0)
			return s->label;
	}

	int rc = nook_label_write(s->label, kind, label, err);

	close_fd(&s->label);
	return rc;
}

int set_labels(void *ctx, struct nook_error *err)
{
	struct nook_stage *s = ctx;
	const struct nook_plan_process *p = &s->plan->process;

	if (p->apparmor && p->selinux)
		return nook_refuse(err, EINVAL,
				   "AppArmor and SELinux can't both label a program: no kernel has "
				   "both at work");
	return p->apparmor ? set_label(s, NOOK_LABEL_APPARMOR, p->apparmor, err)
			   : set_label(s, NOOK_LABEL_SELINUX, p->selinux, err);
}

void set_labels_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	const struct nook_plan_process *p = &plan->process;

	if (p->apparmor)
		nook_show(rows, "its AppArmor profile, from execve on",
			  "write(\"/proc/self/attr/apparmor/exec\", \"exec %s\")", p->apparmor);
	if (p->selinux)
		nook_show(rows, "its SELinux label, from execve on",
			  "write(\"/proc/self/attr/exec\", \"%s\")", p->selinux);
}

static bool is_null(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3);
}

/* The container's own /dev/null, or NO_FD: what has another number is not opened. */
static int open_null(void)
{
	const int flags = O_NOFOLLOW | O_NOCTTY | O_NONBLOCK | O_CLOEXEC;
	auto_close int there = open("/dev/null", O_PATH | flags);

	if (there < 0 || !is_null(there))
		return NO_FD;

	auto_close int fd = open("/dev/null", O_RDWR | flags);

	return fd >= 0 && is_null(fd) ? move_fd(&fd) : NO_FD;
}

/*
 * A program that opens /dev/stdout again opens what is behind it, with its user's rights. As runc
 * has it: whatever has another owner, but for /dev/null; and what may not be changed stays. The
 * host's /dev/null becomes the container's, when it has one: CRIU saves no file from outside.
 */
int own_stdio(void *ctx, struct nook_error *err)
{
	const struct nook_plan *plan = ((struct nook_stage *)ctx)->plan;
	uint32_t uid = plan->process.uid;
	auto_close int null = NO_FD;

	for (int fd = 0; fd <= 2; fd++) {
		struct stat st;

		if (fstat(fd, &st) < 0)
			return nook_fail(err, errno, "fstat of descriptor %d", fd);
		if (S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3)) {
			if (null < 0 && plan->root_how != NOOK_PLAN_ROOT_KEEP)
				null = open_null();
			if (null >= 0 && dup2(null, fd) < 0)
				return nook_fail(err, errno, "dup2 to descriptor %d", fd);
			continue;
		}
		if (st.st_uid == uid)
			continue;
		if (fchown(fd, uid, (gid_t)-1) < 0 && errno != EINVAL && errno != EPERM &&
		    errno != EROFS)
			return nook_fail(err, errno, "fchown descriptor %d to %u", fd, uid);
	}
	return 0;
}

void own_stdio_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	nook_show(rows, "its own, so that it can open them again", "fchown(0, 1 and 2, %u)",
		  plan->process.uid);
}
