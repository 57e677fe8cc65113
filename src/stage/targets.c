/* SPDX-License-Identifier: Apache-2.0 */
/* Where things are mounted: places inside the root, which may be an attacker's to write to. */
#include "mounts.h"

#include "base/own.h"
#include "base/text.h"
#include "sys/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

enum { PLACE_PROC, PLACE_SYS };

/* Our own places, in the order of s->own. Which one is @target, or what of it? @ret_below: the rest
 * of the path. Return: -1: none. */
static int own_place(const char *target, const char **ret_below)
{
	static const char *const places[] = { "/proc", "/sys" };

	for (int i = 0; i < (int)ARRAY_SIZE(places); i++) {
		const char *rest = nook_after(target, places[i]);

		if (rest && (!*rest || *rest == '/')) {
			*ret_below = rest;
			return i;
		}
	}
	return -1;
}

/*
 * Whoever has the root's files as well, another container maybe, can rename /proc under us: what we
 * do below it must be done to what we have mounted, and not to what bears its name by now.
 */
int nook_target_root(const struct nook_stage *s, const char *target, const char **ret_below)
{
	int place = own_place(target, ret_below);

	if (place >= 0 && s->own[place] >= 0 && **ret_below)
		return s->own[place];
	*ret_below = target;
	return s->root;
}

/* /proc, /sys and /dev themselves: where these go is not for the root's symlinks to say. */
static int open_place(const struct nook_stage *s, const char *target, struct nook_error *err)
{
	int fd = nook_open_dir_below(s->root, target + 1, O_PATH);

	if (fd == -ENOENT) {
		int rc = nook_mkdir_below(s->root, target + 1, 0755);

		if (rc < 0 && rc != -EEXIST)
			return nook_fail(err, -rc, "mkdirat %s in the container's root", target);
		fd = nook_open_dir_below(s->root, target + 1, O_PATH);
	}
	if (fd == -ELOOP || fd == -ENOTDIR) {
		nook_cause(err, "symlink-in-target",
			   "%s in the container's root is a symlink or a file", target);
		nook_hint(err, "make it a directory, or remove it: nook makes one then");
		return nook_refuse(err, -fd, "%s in the container's root is no directory", target);
	}
	return fd < 0 ? nook_fail(err, -fd, "open %s in the container's root", target) : fd;
}

/* Files of /proc that the plan lets be covered: by their own names, where a symlink would lead to
 * others. */
static int open_in_proc(const struct nook_stage *s, const struct nook_plan_mount *m,
			const char *below, enum nook_path_make make, struct nook_error *err)
{
	int fd = nook_open_below(s->own[PLACE_PROC], below + 1);

	if (fd == -ENOENT) /* it may be a directory of the user's that lies there */
		return nook_resolve_make(s->own[PLACE_PROC], below, make, err);
	return fd < 0 ? nook_fail(err, -fd, "open %s", m->target) : fd;
}

static const char *one_name(const char *path)
{
	return path && *path && !strchr(path, '/') ? path : NULL;
}

const char *nook_name_in_tmpfs(const struct nook_stage *s, const char *target, int *ret_dir)
{
	const char *name = s->dev >= 0 ? one_name(nook_after(target, "/dev/")) : NULL;

	if (name) {
		*ret_dir = s->dev;
		return name;
	}
	name = s->fresh >= 0 ? nook_after(target, s->fresh_target) : NULL;
	name = name && *name == '/' ? one_name(name + 1) : NULL;
	if (name)
		*ret_dir = s->fresh;
	return name;
}

void nook_leave_tmpfs(struct nook_stage *s, const struct nook_plan_mount *m)
{
	int dir;

	if (s->fresh >= 0 && !nook_name_in_tmpfs(s, m->target, &dir))
		close_fd(&s->fresh);
}

/* -ELOOP, which is not noted: a symlink of ours has the name, and must be followed from the root.
 * Nobody else has been there yet, so the container's root need not be walked from its top: a third
 * of all targets are these. */
