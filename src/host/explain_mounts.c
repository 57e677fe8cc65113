/* SPDX-License-Identifier: Apache-2.0 */
/* Causes around mounts, their sources and targets, and space. */
#include "explain.h"
#include "base/own.h"
#include "base/text.h"

#include <fcntl.h>
#include <linux/nsfs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#define MOUNTS   " mount fsopen fsmount fsconfig move_mount open_tree mount_setattr "
#define OVERLAYS " mount fsmount fsconfig move_mount "
#define OPENS    " open openat openat2 open_tree stat lstat fstatat statx mount access "
#define MAKES                                                                                      \
	" open openat openat2 mkdir mkdirat mknod mknodat symlink symlinkat write copy rename "

static bool look_proc(struct nook_question *q)
{
	char cover[256];

	if (!strstr(q->args, "proc") ||
	    !nook_evidence_proc_cover(&q->evidence, cover, sizeof(cover)))
		return false;
	return nook_answer(q, "masked-proc", "",
			   "%s is covered by another mount here, as outer containers do it; a user "
			   "namespace may then mount no new proc.",
			   cover);
}

/* Does this namespace of ours (PROC/self/ns/…) belong to another user namespace than the one we are
 * in? ioctl_nsfs(2) */
static bool is_foreign(const char *ns)
{
	struct stat own, owner;

	if (stat("/proc/self/ns/user", &own) < 0)
		return false;

	auto_close int fd = open(ns, O_RDONLY | O_CLOEXEC);
	auto_close int by = fd < 0 ? NO_FD : ioctl(fd, NS_GET_USERNS);

	/* EPERM: it is above us, out of sight. */
	if (by < 0)
		return fd >= 0 && errno == EPERM;
	return fstat(by, &owner) == 0 && owner.st_ino != own.st_ino;
}

static bool look_pid_owner(struct nook_question *q)
{
	return strstr(q->args, "proc") && is_foreign("/proc/self/ns/pid") &&
	       nook_answer(q, "foreign-pid", "",
			   "nook runs in a user namespace, but its pid namespace belongs to the "
			   "outside.");
}

static bool look_mnt_owner(struct nook_question *q)
{
	return is_foreign("/proc/self/ns/mnt") &&
	       nook_answer(q, "foreign-mnt", "",
			   "nook runs in a user namespace, but its mount namespace belongs to the "
			   "outside.");
}

static bool look_net_owner(struct nook_question *q)
{
	return q->ctx->new_userns && strstr(q->args, "sysfs") &&
	       nook_answer(
		       q, "foreign-net", "",
		       "A new sysfs may be mounted only by the owner of the network namespace.");
}

static bool look_idmap(struct nook_question *q)
{
	char type[32];

	if (!(strcasestr(q->args, "idmap") || strcasestr(q->args, "MOUNT_ATTR_IDMAP")))
		return false;
	if (!q->path[0] || !nook_evidence_fstype(q->path, type, sizeof(type)))
		return false;
	return nook_answer(q, "no-idmap", "",
			   "%s lies on %s, which this kernel can't mount with mapped ids.", q->path,
			   type);
}

static bool is_overlay(const struct nook_question *q)
{
	return strstr(q->args, "overlay") || strstr(q->args, "upperdir") ||
	       strstr(q->args, "lowerdir");
}

/* File systems that overlay refuses as its upper layer. */
static const char no_upper[] =
	" nfs vfat exfat ntfs cifs smb 9p fuse ecryptfs ceph vboxsf proc sysfs cgroup cgroup2 ";

static bool look_upper(struct nook_question *q)
{
	const char *path = q->ctx->changes ? q->ctx->changes : q->path;
	char type[32], word[40];

	if (!is_overlay(q) || !path[0] || !nook_evidence_fstype(path, type, sizeof(type)))
		return false;
	if (strcmp(type, "overlay") == 0)
		return nook_answer(q, "overlay-on-overlay", "", "%s lies on an overlay itself.",
				   path);
	(void)nook_format(word, sizeof(word), " %s ", type);
	/* The kernel says so itself, or the type is known. */
	return (strstr(q->args, "not supported as upperdir") || strstr(no_upper, word)) &&
	       nook_answer(q, "overlay-upper", "",
			   "%s lies on %s, which can't hold a writable layer.", path, type);
}

static bool look_overlay_busy(struct nook_question *q)
{
	return is_overlay(q) &&
	       nook_answer(q, "overlay-in-use", "",
			   "A layer is in use by another overlay, or lies within another layer.");
}

