/* SPDX-License-Identifier: Apache-2.0 */
/* What lies over parts of the container's root: nothing at all, or the same read-only. */
#include "mounts.h"

#include "base/own.h"
#include "sys/file.h"
#include "sys/mount.h"

#include <errno.h>
#include <sys/stat.h>

/* Masks: one read-only tmpfs with an empty directory and an empty file, of which every mask is a
 * clone. */
static int make_masks(struct nook_stage *s, struct nook_error *err)
{
	static const struct nook_plan_option mode = { "mode", "0555" };
	struct nook_plan_mount m = {
		.fstype = "tmpfs",
		.target = "the masks",
		.options = &mode,
		.n_options = 1,
	};
	auto_close int fd = nook_new_file_system(
		&m, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC, err);

	if (fd < 0)
		return fd;

	int rc = nook_mkdir_below(fd, "dir", 0555);

	if (rc < 0)
		return nook_fail(err, -rc, "mkdirat dir (of the masks)");

	/* Not opened: a file that is open for writing keeps the mount from becoming read-only, even
	 * when we have closed it, while somebody else looks at /proc/PID/fd. */
	rc = nook_mknod_below(fd, "file", S_IFREG | 0444, 0);
	if (rc < 0)
		return nook_fail(err, -rc, "mknodat file (of the masks)");

	rc = nook_mount_setattr(fd, false, MOUNT_ATTR_RDONLY, 0, 0, NO_FD);
	if (rc < 0)
		return nook_fail(err, -rc, "mount_setattr(RDONLY) of the masks");
	/* Before Linux 6.15 only what is attached can be cloned. */
	if (s->plan->scratch) {
		rc = nook_mkdir_below(s->scratch, "m", 0700);
		if (rc == 0)
			rc = nook_move_mount_at(fd, s->scratch, "m");
		if (rc < 0)
			return nook_fail(err, -rc, "move_mount of the masks");
	}

	s->mask = move_fd(&fd);
	return 0;
}

int nook_cover(struct nook_stage *s, const struct nook_plan_mount *m, struct nook_error *err)
{
	const char *below;
	int root = nook_target_root(s, m->target, &below);
	auto_close int target = nook_resolve(root, below, NULL);

	if (target == -ENOENT || target == -ENOTDIR)
		return 0;
	if (target < 0)
		return nook_fail(err, -target, "openat2 %s", m->target);

	auto_close int fd = NO_FD;

	if (m->kind == NOOK_PLAN_READONLY) {
		fd = nook_open_tree(target, "", true, false);
		if (fd >= 0) {
			int rc = nook_mount_setattr(fd, true, MOUNT_ATTR_RDONLY, 0, 0, NO_FD);

			if (rc < 0)
				return nook_fail(err, -rc, "mount_setattr(RDONLY) %s", m->target);
		}
	} else {
		int dir = nook_is_dir(target);

		if (dir < 0)
			return nook_fail(err, -dir, "fstat %s", m->target);
		if (s->mask < 0) {
			int rc = make_masks(s, err);

			if (rc < 0)
				return rc;
		}
		fd = nook_open_tree(s->mask, dir ? "dir" : "file", false, false);
	}
	if (fd < 0)
		return nook_fail(err, -fd, "open_tree for %s", m->target);

	int rc = nook_move_mount(fd, target);

	return rc < 0 ? nook_fail(err, -rc, "move_mount over %s", m->target) : 0;
}
