/* SPDX-License-Identifier: Apache-2.0 */
#include "values.h"

#include "base/nearest.h"
#include "base/text.h"
#include "ns/kinds.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#define ID_LAST 4294967294u /* 4294967295 is -1, "no change" to chown(2) and setresuid(2) */

int nook_value_i64(const char *text, int64_t min, int64_t max, int64_t *ret, struct nook_error *err)
{
	int rc = nook_parse_i64(text, min, max, ret);

	if (rc == -ERANGE)
		return nook_refuse(err, ERANGE, "%s is out of range: it goes from %ld to %ld", text,
				   min, max);
	if (rc < 0)
		return nook_refuse(err, EINVAL,
				   "'%s' is not a decimal number; it goes from %ld to %ld", text,
				   min, max);
	return 0;
}

int nook_value_size(const char *text, uint64_t *ret, struct nook_error *err)
{
	uint64_t bytes = 0;
	int rc = nook_parse_size(text, &bytes);

	if (rc == -ERANGE || (rc == 0 && bytes < 4096))
		return nook_refuse(err, ERANGE,
				   "%s is out of range: it goes from 4k to 9223372036854775807",
				   text);
	if (rc < 0)
		return nook_refuse(err, EINVAL,
				   "'%s' is not a size: write a number of bytes, or one followed "
				   "by k, m, g or t (64m)",
				   text);
	*ret = bytes;
	return 0;
}

int nook_value_milli(const char *text, uint64_t min, uint64_t max, uint64_t *ret,
		     struct nook_error *err)
{
	const char *dot = strchrnul(text, '.');
	size_t places = *dot ? strlen(dot + 1) : 0;
	char whole[32];
	uint64_t units = 0, rest = 0;

	if ((size_t)(dot - text) >= sizeof(whole) || (*dot && (places < 1 || places > 3)) ||
	    (*dot && strspn(dot + 1, "0123456789") != places))
		return nook_refuse(err, EINVAL,
				   "'%s' is not a number such as 2, 0.5 or 1.25 (three places at "
				   "most)",
				   text);
	(void)nook_format(whole, sizeof(whole), "%.*s", (int)(dot - text), text); /* fits */

	int rc = nook_parse_u64(whole, UINT64_MAX / 2000, &units);

	if (rc == -EINVAL)
		return nook_refuse(err, EINVAL, "'%s' is not a number such as 2, 0.5 or 1.25",
				   text);
	for (size_t i = 0; i < 3; i++)
		rest = rest * 10 + (i < places ? (uint64_t)(dot[1 + i] - '0') : 0);

	uint64_t milli = units * 1000 + rest;

	if (rc < 0 || milli < min || milli > max)
		return nook_refuse(err, ERANGE, "%s is out of range: it goes from %lu.%03lu to %lu",
				   text, min / 1000, min % 1000, max / 1000);
	*ret = milli;
	return 0;
}

int nook_value_path(const char *path, struct nook_error *err)
{
	if (!*path)
		return nook_refuse(err, EINVAL, "the path is empty");
	if (strlen(path) >= PATH_MAX)
		return nook_refuse(err, ENAMETOOLONG, "the path has more than %d bytes",
				   PATH_MAX - 1);
	return 0;
}

int nook_value_inside(const char *path, struct nook_error *err)
{
	int rc = nook_value_path(path, err);

	if (rc < 0)
		return rc;
	if (path[0] != '/')
		return nook_refuse(err, EINVAL, "%s is no absolute path: it must begin with /",
				   path);

	for (const char *p = path; *p;) {
		size_t len = strcspn(p, "/");

		if (len == 2 && p[0] == '.' && p[1] == '.')
			return nook_refuse(err, EINVAL,
					   "%s has a '..' in it: write the path without", path);
		p += len;
		p += strspn(p, "/");
	}
	return 0;
}

/* Skips slashes and "." components. */
static const char *next_component(const char *p)
{
	for (;;) {
		p += strspn(p, "/");
		if (p[0] != '.' || (p[1] != '/' && p[1] != '\0'))
			return p;
		p++;
	}
}

bool nook_value_same_path(const char *a, const char *b)
{
	for (;;) {
		a = next_component(a);
		b = next_component(b);

		size_t len = strcspn(a, "/");

		if (len != strcspn(b, "/") || memcmp(a, b, len) != 0)
			return false;
		if (len == 0)
			return true;
		a += len;
		b += len;
	}
}

