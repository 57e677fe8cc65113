/* SPDX-License-Identifier: Apache-2.0 */
#include "seccomp_reader.h"

#include "base/text.h"

#include <errno.h>
#include <string.h>

static const char *pointer(struct reader *r, const struct at *at)
{
	if (!at)
		return "";
	if (at->key)
		return nook_printf(r->a, "%s/%s", pointer(r, at->up), at->key);
	return nook_printf(r->a, "%s/%zu", pointer(r, at->up), at->index);
}

void place(struct reader *r, const struct at *at)
{
	if (r->oci)
		nook_where(r->err, "%s%s", r->name, pointer(r, at));
	else
		nook_where(r->err, "%s in %s", at ? pointer(r, at) : "/", r->name);
}

/* A member of the type; *@ret is NULL when it isn't there or is null, as Go writes an empty list.
 */
int member(struct reader *r, const struct at *at, json_object *object, const char *key,
	   json_type type, json_object **ret)
{
	*ret = NULL;
	if (!json_object_object_get_ex(object, key, ret) || !*ret)
		return 0;
	if (json_object_get_type(*ret) != type)
		return refuse(r, KEY(at, key), "%s is of type %s, not %s", key,
			      json_type_to_name(json_object_get_type(*ret)),
			      json_type_to_name(type));
	return 0;
}

/* Members besides @known are refused. */
int only(struct reader *r, const struct at *at, json_object *object, const char *const *known)
{
	if (r->oci)
		return 0; /* runtime-spec, "Extensibility" */
	json_object_object_foreach(object, key, value)
	{
		const char *const *k = known;

		(void)value;
		while (*k && strcmp(*k, key) != 0)
			k++;
		if (!*k)
			return refuse(r, at, "unknown member \"%s\"", key);
	}
	return 0;
}

/* A text without NUL bytes, which C would read as another. */
int text_of(struct reader *r, const struct at *at, json_object *value, const char **ret)
{
	if (json_object_get_type(value) != json_type_string)
		return refuse(r, at, "a text belongs here, not %s",
			      json_type_to_name(json_object_get_type(value)));
	*ret = json_object_get_string(value);
	if (strlen(*ret) != (size_t)json_object_get_string_len(value))
		return refuse(r, at, "the text has a NUL byte");
	return 0;
}

int member_text(struct reader *r, const struct at *at, json_object *object, const char *key,
		const char **ret)
{
	json_object *value;
	int rc = member(r, at, object, key, json_type_string, &value);

	*ret = NULL;
	return rc < 0 || !value ? rc : text_of(r, KEY(at, key), value, ret);
}

/* *@ret stays as it is when there is no such member. */
int member_number(struct reader *r, const struct at *at, json_object *object, const char *key,
		  uint64_t max, bool *found, uint64_t *ret)
{
	json_object *value;
	int rc = member(r, at, object, key, json_type_int, &value);

	*found = false;
	if (rc < 0 || !value)
		return rc;

	/* json-c gives INT64_MIN and UINT64_MAX for what lies beyond; its own text tells. */
	uint64_t number;

	if (nook_parse_u64(json_object_to_json_string(value), max, &number) < 0)
		return refuse(r, KEY(at, key), "%s is %s: it must be 0 to %llu", key,
			      json_object_to_json_string(value), (unsigned long long)max);
	*found = true;
	*ret = number;
	return 0;
}

int read_word(struct reader *r, const struct at *at, json_object *value, const char *what,
	      const struct word *words, size_t n, uint32_t *ret)
{
	const char *text;
	int rc = text_of(r, at, value, &text);

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < n; i++) {
		if (strcmp(words[i].name, text) == 0) {
			*ret = words[i].value;
			return 0;
		}
	}
	rc = refuse(r, at, "unknown %s \"%s\"", what, text);
	if (n < 10)
		nook_hint(r->err, "Known are %s to %s, see docs/seccomp.md.", words[0].name,
			  words[n - 1].name);
	return rc;
}
