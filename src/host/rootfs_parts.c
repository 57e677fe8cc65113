/* SPDX-License-Identifier: Apache-2.0 */
#include "rootfs_parts.h"

#include "base/own.h"
#include "path.h"
#include "rootfs_mounts.h"
#include "sys/openat2.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

/* Each union costs a mount: a machine with more such directories should be given to --root or
 * --layer. */
enum { MAX_PARTS = 2000 };

static bool has_mount_below(const struct nook_prober *p, const char *path)
{
	for (size_t i = 0; i < p->mounts.n_visible; i++) {
		const char *point = p->mounts.visible[i]->point;

		if (nook_path_within(point, path) && strcmp(point, path) != 0)
			return true;
	}
	return false;
}

/* The container's own are mounted there, whatever the host has. */
static bool is_own_place(const char *path)
{
	static const char *const places[] = { "/proc", "/sys", "/dev", "/run", "/tmp" };

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		if (strcmp(path, places[i]) == 0)
			return true;
	}
	return false;
}

static int add_part(struct nook_prober *p, enum nook_part_kind kind, const char *path,
		    uint32_t mode, const char *text)
{
	struct nook_host *host = p->host;

	if (host->n_parts == MAX_PARTS) {
		nook_hint(p->err,
			  "give the container a root of its own: --root DIR or --layer DIR");
		return nook_refuse(p->err, E2BIG,
				   "mounts are spread over so many directories of this machine "
				   "that a copy of its root "
				   "would take more than %d mounts",
				   MAX_PARTS);
	}
	*nook_append(p->arena, host->parts, host->n_parts) = (struct nook_host_part){
		.kind = kind, .path = path, .mode = mode & 07777, .text = text
	};
	return 0;
}

static int add_symlink(struct nook_prober *p, int dir, const char *name, const char *path)
{
	char target[PATH_MAX];
	ssize_t len = readlinkat(dir, name, target, sizeof(target) - 1);

	if (len < 0)
		return 0; /* it went away meanwhile */
	target[len] = '\0';
	return add_part(p, NOOK_PART_SYMLINK, path, 0, nook_strdup(p->arena, target));
}

/*
 * A file beside mounts can't be part of a union either. A small one is copied, so that it can be
 * replaced inside (as /etc/passwd is by adduser); a larger one is shown as it is.
 */
static int add_file(struct nook_prober *p, int dir, const char *name, const char *path,
		    uint32_t mode)
{
	enum { SMALL = 65536 };
	auto_close int fd = nook_openat2(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0,
					 RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
	struct stat st;
	int rc = add_part(p, NOOK_PART_FILE, path, mode, NULL);

	if (rc < 0 || fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > SMALL)
		return rc;

	char *text = nook_alloc(p->arena, (size_t)st.st_size + 1);
	ssize_t len = read(fd, text, (size_t)st.st_size);

	if (len >= 0) {
		p->host->parts[p->host->n_parts - 1].text = text;
		p->host->parts[p->host->n_parts - 1].len = (size_t)len;
	}
	return 0;
}

static int split(struct nook_prober *p, const char *path, unsigned depth);

static int add_entry(struct nook_prober *p, int dir, const char *parent, const char *name,
		     unsigned depth)
{
	const char *path = nook_printf(p->arena, "%s/%s", parent[1] ? parent : "", name);
	struct stat st;

	if (is_own_place(path) || nook_host_hides(p->host, path))
		return 0;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) < 0)
		return 0; /* it went away meanwhile, or its server does not answer */
	if (S_ISLNK(st.st_mode))
		return add_symlink(p, dir, name, path);
	if (S_ISREG(st.st_mode))
		return add_file(p, dir, name, path, st.st_mode);
	if (!S_ISDIR(st.st_mode))
		return 0;
	if (!has_mount_below(p, path))
		return add_part(p, NOOK_PART_UNION, path, st.st_mode, NULL);

	int rc = add_part(p, NOOK_PART_DIR, path, st.st_mode, NULL);

	return rc < 0 ? rc : split(p, path, depth + 1);
}

static int split(struct nook_prober *p, const char *path, unsigned depth)
{
	if (depth > 64)
		return nook_refuse(p->err, ELOOP, "%s lies too deep below mounts", path);

	int fd = nook_openat2(p->root, nook_path_below_root(path),
			      O_RDONLY | O_DIRECTORY | O_NONBLOCK, 0,
			      RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS);

	if (fd == -EACCES || fd == -ENOENT)
		return 0; /* what we may not list stays an empty directory */
	if (fd < 0)
		return nook_fail(p->err, -fd, "open %s", path);

	auto_closedir DIR *dir = fdopendir(fd);

	if (!dir) {
		close_fd(&fd);
		return nook_fail(p->err, errno, "fdopendir %s", path);
	}
	for (struct dirent *e; (e = readdir(dir));) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;

		int rc = add_entry(p, fd, path, e->d_name, depth);

		if (rc < 0)
			return rc;
	}
	return 0;
}

int nook_rootfs_probe_parts(struct nook_prober *p)
{
	return split(p, "/", 0);
}
