/* SPDX-License-Identifier: Apache-2.0 */
/* The container's root: a place to build it, the root itself, and the step out of the host's. */
#include "stage.h"

#include "base/own.h"
#include "sys/file.h"
#include "sys/mount.h"
#include "sys/process.h"
#include "sys/procfs.h"

#include <errno.h>
#include <fcntl.h>
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

/*
 * A procfs that nobody can have prepared: of the new pid namespace. Where that is shared, the
 * host's own, which must be a procfs and its root.
 */
static int open_proc(struct nook_stage *s, struct nook_error *err)
{
	if (s->plan->clone_flags & CLONE_NEWPID) {
		int fd = new_mount("proc", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC,
				   NULL, err);

		if (fd == -EPERM)
			nook_cause(err, "masked-proc",
				   "parts of /proc are covered by other mounts here, and the "
				   "kernel forbids a "
				   "new one that would show them");
		if (fd == -EPERM)
			nook_hint(err, "run nook where /proc is whole, or with --share pid");
		return fd;
	}
	return nook_procfs_open(false, err);
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

	/* With a new user namespace the copied mounts are slaves already; else what we do must not
	 * reach the host. */
	if (!(s->plan->clone_flags & CLONE_NEWUSER)) {
		auto_close int root = openat(AT_FDCWD, "/", O_PATH | O_DIRECTORY | O_CLOEXEC);

		if (root < 0)
			return nook_fail(err, errno, "open /");
		rc = nook_mount_setattr(root, true, 0, 0, MS_SLAVE, NO_FD);
		if (rc < 0)
			return nook_fail(err, -rc, "mount_setattr /, MS_SLAVE");
	}

	if (!s->plan->scratch)
		return 0;

	/* On top of our copy of the host's root: the one place that is sure to be there. It goes
	 * with the old root. */
	s->scratch = new_mount("tmpfs", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, "0700", err);
	if (s->scratch < 0)
		return s->scratch;
	rc = nook_move_mount_at(s->scratch, AT_FDCWD, "/");
	if (rc < 0)
		return nook_fail(err, -rc, "move_mount tmpfs");

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
	else
		nook_show(rows, "the host's procfs, if it is one", "openat2(\"/proc\"), fstatfs");
	if (plan->root_how == NOOK_PLAN_ROOT_KEEP)
		return;
	if (!(plan->clone_flags & CLONE_NEWUSER))
		nook_show(rows, "mounts from here on stay here",
			  "mount_setattr(\"/\", RECURSIVE, SLAVE)");
	if (plan->scratch)
		nook_show(rows, "a place to build the root",
			  "fsopen(\"tmpfs\"), fsmount(NOSUID|NODEV), move_mount(\"/\")");
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

	int rc = s->plan->scratch ? nook_mkdir_below(s->scratch, "root", 0700) : 0;

	if (rc < 0)
		return nook_fail(err, -rc, "mkdirat root");
	rc = s->plan->scratch ? nook_move_mount_at(s->root, s->scratch, "root")
			      : nook_move_mount_at(s->root, AT_FDCWD, "/");
	return rc < 0 ? nook_fail(err, -rc, "move_mount root") : 0;
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

static int mount_id(int dir, const char *path, uint64_t *ret, struct nook_error *err)
{
	struct statx st;

	if (statx(dir, path, AT_NO_AUTOMOUNT | (*path ? 0 : AT_EMPTY_PATH), STATX_MNT_ID, &st) < 0)
		return nook_fail(err, errno, "statx %s", *path ? path : "of the root");
	*ret = st.stx_mnt_id;
	return 0;
}

/*
 * umount2(".") takes what lies on top of ".": our scratch tmpfs first, then the old root, and in
 * between whatever the host had stacked on its own "/". "/.." follows the stack to its top: when
 * that is the new root, nothing is left.
 */
static int leave_old_root(int root, struct nook_error *err)
{
	uint64_t new_id, top_id;
	int rc = mount_id(root, "", &new_id, err);

	for (int tries = 0; rc == 0; tries++) {
		rc = mount_id(AT_FDCWD, "/..", &top_id, err);
		if (rc < 0 || top_id == new_id)
			return rc;
		if (tries == 64)
			return nook_refuse(err, ELOOP,
					   "the old root is still there after %d umounts", tries);

		rc = nook_umount_detach(".");
		if (rc < 0)
			return nook_fail(err, -rc, "umount2(old root, MNT_DETACH)");
	}
	return rc;
}

/* A filter around us that answers for the kernel must not leave the program in the host's root. */
static int check_root(int root, struct nook_error *err)
{
	uint64_t wanted, is;
	int rc = mount_id(root, "", &wanted, err);

	if (rc == 0)
		rc = mount_id(AT_FDCWD, "/", &is, err);
	if (rc == 0 && is != wanted)
		rc = nook_refuse(err, EPERM, "/ is another mount after pivot_root");
	return rc;
}

int pivot(void *ctx, struct nook_error *err)
{
	struct nook_stage *s = ctx;

	if (fchdir(s->root) < 0)
		return nook_fail(err, errno, "fchdir to the container's root");

	/* The old root lands on top of the new one, at ".", and is taken away from there: no
	 * directory is needed. */
	int rc = nook_pivot_root(".", ".");

	if (rc < 0) {
		if (rc == -EINVAL)
			nook_hint(err, "the machine's root may be an initramfs, which pivot_root "
				       "can't leave: "
				       "boot with a root file system of its own");
		return nook_fail(err, -rc, "pivot_root");
	}
	rc = leave_old_root(s->root, err);
	if (rc < 0)
		return rc;
	if (chdir("/") < 0)
		return nook_fail(err, errno, "chdir /");
	return check_root(s->root, err);
}

void pivot_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	(void)plan;
	nook_show(rows, "make it the root", "pivot_root(\".\", \".\")");
	nook_show(rows, "let the host's go", "umount2(\".\", MNT_DETACH)");
}
