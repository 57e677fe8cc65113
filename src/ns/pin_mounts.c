/* SPDX-License-Identifier: Apache-2.0 */
/* Namespaces kept by bind mounts of their files: in a place of nook's own, and where `ip netns`
 * looks. */
#include "pins.h"

#include "base/text.h"
#include "ns/kinds.h"
#include "state/files.h"
#include "sys/call.h"
#include "sys/mount.h"
#include "sys/openat2.h"
#include "sys/process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>

#ifndef STATX_MNT_ID
#define STATX_MNT_ID 0x1000 /* Linux 5.8 */
#endif

#define NETNS "/run/netns" /* NETNS_RUN_DIR of iproute2 */

static int mount_id(int fd, uint64_t *ret)
{
	struct statx stx;

	if (statx(fd, "", AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW, STATX_MNT_ID, &stx) < 0)
		return -errno;
	*ret = stx.stx_mnt_id;
	return 0;
}

/* The topmost thing at ns-pins, and whether a mount stands there. */
static int open_top(int base, bool *ret_mounted, struct nook_error *err)
{
	uint64_t below = 0, here = 0;
	auto_close int fd = nook_openat2(base, "ns-pins", O_PATH | O_DIRECTORY, 0, NOOK_BENEATH);

	if (fd < 0)
		return nook_fail(err, -fd, "open ns-pins in the state directory");

	int rc = mount_id(base, &below);

	if (rc == 0)
		rc = mount_id(fd, &here);
	if (rc < 0)
		return nook_fail(err, -rc, "statx ns-pins");
	*ret_mounted = below != here;
	return move_fd(&fd);
}

static int bind_on_itself(int base, struct nook_error *err)
{
	auto_close int tree = nook_open_tree(base, "ns-pins", false, false);
	int rc = tree < 0 ? tree : nook_move_mount_at(tree, base, "ns-pins");

	return rc < 0 ? nook_fail(err, -rc, "%s ns-pins on itself",
				  tree < 0 ? "open_tree" : "move_mount")
		      : 0;
}

/* One at a time: two would bind it twice. The name is none that a person can give. */
static int lock_place(const struct nook_pins *p, struct nook_error *err)
{
	auto_close int fd = nook_openat2(p->dirs[NOOK_PINS_LOCKS], ".pins",
					 O_RDWR | O_CREAT | O_NOFOLLOW, 0600, NOOK_BENEATH);

	if (fd < 0)
		return nook_fail(err, -fd, "open ns-locks/.pins in the state directory");
	while (flock(fd, LOCK_EX) < 0) {
		if (errno != EINTR)
			return nook_fail(err, errno, "flock ns-locks/.pins");
	}
	return move_fd(&fd);
}

int nook_pins_prepare(struct nook_pins *p, struct nook_error *err)
{
	auto_close int lock = lock_place(p, err);
	bool mounted = false;

	if (lock < 0)
		return lock;

	auto_close int top = open_top(p->base, &mounted, err);

	if (top >= 0 && !mounted) {
		int rc = bind_on_itself(p->base, err);

		if (rc < 0)
			return rc;
		close_fd(&top);
		top = open_top(p->base, &mounted, err);
	}
	if (top < 0)
		return top;
	if (!mounted)
		return nook_refuse(err, EINVAL,
				   "ns-pins in the state directory is no mount after "
				   "it was bound on itself");

	/* Each time: a nook that was killed may have come no further than the bind. While the mount
	 * is attached to a shared one it can't be made so before. */
	int rc = nook_mount_setattr(top, false, 0, 0, MS_UNBINDABLE, NO_FD);

	if (rc < 0)
		return nook_fail(err, -rc, "mount_setattr(ns-pins, MS_UNBINDABLE)");
	close_fd(&p->dirs[NOOK_PINS_MOUNTS]);
	p->dirs[NOOK_PINS_MOUNTS] = move_fd(&top);
	return 0;
}

