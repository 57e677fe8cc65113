/* SPDX-License-Identifier: Apache-2.0 */
/* What is mounted below the container's root, in the plan's order. */
#include "mounts.h"

#include "base/own.h"
#include "pty.h"
#include "sys/file.h"
#include "sys/mount.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#define PROC_ATTRS (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)

static int duplicate(int fd, struct nook_error *err)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);

	return copy < 0 ? nook_fail(err, errno, "fcntl(F_DUPFD_CLOEXEC)") : copy;
}

/* lock_root() needs the mount itself: by its path it would find what lies on top. */
static int keep_overlay(struct nook_stage *s, unsigned number, int mount)
{
	if (mount >= 0 && s->plan->root_read_only)
		s->overlays[number] = fcntl(mount, F_DUPFD_CLOEXEC, 3);
	return mount;
}

/*
 * The kernel takes a new way of access times only together with the old one's end. In a user
 * namespace, that of the host's mounts stays as it is: as with runc, nobody fails for that.
 */
static int set_attrs(int mount, bool below, uint64_t set, uint64_t clear)
{
	const uint64_t atime = MOUNT_ATTR__ATIME | MOUNT_ATTR_NODIRATIME;
	int rc = 0;

	if (set & MOUNT_ATTR__ATIME)
		clear |= MOUNT_ATTR__ATIME;
	if (set || clear)
		rc = nook_mount_setattr(mount, below, set, clear, 0, NO_FD);
	return rc == -EPERM && ((set | clear) & atime)
		       ? set_attrs(mount, below, set & ~atime, clear & ~atime)
		       : rc;
}

/*
 * The procfs that we have for ourselves serves the container too, once. One that is to look
 * otherwise is a new one: through ours, labels are written yet.
 */
static int mount_proc(struct nook_stage *s, const struct nook_plan_mount *m, struct nook_error *err)
{
	uint64_t set = m->change.set | m->change.set_below | m->attrs;

	/* None could be mounted for a pid namespace that was joined: then the host's is shown. */
	if (!s->plan->bundle && !s->proc_is_new) {
		int fd = nook_open_tree(s->proc, "", true, false);

		return fd < 0 ? nook_fail(err, -fd, "open_tree of the host's /proc") : fd;
	}
	if (!s->plan->bundle || (s->proc_is_new && !m->n_options && !(set & MOUNT_ATTR_RDONLY))) {
		int rc = s->plan->bundle && m->attrs != PROC_ATTRS
				 ? set_attrs(s->proc, false, m->attrs, PROC_ATTRS & ~m->attrs)
				 : 0;

		s->proc_is_new = false;
		return rc < 0 ? nook_fail(err, -rc, "mount_setattr of the procfs")
			      : duplicate(s->proc, err);
	}

	struct nook_plan_mount other = *m;

	other.fstype = "proc";
	return nook_new_file_system(&other, m->attrs, err);
}

static bool is_bundle_tmpfs(const struct nook_stage *s, const struct nook_plan_mount *m)
{
	return s->plan->bundle && m->kind == NOOK_PLAN_FS && strcmp(m->fstype, "tmpfs") == 0;
}

static int mount_by_page(struct nook_stage *s, const struct nook_plan_mount *m,
			 struct nook_error *err)
{
	int fd = nook_mount_by_page(s, m, err);
	int rc = fd < 0 ? 0 : set_attrs(fd, false, m->attrs, 0);

	if (rc == 0)
		return fd;
	close_fd(&fd);
	return nook_fail(err, -rc, "mount_setattr of what goes to %s", m->target);
}

/* What goes onto the target. A descriptor that is kept by @s is duplicated, so that the caller may
 * close its own. */
static int mount_for(struct nook_stage *s, const struct nook_plan_mount *m, struct nook_error *err)
{
	switch (m->kind) {
	case NOOK_PLAN_BIND:
		return move_fd(&s->sources[m->source]);
	case NOOK_PLAN_OVERLAY:
		return keep_overlay(s, m->overlay, nook_overlay_mount(s, m->overlay, err));
	case NOOK_PLAN_PROC:
		return mount_proc(s, m, err);
	case NOOK_PLAN_DEVPTS:
		close_fd(&s->pts);
		s->pts = nook_new_file_system(m, m->attrs, err);
		return s->pts < 0 ? s->pts : duplicate(s->pts, err);
	case NOOK_PLAN_CONSOLE: {
		int rc = nook_pty_open(s, err);

		if (rc < 0)
			return rc;
		int fd = nook_open_tree(s->console, "", false, false);

		return fd < 0 ? nook_fail(err, -fd, "open_tree of the terminal") : fd;
	}
	default:
		return m->by_page ? mount_by_page(s, m, err)
				  : nook_new_file_system(m, m->attrs, err);
	}
}

