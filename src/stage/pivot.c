/* SPDX-License-Identifier: Apache-2.0 */
/* The step out of the host's root into the container's. */
#include "mounts.h"

#include "base/own.h"
#include "sys/mount.h"
#include "texts.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define STACKED 64 /* mounts on one place: more is somebody's joke */

static int mount_id(int dir, const char *path, uint64_t *ret, struct nook_error *err)
{
	struct statx st;

	if (statx(dir, path, AT_NO_AUTOMOUNT | (*path ? 0 : AT_EMPTY_PATH), STATX_MNT_ID, &st) < 0)
		return nook_fail(err, errno, "statx %s", *path ? path : "of the root");
	*ret = st.stx_mnt_id;
	return 0;
}

/* How the mount at @path, one of the host's, and with @below what is below it, travel from here on.
 */
static int set_propagation(const char *path, bool below, unsigned long type, struct nook_error *err)
{
	auto_close int fd = openat(AT_FDCWD, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int rc = fd < 0 ? -errno : nook_mount_setattr(fd, below, 0, 0, type, NO_FD);

	return rc < 0 ? nook_fail(err, -rc, "mount_setattr %s, MS_%s", path,
				  nook_propagation_text(type))
		      : 0;
}

/*
 * umount2(".") takes what lies on top of ".": our scratch tmpfs first, then the old root, and in
 * between whatever the host had stacked on its own "/". "/.." follows the stack to its top: when
 * that is the new root, nothing is left.
 */
static int leave_old_root(int root, bool shared, struct nook_error *err)
{
	uint64_t new_id, top_id;
	int rc = mount_id(root, "", &new_id, err);

	for (int tries = 0; rc == 0; tries++) {
		rc = mount_id(AT_FDCWD, "/..", &top_id, err);
		if (rc < 0 || top_id == new_id)
			return rc;
		if (tries == STACKED)
			return nook_refuse(err, ELOOP,
					   "the old root is still there after %d umounts", tries);

		/* What is below it has peers, which the kernel would take away too: the host's. */
		rc = shared ? set_propagation("/..", true, MS_SLAVE, err) : 0;
		if (rc < 0)
			return rc;
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

/* How mounts travel between the finished root and others, when a bundle says it. */
static int propagate_root(const struct nook_stage *s, struct nook_error *err)
{
	unsigned long flags = s->plan->root_propagation, type = flags & ~(unsigned long)MS_REC;

	if (!flags)
		return 0;

	int rc = nook_mount_setattr(s->root, flags & MS_REC, 0, 0, type, NO_FD);

	return rc < 0 ? nook_fail(err, -rc, "mount_setattr /, MS_%s", nook_propagation_text(type))
		      : 0;
}

/* Nothing is laid over it, and nothing can be put there. */
static int cover(const char *path, struct nook_error *err)
{
	static const struct nook_plan_option mode = { "mode", "0555" };
	struct nook_plan_mount m = {
		.fstype = "tmpfs", .target = path, .options = &mode, .n_options = 1
	};
	auto_close int empty = nook_new_file_system(
		&m, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC,
		err);

	if (empty < 0)
		return empty;

	int rc = nook_move_mount_at(empty, AT_FDCWD, path);

	return rc < 0 ? nook_fail(err, -rc, "move_mount over the host's %s", path) : 0;
}

/*
 * What is mounted on @path of the host's is not to be seen from inside; the host is to keep it.
 * Where mounts are @shared, taking one away that lies on another takes it from that one's peers,
 * too, and no path leads to the lower one to part it from these. One may also be locked to what it
 * lies on. Such a place is covered, as runc does it.
 */
static int close_place(const char *path, bool shared, struct nook_error *err)
{
	for (int n = 0; n < STACKED; n++) {
		if (set_propagation(path, true, MS_PRIVATE, NULL) < 0)
			return 0; /* it is no mount, or none any more */
		if (shared || nook_umount_detach(path) < 0)
			break;
	}
	return cover(path, err);
}

/*
 * Out of an initramfs nobody can pivot: the new root is laid over the old one, which stays below
 * it, for a root with CAP_SYS_CHROOT to find. Without its /proc and /sys, at least.
 */
static int move_root(struct nook_stage *s, struct nook_error *err)
{
	static const char *const open_places[] = { "/proc", "/sys" };
	int rc = s->plan->host_propagation & MS_SHARED ? set_propagation("/", false, MS_SLAVE, err)
						       : 0;

	/* What is unmounted from a shared "/", or laid over it, would be so for the host, too. */
	if (rc < 0)
		return rc;

	for (size_t i = 0; i < ARRAY_SIZE(open_places) && rc == 0; i++)
		rc = close_place(open_places[i], s->plan->host_propagation & MS_SHARED, err);
	if (rc < 0)
		return rc;
	if (fchdir(s->root) < 0)
		return nook_fail(err, errno, "fchdir to the container's root");

	rc = s->plan->scratch || nook_root_in_sight(s->plan)
		     ? nook_move_mount_at(s->root, AT_FDCWD, "/")
		     : 0;
	if (rc < 0)
		return nook_fail(err, -rc, "move_mount /");
	if (chroot(".") < 0)
		return nook_fail(err, errno, "chroot");
	if (chdir("/") < 0)
		return nook_fail(err, errno, "chdir /");
	rc = check_root(s->root, err);
	return rc < 0 ? rc : propagate_root(s, err);
}

int pivot(void *ctx, struct nook_error *err)
{
	struct nook_stage *s = ctx;

	if (s->plan->no_pivot)
		return move_root(s, err);
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
	rc = leave_old_root(s->root, s->plan->host_propagation & MS_SHARED, err);
	if (rc < 0)
		return rc;
	if (chdir("/") < 0)
		return nook_fail(err, errno, "chdir /");
	rc = check_root(s->root, err);
	return rc < 0 ? rc : propagate_root(s, err);
}

void pivot_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	unsigned long flags = plan->root_propagation;

	if (plan->no_pivot) {
		nook_show(rows, "make it the root; the host's stays below it", "chroot(\".\")");
	} else {
		nook_show(rows, "make it the root", "pivot_root(\".\", \".\")");
		nook_show(rows, "let the host's go", "umount2(\".\", MNT_DETACH)");
	}
	if (flags)
		nook_show(rows, "as the bundle says", "mount_setattr(\"/\"%s, %s)",
			  flags & MS_REC ? ", RECURSIVE" : "",
			  nook_propagation_text(flags & ~(unsigned long)MS_REC));
}
