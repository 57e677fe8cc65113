/* SPDX-License-Identifier: Apache-2.0 */
#include "json_tree.h"
#include "text.h"

#include <errno.h>
#include <string.h>

size_t nook_json_place(const struct nook_json_value *v, char *out, size_t size)
{
	const struct nook_json_value *way[32];
	size_t n = 0, len = 0;

	for (; v->up && n < sizeof(way) / sizeof(way[0]); v = v->up)
		way[n++] = v;
	if (!n)
		return nook_format(out, size, "/");

	while (n--) {
		if (way[n]->key)
			len += nook_format(out + len, size - len, "/%s", way[n]->key);
		else
			len += nook_format(out + len, size - len, "/%zu", way[n]->index);
	}
	return len;
}

static void note_place(const struct nook_json_value *v, struct nook_error *err)
{
	if (err && !err->where[0])
		(void)nook_json_place(v, err->where, sizeof(err->where)); /* cut when deep */
}

int nook_json_refuse(const struct nook_json_value *v, struct nook_error *err, const char *fmt, ...)
{
	va_list ap;

	if (!err)
		return -EINVAL;

	note_place(v, err);
	err->errnum = EINVAL;
	va_start(ap, fmt);
	(void)nook_vformat(err->why, sizeof(err->why), fmt, ap); /* cut when long */
	va_end(ap);
	return -EINVAL;
}

static const char *const wanted[] = {
	[NOOK_JSON_BOOL] = "true or false", [NOOK_JSON_NUMBER] = "an integer",
	[NOOK_JSON_TEXT] = "a string",      [NOOK_JSON_ARRAY] = "an array",
	[NOOK_JSON_OBJECT] = "an object",
};

static const char *const found_names[] = {
	[NOOK_JSON_NULL] = "null",
	[NOOK_JSON_BOOL] = "a boolean",
	[NOOK_JSON_NUMBER] = "a number",
	[NOOK_JSON_FRACTION] = "a number with a fraction or exponent",
	[NOOK_JSON_TEXT] = "a string",
	[NOOK_JSON_ARRAY] = "an array",
	[NOOK_JSON_OBJECT] = "an object",
};

static int check_type(const struct nook_json_value *v, enum nook_json_type type,
		      struct nook_error *err)
{
	enum nook_json_type found = nook_json_type(v->json);

	if (found == type)
		return 0;
	return nook_json_refuse(v, err, "%s is wanted here, not %s", wanted[type],
				found_names[found]);
}

int nook_json_member(const struct nook_json_value *object, const char *key,
		     enum nook_json_need need, enum nook_json_type type,
		     struct nook_json_value *ret, struct nook_error *err)
{
	struct nook_json_value v = { .json = nook_json_find(object->json, key, NULL),
				     .up = object,
				     .key = key };

	if (!v.json && need == NOOK_JSON_REQUIRED)
		return nook_json_refuse(&v, err, "%s is missing", wanted[type]);
	if (v.json) {
		int rc = check_type(&v, type, err);

		if (rc < 0)
			return rc;
	}

	*ret = v;
	return 0;
}

int nook_json_element(const struct nook_json_value *array, size_t index, enum nook_json_type type,
		      struct nook_json_value *ret, struct nook_error *err)
{
	struct nook_json_value v = { .json = nook_json_at(array->json, index),
				     .up = array,
				     .index = index };
	int rc = check_type(&v, type, err);

	if (rc < 0)
		return rc;
	*ret = v;
	return 0;
}

size_t nook_json_length(const struct nook_json_value *array)
{
	return nook_json_size(array->json);
}

int nook_json_as_u64(const struct nook_json_value *v, uint64_t max, uint64_t *ret,
		     struct nook_error *err)
{
	int rc = check_type(v, NOOK_JSON_NUMBER, err);

	if (rc < 0)
		return rc;

	uint64_t value = v->json->number;

	if (v->json->truth)
		return nook_json_refuse(v, err, "%lld is below 0", (long long)value);
	if (value > max)
		return nook_json_refuse(v, err, "%llu is above %llu", (unsigned long long)value,
					(unsigned long long)max);
	*ret = value;
	return 0;
}

int nook_json_as_i64(const struct nook_json_value *v, int64_t min, int64_t max, int64_t *ret,
		     struct nook_error *err)
{
	int rc = check_type(v, NOOK_JSON_NUMBER, err);

