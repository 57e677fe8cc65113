/* SPDX-License-Identifier: Apache-2.0 */
#include "mountinfo.h"

#include "base/own.h"
#include "base/text.h"
#include "path.h"
#include "read.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>

/* Stands for a parent that the table does not have; no mount has this id. */
#define NO_PARENT UINT_MAX

/* The kernel writes space, tab, newline, backslash and # as a backslash with three octal digits. */
static char *unescape(char *text)
{
	char *out = text;

	for (const char *p = text; *p; out++) {
		if (p[0] == '\\' && p[1] >= '0' && p[1] <= '3' && p[2] >= '0' && p[2] <= '7' &&
		    p[3] >= '0' && p[3] <= '7') {
			*out = (char)((p[1] - '0') << 6 | (p[2] - '0') << 3 | (p[3] - '0'));
			p += 4;
		} else {
			*out = *p++;
		}
	}
	*out = '\0';
	return text;
}

static bool parse_unsigned(const char *text, unsigned *ret)
{
	uint64_t value = 0;

	if (nook_parse_u64(text, UINT_MAX, &value) < 0)
		return false;
	*ret = (unsigned)value;
	return true;
}

/* ID PARENT MAJOR:MINOR ROOT POINT OPTIONS [TAG…] - FSTYPE SOURCE SUPER. Exactly one space between
 * two of them: a source may be empty. */
static bool parse_line(char *line, struct nook_mount *m)
{
	char *tags = strstr(line, " - ");

	if (!tags)
		return false;
	*tags = '\0';

	char *left[32], *right[3], *device[2];
	size_t n = nook_split(line, ' ', left, ARRAY_SIZE(left));

	if (n < 6 || n > ARRAY_SIZE(left) || nook_split(tags + 3, ' ', right, 3) != 3)
		return false;
	if (!parse_unsigned(left[0], &m->id) || !parse_unsigned(left[1], &m->parent))
		return false;
	if (nook_split(left[2], ':', device, 2) != 2 || !parse_unsigned(device[0], &m->major) ||
	    !parse_unsigned(device[1], &m->minor))
		return false;

	m->root = unescape(left[3]);
	m->point = unescape(left[4]);
	m->options = left[5];
	m->fstype = unescape(right[0]);
	m->super = right[2];
	return m->point[0] == '/' && m->id != NO_PARENT;
}

/* Children of one mount stand side by side, in the order of their paths. */
static int compare_siblings(const void *a, const void *b)
{
	const struct nook_mount *x = *(struct nook_mount *const *)a;
	const struct nook_mount *y = *(struct nook_mount *const *)b;

	if (x->parent != y->parent)
		return x->parent < y->parent ? -1 : 1;
	return nook_path_compare(x->point, y->point);
}

static int compare_ids(const void *a, const void *b)
{
	const struct nook_mount *x = *(struct nook_mount *const *)a;
	const struct nook_mount *y = *(struct nook_mount *const *)b;

	return x->id < y->id ? -1 : x->id > y->id;
}

static int compare_points(const void *a, const void *b)
{
	const struct nook_mount *x = *(const struct nook_mount *const *)a;
	const struct nook_mount *y = *(const struct nook_mount *const *)b;

	return nook_path_compare(x->point, y->point);
}

struct tree {
	struct nook_mount **by_parent; /* sorted by compare_siblings() */
	struct nook_mount **by_id;
	size_t n;
	struct nook_mount **todo; /* reachable, children not looked at yet */
	size_t n_todo;
};

static struct nook_mount *find_id(const struct tree *t, unsigned id)
{
	struct nook_mount key = { .id = id };
	struct nook_mount *k = &key;
	struct nook_mount **found = bsearch(&k, t->by_id, t->n, sizeof(*t->by_id), compare_ids);

	return found ? *found : NULL;
}

