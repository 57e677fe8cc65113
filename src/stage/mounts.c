/* SPDX-License-Identifier: Apache-2.0 */
/* What is mounted below the container's root, in the plan's order. */
#include "stage.h"

#include "base/own.h"
#include "base/text.h"
#include "pty.h"
#include "sys/file.h"
#include "sys/mount.h"
#include "sys/path.h"
#include "texts.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

static int new_file_system(const struct nook_plan_mount *m, struct nook_error *err)
{
	auto_close int fs = nook_fsopen(m->fstype);
	char message[160] = "";
	int rc = fs;

	/* Shown as the device in /proc/mounts, where "none" tells nobody anything. */
	if (rc >= 0)
		rc = nook_fsconfig_string(fs, "source", m->fstype);
	for (size_t i = 0; rc >= 0 && i < m->n_options; i++) {
		const struct nook_plan_option *o = &m->options[i];

		rc = o->value ? nook_fsconfig_string(fs, o->key, o->value)
			      : nook_fsconfig_flag(fs, o->key);
	}
	if (rc >= 0)
		rc = nook_fsconfig_create(fs);
	if (rc >= 0)
		rc = nook_fsmount(fs, m->attrs);
	if (rc >= 0)
		return rc;

	if (fs >= 0)
		nook_fs_message(fs, message, sizeof(message));
	return nook_fail(err, -rc, "mount a new %s for %s%s%s", m->fstype, m->target,
			 message[0] ? ", kernel says: " : "", message);
}

/* Masks: one read-only tmpfs with an empty directory and an empty file, of which every mask is a
 * clone. */
static int make_masks(struct nook_stage *s, struct nook_error *err)
{
	static const struct nook_plan_option mode = { "mode", "0555" };
	struct nook_plan_mount m = {
		.fstype = "tmpfs",
		.target = "the masks",
		.options = &mode,
		.n_options = 1,
		.attrs = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC,
	};
	auto_close int fd = new_file_system(&m, err);

	if (fd < 0)
		return fd;

	int rc = nook_mkdir_below(fd, "dir", 0555);

	if (rc < 0)
		return nook_fail(err, -rc, "mkdirat dir (of the masks)");

	int file = nook_create_below(fd, "file", 0444);

	if (file < 0)
		return nook_fail(err, -file, "create file (of the masks)");
	close_fd(&file); /* open for writing, it would keep the mount from becoming read-only */

	rc = nook_mount_setattr(fd, false, MOUNT_ATTR_RDONLY, 0, 0, NO_FD);
	if (rc < 0)
		return nook_fail(err, -rc, "mount_setattr(RDONLY) of the masks");
	/* Before Linux 6.15 only what is attached can be cloned. */
	if (s->plan->scratch) {
		rc = nook_mkdir_below(s->scratch, "m", 0700);
		if (rc == 0)
			rc = nook_move_mount_at(fd, s->scratch, "m");
		if (rc < 0)
			return nook_fail(err, -rc, "move_mount of the masks");
	}

	s->mask = move_fd(&fd);
	return 0;
}

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
static int own_root_of(const struct nook_stage *s, const char *target, const char **ret_below)
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

static int open_target(const struct nook_stage *s, const struct nook_plan_mount *m,
		       enum nook_path_make make, struct nook_error *err)
{
	const char *below = m->target;

	if (m->from)
		return nook_resolve_make(s->root, m->target, make, err);
	if (strcmp(m->target, "/dev") == 0 || (own_place(m->target, &below) >= 0 && !*below))
		return open_place(s, m->target, err);

	int root = own_root_of(s, m->target, &below);

	return nook_resolve_make(root, below, make, err);
}

/* A user's mount over one of ours takes its part. Else @mount is one of ours, if its target says
 * so. */
static int note_place(struct nook_stage *s, const struct nook_plan_mount *m, int mount, int target,
		      struct nook_error *err)
{
	const char *below;
	int place = m->from ? -1 : own_place(m->target, &below);
	struct stat st, own;

	if (place >= 0 && *below)
		return 0;
	for (int i = 0; m->from && i < (int)ARRAY_SIZE(s->own); i++) {
		if (s->own[i] >= 0 && fstat(target, &st) == 0 && fstat(s->own[i], &own) == 0 &&
		    st.st_dev == own.st_dev && st.st_ino == own.st_ino)
			place = i;
	}
	if (place < 0)
		return 0;