	if (rc < 0)
		return rc;

	int64_t value = (int64_t)v->json->number;

	if (!v->json->truth && value < 0)
		return nook_json_refuse(v, err, "%llu is not between %lld and %lld",
					(unsigned long long)value, (long long)min, (long long)max);
	if (value < min || value > max)
		return nook_json_refuse(v, err, "%lld is not between %lld and %lld",
					(long long)value, (long long)min, (long long)max);
	*ret = value;
	return 0;
}

int nook_json_as_text(const struct nook_json_value *v, size_t max, const char **ret,
		      struct nook_error *err)
{
	int rc = check_type(v, NOOK_JSON_TEXT, err);

	if (rc < 0)
		return rc;

	const char *text = v->json->text;
	size_t len = v->json->len;

	if (strlen(text) != len)
		return nook_json_refuse(v, err, "a NUL character in a string");
	if (len > max)
		return nook_json_refuse(v, err, "a string of %zu bytes; %zu are allowed", len, max);
	*ret = text;
	return 0;
}

int nook_json_get_bool(const struct nook_json_value *object, const char *key,
		       enum nook_json_need need, bool *ret, struct nook_error *err)
{
	struct nook_json_value v;
	int rc = nook_json_member(object, key, need, NOOK_JSON_BOOL, &v, err);

	if (rc == 0 && v.json)
		*ret = v.json->truth;
	return rc;
}

int nook_json_get_u64(const struct nook_json_value *object, const char *key,
		      enum nook_json_need need, uint64_t max, uint64_t *ret, struct nook_error *err)
{
	struct nook_json_value v;
	int rc = nook_json_member(object, key, need, NOOK_JSON_NUMBER, &v, err);

	return rc == 0 && v.json ? nook_json_as_u64(&v, max, ret, err) : rc;
}

int nook_json_get_u32(const struct nook_json_value *object, const char *key,
		      enum nook_json_need need, uint32_t max, uint32_t *ret, struct nook_error *err)
{
	uint64_t value = *ret;
	int rc = nook_json_get_u64(object, key, need, max, &value, err);

	if (rc == 0)
		*ret = (uint32_t)value;
	return rc;
}

int nook_json_get_i64(const struct nook_json_value *object, const char *key,
		      enum nook_json_need need, int64_t min, int64_t max, int64_t *ret,
		      struct nook_error *err)
{
	struct nook_json_value v;
	int rc = nook_json_member(object, key, need, NOOK_JSON_NUMBER, &v, err);

	return rc == 0 && v.json ? nook_json_as_i64(&v, min, max, ret, err) : rc;
}

int nook_json_get_text(struct nook_arena *a, const struct nook_json_value *object, const char *key,
		       enum nook_json_need need, size_t max, const char **ret,
		       struct nook_error *err)
{
	struct nook_json_value v;
	const char *text = NULL;
	int rc = nook_json_member(object, key, need, NOOK_JSON_TEXT, &v, err);

	if (rc < 0 || !v.json)
		return rc;

	rc = nook_json_as_text(&v, max, &text, err);
	if (rc == 0)
		*ret = a ? nook_strdup(a, text) : text;
	return rc;
}

int nook_json_get_texts(struct nook_arena *a, const struct nook_json_value *object, const char *key,
			enum nook_json_need need, size_t max_texts, size_t max_bytes,
			const char *const **ret, size_t *ret_n, struct nook_error *err)
{
	struct nook_json_value array, v;
	int rc = nook_json_member(object, key, need, NOOK_JSON_ARRAY, &array, err);

	if (rc < 0 || !array.json)
		return rc;

	size_t n = nook_json_length(&array);

	if (n > max_texts)
		return nook_json_refuse(&array, err, "%zu strings; %zu are allowed", n, max_texts);

	const char **texts = nook_alloc_array(a, n + 1, sizeof(*texts));

	for (size_t i = 0; i < n; i++) {
		const char *text = NULL;

		rc = nook_json_element(&array, i, NOOK_JSON_TEXT, &v, err);
		if (rc == 0)
			rc = nook_json_as_text(&v, max_bytes, &text, err);
		if (rc < 0)
			return rc;
		texts[i] = nook_strdup(a, text);
	}

	*ret = texts;
	*ret_n = n;
	return 0;
}
