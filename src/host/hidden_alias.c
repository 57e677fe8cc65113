/* SPDX-License-Identifier: Apache-2.0 */
#include "hidden.h"

#include "base/text.h"
#include "path.h"
#include "rootfs_mounts.h"

#include <string.h>

/* What follows @dir in @path, with its slash; "" for @dir itself; NULL when it isn't in there. */
static const char *rest_within(const char *path, const char *dir)
{
	if (!nook_path_within(path, dir))
		return NULL;
	return strcmp(dir, "/") == 0 ? path : path + strlen(dir);
}

static const char *join(struct nook_arena *a, const char *dir, const char *rest)
{
	const char *head = strcmp(dir, "/") == 0 ? "" : dir;

	if (strcmp(rest, "/") == 0)
		rest = "";
	return head[0] || rest[0] ? nook_printf(a, "%s%s", head, rest) : "/";
}

/*
 * Adds what @file, a path in the file system of @m, is called through @m: when it can be seen
 * there, and is the same. Where a part of it alone is mounted, that is all of the mount.
 */
static int add_through(struct nook_prober *p, const struct nook_mount *m, const char *file,
		       const struct nook_hidden *hidden, const struct nook_place *place,
		       struct nook_hidden_set *found)
{
	const char *rest = rest_within(file, m->root);
	struct nook_place other = { 0 };

	if (!rest && nook_path_within(m->root, file) && strcmp(m->point, "/") != 0)
		return nook_hidden_add(p, found, m->point, hidden->why);
	if (!rest)
		return 0;

	const char *path = join(p->arena, m->point, rest);

	if (strcmp(path, "/") == 0 || strcmp(path, hidden->path) == 0 ||
	    nook_mounts_at(&p->mounts, path) != m || nook_place_find(p, path, &other) < 0)
		return 0;
	if (other.dev != place->dev || other.ino != place->ino || strcmp(other.path, path) != 0)
		return 0;
	return nook_hidden_add(p, found, path, hidden->why);
}

static int add_aliases_of(struct nook_prober *p, const struct nook_hidden *hidden,
			  struct nook_hidden_set *found)
{
	const struct nook_mount *home = nook_mounts_at(&p->mounts, hidden->path);
	const char *rest = home ? rest_within(hidden->path, home->point) : NULL;
	struct nook_place place = { 0 };

	if (!rest || nook_place_find(p, hidden->path, &place) < 0)
		return 0;

	const char *file = join(p->arena, home->root, rest);

	for (size_t i = 0; i < p->mounts.n_visible; i++) {
		const struct nook_mount *m = p->mounts.visible[i];

		if (m == home || nook_mount_use(m) != NOOK_MOUNT_TAKE || m->major != home->major ||
		    m->minor != home->minor)
			continue;

		int rc = add_through(p, m, file, hidden, &place, found);

		if (rc < 0)
			return rc;
	}
	return 0;
}

int nook_hidden_add_aliases(struct nook_prober *p, struct nook_hidden_set *set)
{
	struct nook_hidden_set all = { 0 };

	for (size_t i = 0; i < set->n; i++) {
		int rc = add_aliases_of(p, &set->items[i], &all);

		if (rc < 0)
			return rc;
	}
	if (all.n == 0)
		return 0;

	for (size_t i = 0; i < set->n; i++)
		*nook_append(p->arena, all.items, all.n) = set->items[i];
	*set = all;
	nook_hidden_sort(set);
	return 0;
}