int nook_value_env(const char *text, struct nook_error *err)
{
	if (!*text || *text == '=')
		return nook_refuse(err, EINVAL,
				   "'%s' names no variable: write NAME=VALUE, or NAME to take over "
				   "yours",
				   text);
	return 0;
}

/* One part of USER[:GROUP]. */
static int check_account(const char *text, size_t len, const char *what, struct nook_error *err)
{
	char number[16];
	uint64_t id = 0;

	if (len == 0)
		return nook_refuse(err, EINVAL, "the %s is empty: write a name or a number", what);

	if (*text >= '0' && *text <= '9') {
		/* A number never falls back to a name: 0x0 or 1000x would be looked up as one. */
		if (len < sizeof(number)) {
			(void)nook_format(number, sizeof(number), "%.*s", (int)len,
					  text); /* fits */
			if (nook_parse_u64(number, ID_LAST, &id) == 0)
				return 0;
		}
		return nook_refuse(err, EINVAL,
				   "'%.*s' is no %s id: these are decimal numbers from 0 to %u",
				   (int)len, text, what, ID_LAST);
	}

	bool bad = *text == '-' || *text == '+' || len > 255;

	for (size_t i = 0; i < len && !bad; i++) {
		unsigned char c = (unsigned char)text[i];

		bad = c <= ' ' || c == 127 || strchr(":/,=\\\"'", c) != NULL;
	}
	if (bad)
		return nook_refuse(err, EINVAL, "'%.*s' can't be a %s's name", (int)len, text,
				   what);
	return 0;
}

int nook_value_user(const char *text, bool group, struct nook_error *err)
{
	const char *what = group ? "user" : "group";
	const char *colon = group ? strchr(text, ':') : NULL;

	if (!colon)
		return check_account(text, strlen(text), what, err);

	int rc = check_account(text, (size_t)(colon - text), what, err);

	return rc < 0 ? rc : check_account(colon + 1, strlen(colon + 1), "group", err);
}

int nook_value_hostname(const char *text, struct nook_error *err)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
	size_t len = strlen(text);

	if (len > 64)
		return nook_refuse(err, EINVAL,
				   "a host's name has at most 64 letters, this has %zu", len);
	if (len == 0 || !strchr(letters, *text))
		return nook_refuse(err, EINVAL,
				   "'%s' is no host name: it begins with a letter or digit", text);
	for (const char *p = text; *p; p++) {
		if (!strchr(letters, *p) && !strchr("-_.", *p))
			return nook_refuse(err, EINVAL,
					   "'%s' is no host name: it has letters, digits, '-', '_' "
					   "and '.' only",
					   text);
	}
	return 0;
}

static const char *kind_name(const void *list, size_t i)
{
	(void)list;
	return i < NOOK_NS_COUNT ? nook_ns_kinds[i].name : NULL;
}

int nook_value_kind(const char *text, enum nook_ns_kind *ret, struct nook_error *err)
{
	int kind = nook_ns_kind(text);
	const char *near;

	if (kind >= 0) {
		*ret = (enum nook_ns_kind)kind;
		return 0;
	}

	near = nook_nearest(text, kind_name, NULL);
	if (near)
		nook_hint(err, "Did you mean %s?", near);
	return nook_refuse(err, EINVAL,
			   "'%s' is no kind of namespace: these are mnt, uts, ipc, net, pid, user, "
			   "cgroup and time",
			   text);
}

size_t nook_value_fields(struct nook_arena *a, const char *text, const char **fields, size_t max)
{
	char *out = nook_strdup(a, text);
	size_t n = 0;

	while (n + 1 < max) {
		bool more = false;

		fields[n++] = out;
		for (; *text && !more; text++) {
			if (text[0] == '\\' && (text[1] == ':' || text[1] == '\\'))
				*out++ = *++text;
			else if (*text == ':')
				more = true;
			else
				*out++ = *text;
		}
		*out++ = '\0'; /* in the place of ':' or of the NUL */
		if (!more)
			return n;
	}
	fields[n++] = nook_strdup(a, text);
	return n;
}

const char *nook_value_item(struct nook_arena *a, const char **at)
{
	if (!*at)
		return NULL;

	size_t len = strcspn(*at, ",");
	const char *item = nook_strndup(a, *at, len);

	*at = (*at)[len] ? *at + len + 1 : NULL;
	return item;
}