static int change_attrs(int mount, const struct nook_plan_mount *m, struct nook_error *err)
{
	const struct nook_plan_attrs *c = &m->change;
	int rc = set_attrs(mount, false, c->set, c->clear);

	if (rc == 0)
		rc = set_attrs(mount, true, c->set_below, c->clear_below);
	if (rc == -EPERM && (c->clear || c->clear_below))
		nook_cause(
			err, "mount-locked",
			"in a user namespace, what was mounted outside of it stays as read-only, "
			"nosuid, nodev and noexec as it is");
	return rc < 0 ? nook_fail(err, -rc, "mount_setattr of what goes to %s", m->target) : 0;
}

/* Once the mount is attached: a shared parent has made it shared just then. */
static int propagate(int mount, const struct nook_plan_mount *m, struct nook_error *err)
{
	for (size_t i = 0; i < m->n_propagation; i++) {
		unsigned long flags = m->propagation[i];
		int rc = nook_mount_setattr(mount, flags & MS_REC, 0, 0,
					    flags & ~(unsigned long)MS_REC, NO_FD);

		if (rc < 0)
			return nook_fail(err, -rc, "mount_setattr of %s (propagation 0x%lx)",
					 m->target, flags);
	}
	return 0;
}

/* A tmpfs without a mode of its own has the one of the directory that it covers, as runc does it.
 */
static int look_like(int mount, int target, const struct nook_plan_mount *m, struct nook_error *err)
{
	struct stat st;

	if (!m->keep_mode)
		return 0;
	if (fstat(target, &st) < 0)
		return nook_fail(err, errno, "fstat %s", m->target);

	auto_close int root = nook_open_dir_below(mount, ".", O_RDONLY);
	int rc = root < 0 ? root : nook_own(root, (uid_t)-1, (gid_t)-1, st.st_mode & 07777);

	return rc < 0 ? nook_fail(err, -rc, "fchmod of the tmpfs for %s", m->target) : 0;
}

static int fill_tmpfs(int mount, int target, bool was_there, const struct nook_plan_mount *m,
		      struct nook_error *err)
{
	int rc = was_there ? look_like(mount, target, m, err) : 0;

	return rc == 0 && was_there && m->copy_up ? nook_copy_up(target, mount, err) : rc;
}

static enum nook_path_make to_make(const struct nook_plan_mount *m, int mount)
{
	/* A volume's kind is known only now: a file wants a file to lie on. */
	if (m->kind == NOOK_PLAN_BIND && m->make == NOOK_MAKE_DIR && nook_is_dir(mount) == 0)
		return NOOK_PATH_FILE;
	return m->make == NOOK_MAKE_DIR    ? NOOK_PATH_DIR
	       : m->make == NOOK_MAKE_FILE ? NOOK_PATH_FILE
					   : NOOK_PATH_EXISTS;
}

/* A tmpfs of a bundle is made like what it covers. */
static int attach_tmpfs(struct nook_stage *s, const struct nook_plan_mount *m, int mount,
			struct nook_error *err)
{
	auto_close int target = nook_open_target(s, m, NOOK_PATH_EXISTS, err);
	bool was_there = target >= 0;

	if (target == -ENOENT)
		target = nook_open_target(s, m, to_make(m, mount), err);
	if (target < 0)
		return target;

	int rc = nook_check_target(s, m, mount, target, err);

	if (rc == 0)
		rc = fill_tmpfs(mount, target, was_there, m, err);
	if (rc < 0)
		return rc;
	rc = nook_move_mount(mount, target);
	return rc < 0 ? nook_fail(err, -rc, "move_mount to %s", m->target)
		      : nook_note_target(s, m, mount, target, err);
}

static int attach(struct nook_stage *s, const struct nook_plan_mount *m, int mount,
		  struct nook_error *err)
{
	auto_close int target = nook_open_target(s, m, to_make(m, mount), err);

