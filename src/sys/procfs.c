/* SPDX-License-Identifier: Apache-2.0 */
#include "procfs.h"

#include "base/own.h"
#include "base/text.h"
#include "mount.h"
#include "openat2.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

static int mount_private(struct nook_error *err)
{
	auto_close int fs = nook_fsopen("proc");

	if (fs < 0)
		return nook_fail(err, -fs, "fsopen proc");

	int rc = nook_fsconfig_string(fs, "subset", "pid"); /* Linux 5.8 */

	if (rc == 0)
		rc = nook_fsconfig_create(fs);
	if (rc == 0)
		rc = nook_fsmount(fs, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	return rc < 0 ? nook_fail(err, -rc, "fsmount proc") : rc;
}

int nook_procfs_open(bool privileged, struct nook_error *err)
{
	auto_close int fd =
		privileged ? mount_private(err)
			   : nook_openat2(AT_FDCWD, "/proc", O_PATH | O_DIRECTORY | O_NOFOLLOW, 0,
					  RESOLVE_NO_SYMLINKS);
	struct statfs fs;
	struct stat st;

	if (fd < 0)
		return privileged ? fd : nook_fail(err, -fd, "open /proc");
	if (fstatfs(fd, &fs) < 0 || fstat(fd, &st) < 0)
		return nook_fail(err, errno, "fstatfs /proc");
	/* A procfs' root is inode 1 and nothing else is: /proc/self bound over /proc would not be.
	 */
	if (fs.f_type != PROC_SUPER_MAGIC || st.st_ino != 1)
		return nook_refuse(err, EINVAL, "/proc is not the root of a procfs");
	return move_fd(&fd);
}

/* One component of procfs' own, and nothing that lies over it. */
enum {
	RESOLVE_PLAIN =
		RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS
};

static int open_pid(int proc, int pid, const char *below, struct nook_error *err)
{
	char path[64];

	(void)nook_format(path, sizeof(path), "%d%s", pid, below);

	int fd = nook_openat2(proc, path, O_PATH | O_DIRECTORY, 0, RESOLVE_PLAIN);

	return fd < 0 ? nook_fail(err, -fd, "open /proc/%s", path) : fd;
}

int nook_procfs_self(int proc, struct nook_error *err)
{
	/* A symlink to our pid as this very procfs knows it, which need not be what getpid(2) says.
	 */
	int fd = nook_openat2(proc, "self", O_PATH | O_DIRECTORY, 0,
			      RESOLVE_PLAIN & ~RESOLVE_NO_SYMLINKS);

	return fd < 0 ? nook_fail(err, -fd, "open /proc/self") : fd;
}

int nook_procfs_task(int proc, int pid, struct nook_error *err)
{
	return open_pid(proc, pid, "", err);
}

int nook_procfs_write_at(int dir, const char *file, const char *text, struct nook_error *err)
{
	size_t len = strlen(text);
	auto_close int fd = nook_openat2(dir, file, O_WRONLY, 0, RESOLVE_PLAIN);

	if (fd < 0)
		return nook_fail(err, -fd, "open %s", file);

	ssize_t done = write(fd, text, len);

	if (done < 0)
		return nook_fail(err, errno, "write \"%.60s\" to %s", text, file);
	if ((size_t)done != len)
		return nook_fail(err, EIO, "write \"%.60s\" to %s: only %zd bytes", text, file,
				 done);
	return 0;
}

int nook_procfs_write(int proc, int pid, const char *file, const char *text, struct nook_error *err)
{
	char path[64];

	(void)nook_format(path, sizeof(path), "%d/%s", pid, file);
	return nook_procfs_write_at(proc, path, text, err);
}

/* The last component is the kernel's magic link, which leads to the thing itself. */
static int follow(int dir, const char *link, int flags, struct nook_error *err)
{
	int fd = openat(dir, link, flags | O_CLOEXEC);

	return fd < 0 ? nook_fail(err, errno, "open %s of a process in /proc", link) : fd;
}

int nook_procfs_open_ns_at(int dir, const char *name, struct nook_error *err)
{
	auto_close int ns = nook_openat2(dir, "ns", O_PATH | O_DIRECTORY, 0, RESOLVE_PLAIN);

	return ns < 0 ? nook_fail(err, -ns, "open ns of a process in /proc")
		      : follow(ns, name, O_RDONLY, err);
}

int nook_procfs_open_ns(int proc, int pid, const char *name, struct nook_error *err)
{
	auto_close int ns = open_pid(proc, pid, "/ns", err);

	return ns < 0 ? ns : follow(ns, name, O_RDONLY, err);
}

int nook_procfs_open_root(int proc, int pid, struct nook_error *err)
{
	auto_close int dir = open_pid(proc, pid, "", err);

	return dir < 0 ? dir : follow(dir, "root", O_PATH | O_DIRECTORY, err);
}

int nook_procfs_chmod(int proc, int fd, mode_t mode, struct nook_error *err)
{
	char name[16];
	auto_close int self = nook_procfs_self(proc, err);

	if (self < 0)
		return self;

	auto_close int fds = nook_openat2(self, "fd", O_PATH | O_DIRECTORY, 0, RESOLVE_PLAIN);

	if (fds < 0)
		return nook_fail(err, -fds, "open /proc/self/fd");
	(void)nook_format(name, sizeof(name), "%d", fd);
	if (fchmodat(fds, name, mode, 0) < 0)
		return nook_fail(err, errno, "fchmodat /proc/self/fd/%d to 0%o", fd, mode);
	return 0;
}