void nook_pins_tidy(struct nook_pins *p)
{
	auto_close int lock = lock_place(p, NULL);
	bool mounted = false;
	char path[4200];

	if (lock < 0)
		return;

	auto_close int top = open_top(p->base, &mounted, NULL);

	/* It would be busy by us. */
	close_fd(&top);
	close_fd(&p->dirs[NOOK_PINS_MOUNTS]);
	if (!mounted)
		return;
	/* EBUSY is the rule: names are left in it. */
	(void)nook_format(path, sizeof(path), "/proc/self/fd/%d/ns-pins", p->base);
	(void)umount2(path, UMOUNT_NOFOLLOW);
}

static void file_name(const struct nook_pins *p, enum nook_ns_kind kind, char out[280])
{
	(void)nook_format(out, 280, "%s.%s", p->name, nook_ns_kinds[kind].name); /* 255 and 7 fit */
}

int nook_pins_mount(const struct nook_pins *p, enum nook_ns_kind kind, int ns,
		    struct nook_error *err)
{
	int dir = p->dirs[NOOK_PINS_MOUNTS];
	char file[280];

	file_name(p, kind, file);

	auto_close int fd =
		nook_openat2(dir, file, O_RDONLY | O_CREAT | O_NOFOLLOW, 0400, NOOK_BENEATH);

	if (fd < 0)
		return nook_fail(err, -fd, "create ns-pins/%s in the state directory", file);

	auto_close int tree = nook_open_tree(ns, "", false, false);
	int rc = tree < 0 ? tree : nook_move_mount_at(tree, dir, file);

	/*
	 * A mount namespace may only be bound in one that is older, or a loop could come about. The
	 * kernel tells age by a number: since 6.18 the 64-bit id, of which each CPU has a stock.
	 */
	if (rc == -EINVAL && kind == NOOK_NS_MNT)
		return -EINVAL;
	return rc < 0 ? nook_fail(err, -rc, "%s a %s namespace at ns-pins/%s",
				  tree < 0 ? "open_tree" : "move_mount", nook_ns_kinds[kind].words,
				  file)
		      : 0;
}

int nook_pins_unmount(const struct nook_pins *p, enum nook_ns_kind kind, struct nook_error *err)
{
	int dir = p->dirs[NOOK_PINS_MOUNTS];
	char file[280], path[320];

	file_name(p, kind, file);

	auto_close int there = nook_openat2(dir, file, O_PATH | O_NOFOLLOW, 0, NOOK_BENEATH);

	if (there == -ENOENT)
		return 0;
	if (there < 0)
		return nook_fail(err, -there, "open ns-pins/%s in the state directory", file);
	close_fd(&there);

	(void)nook_format(path, sizeof(path), "/proc/self/fd/%d/%s", dir, file);
	if (umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) < 0 && errno != EINVAL) /* no mount */
		return nook_fail(err, errno, "umount ns-pins/%s in the state directory", file);

	/* That also detaches the copies that other mount namespaces have got: unlink(2) does, since
	 * Linux 3.18, for all mounts on what is unlinked. */
	if (unlinkat(dir, file, 0) < 0 && errno != ENOENT)
		return nook_fail(err, errno, "unlink ns-pins/%s in the state directory", file);
	return 0;
}

/* ---- /run/netns ---- */

