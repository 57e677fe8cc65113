/* SPDX-License-Identifier: Apache-2.0 */
#include "bundle_reader.h"

#include "base/json_tree.h"
#include "base/own.h"

#include <errno.h>
#include <string.h>
#include <sys/types.h>

#define DEPTH 64 /* of nesting; the specification's own is 7 */

const char *const nook_bundle_no_texts[] = { NULL };

static size_t digits(size_t n)
{
	size_t count = 1;

	while (n >= 10) {
		n /= 10;
		count++;
	}
	return count;
}

const char *nook_bundle_from(struct nook_bundle_reader *r, const struct nook_json_value *v)
{
	size_t len = 0;

	for (const struct nook_json_value *at = v; at->up; at = at->up)
		len += 1 + (at->key ? strlen(at->key) : digits(at->index));

	/* From its end: a value knows only what it stands in. */
	char *text = nook_alloc(r->arena, len + 1), *p = text + len;

	for (const struct nook_json_value *at = v; at->up; at = at->up) {
		size_t index = at->index, part = at->key ? strlen(at->key) : digits(index);

		p -= part;
		if (at->key)
			memcpy(p, at->key, part);
		for (size_t i = part; !at->key && i-- > 0; index /= 10)
			p[i] = (char)('0' + index % 10);
		*--p = '/';
	}
	return len ? text : "/";
}

int nook_bundle_count(struct nook_bundle_reader *r, const struct nook_json_value *v, size_t n)
{
	if (n > NOOK_BUNDLE_LIST)
		return nook_json_refuse(v, r->err, "%zu elements; %u are allowed", n,
					NOOK_BUNDLE_LIST);
	r->elements += n;
	if (r->elements > NOOK_BUNDLE_ELEMENTS)
		return nook_json_refuse(v, r->err,
					"with this the file has more than %u elements in its "
					"arrays",
					NOOK_BUNDLE_ELEMENTS);
	return 0;
}

int nook_bundle_document(struct nook_bundle_reader *r, const char *text, size_t len,
			 struct nook_json_value *ret)
{
	struct nook_json *json = NULL;
	int rc = nook_json_parse_in(r->arena, text, len, DEPTH, &json, NULL, r->err);

	if (rc < 0)
		return rc;

	*ret = (struct nook_json_value){ .json = json };
	if (nook_json_type(json) != NOOK_JSON_OBJECT)
		return nook_json_refuse(ret, r->err, "an object is wanted here");
	return 0;
}

/* ---- one member by its row ---- */

/* Outputs are written as bytes: a row knows where, not of which C type. */
static void put(void *into, size_t at, const void *value, size_t size)
{
	memcpy((char *)into + at, value, size);
}

static int read_text(struct nook_bundle_reader *r, const struct nook_json_value *v,
		     const struct nook_bundle_member *row, void *into)
{
	const char *text = NULL;
	int rc = nook_json_as_text(v, row->max, &text, r->err);

	if (rc < 0)
		return rc;
	if (!*text && !(row->flags & NOOK_BUNDLE_REQUIRED))
		return 0;
	if (row->check && (rc = row->check(r, v, text)) < 0)
		return rc;

	put(into, row->at, &text, sizeof(text)); /* the tree lives as long as the arena */
	return 0;
}

static int read_unsigned(struct nook_bundle_reader *r, const struct nook_json_value *v,
			 const struct nook_bundle_member *row, void *into)
{
	uint64_t value = 0;
	int rc = nook_json_as_u64(v, row->max, &value, r->err);

	if (rc < 0 || (value == 0 && (row->flags & NOOK_BUNDLE_ZERO_UNSET)))
		return rc;

	if (row->kind == NOOK_BUNDLE_U32)
		put(into, row->at, &(uint32_t){ (uint32_t)value }, sizeof(uint32_t));
	else if (row->kind == NOOK_BUNDLE_U64)
		put(into, row->at, &value, sizeof(value));
	else
		put(into, row->at, &(struct nook_opt_u64){ true, value, nook_bundle_from(r, v) },
		    sizeof(struct nook_opt_u64));
	return 0;
}

static int read_signed(struct nook_bundle_reader *r, const struct nook_json_value *v,
		       const struct nook_bundle_member *row, void *into)
{
	int64_t value = 0;
	int rc = nook_json_as_i64(v, row->min, (int64_t)row->max, &value, r->err);

	if (rc < 0 || (value == 0 && (row->flags & NOOK_BUNDLE_ZERO_UNSET)))
		return rc;

	put(into, row->at, &(struct nook_opt_i64){ true, value, nook_bundle_from(r, v) },
	    sizeof(struct nook_opt_i64));
	return 0;
}

static int read_truth(const struct nook_json_value *v, const struct nook_bundle_member *row,
		      void *into)
{
	bool value = v->json->truth;
	enum nook_tristate word = value ? NOOK_YES : NOOK_NO;

	if (row->kind == NOOK_BUNDLE_BOOL)
		put(into, row->at, &value, sizeof(value));
	else
		put(into, row->at, &word, sizeof(word));
	return 0;
}

static void put_list(const struct nook_bundle_member *row, void *into, const void *list, size_t n)
{
	put(into, row->at, &list, sizeof(list));
	if (row->n_at)
		put(into, row->n_at, &n, sizeof(n));
}

