/* SPDX-License-Identifier: Apache-2.0 */
#include "path.h"

#include "base/own.h"
#include "openat2.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

static int open_in_root(int root, const char *path)
{
	return nook_openat2(root, path, O_PATH | O_CLOEXEC, 0,
			    RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
}

int nook_resolve(int root, const char *path, struct nook_error *err)
{
	int fd = open_in_root(root, path);

	if (fd < 0 && err)
		return nook_fail(err, -fd, "openat2 %s in the container's root", path);
	return fd;
}

/*
 * One component, of a directory that we hold: -ELOOP for a symlink. Without O_NOFOLLOW, which
 * together with O_PATH would open the symlink itself, whatever RESOLVE_NO_SYMLINKS says. openat2(2)
 */
static int open_component(int dir, const char *name)
{
	return nook_openat2(dir, name, O_PATH | O_CLOEXEC, 0,
			    RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
}

static int make_component(int dir, const char *name, bool directory, const char *path,
			  struct nook_error *err)
{
	if (directory) {
		if (mkdirat(dir, name, 0755) == 0)
			return 0;
	} else {
		auto_close int fd = openat(
			dir, name, O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY | O_CLOEXEC, 0644);

		if (fd >= 0)
			return 0;
	}

	if (errno != EEXIST)
		return nook_fail(err, errno, "%s %s (for %s in the container's root)",
				 directory ? "mkdirat" : "openat O_CREAT", name, path);

	/* It could not be opened, and yet it is there: a symlink that leads nowhere, or somebody is
	 * racing us. */
	nook_cause(err, "symlink-in-target",
		   "%s, a part of %s, is a symlink inside the container's root that leads nowhere",
		   name, path);
	nook_hint(err, "name the place that the symlink means, or remove it from the root");
	return nook_refuse(err, ELOOP, "%s is reached through a dangling symlink (%s)", path, name);
}

struct walk {
	char prefix[PATH_MAX]; /* how far we are, from the root */
	size_t len;
};

static int step_into(int root, int *dir, struct walk *w, const char *name, size_t len,
		     bool directory, const char *path, struct nook_error *err)
{
	char component[NAME_MAX + 1];

	if (len > NAME_MAX || w->len + 1 + len >= sizeof(w->prefix))
		return nook_fail(err, ENAMETOOLONG, "resolve %s", path);
	memcpy(component, name, len);
	component[len] = '\0';
	if (strcmp(component, "..") == 0)
		return nook_refuse(err, EINVAL, "%s has a \"..\" in it", path);

	w->prefix[w->len++] = '/';
	memcpy(w->prefix + w->len, component, len + 1);
	w->len += len;

	auto_close int next = open_component(*dir, component);

	if (next == -ELOOP) /* a symlink: to be taken from the root */
		next = open_in_root(root, w->prefix);
	if (next == -ENOENT) {
		int rc = make_component(*dir, component, directory, path, err);

		if (rc < 0)
			return rc;
		next = open_component(*dir, component);
	}
	if (next < 0)
		return nook_fail(err, -next, "openat2 %s in the container's root", w->prefix);

	close_fd(dir);
	*dir = move_fd(&next);
	return 0;
}

int nook_resolve_make(int root, const char *path, enum nook_path_make make, struct nook_error *err)
{
	int fd = open_in_root(root, path);

	if (fd >= 0)
		return fd;
	if (fd != -ENOENT || make == NOOK_PATH_EXISTS)
		return nook_fail(err, -fd, "openat2 %s in the container's root", path);

	struct walk w = { .len = 0 };
	auto_close int dir = open_in_root(root, "/");

	if (dir < 0)
		return nook_fail(err, -dir, "openat2 / in the container's root");

	for (const char *p = path + strspn(path, "/"); *p;) {
		size_t len = strcspn(p, "/");
		const char *next = p + len + strspn(p + len, "/");
		bool directory = *next || make == NOOK_PATH_DIR;

		if (len != 1 || *p != '.') {
			int rc = step_into(root, &dir, &w, p, len, directory, path, err);

			if (rc < 0)
				return rc;
		}
		p = next;
	}

	return move_fd(&dir);
}

int nook_is_dir(int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	return S_ISDIR(st.st_mode);
}