	close_fd(&s->own[place]);
	s->own[place] = fcntl(mount, F_DUPFD_CLOEXEC, 3);
	return s->own[place] < 0 ? nook_fail(err, errno, "fcntl(F_DUPFD_CLOEXEC)") : 0;
}

/* Covers what is there, and nothing where nothing is. */
static int cover(struct nook_stage *s, const struct nook_plan_mount *m, struct nook_error *err)
{
	const char *below;
	int root = own_root_of(s, m->target, &below);
	auto_close int target = nook_resolve(root, below, NULL);

	if (target == -ENOENT || target == -ENOTDIR)
		return 0;
	if (target < 0)
		return nook_fail(err, -target, "openat2 %s", m->target);

	auto_close int fd = NO_FD;

	if (m->kind == NOOK_PLAN_READONLY) {
		fd = nook_open_tree(target, "", true, false);
		if (fd >= 0) {
			int rc = nook_mount_setattr(fd, true, MOUNT_ATTR_RDONLY, 0, 0, NO_FD);

			if (rc < 0)
				return nook_fail(err, -rc, "mount_setattr(RDONLY) %s", m->target);
		}
	} else {
		int dir = nook_is_dir(target);

		if (dir < 0)
			return nook_fail(err, -dir, "fstat %s", m->target);
		if (s->mask < 0) {
			int rc = make_masks(s, err);

			if (rc < 0)
				return rc;
		}
		fd = nook_open_tree(s->mask, dir ? "dir" : "file", false, false);
	}
	if (fd < 0)
		return nook_fail(err, -fd, "open_tree for %s", m->target);

	int rc = nook_move_mount(fd, target);

	return rc < 0 ? nook_fail(err, -rc, "move_mount over %s", m->target) : 0;
}

/* The name of a thing right below the container's /dev, which is a tmpfs of ours; NULL: it is
 * elsewhere. */
static const char *name_in_dev(const struct nook_stage *s, const char *target)
{
	const char *name = s->dev >= 0 ? nook_after(target, "/dev/") : NULL;

	return name && *name && !strchr(name, '/') ? name : NULL;
}

/* -ELOOP, which is not noted: a symlink of ours has the name, and must be followed from the root.
 * Nobody else has been there yet, so the container's root need not be walked from its top: a third
 * of all targets are these. */
static int make_in_dev(int dev, const char *name, enum nook_path_make make, struct nook_error *err)
{
	int fd;

	if (make == NOOK_PATH_FILE) {
		fd = nook_create_below(dev, name, 0644);
		if (fd >= 0)
			return fd;
	} else if (make == NOOK_PATH_DIR) {
		int rc = nook_mkdir_below(dev, name, 0755);

		if (rc < 0 && rc != -EEXIST)
			return nook_fail(err, -rc, "mkdirat %s in /dev", name);
	}

	fd = nook_open_below(dev, name);
	return fd < 0 && fd != -ELOOP ? nook_fail(err, -fd, "open %s in /dev", name) : fd;
}

static int make_symlink(struct nook_stage *s, const struct nook_plan_mount *m,
			struct nook_error *err)
{
	const char *in_dev = name_in_dev(s, m->target);
	const char *name = strrchr(m->target, '/') + 1;
	char parent[256];

	if (in_dev && nook_symlink_below(s->dev, in_dev, m->text) == 0)
		return 0;

	(void)nook_format(parent, sizeof(parent), "%.*s", (int)(name - m->target), m->target);
	auto_close int dir = nook_resolve(s->root, parent, err);

	if (dir < 0)
		return dir;

	int rc = nook_symlink_below(dir, name, m->text);

	return rc < 0 && rc != -EEXIST
		       ? nook_fail(err, -rc, "symlinkat %s -> %s", m->target, m->text)
		       : 0;
}

/* lock_root() needs the mount itself: by its path it would find what lies on top. */
static int keep_overlay(struct nook_stage *s, unsigned number, int mount)
{
	if (mount >= 0 && s->plan->root_read_only)
		s->overlays[number] = fcntl(mount, F_DUPFD_CLOEXEC, 3);
	return mount;
}

/* What goes onto the target. A descriptor that is kept by @s is duplicated, so that the caller may
 * close its own. */