static bool look_overlay_rights(struct nook_question *q)
{
	unsigned major = 0, minor = 0;
	char text[64];

	if (!is_overlay(q) || !q->ctx->new_userns ||
	    !nook_evidence_text(&q->evidence, "sys/kernel/osrelease", text, sizeof(text)) ||
	    sscanf(text, "%u.%u", &major, &minor) != 2)
		return false;
	return (major < 5 || (major == 5 && minor < 11)) &&
	       nook_answer(q, "overlay-unprivileged", "",
			   "Linux %u.%u doesn't let a user namespace mount overlay; 5.11 does.",
			   major, minor);
}

static bool look_type(struct nook_question *q)
{
	char text[8192], name[64], line[80];
	const char *word = q->args + strspn(q->args, " (");
	const char *after = nook_after(word, "a new "); /* "mount a new mqueue for /dev/mqueue" */

	word = after ? after : word;

	(void)nook_format(name, sizeof(name), "%.*s", (int)strcspn(word, " ,()"), word);
	(void)nook_format(line, sizeof(line), "\t%s\n", name);
	if (!name[0] || name[0] == '/' ||
	    !nook_evidence_text(&q->evidence, "filesystems", text, sizeof(text)) ||
	    strstr(text, line))
		return false;
	return nook_answer(q, "filesystem-missing", "", "/proc/filesystems doesn't list %s.", name);
}

static bool look_mount_max(struct nook_question *q)
{
	uint64_t max, n;

	/* A container's namespace begins as a copy of ours, and the new mounts come on top. */
	if (!nook_evidence_number(&q->evidence, "sys/fs/mount-max", &max) ||
	    !nook_evidence_mounts(&q->evidence, &n) || n * 2 + 64 < max)
		return false;
	return nook_answer(q, "mount-limit", "",
			   "fs.mount-max allows %lu mounts, and this mount namespace holds %lu "
			   "already.",
			   (unsigned long)max, (unsigned long)n);
}

static bool look_space(struct nook_question *q)
{
	struct statvfs fs;
	char path[PATH_MAX];

	/* "c/upper-0": the writable layer, where the stage has it. */
	if (q->ctx->changes && (strstr(q->args, "upper") || strstr(q->args, "work-")))
		(void)nook_format(path, sizeof(path), "%s", q->ctx->changes);
	else
		(void)nook_format(path, sizeof(path), "%s", q->path);
	if (path[0] != '/' || q->inside)
		return false;
	while (statvfs(path, &fs) < 0) {
		char *slash = strrchr(path, '/');

		if (slash == path)
			return false;
		*slash = '\0';
	}
	if (fs.f_blocks && !fs.f_bavail)
		return nook_answer(q, "no-space", "", "The file system of %s has no block left.",
				   path);
	if (fs.f_files && !fs.f_favail)
		return nook_answer(q, "no-space", "Remove files: `df -i` shows where.",
				   "The file system of %s has no inode left.", path);
	return false;
}

static bool look_quota(struct nook_question *q)
{
	return nook_answer(q, "no-space", "", "The quota of this user is used up.");
}

/* Is the path one of the host's that the user named? */
static bool is_source(const struct nook_question *q)
{
	return q->path[0] == '/' && !q->inside && (q->ctx->path || q->err->where[0]);
}

/* A part of the path without search permission, or a last one that may not be read. */
static bool look_closed(struct nook_question *q)
{
	char part[PATH_MAX];

	if (q->path[0] != '/' || q->inside)
		return false;

	int errnum = nook_evidence_walk(q->path, part, sizeof(part));

	if (errnum == EACCES)
		return nook_answer(q, "no-access", "", "This user may not go as far as %s.", part);
	return errnum == 0 && access(q->path, R_OK) < 0 && errno == EACCES &&
	       nook_answer(q, "no-access", "`ls -l` shows who may read it.",
			   "This user may not read %s.", q->path);
}

static bool look_source(struct nook_question *q)
{
	char part[PATH_MAX];

	if (!is_source(q))
		return false;

	switch (nook_evidence_walk(q->path, part, sizeof(part))) {
	case ENOENT:
		if (strcmp(part, q->path) == 0)
			return nook_answer(q, "source-missing", "", "%s is not there.", part);
		return nook_answer(q, "source-missing", "",
				   "%s is not there, so nothing below it can be.", part);
	case EACCES:
		return look_closed(q);
	case ENOTDIR:
		return nook_answer(q, "type-mismatch", "Name a path that goes through directories.",
				   "%s is no directory.", part);
	}
	return false;
}

