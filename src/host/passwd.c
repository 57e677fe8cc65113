/* SPDX-License-Identifier: Apache-2.0 */
#include "passwd.h"

#include "base/text.h"
#include "read.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* More than the kernel takes of any process: NGROUPS_MAX. */
#define MAX_GROUPS 65536

static bool parse_id(const char *text, uint32_t *ret)
{
	uint64_t value = 0;

	if (nook_parse_u64(text, NOOK_LAST_ID, &value) < 0)
		return false;
	*ret = (uint32_t)value;
	return true;
}

static bool is_entry(const char *name)
{
	return name[0] && !strchr("#+-", name[0]);
}

void nook_passwd_parse(struct nook_arena *a, char *text, struct nook_passwd *ret)
{
	*ret = (struct nook_passwd){ 0 };

	for (char *line; (line = nook_next_line(&text));) {
		char *f[7];
		uint32_t uid = 0, gid = 0;

		if (nook_split(line, ':', f, 7) != 7 || !is_entry(f[0]) || !parse_id(f[2], &uid) ||
		    !parse_id(f[3], &gid))
			continue;

		*nook_append(a, ret->lines, ret->n) = (struct nook_passwd_line){
			.name = f[0],
			.uid = uid,
			.gid = gid,
			.home = f[5][0] == '/' ? f[5] : "/",
			.shell = f[6][0] == '/' ? f[6] : "/bin/sh",
		};
	}
}

void nook_group_parse(struct nook_arena *a, char *text, struct nook_group *ret)
{
	*ret = (struct nook_group){ 0 };

	for (char *line; (line = nook_next_line(&text));) {
		char *f[4];
		uint32_t gid = 0;

		if (nook_split(line, ':', f, 4) != 4 || !is_entry(f[0]) || !parse_id(f[2], &gid))
			continue;

		*nook_append(a, ret->lines, ret->n) =
			(struct nook_group_line){ .name = f[0], .gid = gid, .members = f[3] };
	}
}

const struct nook_passwd_line *nook_passwd_by_name(const struct nook_passwd *passwd,
						   const char *name)
{
	for (size_t i = 0; i < passwd->n; i++) {
		if (strcmp(passwd->lines[i].name, name) == 0)
			return &passwd->lines[i];
	}
	return NULL;
}

const struct nook_passwd_line *nook_passwd_by_uid(const struct nook_passwd *passwd, uint32_t uid)
{
	for (size_t i = 0; i < passwd->n; i++) {
		if (passwd->lines[i].uid == uid)
			return &passwd->lines[i];
	}
	return NULL;
}

const struct nook_group_line *nook_group_by_name(const struct nook_group *group, const char *name)
{
	for (size_t i = 0; i < group->n; i++) {
		if (strcmp(group->lines[i].name, name) == 0)
			return &group->lines[i];
	}
	return NULL;
}

static bool has_member(const char *members, const char *name)
{
	size_t len = strlen(name);

	for (const char *at = members; *at;) {
		size_t one = strcspn(at, ",");

		if (one == len && memcmp(at, name, len) == 0)
			return true;
		at += one;
		at += *at == ',';
	}
	return false;
}

static int compare_ids(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

void nook_group_of_member(struct nook_arena *a, const struct nook_group *group, const char *name,
			  uint32_t primary, uint32_t **ret, size_t *ret_n)
{
	uint32_t *gids = NULL;
	size_t n = 0, kept = 0;

	for (size_t i = 0; i < group->n && n < MAX_GROUPS; i++) {
		const struct nook_group_line *line = &group->lines[i];

		if (line->gid != primary && has_member(line->members, name))
			*nook_append(a, gids, n) = line->gid;
	}

	if (n)
		qsort(gids, n, sizeof(*gids), compare_ids);
	for (size_t i = 0; i < n; i++) {
		if (kept == 0 || gids[kept - 1] != gids[i])
			gids[kept++] = gids[i];
	}

	*ret = gids;
	*ret_n = kept;
}