static int mount_for(struct nook_stage *s, const struct nook_plan_mount *m, struct nook_error *err)
{
	switch (m->kind) {
	case NOOK_PLAN_BIND:
		return move_fd(&s->sources[m->source]);
	case NOOK_PLAN_OVERLAY:
		return keep_overlay(s, m->overlay, nook_overlay_mount(s, m->overlay, err));
	case NOOK_PLAN_PROC:
		return fcntl(s->proc, F_DUPFD_CLOEXEC, 3);
	case NOOK_PLAN_DEVPTS:
		s->pts = new_file_system(m, err);
		return s->pts < 0 ? s->pts : fcntl(s->pts, F_DUPFD_CLOEXEC, 3);
	case NOOK_PLAN_CONSOLE: {
		int rc = nook_pty_open(s, err);

		if (rc < 0)
			return rc;
		int fd = nook_open_tree(s->console, "", false, false);

		return fd < 0 ? nook_fail(err, -fd, "open_tree of the terminal") : fd;
	}
	default:
		return new_file_system(m, err);
	}
}

/* Types must agree, or the kernel says ENOTDIR, which helps nobody. */
static int check_types(int mount, int target, const struct nook_plan_mount *m,
		       struct nook_error *err)
{
	int source_dir = nook_is_dir(mount), target_dir = nook_is_dir(target);
	struct statfs fs;

	if (source_dir < 0 || target_dir < 0 || fstatfs(target, &fs) < 0)
		return nook_fail(err, errno, "fstat %s", m->target);
	if (source_dir != target_dir)
		return nook_refuse(err, source_dir ? ENOTDIR : EISDIR,
				   "a %s can't be mounted on %s, which is a %s",
				   source_dir ? "directory" : "file", m->target,
				   target_dir ? "directory" : "file");
	/* A symlink of the root's own may lead there, whatever the target's text says. */
	if (m->from && fs.f_type == PROC_SUPER_MAGIC)
		return nook_refuse(err, EINVAL, "%s leads into /proc, where nothing may be mounted",
				   m->target);
	return 0;
}

static enum nook_path_make to_make(const struct nook_plan_mount *m)
{
	return m->make == NOOK_MAKE_DIR    ? NOOK_PATH_DIR
	       : m->make == NOOK_MAKE_FILE ? NOOK_PATH_FILE
					   : NOOK_PATH_EXISTS;
}

/* Our own tmpfs there is written to directly from now on; what a user puts over it is not. */
static int note_dev(struct nook_stage *s, const struct nook_plan_mount *m, int mount,
		    struct nook_error *err)
{
	close_fd(&s->dev);
	if (m->from)
		return 0;
	s->dev = fcntl(mount, F_DUPFD_CLOEXEC, 3);
	return s->dev < 0 ? nook_fail(err, errno, "fcntl(F_DUPFD_CLOEXEC)") : 0;
}

static int mount_one(struct nook_stage *s, const struct nook_plan_mount *m, struct nook_error *err)
{
	if (m->kind == NOOK_PLAN_MASK || m->kind == NOOK_PLAN_READONLY)
		return cover(s, m, err);
	if (m->kind == NOOK_PLAN_SYMLINK)
		return make_symlink(s, m, err);
	if (m->kind == NOOK_PLAN_BIND && s->sources[m->source] < 0)
		return 0; /* an optional source that isn't there */

	auto_close int mount = mount_for(s, m, err);

	if (mount < 0)
		return mount;

	enum nook_path_make make = to_make(m);

	/* A volume's kind is known only now: a file wants a file to lie on. */
	if (m->kind == NOOK_PLAN_BIND && make == NOOK_PATH_DIR && nook_is_dir(mount) == 0)
		make = NOOK_PATH_FILE;

	const char *in_dev = name_in_dev(s, m->target);
	auto_close int target =
		in_dev ? make_in_dev(s->dev, in_dev, make, err) : open_target(s, m, make, err);

	if (target == -ELOOP && in_dev)
		target = nook_resolve_make(s->root, m->target, make, err);
	if (target < 0)
		return target;

	/* What nook mounts itself fits; what the user names may not. */
	int rc = m->from ? check_types(mount, target, m, err) : 0;

	if (rc < 0)
		return rc;
	rc = nook_move_mount(mount, target);
	if (rc < 0)
		return nook_fail(err, -rc, "move_mount to %s", m->target);
	return strcmp(m->target, "/dev") == 0 ? note_dev(s, m, mount, err)
					      : note_place(s, m, mount, target, err);
}

