/* SPDX-License-Identifier: Apache-2.0 */
/* The cgroup file systems, cgroups(7): directories reached without leaving the hierarchy, and their
 * small files. Every call returns a negative errno on failure. */
#ifndef NOOK_SYS_CGROUPFS_H
#define NOOK_SYS_CGROUPFS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* O_PATH descriptor of a hierarchy's mount point. -ENODEV when something else is mounted there. */
int nook_cgroupfs_mount(const char *mount, bool v2);

/**
 * nook_cgroupfs_walk() - a cgroup of the hierarchy
 * @mount: from nook_cgroupfs_mount()
 * @path:  "/a/b"; "/" is the mount itself. Symlinks, other mounts and ".." out of it are refused
 * @flags: O_PATH or O_RDONLY; O_DIRECTORY and O_CLOEXEC are added
 */
int nook_cgroupfs_walk(int mount, const char *path, int flags);

/* Reads a file of the cgroup @dir as NUL-terminated text without the last newline; what does not
 * fit in @size is cut. Return: its length. */
ssize_t nook_cgroupfs_read(int dir, const char *file, char *out, size_t size);

/* Writes @text in one write(2): the kernel takes it whole or answers with an error. */
int nook_cgroupfs_write(int dir, const char *file, const char *text);

/* mkdir(2) and rmdir(2) of the cgroup @name in @dir. Return: 0 or a negative errno. */
int nook_cgroupfs_mkdir(int dir, const char *name);
int nook_cgroupfs_rmdir(int dir, const char *name);

/* O_RDONLY descriptor of the cgroup @name in @dir. */
int nook_cgroupfs_child(int dir, const char *name);

/* Finds a cgroup in @dir, which is open for reading. @out: 256 bytes. Return: 0; -ENOENT: it has
 * none. */
int nook_cgroupfs_first_child(int dir, char *out);

/* O_RDONLY descriptor of cgroup.events: its poll(2) wakes with POLLPRI when "populated" changes. */
int nook_cgroupfs_open_events(int dir);

/* Calls @fn for every cgroup in @dir, which is open for reading, until one fails. Return: what @fn
 * returned last, 0 when there is none. */
int nook_cgroupfs_each_child(int dir, int (*fn)(int child, void *data), void *data);

/* Does the word stand in a list as cgroup.controllers has it: separated by spaces? */
bool nook_cgroupfs_has_word(const char *list, const char *word);

#endif
