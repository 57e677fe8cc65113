/* SPDX-License-Identifier: Apache-2.0 */
/* The host's places that the container gets to see: all are opened before the first mount, and used
 * by descriptor. */
#include "stage.h"

#include "base/own.h"
#include "sys/mount.h"
#include "sys/openat2.h"
#include "sys/path.h"
#include "sys/process.h"
#include "texts.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#ifndef DEVPTS_SUPER_MAGIC
#define DEVPTS_SUPER_MAGIC 0x1cd1
#endif

/* A device node is trusted by what it is, not by its name: the host's /dev may be anybody's bind
 * mount. */
static int check_device(int fd, const char *path, uint32_t type, uint64_t rdev,
			struct nook_error *err)
{
	struct stat st;
	struct statfs fs;

	if (fstat(fd, &st) < 0)
		return nook_fail(err, errno, "fstat %s", path);
	if ((st.st_mode & S_IFMT) != type || st.st_rdev != rdev)
		return nook_refuse(err, ENODEV, "%s is not the %s device %u:%u here", path,
				   type == S_IFCHR ? "character" : "block", major(rdev),
				   minor(rdev));
	if (fstatfs(fd, &fs) < 0)
		return nook_fail(err, errno, "fstatfs %s", path);
	/* devtmpfs says TMPFS_MAGIC as well. */
	if (fs.f_type != TMPFS_MAGIC && fs.f_type != DEVPTS_SUPER_MAGIC &&
	    fs.f_type != RAMFS_MAGIC && fs.f_type != OVERLAYFS_SUPER_MAGIC)
		return nook_refuse(err, ENODEV,
				   "%s lies on a file system of type 0x%lx, where no /dev belongs",
				   path, (unsigned long)fs.f_type);
	return 0;
}

int nook_open_device(const char *path, uint32_t type, uint64_t rdev, struct nook_error *err)
{
	auto_close int fd = nook_open_tree(AT_FDCWD, path, false, true);

	if (fd < 0)
		return nook_fail(err, -fd, "open_tree %s", path);

	int rc = check_device(fd, path, type, rdev, err);

	return rc < 0 ? rc : move_fd(&fd);
}

static int open_source(const struct nook_plan_source *src, struct nook_error *err)
{
	auto_close int fd = nook_open_tree(AT_FDCWD, src->path, src->recursive, true);

	if (fd < 0) {
		if (fd == -ENOENT || fd == -ENOTDIR) {
			nook_cause(err, "source-missing", "%s does not exist on the host",
				   src->path);
			nook_hint(err, "make it, or correct the path");
		}
		return nook_fail(err, -fd, "open_tree %s", src->path);
	}

	if (src->rdev) {
		int rc = check_device(fd, src->path, S_IFCHR, src->rdev, err);

		if (rc < 0)
			return rc;
	}

	int rc = 0;

	if (src->attrs || src->propagation)
		rc = nook_mount_setattr(fd, src->recursive, src->attrs, 0, src->propagation, NO_FD);
	if (rc < 0)
		return nook_fail(err, -rc, "mount_setattr %s", src->path);
	return move_fd(&fd);
}

int nook_open_sources(const struct nook_plan *plan, int *fds, struct nook_error *err)
{
	for (size_t i = 0; i < plan->n_sources; i++) {
		bool optional = plan->sources[i].optional;

		if (fds[i] >= 0)
			continue;

		int fd = open_source(&plan->sources[i], optional ? NULL : err);

		if (fd < 0 && !optional) {
			if (plan->sources[i].from)
				nook_where(err, "%s", plan->sources[i].from);
			return fd;
		}
		fds[i] = fd < 0 ? NO_FD : fd;
	}
	return 0;
}

bool nook_locks_sources(const struct nook_plan *p)
{
	return p->bundle && p->n_sources > 0 && p->sources_outside && p->own_userns &&
	       p->root_how != NOOK_PLAN_ROOT_KEEP;
}

/* What gets other ids gets them from outside; a directory of the stage's copy, where mounts are
 * locked below, can't be taken without these; and where a link of /proc leads to, the stage isn't.
 */
static int find_source(const struct nook_plan_source *src)
{
	auto_close int fd = NO_FD;

	if (src->idmap || src->own_maps)
		return NO_FD;
	fd = nook_openat2(AT_FDCWD, src->path, O_PATH, 0, RESOLVE_NO_MAGICLINKS);
	return fd >= 0 && (src->recursive || nook_is_dir(fd) == 0) ? move_fd(&fd) : NO_FD;
}

