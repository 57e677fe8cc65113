/* SPDX-License-Identifier: Apache-2.0 */
/* What the floors of `nook run` and of `nook-oci run` share: a root file system and its mounts. */
#ifndef NOOK_BENCH_FLOOR_MOUNTS_H
#define NOOK_BENCH_FLOOR_MOUNTS_H

#include "floor.h"

#include <linux/mount.h>
#include <net/if.h>
#include <sys/ioctl.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define SAFE          (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)

struct mount {
	const char *target, *fstype;
	const char *options[7]; /* key, value, …, NULL */
	unsigned attrs;
};

static const char *const links[][2] = {
	{ "fd", "/proc/self/fd" },       { "stdin", "/proc/self/fd/0" },
	{ "stdout", "/proc/self/fd/1" }, { "stderr", "/proc/self/fd/2" },
	{ "ptmx", "pts/ptmx" },
};

static inline int new_fs(const char *fstype, const char *const *options, unsigned attrs)
{
	int fs = DO(syscall(SYS_fsopen, fstype, FSOPEN_CLOEXEC));

	for (; options && *options; options += 2)
		DO(syscall(SYS_fsconfig, fs, FSCONFIG_SET_STRING, options[0], options[1], 0));
	DO(syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0));

	int mount = DO(syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, attrs));

	DO(close(fs));
	return mount;
}

static inline int tree(int dir, const char *path, unsigned flags)
{
	return DO(
		syscall(SYS_open_tree, dir, path,
			flags | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (*path ? 0 : AT_EMPTY_PATH)));
}

static inline void set_attrs(int mount, uint64_t set, uint64_t propagation, int userns,
			     unsigned flags)
{
	struct mount_attr attr = { .attr_set = set, .propagation = propagation };

	if (userns >= 0) {
		attr.attr_set |= MOUNT_ATTR_IDMAP;
		attr.userns_fd = (uint64_t)userns;
	}
	DO(syscall(SYS_mount_setattr, mount, "", AT_EMPTY_PATH | flags, &attr, sizeof(attr)));
}

static inline void move_to(int mount, int dir, const char *path)
{
	DO(syscall(SYS_move_mount, mount, "", dir, path,
		   MOVE_MOUNT_F_EMPTY_PATH | (*path ? 0 : MOVE_MOUNT_T_EMPTY_PATH)));
}

/* Onto a place inside the root, and both descriptors are closed. */
static inline void mount_inside(int root, int mount, const char *target)
{
	int at = DO(in_root(root, target));

	move_to(mount, at, "");
	DO(close(at));
	DO(close(mount));
}

static const char *const read_only[] = {
	"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger",
};

/* What of /dev is no device. */
static inline void finish_dev(int dev)
{
	for (size_t i = 0; i < ARRAY_SIZE(links); i++)
		DO(symlinkat(links[i][1], dev, links[i][0]));
	DO(mkdirat(dev, "pts", 0755));
	DO(mkdirat(dev, "shm", 0755));
	DO(mkdirat(dev, "mqueue", 0755));
	DO(close(dev));
}

static inline void cover(int root, int scratch, const char *const *masked, size_t n_masked,
			 const char *const *locked, size_t n_locked)
{
	int mask = new_fs("tmpfs", (const char *[]){ "mode", "0555", NULL }, SAFE);

	DO(mkdirat(mask, "dir", 0555));
	int file = DO(openat(mask, "file", O_CREAT | O_EXCL | O_CLOEXEC, 0444));
	DO(close(file));
	set_attrs(mask, MOUNT_ATTR_RDONLY, 0, -1, 0);
	DO(mkdirat(scratch, "m", 0700));
	move_to(mask, scratch, "m");

	for (size_t i = 0; i < n_masked; i++) {
		int at = in_root(root, masked[i]);
		struct stat st;

		if (at < 0)
			continue;
		DO(fstat(at, &st));

		int fd = tree(mask, S_ISDIR(st.st_mode) ? "dir" : "file", 0);

		move_to(fd, at, "");
		DO(close(fd));
		DO(close(at));
	}
	for (size_t i = 0; i < n_locked; i++) {
		int at = in_root(root, locked[i]);

		if (at < 0)
			continue;

		int fd = tree(at, "", AT_RECURSIVE);

		set_attrs(fd, MOUNT_ATTR_RDONLY, 0, -1, AT_RECURSIVE);
		move_to(fd, at, "");
		DO(close(fd));
		DO(close(at));
	}
}

static inline void be_host(const char *name)
{
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd;

	DO(sethostname(name, strlen(name)));
	fd = DO(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
	DO(ioctl(fd, SIOCSIFFLAGS, &lo));
	DO(close(fd));
}

#endif
