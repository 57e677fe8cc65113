/* SPDX-License-Identifier: Apache-2.0 */
#include "accounts.h"

#include "base/text.h"

#include <errno.h>
#include <string.h>

static bool is_number(const char *text)
{
	return text[0] && text[strspn(text, "0123456789")] == '\0';
}

static int parse_id(const char *kind, const char *text, uint32_t *ret, struct nook_error *err)
{
	uint64_t value = 0;

	if (nook_parse_u64(text, NOOK_LAST_ID, &value) < 0)
		return nook_refuse(
			err, EINVAL,
			"%s %s: a number of a %s is 0 to 4294967294, without leading zeros", kind,
			text, kind);
	*ret = (uint32_t)value;
	return 0;
}

static int resolve_user(const char *text, const struct nook_passwd *passwd,
			struct nook_account *ret, struct nook_error *err)
{
	const struct nook_passwd_line *line = NULL;

	if (is_number(text)) {
		int rc = parse_id("user", text, &ret->uid, err);

		if (rc < 0)
			return rc;
		line = nook_passwd_by_uid(passwd, ret->uid);
	} else {
		line = nook_passwd_by_name(passwd, text);
		if (!line) {
			nook_cause(err, "unknown-user",
				   "names are looked up in the container, not on the host");
			nook_hint(err, "name a user who is in the container's /etc/passwd, or give "
				       "a number: --user 1000");
			return nook_refuse(err, EINVAL,
					   "the container's /etc/passwd has no user \"%s\"", text);
		}
	}

	if (line) {
		ret->known = true;
		ret->uid = line->uid;
		ret->gid = line->gid;
		ret->name = line->name;
		ret->home = line->home;
		ret->shell = line->shell;
	}
	return 0;
}

static int resolve_group(const char *text, const struct nook_group *group, uint32_t *ret,
			 struct nook_error *err)
{
	if (is_number(text))
		return parse_id("group", text, ret, err);

	const struct nook_group_line *line = nook_group_by_name(group, text);

	if (!line) {
		nook_cause(err, "unknown-user",
			   "names are looked up in the container, not on the host");
		nook_hint(err, "name a group that is in the container's /etc/group, or give a "
			       "number: --group 1000");
		return nook_refuse(err, EINVAL, "the container's /etc/group has no group \"%s\"",
				   text);
	}
	*ret = line->gid;
	return 0;
}

/* USER[:GROUP]; an empty part is a mistake, and not "the default". */
static int split_user(struct nook_arena *a, const char *text, const char **ret_user,
		      const char **ret_group, struct nook_error *err)
{
	const char *colon = strchr(text, ':');

	if (!text[0] || colon == text || (colon && (!colon[1] || strchr(colon + 1, ':'))))
		return nook_refuse(err, EINVAL, "\"%s\" is not USER or USER:GROUP", text);

	*ret_user = colon ? nook_strndup(a, text, (size_t)(colon - text)) : text;
	if (colon)
		*ret_group = colon + 1;
	return 0;
}

static int resolve_all(struct nook_arena *a, const struct nook_spec *spec,
		       const struct nook_passwd *passwd, const struct nook_group *group,
		       struct nook_account *ret, const char **ret_from, struct nook_error *err)
{
	const char *user = "0", *wanted_group = NULL;
	int rc = 0;

	*ret_from = spec->user_from;
	if (spec->user)
		rc = split_user(a, spec->user, &user, &wanted_group, err);
	if (rc == 0)
		rc = resolve_user(user, passwd, ret, err);
	if (rc < 0)
		return rc;

	if (spec->group) {
		*ret_from = spec->group_from;
		if (wanted_group)
			return nook_refuse(err, EINVAL,
					   "the group is said twice: \"%s\" and \"%s\"",
					   wanted_group, spec->group);
		wanted_group = spec->group;
	}
	if (wanted_group)
		return resolve_group(wanted_group, group, &ret->gid, err);

	if (ret->known)
		nook_group_of_member(a, group, ret->name, ret->gid, &ret->groups, &ret->n_groups);
	return 0;
}

int nook_account_resolve(struct nook_arena *a, const struct nook_spec *spec,
			 const struct nook_passwd *passwd, const struct nook_group *group,
			 struct nook_account *ret, struct nook_error *err)
{
	const char *from = NULL;

	*ret = (struct nook_account){ .home = "/", .shell = "/bin/sh" };

	int rc = resolve_all(a, spec, passwd, group, ret, &from, err);

	if (rc < 0 && from)
		nook_where(err, "%s", from);
	return rc;
}
