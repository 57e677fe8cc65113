/* SPDX-License-Identifier: Apache-2.0 */
#include "mount.h"

#include "base/own.h"
#include "call.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>

#ifndef SYS_mount_setattr
#define SYS_mount_setattr 442
#endif

int nook_fsopen(const char *fstype)
{
	return (int)NOOK_CALL(SYS_fsopen, fstype, FSOPEN_CLOEXEC);
}

int nook_fsconfig_string(int fs, const char *key, const char *value)
{
	return (int)NOOK_CALL(SYS_fsconfig, fs, FSCONFIG_SET_STRING, key, value, 0);
}

int nook_fsconfig_flag(int fs, const char *key)
{
	return (int)NOOK_CALL(SYS_fsconfig, fs, FSCONFIG_SET_FLAG, key, NULL, 0);
}

int nook_fsconfig_create(int fs)
{
	return (int)NOOK_CALL(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
}

int nook_fsconfig_reconfigure(int fs)
{
	return (int)NOOK_CALL(SYS_fsconfig, fs, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0);
}

int nook_fspick(int mount)
{
	return (int)NOOK_CALL(SYS_fspick, mount, "", FSPICK_CLOEXEC | FSPICK_EMPTY_PATH);
}

int nook_fsmount(int fs, uint64_t attrs)
{
	return (int)NOOK_CALL(SYS_fsmount, fs, FSMOUNT_CLOEXEC, (unsigned)attrs);
}

void nook_fs_message(int fs, char *out, unsigned size)
{
	/* Messages come one a read as "e text", "w text", "i text"; ENODATA when there are no more.
	 */
	ssize_t len = read(fs, out, size - 1);

	if (len < 0)
		len = 0;
	out[len] = '\0';
	out[strcspn(out, "\n")] = '\0';
	if (out[0] && out[1] == ' ')
		memmove(out, out + 2, strlen(out + 2) + 1);
}

int nook_open_tree(int dir, const char *path, bool recursive, bool follow)
{
	unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC;

	if (!*path)
		flags |= AT_EMPTY_PATH;
	if (recursive)
		flags |= AT_RECURSIVE;
	if (!follow)
		flags |= AT_SYMLINK_NOFOLLOW;
	return (int)NOOK_CALL(SYS_open_tree, dir, path, flags);
}

int nook_move_mount(int mount, int target)
{
	return (int)NOOK_CALL(SYS_move_mount, mount, "", target, "",
			      MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
}

int nook_move_mount_at(int mount, int dir, const char *path)
{
	return (int)NOOK_CALL(SYS_move_mount, mount, "", dir, path, MOVE_MOUNT_F_EMPTY_PATH);
}

int nook_mount_setattr(int mount, bool recursive, uint64_t set, uint64_t clear,
		       uint64_t propagation, int userns)
{
	struct mount_attr attr = {
		.attr_set = set,
		.attr_clr = clear,
		.propagation = propagation,
	};

	if (userns >= 0) {
		attr.attr_set |= MOUNT_ATTR_IDMAP;
		attr.userns_fd = (uint64_t)userns;
	}

	int rc =
		(int)NOOK_CALL(SYS_mount_setattr, mount, "",
			       AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), &attr, sizeof(attr));
	struct statfs fs;

	/* Read-only is a promise: a filter around us that answers for the kernel must not break it.
	 */
	if (rc == 0 && (set & MOUNT_ATTR_RDONLY) &&
	    (fstatfs(mount, &fs) < 0 || !(fs.f_flags & ST_RDONLY)))
		return -EPERM;
	return rc;
}

int nook_is_mount_root(int fd)
{
	struct statx st;

	if (statx(fd, "", AT_EMPTY_PATH, 0, &st) < 0)
		return -errno;
	return !!(st.stx_attributes & STATX_ATTR_MOUNT_ROOT);
}

int nook_pivot_root(const char *new_root, const char *put_old)
{
	return (int)NOOK_CALL(SYS_pivot_root, new_root, put_old);
}

int nook_umount_detach(const char *path)
{
	return (int)NOOK_CALL(SYS_umount2, path, 2 /* MNT_DETACH */);
}

int nook_mount_old(const char *source, const char *target, const char *fstype, unsigned long flags,
		   const char *options)
{
	return (int)NOOK_CALL(SYS_mount, source, target, fstype, flags, options);
}