static int make_in_tmpfs(int dir, const char *name, const char *target, enum nook_path_make make,
			 struct nook_error *err)
{
	int fd;

	if (make == NOOK_PATH_FILE) {
		fd = nook_create_below(dir, name, 0644);
		if (fd >= 0)
			return fd;
	} else if (make == NOOK_PATH_DIR) {
		int rc = nook_mkdir_below(dir, name, 0755);

		if (rc < 0 && rc != -EEXIST)
			return nook_fail(err, -rc, "mkdirat %s", target);
	}

	fd = nook_open_below(dir, name);
	return fd < 0 && fd != -ELOOP ? nook_fail(err, -fd, "open %s", target) : fd;
}

/* The file itself, be it a symlink: only the way there is followed. */
static int open_not_following(struct nook_stage *s, const struct nook_plan_mount *m,
			      enum nook_path_make make, struct nook_error *err)
{
	const char *name;
	auto_close int parent = nook_open_target_parent(s, m, &name, err);

	if (parent < 0)
		return parent;

	int fd = nook_open_node_below(parent, name);

	if (fd == -ENOENT && make == NOOK_PATH_FILE)
		fd = nook_create_below(parent, name, 0644);
	return fd < 0 ? nook_fail(err, -fd, "open %s in the container's root", m->target) : fd;
}

int nook_open_target(struct nook_stage *s, const struct nook_plan_mount *m,
		     enum nook_path_make make, struct nook_error *err)
{
	int dir;
	const char *below = m->target, *name = nook_name_in_tmpfs(s, m->target, &dir);

	if (name) {
		int fd = make_in_tmpfs(dir, name, m->target, make, err);

		return fd == -ELOOP ? nook_resolve_make(s->root, m->target, make, err) : fd;
	}
	if (m->no_follow)
		return open_not_following(s, m, make, err);
	if (m->from && !s->plan->bundle)
		return nook_resolve_make(s->root, m->target, make, err);
	if (strcmp(m->target, "/dev") == 0 || (own_place(m->target, &below) >= 0 && !*below))
		return open_place(s, m->target, err);

	int root = nook_target_root(s, m->target, &below);

	if (s->plan->bundle && root == s->own[PLACE_PROC])
		return open_in_proc(s, m, below, make, err);
	return nook_resolve_make(root, below, make, err);
}

int nook_open_target_parent(struct nook_stage *s, const struct nook_plan_mount *m,
			    const char **ret_name, struct nook_error *err)
{
	const char *below;
	char parent[PATH_MAX];
	int root = nook_target_root(s, m->target, &below);
	const char *name = strrchr(below, '/') + 1;

	if ((size_t)(name - below) >= sizeof(parent))
		return nook_fail(err, ENAMETOOLONG, "resolve %s", m->target);
	(void)nook_format(parent, sizeof(parent), "%.*s", (int)(name - below), below);
	*ret_name = name;
	return nook_resolve_make(root, parent, NOOK_PATH_DIR, err);
}

int nook_make_symlink(struct nook_stage *s, const struct nook_plan_mount *m, struct nook_error *err)
{
	int dir;
	const char *name = nook_name_in_tmpfs(s, m->target, &dir);

	if (name && nook_symlink_below(dir, name, m->text) == 0)
		return 0;

	auto_close int parent = nook_open_target_parent(s, m, &name, err);

	if (parent < 0)
		return parent;

	int rc = nook_symlink_below(parent, name, m->text);

	return rc < 0 && rc != -EEXIST
		       ? nook_fail(err, -rc, "symlinkat %s -> %s", m->target, m->text)
		       : 0;
}

