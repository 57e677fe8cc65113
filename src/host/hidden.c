/* SPDX-License-Identifier: Apache-2.0 */
#include "hidden.h"

#include "base/own.h"
#include "path.h"
#include "sys/openat2.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

int nook_hidden_add(struct nook_prober *p, struct nook_hidden_set *set, const char *path,
		    const char *why)
{
	struct nook_place place = { 0 };
	int rc = nook_place_find(p, path, &place);

	if (rc == -ENOENT || rc == -ENOTDIR || rc == -EACCES || rc == -ELOOP)
		return 0;
	if (rc < 0)
		return nook_fail(p->err, -rc, "open %s", path);

	*nook_append(p->arena, set->items, set->n) = (struct nook_hidden){
		.path = nook_strdup(p->arena, place.path),
		.why = why,
		.is_dir = place.is_dir,
	};
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct nook_hidden *x = a, *y = b;

	return nook_path_compare(x->path, y->path);
}

void nook_hidden_sort(struct nook_hidden_set *set)
{
	size_t kept = 0;

	if (set->n)
		qsort(set->items, set->n, sizeof(*set->items), compare);
	for (size_t i = 0; i < set->n; i++) {
		if (kept == 0 || !nook_path_within(set->items[i].path, set->items[kept - 1].path))
			set->items[kept++] = set->items[i];
	}
	set->n = kept;
}

const struct nook_hidden *nook_hidden_at(const struct nook_hidden_set *set, const char *path)
{
	size_t low = 0, high = set->n;

	/* None lies in another: it is the last one that does not come after @path. */
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (nook_path_compare(set->items[mid].path, path) <= 0)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == 0 || !nook_path_within(path, set->items[low - 1].path))
		return NULL;
	return &set->items[low - 1];
}

struct carving {
	struct nook_prober *p;
	const char *const *open;
	size_t n_open;
	struct nook_hidden_set out;
};

static bool is_named(const struct carving *c, const char *path)
{
	for (size_t i = 0; i < c->n_open; i++) {
		if (strcmp(path, c->open[i]) == 0)
			return true;
	}
	return false;
}

static bool is_open(const struct carving *c, const char *path)
{
	for (size_t i = 0; i < c->n_open; i++) {
		if (nook_path_within(path, c->open[i]))
			return true;
	}
	return false;
}

static bool leads_to_open(const struct carving *c, const char *path)
{
	for (size_t i = 0; i < c->n_open; i++) {
		if (nook_path_within(c->open[i], path))
			return true;
	}
	return false;
}

static int open_dir(struct carving *c, const char *path, DIR **ret)
{
	auto_close int fd =
		nook_openat2(c->p->root, nook_path_below_root(path), O_RDONLY | O_DIRECTORY, 0,
			     RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS);

	if (fd < 0) {
		nook_hint(c->p->err, "to show a part of %s, nook has to list it", path);
		return nook_fail(c->p->err, -fd, "open directory %s", path);
	}

	*ret = fdopendir(fd);
	if (!*ret)
		return nook_fail(c->p->err, errno, "open directory %s", path);
	(void)move_fd(&fd); /* the stream's now */
	return 0;
}

static bool entry_is_dir(DIR *dir, const struct dirent *entry)
{
	struct stat st;

	if (entry->d_type != DT_UNKNOWN)
		return entry->d_type == DT_DIR;
	return fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISDIR(st.st_mode);
}

/* Hides the entries of a directory but those that are, or lead to, open ones. The latter go to
 * @todo. */
static int split_dir(struct carving *c, const struct nook_hidden *dir, struct nook_hidden_set *todo)
{
	auto_closedir DIR *stream = NULL;
	int rc = open_dir(c, dir->path, &stream);

	if (rc < 0)
		return rc;

	for (;;) {
		errno = 0;
		struct dirent *entry = readdir(stream);

		if (!entry && errno)
			return nook_fail(c->p->err, errno, "read directory %s", dir->path);
		if (!entry)
			return 0;
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;

		struct nook_hidden item = {
			.path = nook_printf(c->p->arena, "%s/%s", dir->path, entry->d_name),
			.why = dir->why,
			.is_dir = entry_is_dir(stream, entry),
		};

		if (is_named(c, item.path))
			continue;
		if (c->out.n + todo->n >= NOOK_HIDDEN_MAX)
			return nook_refuse(c->p->err, E2BIG,
					   "%s has too many entries to hide them one by one",
					   dir->path);
		if (leads_to_open(c, item.path))
			*nook_append(c->p->arena, todo->items, todo->n) = item;
		else
			*nook_append(c->p->arena, c->out.items, c->out.n) = item;
	}
}

static int carve_one(struct carving *c, const struct nook_hidden *hidden, bool below)
{
	struct nook_hidden_set todo = { 0 };

	if (is_named(c, hidden->path) || (below && is_open(c, hidden->path)))
		return 0;
	if (!leads_to_open(c, hidden->path)) {
		*nook_append(c->p->arena, c->out.items, c->out.n) = *hidden;
		return 0;
	}

	*nook_append(c->p->arena, todo.items, todo.n) = *hidden;
	for (size_t i = 0; i < todo.n; i++) {
		struct nook_hidden dir = todo.items[i]; /* the array moves as it grows */
		int rc = split_dir(c, &dir, &todo);

		if (rc < 0)
			return rc;
	}
	return 0;
}

int nook_hidden_carve(struct nook_prober *p, struct nook_hidden_set *set, const char *const *open,
		      size_t n_open, bool below)
{
	struct carving c = { .p = p, .open = open, .n_open = n_open };

	if (n_open == 0)
		return 0;

	for (size_t i = 0; i < set->n; i++) {
		int rc = carve_one(&c, &set->items[i], below);

		if (rc < 0)
			return rc;
	}

	*set = c.out;
	nook_hidden_sort(set);
	return 0;
}
