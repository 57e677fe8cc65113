/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files and directories below a directory that we hold. A path leads through directories only,
 * stays below, and nothing is followed: not at the end, nor on the way. Every call returns 0 or a
 * descriptor (CLOEXEC), or a negative errno.
 */
#ifndef NOOK_SYS_FILE_H
#define NOOK_SYS_FILE_H

#include <stdint.h>
#include <sys/types.h>
#include <time.h>

/* mkdir(2). -EEXIST: something of that name is there, which need not be a directory. */
int nook_mkdir_below(int dir, const char *path, mode_t mode);

/* rmdir(2). */
int nook_rmdir_below(int dir, const char *path);

/* symlink(2): @path leads to @text, which nobody looks at here. */
int nook_symlink_below(int dir, const char *path, const char *text);

/* The device 0:0: overlay's whiteout, which user namespaces may make since Linux 5.8. */
int nook_whiteout_below(int dir, const char *path);

/* A device node, a FIFO or an empty file. @mode: with S_IFCHR, S_IFREG and so on */
int nook_mknod_below(int dir, const char *path, mode_t mode, uint64_t rdev);

/* A new file, open for writing. */
int nook_create_below(int dir, const char *path, mode_t mode);

/* Whatever is there, O_PATH. -ELOOP: a symlink is. */
int nook_open_below(int dir, const char *path);

/* The same, and a symlink is opened itself. */
int nook_open_node_below(int dir, const char *path);

/* Of what an O_PATH descriptor names, a symlink too. The mode needs Linux 6.6: -ENOSYS before,
 * when nook_procfs_chmod() does it, but of symlinks. */
int nook_own_node(int fd, uid_t uid, gid_t gid);
int nook_chmod_node(int fd, mode_t mode);
int nook_date_node(int fd, const struct timespec times[2]);
/* The text of a symlink, with its end. -ENAMETOOLONG */
int nook_read_link(int fd, char *out, size_t size);

/* A file that is there, for reading. What is no regular file may come too, and holds nobody. */
int nook_open_file_below(int dir, const char *path);

/* A directory. @flags: O_PATH to name it, O_RDONLY to change it by nook_own(). */
int nook_open_dir_below(int dir, const char *path, int flags);

/* Owner and permission bits of what @fd is open on. */
int nook_own(int fd, uid_t uid, gid_t gid, mode_t mode);

#endif
