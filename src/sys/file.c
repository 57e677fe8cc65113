/* SPDX-License-Identifier: Apache-2.0 */
#include "file.h"

#include "base/own.h"
#include "call.h"
#include "openat2.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif

enum { RESOLVE_PLAIN = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS };

int nook_open_below(int dir, const char *path)
{
	/* With O_NOFOLLOW it would be the symlink itself. */
	return nook_openat2(dir, path, O_PATH, 0, RESOLVE_PLAIN);
}

int nook_open_node_below(int dir, const char *path)
{
	/* Together with O_PATH, O_NOFOLLOW opens the symlink itself, whatever RESOLVE_NO_SYMLINKS
	 * says. openat2(2) */
	return nook_openat2(dir, path, O_PATH | O_NOFOLLOW, 0, RESOLVE_PLAIN);
}

int nook_own_node(int fd, uid_t uid, gid_t gid)
{
	return (int)NOOK_CALL(SYS_fchownat, fd, "", uid, gid, AT_EMPTY_PATH);
}

int nook_chmod_node(int fd, mode_t mode)
{
	return (int)NOOK_CALL(SYS_fchmodat2, fd, "", mode, AT_EMPTY_PATH);
}

int nook_date_node(int fd, const struct timespec times[2])
{
	return (int)NOOK_CALL(SYS_utimensat, fd, "", times, AT_EMPTY_PATH);
}

int nook_read_link(int fd, char *out, size_t size)
{
	long len = NOOK_CALL(SYS_readlinkat, fd, "", out, size);

	if (len < 0)
		return (int)len;
	if ((size_t)len >= size)
		return -ENAMETOOLONG;
	out[len] = '\0';
	return 0;
}

int nook_open_file_below(int dir, const char *path)
{
	return nook_openat2(dir, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0,
			    RESOLVE_PLAIN);
}

int nook_open_dir_below(int dir, const char *path, int flags)
{
	return nook_openat2(dir, path, (uint64_t)(flags | O_DIRECTORY | O_NOFOLLOW), 0,
			    RESOLVE_PLAIN);
}

/*
 * mkdirat(2) and its like follow symlinks on the way to the last component, so the directory that
 * it lies in is opened first. Return: that directory, to be closed when it is not @dir itself.
 */
static int open_parent(int dir, const char *path, const char **ret_name)
{
	const char *slash = strrchr(path, '/');
	char parent[4096];

	*ret_name = slash ? slash + 1 : path;
	if (!slash)
		return dir;
	if ((size_t)(slash - path) >= sizeof(parent))
		return -ENAMETOOLONG;
	memcpy(parent, path, (size_t)(slash - path));
	parent[slash - path] = '\0';
	return nook_open_dir_below(dir, parent, O_PATH);
}

static int close_parent(int parent, int dir, int rc)
{
	if (parent != dir)
		close_fd(&parent);
	return rc;
}

int nook_mkdir_below(int dir, const char *path, mode_t mode)
{
	const char *name;
	int parent = open_parent(dir, path, &name);

	return parent < 0
		       ? parent
		       : close_parent(parent, dir, (int)NOOK_CALL(SYS_mkdirat, parent, name, mode));
}

int nook_rmdir_below(int dir, const char *path)
{
	const char *name;
	int parent = open_parent(dir, path, &name);

	return parent < 0 ? parent
			  : close_parent(parent, dir,
					 (int)NOOK_CALL(SYS_unlinkat, parent, name, AT_REMOVEDIR));
}

int nook_symlink_below(int dir, const char *path, const char *text)
{
	const char *name;
	int parent = open_parent(dir, path, &name);

	return parent < 0 ? parent
			  : close_parent(parent, dir,
					 (int)NOOK_CALL(SYS_symlinkat, text, parent, name));
}

int nook_whiteout_below(int dir, const char *path)
{
	const char *name;
	int parent = open_parent(dir, path, &name);

	return parent < 0 ? parent
			  : close_parent(parent, dir,
					 (int)NOOK_CALL(SYS_mknodat, parent, name, S_IFCHR,
							makedev(0, 0)));
}

int nook_mknod_below(int dir, const char *path, mode_t mode, uint64_t rdev)
{
	const char *name;
	int parent = rdev > UINT32_MAX ? -EINVAL : open_parent(dir, path, &name);

	return parent < 0 ? parent
			  : close_parent(parent, dir,
					 (int)NOOK_CALL(SYS_mknodat, parent, name, mode, rdev));
}

int nook_create_below(int dir, const char *path, mode_t mode)
{
	return nook_openat2(dir, path, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW, mode,
			    RESOLVE_PLAIN);
}

int nook_own(int fd, uid_t uid, gid_t gid, mode_t mode)
{
	/* chown(2) clears the setuid and setgid bits: it comes first. */
	int rc = (int)NOOK_CALL(SYS_fchown, fd, uid, gid);

	return rc < 0 ? rc : (int)NOOK_CALL(SYS_fchmod, fd, mode);
}
