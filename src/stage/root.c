/* SPDX-License-Identifier: Apache-2.0 */
/* The container's root: a place to build it, and the root itself. */
#include "stage.h"

#include "base/own.h"
#include "sys/file.h"
#include "sys/mount.h"
#include "sys/process.h"
#include "sys/procfs.h"
#include "texts.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

static int new_mount(const char *fstype, uint64_t attrs, const char *mode, struct nook_error *err)
{
	auto_close int fs = nook_fsopen(fstype);

	if (fs < 0)
		return nook_fail(err, -fs, "fsopen %s", fstype);

	int rc = nook_fsconfig_string(fs, "source", fstype);

	if (rc == 0 && mode)
		rc = nook_fsconfig_string(fs, "mode", mode);
	if (rc == 0)
		rc = nook_fsconfig_create(fs);
	if (rc < 0)
		return nook_fail(err, -rc, "fsconfig %s", fstype);

	int mount = nook_fsmount(fs, attrs);

	return mount < 0 ? nook_fail(err, -mount, "fsmount %s", fstype) : mount;
}

static int new_proc(struct nook_stage *s, struct nook_error *err)
{
	int fd = new_mount("proc", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC, NULL,
			   err);

	s->proc_is_new = fd >= 0;
	return fd;
}

static bool joins_pid(const struct nook_plan *plan)
{
	for (size_t i = 0; i < plan->n_joins; i++) {
		if (plan->joins[i].kind == NOOK_NS_PID)
			return true;
	}
	return false;
}

/*
 * A procfs that nobody can have prepared: of the new pid namespace, or of the one that was joined:
 * the host's would show its processes, under numbers that mean nobody inside. Where that is the
 * host's and we may mount none, the host's own, which must be a procfs and its root.
 */
static int open_proc(struct nook_stage *s, struct nook_error *err)
{
	if (s->plan->clone_flags & CLONE_NEWPID) {
		int fd = new_proc(s, err);

		if (fd == -EPERM)
			nook_cause(err, "masked-proc",
				   "parts of /proc are covered by other mounts here, and the "
				   "kernel forbids a "
				   "new one that would show them");
		if (fd == -EPERM)
			nook_hint(err, "run nook where /proc is whole, or with --share pid");
		return fd;
	}
	if (s->plan->bundle || joins_pid(s->plan)) {
		int fd = new_proc(s, NULL);

		if (fd != -EPERM)
			return fd < 0 ? nook_fail(err, -fd, "mount a new proc") : fd;
	}
	return nook_procfs_open(false, err);
}

/* What the host's mounts become in our copy of them; 0: they stay. */
static unsigned long propagation_here(const struct nook_plan *plan)
{
	/* Not to be copied for us, of all. */
	if (plan->host_propagation & MS_UNBINDABLE)
		return MS_PRIVATE | MS_REC;
	if (plan->host_propagation)
		return plan->host_propagation;
	/* With a new user namespace the copies are slaves already. */
	return plan->clone_flags & CLONE_NEWUSER ? 0 : MS_SLAVE | MS_REC;
}

/*
 * Hooks that come before the root is entered look for it where the bundle has it, and enter our
 * mounts by setns(2), which leads to what lies on top of "/": so there must be nothing. Else it is
 * there that the root is put together: the one place that is sure to be found.
 */
bool nook_root_in_sight(const struct nook_plan *plan)
{
	return plan->root_how == NOOK_PLAN_ROOT_BIND &&
	       (nook_outer_hooks(plan) || nook_container_hooks(plan));
}

static const char *site(const struct nook_plan *plan)
{
	return nook_root_in_sight(plan) ? plan->sources[plan->root_source].path : "/";
}

