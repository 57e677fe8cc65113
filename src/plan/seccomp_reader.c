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

/* As other tools that read these profiles call them. */
static const char *const type_names[] = {
	[NOOK_JSON_NULL] = "null",       [NOOK_JSON_BOOL] = "boolean", [NOOK_JSON_NUMBER] = "int",
	[NOOK_JSON_FRACTION] = "double", [NOOK_JSON_TEXT] = "string",  [NOOK_JSON_ARRAY] = "array",
	[NOOK_JSON_OBJECT] = "object",
};

/* A member of the type; *@ret is NULL when it isn't there or is null, as Go writes an empty list.
 */
int member(struct reader *r, const struct at *at, struct nook_json *object, const char *key,
	   enum nook_json_type type, struct nook_json **ret)
{
	*ret = nook_json_find(object, key, NULL);
	if (!*ret)
		return 0;
	if (nook_json_type(*ret) != type)
		return refuse(r, KEY(at, key), "%s is of type %s, not %s", key,
			      type_names[nook_json_type(*ret)], type_names[type]);
	return 0;
}

/* Members besides @known are refused. */
int only(struct reader *r, const struct at *at, struct nook_json *object, const char *const *known)
{
	if (r->oci)
		return 0; /* runtime-spec, "Extensibility" */
	for (size_t i = 0; i < nook_json_size(object); i++) {
		const char *key = object->items[i]->key;
		const char *const *k = known;

		while (*k && strcmp(*k, key) != 0)
			k++;
		if (!*k)
			return refuse(r, at, "unknown member \"%s\"", key);
	}
	return 0;
}

/* A text without NUL bytes, which C would read as another. */
int text_of(struct reader *r, const struct at *at, struct nook_json *value, const char **ret)
{
	if (nook_json_type(value) != NOOK_JSON_TEXT)
		return refuse(r, at, "a text belongs here, not %s",
			      type_names[nook_json_type(value)]);
	*ret = value->text;
	if (strlen(*ret) != value->len)
		return refuse(r, at, "the text has a NUL byte");
	return 0;
}

int member_text(struct reader *r, const struct at *at, struct nook_json *object, const char *key,
		const char **ret)
{
	struct nook_json *value;
	int rc = member(r, at, object, key, NOOK_JSON_TEXT, &value);

	*ret = NULL;
	return rc < 0 || !value ? rc : text_of(r, KEY(at, key), value, ret);
}

/* *@ret stays as it is when there is no such member. */
int member_number(struct reader *r, const struct at *at, struct nook_json *object, const char *key,
		  uint64_t max, bool *found, uint64_t *ret)
{
	struct nook_json *value;
	int rc = member(r, at, object, key, NOOK_JSON_NUMBER, &value);

	*found = false;
	if (rc < 0 || !value)
		return rc;

	if (value->truth || value->number > max)
		return refuse(r, KEY(at, key), "%s is %s: it must be 0 to %llu", key,
			      nook_json_compact(r->a, value), (unsigned long long)max);
	*found = true;
	*ret = value->number;
	return 0;
}

int read_word(struct reader *r, const struct at *at, struct nook_json *value, const char *what,
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