static bool look_type_mismatch(struct nook_question *q)
{
	return nook_answer(q, "type-mismatch", "",
			   q->err->errnum == EISDIR
				   ? "A directory stands where a file is needed."
				   : "A file stands where a directory is needed, or is to be "
				     "mounted on a directory, or the reverse.");
}

static bool look_symlink(struct nook_question *q)
{
	char place[PATH_MAX], target[PATH_MAX];

	for (size_t i = 0; q->path[0] && i < q->n_roots; i++) {
		if (nook_evidence_symlink(q->roots[i], q->path, place, sizeof(place), target,
					  sizeof(target)))
			return nook_answer(q, "symlink-in-target", "",
					   "%s is a symbolic link to %s.", place, target);
	}
	return q->err->errnum == ELOOP &&
	       nook_answer(q, "symlink-in-target", "",
			   "A symbolic link stands in the path where none is followed.");
}

static bool look_read_only(struct nook_question *q)
{
	return nook_answer(q, "read-only", "", "%s is on a file system that is mounted read-only.",
			   q->path[0] ? q->path : "The place");
}

static bool look_cwd(struct nook_question *q)
{
	return (nook_starts(q->call, "chdir") || strstr(q->args, "working directory")) &&
	       nook_answer(q, "cwd-missing", "", "The container has no directory %s.",
			   q->path[0] ? q->path : "of this name");
}

/* A mount below @q->path that came from outside goes with it only when both are bound together. */
static bool look_locked(struct nook_question *q)
{
	char text[65536], below[PATH_MAX];

	if (!q->ctx->new_userns || !q->path[0] ||
	    !nook_evidence_text(&q->evidence, "self/mountinfo", text, sizeof(text)))
		return false;
	(void)nook_format(below, sizeof(below), " %s/", strcmp(q->path, "/") == 0 ? "" : q->path);

	for (const char *at = text; (at = strstr(at, below)); at++) {
		const char *name = at + strlen(below);

		if (*name == ' ') /* the mount of "/" itself */
			continue;
		if (is_overlay(q))
			return nook_answer(q, "overlay-unprivileged", "",
					   "%s has mounts below that were made outside of the user "
					   "namespace, so it can't be an overlay's layer there.",
					   q->path);
		return nook_answer(q, "mount-locked", "",
				   "%s has mounts below that were made outside of the user "
				   "namespace, and can be bound only together with them.",
				   q->path);
	}
	return false;
}

static const struct nook_rule rows[] = {
	{ EPERM, MOUNTS, look_proc },
	{ EPERM, MOUNTS, look_pid_owner },
	{ EPERM, MOUNTS, look_mnt_owner },
	{ EPERM, " mount fsopen fsmount fsconfig ", look_net_owner },
	{ EINVAL, " mount_setattr ", look_idmap },
	{ EOPNOTSUPP, " mount_setattr ", look_idmap },
	{ EINVAL, OVERLAYS, look_upper },
	{ EOPNOTSUPP, OVERLAYS, look_upper },
	{ EINVAL, " mount fsmount fsconfig open_tree ", look_locked },
	{ EBUSY, OVERLAYS, look_overlay_busy },
	{ ELOOP, OVERLAYS, look_overlay_busy },
	{ EPERM, OVERLAYS, look_overlay_rights },
	{ ENODEV, " fsopen mount ", look_type },
	{ ENOSPC, MOUNTS, look_mount_max },
	{ ENOSPC, NULL, look_space },
	{ EDQUOT, MAKES, look_quota },
	{ ENOENT, " chdir open openat openat2 ", look_cwd },
	{ ENOENT, OPENS, look_source },
	{ EACCES, OPENS, look_source },
	{ ENOTDIR, OPENS, look_source },
	{ EACCES, NULL, look_closed },
	{ ELOOP, NULL, look_symlink },
	{ EXDEV, " openat2 mkdirat ", look_symlink },
	{ ENOTDIR, MOUNTS MAKES, look_type_mismatch },
	{ EISDIR, MOUNTS MAKES, look_type_mismatch },
	{ EROFS, NULL, look_read_only },
};

const struct nook_rules nook_rules_mounts = { rows, ARRAY_SIZE(rows) };
