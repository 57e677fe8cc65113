/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tmpcopyup: a new tmpfs begins with what the root has at its place. The root is an image's, and
 * maybe somebody else is changing it meanwhile: every name is opened once, below its directory,
 * following nothing, and what was opened is what is copied.
 */
#include "mounts.h"

#include "base/own.h"
#include "base/text.h"
#include "sys/file.h"
#include "sys/mount.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "sys/call.h"

enum { DEPTH_MAX = 128 }; /* two descriptors and 4 KiB of stack each */

/* How far we are, for errors. */
struct place {
	const struct place *above;
	const char *name;
	int depth;
};

static int fail_at(const struct place *p, int rc, const char *what, struct nook_error *err)
{
	/* The names of the innermost few: an image may have very deep ones. */
	const char *a = p->above && p->above->above ? p->above->above->name : "";
	const char *b = p->above ? p->above->name : "";

	return nook_fail(err, -rc, "%s %s%s%s%s%s (for tmpcopyup)", what, a, *a ? "/" : "", b,
			 *b ? "/" : "", p->name);
}

/* Overlay's own marks mean something to overlay only, and not what they say to others. */
static bool is_overlays(const char *name)
{
	return nook_starts(name, "trusted.overlay.") || nook_starts(name, "user.overlay.");
}

/* What this file system or a user namespace doesn't take is left out. */
static bool may_lack(int errnum)
{
	return errnum == EOPNOTSUPP || errnum == EPERM || errnum == ENODATA || errnum == EINVAL;
}

static int copy_xattrs(int from, int to)
{
	static char names[65536], value[65536]; /* the kernel's own bounds */
	ssize_t len = flistxattr(from, names, sizeof(names));

	if (len < 0)
		return errno == EOPNOTSUPP ? 0 : -errno;

	for (const char *name = names; name < names + len; name += strlen(name) + 1) {
		if (is_overlays(name))
			continue;

		ssize_t size = fgetxattr(from, name, value, sizeof(value));

		if (size >= 0 && fsetxattr(to, name, value, (size_t)size, 0) == 0)
			continue;
		if (!may_lack(errno))
			return -errno;
	}
	return 0;
}

static int copy_times(int to, const struct stat *st)
{
	const struct timespec times[2] = { st->st_atim, st->st_mtim };

	return (int)NOOK_CALL(SYS_utimensat, to, NULL, times, 0);
}

/* Of an owner that nobody has here, the copy is ours. */
static int copy_owner(int to, const struct stat *st)
{
	int rc = nook_own(to, st->st_uid, st->st_gid, st->st_mode & 07777);

	return rc == -EINVAL ? nook_own(to, (uid_t)-1, (gid_t)-1, st->st_mode & 07777) : rc;
}

/* chown(2) drops capabilities, and every change the time: in this order. */
static int copy_looks(int from, int to, const struct stat *st)
{
	int rc = copy_owner(to, st);

	if (rc == 0)
		rc = copy_xattrs(from, to);
	return rc == 0 ? copy_times(to, st) : rc;
}

/* The part [@begin, @end) of a file; both descriptors stand there. */
static int copy_part(int from, int to, off_t begin, off_t end)
{
	if (lseek(from, begin, SEEK_SET) < 0 || lseek(to, begin, SEEK_SET) < 0)
		return -errno;
	while (begin < end) {
		long n = NOOK_CALL(SYS_sendfile, to, from, NULL, (size_t)(end - begin));

		if (n < 0)
			return (int)n;
		if (n == 0)
			return 0; /* somebody has made it shorter */
		begin += n;
	}
	return 0;
}

/* Holes stay holes: they may be larger than all memory. lseek(2) */
static int copy_bytes(int from, int to, off_t size)
{
	for (off_t at = 0; at < size;) {
		off_t begin = lseek(from, at, SEEK_DATA);

		if (begin < 0 && errno == ENXIO)
			break;
		off_t end = begin < 0 ? begin : lseek(from, begin, SEEK_HOLE);

		if (end < 0)
			return -errno;

		int rc = copy_part(from, to, begin, end);

		if (rc < 0)
			return rc;
		at = end;
	}
	return ftruncate(to, size) < 0 ? -errno : 0;
}

static int copy_file(int from_dir, int to_dir, const struct place *p, struct nook_error *err)
{
	struct stat st;
	/* By now it may be something else: a FIFO without a writer must not hold us. */
	auto_close int from = nook_open_file_below(from_dir, p->name);

	if (from < 0)
		return fail_at(p, from, "open", err);
	if (fstat(from, &st) < 0)
		return fail_at(p, -errno, "fstat", err);
	if (!S_ISREG(st.st_mode))
		return fail_at(p, -EAGAIN, "somebody is changing", err);

	auto_close int to = nook_create_below(to_dir, p->name, 0600);
	int rc = to < 0 ? to : copy_bytes(from, to, st.st_size);

	if (rc == 0)
		rc = copy_looks(from, to, &st);
	return rc < 0 ? fail_at(p, rc, "copy", err) : 0;
}

