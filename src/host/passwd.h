/* SPDX-License-Identifier: Apache-2.0 */
/* The two files that name ids, read without NSS. passwd(5), group(5) */
#ifndef NOOK_HOST_PASSWD_H
#define NOOK_HOST_PASSWD_H

#include "base/arena.h"

#include <stddef.h>
#include <stdint.h>

#define NOOK_LAST_ID 4294967294u /* 4294967295 is (uid_t)-1: "no change" to chown(2), no id */

struct nook_passwd_line {
	const char *name;
	uint32_t uid, gid;
	const char *home, *shell; /* "/" and "/bin/sh" where the line has none */
};

struct nook_passwd {
	struct nook_passwd_line *lines;
	size_t n;
};

struct nook_group_line {
	const char *name;
	uint32_t gid;
	const char *members; /* "a,b,c" */
};

struct nook_group {
	struct nook_group_line *lines;
	size_t n;
};

/* @text is written into, and lives on in the lines. Lines that are not as passwd(5) and group(5)
 * have them name nobody: comments, "+" of NIS, a missing field, a number that is none or too
 * large. */
void nook_passwd_parse(struct nook_arena *a, char *text, struct nook_passwd *ret);
void nook_group_parse(struct nook_arena *a, char *text, struct nook_group *ret);

/* The first line that has it; NULL. */
const struct nook_passwd_line *nook_passwd_by_name(const struct nook_passwd *passwd,
						   const char *name);
const struct nook_passwd_line *nook_passwd_by_uid(const struct nook_passwd *passwd, uint32_t uid);
const struct nook_group_line *nook_group_by_name(const struct nook_group *group, const char *name);

/* Groups that list @name as a member, each gid once, in ascending order, without @primary. */
void nook_group_of_member(struct nook_arena *a, const struct nook_group *group, const char *name,
			  uint32_t primary, uint32_t **ret, size_t *ret_n);

#endif