static int read_texts(struct nook_bundle_reader *r, const struct nook_json_value *array,
		      const struct nook_bundle_member *row, void *into)
{
	size_t n = nook_json_length(array);
	int rc = nook_bundle_count(r, array, n);

	if (rc < 0)
		return rc;

	const char **texts = nook_alloc_array(r->arena, n + 1, sizeof(*texts));

	for (size_t i = 0; i < n; i++) {
		struct nook_json_value v;
		const char *text = NULL;

		if ((rc = nook_json_element(array, i, NOOK_JSON_TEXT, &v, r->err)) < 0 ||
		    (rc = nook_json_as_text(&v, row->max, &text, r->err)) < 0 ||
		    (row->check && (rc = row->check(r, &v, text)) < 0))
			return rc;
		texts[i] = text;
	}

	put_list(row, into, texts, n);
	return 0;
}

static int read_array(struct nook_bundle_reader *r, const struct nook_json_value *array,
		      const struct nook_bundle_member *row, void *into)
{
	size_t n = nook_json_length(array);
	int rc = nook_bundle_count(r, array, n);

	if (rc < 0)
		return rc;

	char *items = nook_alloc_array(r->arena, n, row->size);

	for (size_t i = 0; i < n; i++) {
		struct nook_json_value v;

		if ((rc = nook_json_element(array, i, row->item, &v, r->err)) < 0 ||
		    (rc = row->read(r, &v, items + i * row->size)) < 0)
			return rc;
	}

	put_list(row, into, items, n);
	return 0;
}

/* @size: the step of @into from one member to the next. Return: how many; -EINVAL. */
static ssize_t read_each(struct nook_bundle_reader *r, const struct nook_json_value *object,
			 enum nook_json_type type, nook_bundle_read_fn *read, char *into,
			 size_t size)
{
	ssize_t n = 0;

	for (size_t i = 0; i < nook_json_size(object->json); i++) {
		struct nook_json_value v;
		int rc = nook_json_member(object, object->json->items[i]->key, NOOK_JSON_OPTIONAL,
					  type, &v, r->err);

		if (rc == 0 && v.json)
			rc = read(r, &v, into + (size_t)n++ * size);
		if (rc < 0)
			return rc;
	}
	return n;
}

int nook_bundle_each(struct nook_bundle_reader *r, const struct nook_json_value *object,
		     enum nook_json_type type, nook_bundle_read_fn *read, void *into)
{
	ssize_t n = read_each(r, object, type, read, into, 0);

	return n < 0 ? (int)n : 0;
}

/* An object whose keys are names: v.key is the name. In the order of the file. */
static int read_map(struct nook_bundle_reader *r, const struct nook_json_value *object,
		    const struct nook_bundle_member *row, void *into)
{
	size_t length = nook_json_size(object->json);
	int rc = nook_bundle_count(r, object, length);

	if (rc < 0)
		return rc;

	char *items = nook_alloc_array(r->arena, length, row->size);
	ssize_t n = read_each(r, object, row->item, row->read, items, row->size);

	if (n < 0)
		return (int)n;
	put_list(row, into, items, (size_t)n);
	return 0;
}

static enum nook_json_type type_of(const struct nook_bundle_member *row)
{
	static const unsigned char types[] = {
		[NOOK_BUNDLE_TEXT_MEMBER] = NOOK_JSON_TEXT,
		[NOOK_BUNDLE_BOOL] = NOOK_JSON_BOOL,
		[NOOK_BUNDLE_TRISTATE] = NOOK_JSON_BOOL,
		[NOOK_BUNDLE_U32] = NOOK_JSON_NUMBER,
		[NOOK_BUNDLE_U64] = NOOK_JSON_NUMBER,
		[NOOK_BUNDLE_OPT_U64] = NOOK_JSON_NUMBER,
		[NOOK_BUNDLE_OPT_I64] = NOOK_JSON_NUMBER,
		[NOOK_BUNDLE_TEXTS] = NOOK_JSON_ARRAY,
	};

	return row->kind == NOOK_BUNDLE_ITEMS || row->kind == NOOK_BUNDLE_PART ? row->type
									       : types[row->kind];
}

static int read_member(struct nook_bundle_reader *r, const struct nook_json_value *v,
		       const struct nook_bundle_member *row, void *into)
{
	switch ((enum nook_bundle_kind)row->kind) {
	case NOOK_BUNDLE_TEXT_MEMBER:
		return read_text(r, v, row, into);
	case NOOK_BUNDLE_BOOL:
	case NOOK_BUNDLE_TRISTATE:
		return read_truth(v, row, into);
	case NOOK_BUNDLE_U32:
	case NOOK_BUNDLE_U64:
	case NOOK_BUNDLE_OPT_U64:
		return read_unsigned(r, v, row, into);
	case NOOK_BUNDLE_OPT_I64:
		return read_signed(r, v, row, into);
	case NOOK_BUNDLE_TEXTS:
		return read_texts(r, v, row, into);
	case NOOK_BUNDLE_ITEMS:
		return row->type == NOOK_JSON_ARRAY ? read_array(r, v, row, into)
						    : read_map(r, v, row, into);
	case NOOK_BUNDLE_PART:
		return row->read(r, v, (char *)into + row->at);
	}
	__builtin_trap(); /* a row without a kind */
}

int nook_bundle_members_(struct nook_bundle_reader *r, const struct nook_json_value *object,
			 void *into, const struct nook_bundle_member *rows, size_t n)
{
	for (const struct nook_bundle_member *row = rows; row < rows + n; row++) {
		enum nook_json_need need =
			row->flags & NOOK_BUNDLE_REQUIRED ? NOOK_JSON_REQUIRED : NOOK_JSON_OPTIONAL;
		struct nook_json_value v;
		int rc = nook_json_member(object, row->key, need, type_of(row), &v, r->err);

		if (rc == 0 && v.json)
			rc = read_member(r, &v, row, into);
		if (rc < 0)
			return rc;
	}
	return 0;
}