	if (target < 0)
		return target;

	/* What nook mounts itself fits; what the user names may not. */
	int rc = m->from ? nook_check_target(s, m, mount, target, err) : 0;

	if (rc < 0)
		return rc;
	rc = nook_move_mount(mount, target);
	return rc < 0 ? nook_fail(err, -rc, "move_mount to %s", m->target)
		      : nook_note_target(s, m, mount, target, err);
}

static int mount_new(struct nook_stage *s, const struct nook_plan_mount *m, struct nook_error *err)
{
	if (m->kind == NOOK_PLAN_BIND && s->sources[m->source] < 0)
		return 0; /* an optional source that isn't there */

	auto_close int mount = mount_for(s, m, err);

	if (mount < 0)
		return mount;

	int rc = change_attrs(mount, m, err);

	if (rc == 0)
		rc = is_bundle_tmpfs(s, m) ? attach_tmpfs(s, m, mount, err)
					   : attach(s, m, mount, err);
	return rc == 0 ? propagate(mount, m, err) : rc;
}

static int remount(struct nook_stage *s, const struct nook_plan_mount *m, struct nook_error *err)
{
	auto_close int target = nook_open_target(s, m, NOOK_PATH_EXISTS, err);

	if (target < 0)
		return target;

	int rc = nook_is_mount_root(target);

	if (rc < 0)
		return nook_fail(err, -rc, "statx %s", m->target);
	if (rc == 0) {
		nook_hint(err, "leave \"remount\" out, or put this mount after the one it is to "
			       "change");
		return nook_refuse(err, EINVAL, "nothing is mounted on %s that could be remounted",
				   m->target);
	}
	rc = m->n_options ? nook_reconfigure(target, m, err) : 0;
	if (rc == 0)
		rc = change_attrs(target, m, err);
	return rc == 0 ? propagate(target, m, err) : rc;
}

static int mount_one(struct nook_stage *s, const struct nook_plan_mount *m, struct nook_error *err)
{
	switch (m->kind) {
	case NOOK_PLAN_MASK:
	case NOOK_PLAN_READONLY:
		return nook_cover(s, m, err);
	case NOOK_PLAN_SYMLINK:
		return nook_make_symlink(s, m, err);
	case NOOK_PLAN_DEVICE:
		return nook_make_device(s, m, err);
	case NOOK_PLAN_REMOUNT:
		return remount(s, m, err);
	default:
		return mount_new(s, m, err);
	}
}

/* Kinds of file systems that are of no network namespace: sysfs shows its devices, nfs is reached
 * by it, and so on. */
static bool depends_on_network(const struct nook_plan_mount *m)
{
	static const char *const others[] = { "tmpfs", "mqueue", "devpts",  "proc",
					      "ramfs", "cgroup", "cgroup2", "overlay" };

	if (m->kind != NOOK_PLAN_FS)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		if (strcmp(m->fstype, others[i]) == 0)
			return false;
	}
	return true;
}

int mount_all(void *ctx, struct nook_error *err)
{
	struct nook_stage *s = ctx;

	for (size_t i = 0; i < s->plan->n_mounts; i++) {
		const struct nook_plan_mount *m = &s->plan->mounts[i];

		nook_leave_tmpfs(s, m);

		int rc = depends_on_network(m) ? nook_enter_network(s, err) : 0;

		if (rc < 0)
			return rc;
		rc = mount_one(s, m, m->optional ? NULL : err);

		if (rc < 0 && !m->optional) {
			if (m->from)
				nook_where(err, "%s", m->from);
			return rc;
		}
	}
	return 0;
}

int lock_root(void *ctx, struct nook_error *err)
{
	struct nook_stage *s = ctx;
	int rc = nook_mount_setattr(s->root, false, MOUNT_ATTR_RDONLY, 0, 0, NO_FD);

	for (size_t i = 1; rc == 0 && i < s->plan->n_overlays; i++)
		rc = nook_mount_setattr(s->overlays[i], false, MOUNT_ATTR_RDONLY, 0, 0, NO_FD);
	return rc < 0 ? nook_fail(err, -rc, "mount_setattr(RDONLY) of the root") : 0;
}

void lock_root_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	(void)plan;
	nook_show(rows, "the root becomes read-only", "mount_setattr(RDONLY)");
}