static size_t first_child(const struct tree *t, unsigned parent)
{
	size_t low = 0, high = t->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (t->by_parent[mid]->parent < parent)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/*
 * Of the children of one mount, those that a path reaches. A child over the mount's own root covers
 * it and all else in it; a child over a directory covers its siblings below.
 */
static void reach_children(struct tree *t, struct nook_mount *m, unsigned id, const char *point)
{
	const char *cover = NULL;

	for (size_t i = first_child(t, id); i < t->n && t->by_parent[i]->parent == id; i++) {
		struct nook_mount *child = t->by_parent[i];

		if (!nook_path_within(child->point, point) ||
		    (cover && nook_path_within(child->point, cover)))
			continue;
		cover = child->point;
		t->todo[t->n_todo++] = child;
		child->visible = true;
		if (m && strcmp(cover, point) == 0)
			m->visible = false;
	}
}

/* Mounts whose parent is not in the table hang on what we can't see: our root directory. */
static void adopt_orphans(struct tree *t)
{
	for (size_t i = 0; i < t->n; i++) {
		struct nook_mount *m = t->by_id[i];

		if (m->parent == m->id || !find_id(t, m->parent))
			m->parent = NO_PARENT;
	}
}

static bool has_unique_ids(const struct tree *t)
{
	for (size_t i = 1; i < t->n; i++) {
		if (t->by_id[i - 1]->id == t->by_id[i]->id)
			return false;
	}
	return true;
}

static bool mark_visible(struct nook_arena *a, struct nook_mounts *mounts)
{
	struct tree t = { .n = mounts->n };

	t.by_parent = nook_alloc_array(a, t.n, sizeof(struct nook_mount *));
	t.by_id = nook_alloc_array(a, t.n, sizeof(struct nook_mount *));
	t.todo = nook_alloc_array(a, t.n, sizeof(struct nook_mount *));
	for (size_t i = 0; i < t.n; i++)
		t.by_parent[i] = t.by_id[i] = &mounts->all[i];

	qsort(t.by_id, t.n, sizeof(*t.by_id), compare_ids);
	if (!has_unique_ids(&t))
		return false;
	adopt_orphans(&t);
	qsort(t.by_parent, t.n, sizeof(*t.by_parent), compare_siblings);

	reach_children(&t, NULL, NO_PARENT, "/");
	while (t.n_todo) {
		struct nook_mount *m = t.todo[--t.n_todo];

		reach_children(&t, m, m->id, m->point);
	}
	return true;
}

static void list_visible(struct nook_arena *a, struct nook_mounts *mounts)
{
	mounts->visible = nook_alloc_array(a, mounts->n, sizeof(*mounts->visible));
	for (size_t i = 0; i < mounts->n; i++) {
		if (mounts->all[i].visible)
			mounts->visible[mounts->n_visible++] = &mounts->all[i];
	}
	if (mounts->n_visible)
		qsort(mounts->visible, mounts->n_visible, sizeof(*mounts->visible), compare_points);
}

int nook_mountinfo_parse(struct nook_arena *a, char *text, struct nook_mounts *ret,
			 struct nook_error *err)
{
	*ret = (struct nook_mounts){ 0 };

	for (char *line; (line = nook_next_line(&text));) {
		struct nook_mount *m = nook_append(a, ret->all, ret->n);

		if (!parse_line(line, m))
			return nook_refuse(err, EINVAL,
					   "/proc/self/mountinfo, line %zu: not a mount", ret->n);
	}
	if (ret->n == 0)
		return 0;

	if (!mark_visible(a, ret))
		return nook_refuse(err, EINVAL, "/proc/self/mountinfo: two mounts with one id");
	list_visible(a, ret);
	return 0;
}

static const struct nook_mount *find_point(const struct nook_mounts *mounts, const char *point)
{
	struct nook_mount key = { .point = point };
	const struct nook_mount *k = &key;
	const struct nook_mount **found = bsearch(&k, mounts->visible, mounts->n_visible,
						  sizeof(*mounts->visible), compare_points);

	return found ? *found : NULL;
}

const struct nook_mount *nook_mounts_at(const struct nook_mounts *mounts, const char *path)
{
	char part[PATH_MAX];
	size_t len = strlen(path);

	if (!mounts->n_visible || len == 0 || len >= sizeof(part))
		return NULL;
	memcpy(part, path, len + 1);

	for (;;) {
		const struct nook_mount *m = find_point(mounts, part);
		char *slash = strrchr(part, '/');

		if (m || !slash || strcmp(part, "/") == 0)
			return m;
		slash[slash == part] = '\0';
	}
}