static bool is_procfs(int fd)
{
	struct statfs fs;

	return fstatfs(fd, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC;
}

/* Reached by the name that the plan gives, without a symlink: see nook_open_target(). */
static bool named_in_proc(const struct nook_stage *s, const struct nook_plan_mount *m)
{
	const char *below;

	return s->plan->bundle && own_place(m->target, &below) == PLACE_PROC &&
	       (!*below || s->own[PLACE_PROC] >= 0);
}

int nook_check_target(const struct nook_stage *s, const struct nook_plan_mount *m, int mount,
		      int target, struct nook_error *err)
{
	int source_dir = nook_is_dir(mount), target_dir = nook_is_dir(target);

	if (source_dir < 0 || target_dir < 0)
		return nook_fail(err, errno, "fstat %s", m->target);
	/* The kernel would say ENOTDIR, which helps nobody. */
	if (source_dir != target_dir) {
		nook_cause(err, "type-mismatch",
			   "a file can lie only on a file, and a directory only on a directory");
		nook_hint(err, "choose a %s as target, or one that isn't there: nook makes it then",
			  source_dir ? "directory" : "file");
		return nook_refuse(err, source_dir ? ENOTDIR : EISDIR,
				   "a %s can't be mounted on %s, which is a %s",
				   source_dir ? "directory" : "file", m->target,
				   target_dir ? "directory" : "file");
	}
	/* A symlink of the root's own may lead there, whatever the target's text says. */
	if (is_procfs(target) && !named_in_proc(s, m))
		return nook_refuse(err, EINVAL, "%s leads into /proc, where nothing may be mounted",
				   m->target);
	/* A program takes what is there for the kernel's word. */
	if (s->plan->bundle && strcmp(m->target, "/proc") == 0 && !is_procfs(mount))
		return nook_refuse(err, EINVAL,
				   "\"/proc\" cannot be mounted because it is not of type proc");
	return 0;
}

/* A new tmpfs is nobody's yet, and is written to directly from now on; what a user puts there is
 * not. */
static int note_tmpfs(struct nook_stage *s, const struct nook_plan_mount *m, int mount,
		      struct nook_error *err)
{
	bool dev = strcmp(m->target, "/dev") == 0;
	bool fresh = (dev && !m->from) || (s->plan->bundle && m->kind == NOOK_PLAN_FS &&
					   strcmp(m->fstype, "tmpfs") == 0);
	int *which = dev ? &s->dev : &s->fresh;

	if (dev || fresh)
		close_fd(which);
	if (!fresh)
		return 0;
	s->fresh_target = dev ? s->fresh_target : m->target;
	*which = fcntl(mount, F_DUPFD_CLOEXEC, 3);
	return *which < 0 ? nook_fail(err, errno, "fcntl(F_DUPFD_CLOEXEC)") : 0;
}

/* Over which of our places does a user's mount lie that got there in its own way? */
static int covered_place(const struct nook_stage *s, int target)
{
	struct stat st, own;

	if ((s->own[0] < 0 && s->own[1] < 0) || fstat(target, &st) < 0)
		return -1;
	for (int i = 0; i < (int)ARRAY_SIZE(s->own); i++) {
		if (s->own[i] >= 0 && fstat(s->own[i], &own) == 0 && st.st_dev == own.st_dev &&
		    st.st_ino == own.st_ino)
			return i;
	}
	return -1;
}

int nook_note_target(struct nook_stage *s, const struct nook_plan_mount *m, int mount, int target,
		     struct nook_error *err)
{
	int rc = note_tmpfs(s, m, mount, err), dir;

	if (rc < 0 || strcmp(m->target, "/dev") == 0)
		return rc;

	const char *below = "";
	bool ours = !m->from || s->plan->bundle;
	int place = ours ? own_place(m->target, &below) : -1;

	if (place >= 0 && *below)
		return 0;
	if (place < 0 && m->from && !nook_name_in_tmpfs(s, m->target, &dir))
		place = covered_place(s, target);
	if (place < 0)
		return 0;

	close_fd(&s->own[place]);
	s->own[place] = fcntl(mount, F_DUPFD_CLOEXEC, 3);
	return s->own[place] < 0 ? nook_fail(err, errno, "fcntl(F_DUPFD_CLOEXEC)") : 0;
}