int mount_all(void *ctx, struct nook_error *err)
{
	struct nook_stage *s = ctx;

	for (size_t i = 0; i < s->plan->n_mounts; i++) {
		const struct nook_plan_mount *m = &s->plan->mounts[i];
		int rc = mount_one(s, m, m->optional ? NULL : err);

		if (rc < 0 && !m->optional) {
			if (m->from)
				nook_where(err, "%s", m->from);
			return rc;
		}
	}
	return 0;
}

static void show_fs(const struct nook_plan_mount *m, struct nook_rows *rows)
{
	static const struct {
		const char *fstype, *what;
	} known[] = {
		{ "tmpfs", "empty, in memory" },   { "sysfs", "the kernel's devices" },
		{ "cgroup2", "its cgroups" },      { "mqueue", "its message queues" },
		{ "devpts", "its own terminals" },
	};
	const char *options = "", *what = "a file system of its own";

	for (size_t i = 0; i < m->n_options; i++)
		options = nook_printf(rows->arena, "%s, %s%s%s", options, m->options[i].key,
				      m->options[i].value ? "=" : "",
				      m->options[i].value ? m->options[i].value : "");
	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		if (strcmp(m->fstype, known[i].fstype) == 0)
			what = known[i].what;
	}
	if (m->from)
		what = nook_printf(rows->arena, "for %s", m->from);
	else if (m->optional)
		what = nook_printf(rows->arena, "%s, if the kernel has them", what);
	nook_show(rows, what, "fsopen(\"%s\"%s), fsmount(%s), move_mount(\"%s\")", m->fstype,
		  options, nook_attrs_text(rows, m->attrs), m->target);
}

static void show_bind(const struct nook_plan *plan, const struct nook_plan_mount *m,
		      struct nook_rows *rows)
{
	const struct nook_plan_source *src = &plan->sources[m->source];
	const char *what = m->from         ? nook_printf(rows->arena, "for %s", m->from)
			   : src->rdev     ? "a device of the host's"
			   : src->optional ? "the host's own, if it is there"
					   : "the host's own";

	nook_show(rows, what, "move_mount(\"%s\" -> \"%s\")", src->path, m->target);
}

static void show_mount(const struct nook_plan *plan, const struct nook_plan_mount *m,
		       struct nook_rows *rows)
{
	switch (m->kind) {
	case NOOK_PLAN_BIND:
		show_bind(plan, m, rows);
		break;
	case NOOK_PLAN_FS:
	case NOOK_PLAN_DEVPTS:
		show_fs(m, rows);
		break;
	case NOOK_PLAN_PROC:
		nook_show(rows, "its processes", "move_mount(procfs -> \"%s\")", m->target);
		break;
	case NOOK_PLAN_OVERLAY:
		nook_overlay_show(plan, m->overlay, rows);
		nook_show(rows, "a copy of what the host has there",
			  "move_mount(overlay -> \"%s\")", m->target);
		break;
	case NOOK_PLAN_MASK:
		nook_show(rows, "hidden, if it is there", "move_mount(empty -> \"%s\")", m->target);
		break;
	case NOOK_PLAN_READONLY:
		nook_show(rows, "read-only, if it is there",
			  "open_tree(\"%s\"), mount_setattr(RDONLY), move_mount", m->target);
		break;
	case NOOK_PLAN_SYMLINK:
		nook_show(rows, "a usual name", "symlinkat(\"%s\" -> \"%s\")", m->target, m->text);
		break;
	case NOOK_PLAN_CONSOLE:
		nook_show(rows, "a new terminal", "ioctl(TIOCGPTPEER), move_mount(tty -> \"%s\")",
			  m->target);
		break;
	}
}

void mount_all_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	for (size_t i = 0; i < plan->n_mounts; i++)
		show_mount(plan, &plan->mounts[i], rows);
}

int lock_root(void *ctx, struct nook_error *err)
{
	struct nook_stage *s = ctx;
	int rc = nook_mount_setattr(s->root, false, MOUNT_ATTR_RDONLY, 0, 0, NO_FD);

	for (size_t i = 1; rc == 0 && i < s->plan->n_overlays; i++)
		rc = nook_mount_setattr(s->overlays[i], false, MOUNT_ATTR_RDONLY, 0, 0, NO_FD);
	return rc < 0 ? nook_fail(err, -rc, "mount_setattr(RDONLY) of the root") : 0;
}

void lock_root_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	(void)plan;
	nook_show(rows, "the root becomes read-only", "mount_setattr(RDONLY)");
}