static int own_and_date(int to, const struct stat *st)
{
	const struct timespec times[2] = { st->st_atim, st->st_mtim };
	int rc = nook_own_node(to, st->st_uid, st->st_gid);

	if (rc == -EINVAL)
		rc = 0; /* an owner that nobody has here */
	return rc == 0 ? nook_date_node(to, times) : rc;
}

/* A symlink, a socket, a FIFO or a device. */
static int copy_node(int node, int to_dir, const struct stat *st, const struct place *p,
		     struct nook_error *err)
{
	char text[PATH_MAX];
	int rc;

	if (S_ISLNK(st->st_mode)) {
		rc = nook_read_link(node, text, sizeof(text));
		if (rc >= 0)
			rc = nook_symlink_below(to_dir, p->name, text);
	} else {
		rc = nook_mknod_below(to_dir, p->name, st->st_mode, st->st_rdev);
		/* A user namespace makes no devices, and could open none that lie on its tmpfs. */
		if (rc == -EPERM && (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode)))
			return 0;
	}
	if (rc < 0)
		return fail_at(p, rc, "copy", err);

	auto_close int to = nook_open_node_below(to_dir, p->name);

	rc = to < 0 ? to : own_and_date(to, st);
	return rc < 0 ? fail_at(p, rc, "copy the owner of", err) : 0;
}

static int copy_entries(int from, int to, const struct place *p, struct nook_error *err);

static int copy_dir(int from_dir, int to_dir, const struct place *p, struct nook_error *err)
{
	struct stat st;
	auto_close int from = nook_open_dir_below(from_dir, p->name, O_RDONLY);

	if (from < 0)
		return fail_at(p, from, "open", err);
	if (p->depth > DEPTH_MAX)
		return fail_at(p, -ELOOP, "go deeper than 128 directories to", err);
	if (fstat(from, &st) < 0)
		return fail_at(p, -errno, "fstat", err);

	int rc = nook_mkdir_below(to_dir, p->name, 0700);

	if (rc < 0)
		return fail_at(p, rc, "mkdirat", err);

	auto_close int to = nook_open_dir_below(to_dir, p->name, O_RDONLY);

	if (to < 0)
		return fail_at(p, to, "open the copy of", err);
	rc = copy_entries(from, to, p, err);
	if (rc < 0)
		return rc;
	rc = copy_looks(from, to, &st);
	return rc < 0 ? fail_at(p, rc, "copy the owner of", err) : 0;
}

/* What is mounted below, the copy hides: it gets an empty directory, or nothing. */
static int copy_entry(int from_dir, int to_dir, const struct place *p, struct nook_error *err)
{
	struct stat st;
	auto_close int node = nook_open_node_below(from_dir, p->name);

	if (node == -ENOENT)
		return 0; /* gone by now */
	if (node < 0)
		return fail_at(p, node, "open", err);
	if (fstat(node, &st) < 0)
		return fail_at(p, -errno, "fstat", err);

	int mounted = nook_is_mount_root(node);

	if (mounted < 0)
		return fail_at(p, mounted, "statx", err);
	if (mounted && !S_ISDIR(st.st_mode))
		return 0;
	if (mounted) {
		int rc = nook_mkdir_below(to_dir, p->name, st.st_mode & 07777);

		return rc < 0 ? fail_at(p, rc, "mkdirat", err) : 0;
	}
	return S_ISDIR(st.st_mode)   ? copy_dir(from_dir, to_dir, p, err)
	       : S_ISREG(st.st_mode) ? copy_file(from_dir, to_dir, p, err)
				     : copy_node(node, to_dir, &st, p, err);
}

static int copy_entries(int from, int to, const struct place *p, struct nook_error *err)
{
	_Alignas(struct dirent64) char buffer[4096];

	for (;;) {
		long len = NOOK_CALL(SYS_getdents64, from, buffer, sizeof(buffer));

		if (len < 0)
			return fail_at(p, (int)len, "read", err);
		if (len == 0)
			return 0;
		for (long at = 0; at < len;) {
			const struct dirent64 *d = (const void *)(buffer + at);
			const struct place below = { p, d->d_name, p->depth + 1 };

			at += d->d_reclen;
			if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
				continue;

			int rc = copy_entry(from, to, &below, err);

			if (rc < 0)
				return rc;
		}
	}
}

int nook_copy_up(int from, int to, struct nook_error *err)
{
	const struct place top = { NULL, ".", 0 };
	auto_close int dir = nook_open_dir_below(from, ".", O_RDONLY);
	auto_close int root = nook_open_dir_below(to, ".", O_RDONLY);

	if (dir < 0)
		return fail_at(&top, dir, "open", err);
	if (root < 0)
		return fail_at(&top, root, "open the tmpfs:", err);
	return copy_entries(dir, root, &top, err);
}
