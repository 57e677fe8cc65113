/* SPDX-License-Identifier: Apache-2.0 */
#include "place.h"

#include "base/own.h"
#include "base/text.h"
#include "path.h"
#include "sys/openat2.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

/* -ELOOP: it is a symlink, which O_PATH opens where the last part is not followed. */
static int take(int fd, struct nook_place *ret)
{
	struct statx st;

	/* What the kernel has of it will do: a server that is away would keep us waiting. */
	if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE | STATX_INO, &st) < 0)
		return -errno;
	if (S_ISLNK(st.stx_mode))
		return -ELOOP;
	ret->is_dir = S_ISDIR(st.stx_mode);
	ret->dev = makedev(st.stx_dev_major, st.stx_dev_minor);
	ret->ino = st.stx_ino;
	return 0;
}

/* -ELOOP: a symlink is in it. */
static int find_straight(int root, const char *path, struct nook_place *ret)
{
	auto_close int fd = nook_openat2(root, nook_path_below_root(path), O_PATH | O_NOFOLLOW, 0,
					 RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS);

	return fd < 0 ? fd : take(fd, ret);
}

/* The path of an open place, as the kernel names it. */
static int read_path(int fd, char out[PATH_MAX])
{
	char link[32];

	(void)nook_format(link, sizeof(link), "/proc/self/fd/%d", fd); /* it fits */

	ssize_t len = readlink(link, out, PATH_MAX);

	if (len < 0)
		return -errno;
	if (len >= PATH_MAX)
		return -ENAMETOOLONG;
	out[len] = '\0';
	return out[0] == '/' ? 0 : -ENOENT;
}

/* Where symlinks lead to, the kernel knows best: it is opened, and asked for its name. */
static int find_end(struct nook_prober *p, const char *path, struct nook_place *ret)
{
	auto_close int fd = nook_openat2(p->root, nook_path_below_root(path), O_PATH, 0,
					 RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
	char end[PATH_MAX], root[PATH_MAX];
	struct nook_place opened = { 0 }, named = { 0 };

	if (fd < 0)
		return fd;

	int rc = take(fd, &opened);

	if (rc == 0)
		rc = read_path(fd, end);
	if (rc == 0)
		rc = read_path(p->root, root);
	if (rc < 0)
		return rc;

	const char *below = strcmp(root, "/") == 0 ? end : nook_after(end, root);

	if (!below || (below[0] != '/' && below[0] != '\0'))
		return -EXDEV;
	if (!below[0])
		below = "/";

	/* A name that was renamed or deleted meanwhile is none. */
	rc = find_straight(p->root, below, &named);
	if (rc < 0)
		return rc;
	if (named.dev != opened.dev || named.ino != opened.ino)
		return -ENOENT;

	*ret = named;
	ret->path = nook_strdup(p->arena, below);
	return 0;
}

int nook_place_find(struct nook_prober *p, const char *path, struct nook_place *ret)
{
	if (nook_path_is_plain(path)) {
		int rc = find_straight(p->root, path, ret);

		if (rc == 0)
			ret->path = path;
		if (rc != -ELOOP)
			return rc;
	}
	return find_end(p, path, ret);
}
