/* SPDX-License-Identifier: Apache-2.0 */
#include "diff.h"

#include <stdlib.h>
#include <string.h>

const char *const nook_diff_section_words[NOOK_DIFF_SECTIONS] = {
	[NOOK_DIFF_NAMESPACES] = "namespaces",
	[NOOK_DIFF_IDS] = "ids",
	[NOOK_DIFF_CAPABILITIES] = "capabilities",
	[NOOK_DIFF_SECURITY] = "security",
	[NOOK_DIFF_MOUNTS] = "mounts",
	[NOOK_DIFF_MOUNT_OPTIONS] = "mount_options",
	[NOOK_DIFF_LIMITS] = "limits",
	[NOOK_DIFF_CGROUPS] = "cgroups",
	[NOOK_DIFF_PROCESS] = "process",
	[NOOK_DIFF_SCHEDULING] = "scheduling",
	[NOOK_DIFF_ENVIRONMENT] = "environment",
};

const char *const nook_diff_section_names[NOOK_DIFF_SECTIONS] = {
	[NOOK_DIFF_NAMESPACES] = "namespace",
	[NOOK_DIFF_IDS] = "id",
	[NOOK_DIFF_CAPABILITIES] = "capabilities",
	[NOOK_DIFF_SECURITY] = "security",
	[NOOK_DIFF_MOUNTS] = "mount",
	[NOOK_DIFF_MOUNT_OPTIONS] = "mount options",
	[NOOK_DIFF_LIMITS] = "limit",
	[NOOK_DIFF_CGROUPS] = "cgroup",
	[NOOK_DIFF_PROCESS] = "process",
	[NOOK_DIFF_SCHEDULING] = "scheduling",
	[NOOK_DIFF_ENVIRONMENT] = "environment",
};

static bool has_word(const char *words, const char *word, size_t len)
{
	for (const char *p = words; *p;) {
		size_t n = strcspn(p, " ");

		if (n == len && memcmp(p, word, len) == 0)
			return true;
		p += n + (p[n] == ' ');
	}
	return false;
}

/* Words of @a that @b has not. */
static const char *words_only(struct nook_arena *arena, const char *a, const char *b)
{
	char *out = nook_alloc(arena, strlen(a) + 1);
	size_t len = 0;

	for (const char *p = a; *p;) {
		size_t n = strcspn(p, " ");

		if (n && !has_word(b, p, n)) {
			if (len)
				out[len++] = ' ';
			memcpy(out + len, p, n);
			len += n;
		}
		p += n + (p[n] == ' ');
	}
	return out;
}

/* By section, then by name; the order in which they were read within that does not matter, since
 * names are unique. */
static int compare_facts(const void *x, const void *y)
{
	const struct nook_diff_fact *a = *(const struct nook_diff_fact *const *)x;
	const struct nook_diff_fact *b = *(const struct nook_diff_fact *const *)y;

	if (a->section != b->section)
		return a->section < b->section ? -1 : 1;
	return strcmp(a->name, b->name);
}

static const struct nook_diff_fact **sorted(struct nook_arena *a, const struct nook_diff_process *p)
{
	const struct nook_diff_fact **list = nook_alloc_array(a, p->n_facts + 1, sizeof(*list));

	for (size_t i = 0; i < p->n_facts; i++)
		list[i] = &p->facts[i];
	qsort(list, p->n_facts, sizeof(*list), compare_facts);
	return list;
}

static bool same(const struct nook_diff_fact *a, const struct nook_diff_fact *b)
{
	if (!a->value || !b->value)
		return a->value == b->value;
	return strcmp(a->value, b->value) == 0;
}

/* A mount that only one of them has is told once, and not also by its options. */
static bool told_elsewhere(const struct nook_diff_row *row)
{
	return row->section == NOOK_DIFF_MOUNT_OPTIONS && (!row->a || !row->b);
}

static void add_row(struct nook_arena *arena, struct nook_diff *d, struct nook_diff_row row)
{
	if ((row.a && row.a->errnum) || (row.b && row.b->errnum)) {
		*nook_append(arena, d->unknown, d->n_unknown) = row;
	} else if (row.a && row.b && same(row.a, row.b)) {
		d->same[row.section]++;
	} else if (!told_elsewhere(&row)) {
		if (row.a && row.b && row.a->set && row.b->set && row.a->value && row.b->value) {
			row.only_a = words_only(arena, row.a->value, row.b->value);
			row.only_b = words_only(arena, row.b->value, row.a->value);
		}
		*nook_append(arena, d->rows, d->n_rows) = row;
	}
}

/* A whole section that could not be read is one fact with the name "". The other side's facts of it
 * have nothing to be compared with. */
static bool section_unread(const struct nook_diff_process *p, enum nook_diff_section section)
{
	for (size_t i = 0; i < p->n_facts; i++) {
		const struct nook_diff_fact *f = &p->facts[i];

		if (f->section == section && f->errnum && !f->name[0])
			return true;
	}
	return false;
}

void nook_diff_compare(struct nook_arena *a, const struct nook_diff_process *one,
		       const struct nook_diff_process *other, struct nook_diff *ret)
{
	const struct nook_diff_fact **x = sorted(a, one), **y = sorted(a, other);
	struct nook_diff d = { .n_rows = 0 };
	bool unread[NOOK_DIFF_SECTIONS];
	size_t i = 0, k = 0;

	for (int s = 0; s < NOOK_DIFF_SECTIONS; s++)
		unread[s] = section_unread(one, s) || section_unread(other, s);

	while (i < one->n_facts || k < other->n_facts) {
		int order = i == one->n_facts     ? 1
			    : k == other->n_facts ? -1
						  : compare_facts(&x[i], &y[k]);
		const struct nook_diff_fact *f = order <= 0 ? x[i] : NULL;
		const struct nook_diff_fact *g = order >= 0 ? y[k] : NULL;
		const struct nook_diff_fact *any = f ? f : g;

		i += f != NULL;
		k += g != NULL;
		if (unread[any->section] && any->name[0])
			continue;
		add_row(a, &d,
			(struct nook_diff_row){
				.section = any->section, .name = any->name, .a = f, .b = g });
	}
	*ret = d;
}