static int open_netns(struct nook_error *err)
{
	int fd = open(NETNS, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? nook_fail(err, errno, "open " NETNS) : fd;
}

/* As iproute2 does it, in the same order: whoever comes second finds it done. */
static int prepare_netns(struct nook_error *err)
{
	if (mkdir(NETNS, 0755) < 0 && errno != EEXIST)
		return nook_fail(err, errno, "mkdir " NETNS);

	auto_close int lock = open_netns(err);

	if (lock < 0)
		return lock;
	while (flock(lock, LOCK_EX) < 0) { /* iproute2 does, since 6.1 */
		if (errno != EINTR)
			return nook_fail(err, errno, "flock " NETNS);
	}

	/* Shared, so that a name that is deleted here goes away in other mount namespaces too.
	 * EINVAL: it is no mount yet. */
	if (mount("", NETNS, "none", MS_SHARED | MS_REC, NULL) == 0)
		return 0;
	if (errno != EINVAL)
		return nook_fail(err, errno, "mount " NETNS " as shared");
	if (mount(NETNS, NETNS, "none", MS_BIND | MS_REC, NULL) < 0)
		return nook_fail(err, errno, "mount " NETNS " on itself");
	if (mount("", NETNS, "none", MS_SHARED | MS_REC, NULL) < 0)
		return nook_fail(err, errno, "mount " NETNS " as shared");
	return 0;
}

int nook_netns_mount(const char *name, int ns, struct nook_error *err)
{
	int rc = prepare_netns(err);

	if (rc < 0)
		return rc;

	auto_close int dir = open_netns(err);

	if (dir < 0)
		return dir;

	auto_close int file =
		nook_openat2(dir, name, O_RDONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0, NOOK_BENEATH);

	if (file == -EEXIST) {
		nook_cause(err, "name-in-use", "`ip netns` has a network namespace of that name");
		nook_hint(err, "Choose another name, or: ip netns del %s", name);
	}
	if (file < 0)
		return nook_fail(err, -file, "create " NETNS "/%s", name);

	auto_close int tree = nook_open_tree(ns, "", false, false);

	rc = tree < 0 ? tree : nook_move_mount_at(tree, dir, name);
	if (rc == 0)
		return 0;
	(void)unlinkat(dir, name, 0); /* just made, by us */
	return nook_fail(err, -rc, "move_mount a network namespace to " NETNS "/%s", name);
}

int nook_netns_open(const char *name)
{
	auto_close int dir = open(NETNS, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	auto_close int fd = dir < 0 ? -errno
				    : nook_openat2(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0,
						   RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);

	if (fd < 0)
		return fd;
	return ioctl(fd, NS_GET_NSTYPE) == CLONE_NEWNET ? move_fd(&fd) : -ENOENT;
}

int nook_netns_unmount(const char *name, uint64_t ino, struct nook_error *err)
{
	auto_close int ns = nook_netns_open(name);
	struct stat st;
	char path[320];

	if (ns < 0 && ns != -ENOENT)
		return nook_fail(err, -ns, "open " NETNS "/%s", name);
	if (ns < 0)
		return 0;
	if (fstat(ns, &st) < 0)
		return nook_fail(err, errno, "fstat " NETNS "/%s", name);
	if (ino && st.st_ino != ino)
		return 0;
	close_fd(&ns);

	(void)nook_format(path, sizeof(path), NETNS "/%s", name);
	if (umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) < 0)
		return nook_fail(err, errno, "umount %s", path);
	if (unlink(path) < 0 && errno != ENOENT)
		return nook_fail(err, errno, "unlink %s", path);
	return 0;
}

int nook_netns_list(struct nook_arena *a, const char ***ret, size_t *ret_n, struct nook_error *err)
{
	const char **names = NULL;
	size_t n = 0;
	auto_closedir DIR *dir = NULL;
	auto_close int fd = open(NETNS, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT) {
		*ret = NULL;
		*ret_n = 0;
		return 0;
	}
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir)
		return nook_fail(err, errno, "open " NETNS);
	(void)move_fd(&fd); /* closedir closes it */

	for (;;) {
		errno = 0;
		const struct dirent *entry = readdir(dir);

		if (!entry && errno)
			return nook_fail(err, errno, "read " NETNS);
		if (!entry)
			break;
		if (nook_valid_id(entry->d_name))
			*nook_append(a, names, n) = nook_strdup(a, entry->d_name);
	}
	*ret = names;
	*ret_n = n;
	return 0;
}
