/* SPDX-License-Identifier: Apache-2.0 */
#include "procfs.h"

#include "base/own.h"
#include "base/path.h"
#include "base/text.h"
#include "sys/mount.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

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
	auto_close int fd = privileged ? mount_private(err)
				       : openat(AT_FDCWD, "/proc",
						O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct statfs fs;
	struct stat st;

	if (fd < 0)
		return privileged ? fd : nook_fail(err, errno, "open /proc");
	if (fstatfs(fd, &fs) < 0 || fstat(fd, &st) < 0)
		return nook_fail(err, errno, "fstatfs /proc");
	/* A procfs' root is inode 1 and nothing else is: /proc/self bound over /proc would not be.
	 */
	if (fs.f_type != PROC_SUPER_MAGIC || st.st_ino != 1)
		return nook_refuse(err, EINVAL, "/proc is not the root of a procfs");
	return move_fd(&fd);
}

int nook_procfs_write(int proc, int pid, const char *file, const char *text, struct nook_error *err)
{
	char path[64];

	(void)nook_format(path, sizeof(path), "%d/%s", pid, file);
	return nook_write_at(proc, path, text, err);
}

int nook_procfs_open_ns(int proc, int pid, const char *name, struct nook_error *err)
{
	char path[64];

	(void)nook_format(path, sizeof(path), "%d/ns/%s", pid, name);

	int fd = openat(proc, path, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? nook_fail(err, errno, "open /proc/%s", path) : fd;
}