/* The bundle may lead to its root by symlinks, which move_mount(2) doesn't follow. */
static int attach(int mount, const struct nook_plan *plan)
{
	if (!nook_root_in_sight(plan))
		return nook_move_mount_at(mount, AT_FDCWD, site(plan));

	auto_close int fd = openat(AT_FDCWD, site(plan), O_PATH | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : nook_move_mount(mount, fd);
}

/* The root of the mount that @fd lies in: up while nothing changes, or we are at the top. */
static int climb(int *fd, struct nook_error *err)
{
	struct statx here, up;

	for (int depth = 0; depth < PATH_MAX / 2; depth++) {
		auto_close int above = openat(*fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);

		if (above < 0)
			return nook_fail(err, errno, "open the directory above the root");
		if (statx(*fd, "", AT_EMPTY_PATH, STATX_MNT_ID | STATX_INO, &here) < 0 ||
		    statx(above, "", AT_EMPTY_PATH, STATX_MNT_ID | STATX_INO, &up) < 0)
			return nook_fail(err, errno, "statx above the root");
		/* Subvolumes have their numbers each for itself. */
		if (up.stx_mnt_id != here.stx_mnt_id ||
		    (up.stx_ino == here.stx_ino && up.stx_dev_minor == here.stx_dev_minor))
			return 0;
		close_fd(fd);
		*fd = move_fd(&above);
	}
	return nook_refuse(err, ELOOP, "the container's root lies too deep");
}

/* The mount on which the root will lie: pivot_root(2) wants it unshared. */
static int open_parent_mount(const struct nook_plan *plan, struct nook_error *err)
{
	const char *path = site(plan);
	auto_close int fd = openat(AT_FDCWD, path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return nook_fail(err, errno, "open %s", path);

	int rc = nook_root_in_sight(plan) ? climb(&fd, err) : 0;

	return rc < 0 ? rc : move_fd(&fd);
}

/* What we mount must not reach the host. */
static int cut_off(const struct nook_plan *plan, struct nook_error *err)
{
	unsigned long flags = propagation_here(plan), type = flags & ~(unsigned long)MS_REC;

	if (!flags)
		return 0;

	auto_close int root = openat(AT_FDCWD, "/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (root < 0)
		return nook_fail(err, errno, "open /");

	int rc = nook_mount_setattr(root, flags & MS_REC, 0, 0, type, NO_FD);

	if (rc < 0)
		return nook_fail(err, -rc, "mount_setattr /, MS_%s", nook_propagation_text(type));
	if (!(type & MS_SHARED) && (flags & MS_REC))
		return 0;

	auto_close int parent = open_parent_mount(plan, err);

	if (parent < 0)
		return parent;
	rc = nook_mount_setattr(parent, false, 0, 0, MS_PRIVATE, NO_FD);
	return rc < 0 ? nook_fail(err, -rc, "mount_setattr of what %s lies on, MS_PRIVATE",
				  site(plan))
		      : 0;
}

int prepare_mounts(void *ctx, struct nook_error *err)
{
	struct nook_stage *s = ctx;
	int rc;

	s->proc = open_proc(s, err);
	if (s->proc < 0)
		return s->proc;
	if (s->plan->root_how == NOOK_PLAN_ROOT_KEEP)
		return 0;

	rc = cut_off(s->plan, err);
	if (rc < 0)
		return rc;

	if (!s->plan->scratch)
		return 0;

	/* On top of what is there in our copy of the host's mounts. It goes with the old root. */
	s->scratch = new_mount("tmpfs", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, "0700", err);
	if (s->scratch < 0)
		return s->scratch;
	rc = attach(s->scratch, s->plan);
	if (rc < 0)
		return nook_fail(err, -rc, "move_mount tmpfs to %s", site(s->plan));

	s->changes = s->scratch;
	if (!s->plan->has_changes)
		return 0;
	s->changes = s->sources[s->plan->changes_source];
	rc = nook_mkdir_below(s->scratch, "c", 0700);
	if (rc < 0)
		return nook_fail(err, -rc, "mkdirat c");
	rc = nook_move_mount_at(s->changes, s->scratch, "c");
	return rc < 0 ? nook_fail(err, -rc, "move_mount %s",
				  s->plan->sources[s->plan->changes_source].path)
		      : 0;
}

void prepare_mounts_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	if (plan->clone_flags & CLONE_NEWPID)
		nook_show(rows, "a procfs of the new pid namespace",
			  "fsopen(\"proc\"), fsmount(NOSUID|NODEV|NOEXEC)");
	else if (plan->bundle || joins_pid(plan))
		nook_show(rows,
			  "a procfs of its pid namespace; the host's, where none may be mounted",
			  "fsopen(\"proc\"), fsmount(NOSUID|NODEV|NOEXEC)");
	else
		nook_show(rows, "the host's procfs, if it is one", "openat2(\"/proc\"), fstatfs");
	if (plan->root_how == NOOK_PLAN_ROOT_KEEP)
		return;
	if (propagation_here(plan))
		nook_show(rows, "mounts from here on stay here", "mount_setattr(\"/\"%s, %s)",
			  propagation_here(plan) & MS_REC ? ", RECURSIVE" : "",
			  nook_propagation_text(propagation_here(plan) & ~(unsigned long)MS_REC));
	if (plan->scratch)
		nook_show(rows, "a place to build the root",
			  "fsopen(\"tmpfs\"), fsmount(NOSUID|NODEV), move_mount(\"%s\")",
			  site(plan));
	if (plan->has_changes)
		nook_show(rows, "where changes are kept", "move_mount(\"%s\")",
			  plan->sources[plan->changes_source].path);
}

int mount_rootfs(void *ctx, struct nook_error *err)
{
	struct nook_stage *s = ctx;
	bool overlay = s->plan->root_how == NOOK_PLAN_ROOT_OVERLAY;
	int fd = overlay ? nook_overlay_mount(s, 0, err) : s->sources[s->plan->root_source];

	if (fd < 0)
		return fd;
	s->root = fd;

	bool hidden = s->plan->scratch && !nook_root_in_sight(s->plan);
	int rc = hidden ? nook_mkdir_below(s->scratch, "root", 0700) : 0;

	if (rc < 0)
		return nook_fail(err, -rc, "mkdirat root");
	rc = hidden ? nook_move_mount_at(s->root, s->scratch, "root") : attach(s->root, s->plan);
	return rc < 0 ? nook_fail(err, -rc, "move_mount root to %s", site(s->plan)) : 0;
}

void mount_rootfs_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	if (plan->root_how == NOOK_PLAN_ROOT_OVERLAY)
		nook_overlay_show(plan, 0, rows);
	if (plan->root_how == NOOK_PLAN_ROOT_OVERLAY)
		nook_show(rows, "the container's root", "move_mount(overlay)");
	else
		nook_show(rows, "the container's root, written through", "move_mount(\"%s\")",
			  plan->sources[plan->root_source].path);
}