/* A mount that was made and is not used costs more than all else of it when it goes. */
int nook_find_sources(const struct nook_plan *plan, int *fds, bool *ret, struct nook_error *err)
{
	uint64_t effective, permitted, inheritable;
	int rc = nook_capget(&effective, &permitted, &inheritable);

	if (rc < 0)
		return nook_fail(err, -rc, "capget");
	/* As the stage will be: our user, without our rights. */
	rc = nook_capset(0, permitted, inheritable);
	if (rc < 0)
		return nook_fail(err, -rc, "capset(none effective)");
	for (size_t i = 0; i < plan->n_sources; i++) {
		fds[i] = find_source(&plan->sources[i]);
		ret[i] = fds[i] >= 0;
	}
	rc = nook_capset(effective, permitted, inheritable);
	if (rc == 0)
		return 0;
	(void)nook_capset(effective, permitted, inheritable); /* once more, for the undo */
	return nook_fail(err, -rc, "capset(0x%lx effective)", effective);
}

static const char *what_for(const struct nook_plan_source *s, struct nook_rows *rows)
{
	if (s->rdev)
		return nook_printf(rows->arena, "the host's device, if it is %u:%u", major(s->rdev),
				   minor(s->rdev));
	if (s->from)
		return nook_printf(rows->arena, "for %s", s->from);
	return s->optional ? "a copy of the mount, if it is there" : "a copy of the mount";
}

void nook_show_sources(const struct nook_plan *plan, struct nook_rows *rows)
{
	for (size_t i = 0; i < plan->n_sources; i++) {
		const struct nook_plan_source *s = &plan->sources[i];

		const char *attrs = nook_attrs_text(rows, s->attrs);

		if (!s->propagation && !*attrs) {
			nook_show(rows, what_for(s, rows), "open_tree(\"%s\", CLONE%s)", s->path,
				  s->recursive ? "|RECURSIVE" : "");
			continue;
		}
		if (s->propagation && s->propagation != MS_PRIVATE)
			attrs = nook_printf(rows->arena, "%s%s%s", attrs, *attrs ? ", " : "",
					    nook_propagation_text(s->propagation));
		nook_show(rows, what_for(s, rows), "open_tree(\"%s\", CLONE%s), mount_setattr(%s)",
			  s->path, s->recursive ? "|RECURSIVE" : "", *attrs ? attrs : "PRIVATE");
	}
}

/* From here, in place of what was opened outside. */
static int open_here(const struct nook_plan_source *src, int *fd, struct nook_error *err)
{
	struct stat st, other;
	auto_close int here = open_source(src, err);

	if (here < 0)
		return here;
	if (fstat(here, &st) < 0 || fstat(*fd, &other) < 0)
		return nook_fail(err, errno, "fstat %s", src->path);
	if (st.st_dev != other.st_dev || st.st_ino != other.st_ino)
		return nook_refuse(err, ESTALE, "%s is another file than it was just now",
				   src->path);
	close_fd(fd);
	*fd = move_fd(&here);
	return 0;
}

/*
 * In our copy of the host's mounts, which another user namespace owns, the kernel has locked what
 * the host has as read-only, nosuid, nodev and noexec: mount_namespaces(7), "Restrictions". What
 * was opened outside isn't locked, and a root inside who may mount could take that away. So it is
 * taken from our copy where we come to it: we have the host's root's id yet, but not his rights.
 */
int lock_sources(void *ctx, struct nook_error *err)
{
	struct nook_stage *s = ctx;

	for (size_t i = 0; i < s->plan->n_sources; i++) {
		const struct nook_plan_source *src = &s->plan->sources[i];
		bool must = s->for_stage[i];

		if (s->sources[i] < 0 || src->idmap || src->own_maps)
			continue;

		/* Of a directory with locked mounts below there is no copy without them, and some
		 * can't be reached: then what was opened outside must do. */
		int rc = open_here(src, &s->sources[i], must ? err : NULL);

		if (rc < 0 && must) {
			if (src->from)
				nook_where(err, "%s", src->from);
			return rc;
		}
	}
	return 0;
}

void lock_sources_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	(void)plan;
	nook_show(rows, "what the host has as read-only stays so, whoever is root inside",
		  "open_tree(each of these that can be reached)");
}

int open_sources_inside(void *ctx, struct nook_error *err)
{
	struct nook_stage *s = ctx;

	return nook_open_sources(s->plan, s->sources, err);
}

void open_sources_inside_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	nook_show_sources(plan, rows);
}
