/* SPDX-License-Identifier: Apache-2.0 */
#include "json.h"
#include "text.h"

#include <errno.h>
#include <json-c/json.h>
#include <string.h>

void nook_json_free(struct json_object **json)
{
	if (*json)
		(void)json_object_put(*json); /* tells whether it was the last reference */
	*json = NULL;
}

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

static const struct {
	enum json_type type;
	const char *name;
} types[] = {
	[NOOK_JSON_BOOL] = { json_type_boolean, "true or false" },
	[NOOK_JSON_NUMBER] = { json_type_int, "an integer" },
	[NOOK_JSON_TEXT] = { json_type_string, "a string" },
	[NOOK_JSON_ARRAY] = { json_type_array, "an array" },
	[NOOK_JSON_OBJECT] = { json_type_object, "an object" },
};

static int check_type(const struct nook_json_value *v, enum nook_json_type type,
		      struct nook_error *err)
{
	enum json_type found = json_object_get_type(v->json);

	if (found == types[type].type)
		return 0;
	return nook_json_refuse(v, err, "%s is wanted here, not %s", types[type].name,
				found == json_type_int      ? "a number"
				: found == json_type_double ? "a number with a fraction or exponent"
				: found == json_type_boolean ? "a boolean"
				: found == json_type_string  ? "a string"
				: found == json_type_array   ? "an array"
				: found == json_type_object  ? "an object"
							     : "null");
}

int nook_json_member(const struct nook_json_value *object, const char *key,
		     enum nook_json_need need, enum nook_json_type type,
		     struct nook_json_value *ret, struct nook_error *err)
{
	struct nook_json_value v = { .up = object, .key = key };

	(void)json_object_object_get_ex(object->json, key, &v.json); /* NULL when missing */
	if (!v.json && need == NOOK_JSON_REQUIRED)
		return nook_json_refuse(&v, err, "%s is missing", types[type].name);
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
	struct nook_json_value v = { .up = array, .index = index };

	v.json = json_object_array_get_idx(array->json, index);

	int rc = check_type(&v, type, err);

	if (rc < 0)
		return rc;
	*ret = v;
	return 0;
}

size_t nook_json_length(const struct nook_json_value *array)
{
	return array->json ? json_object_array_length(array->json) : 0;
}

int nook_json_as_u64(const struct nook_json_value *v, uint64_t max, uint64_t *ret,
		     struct nook_error *err)
{
	int rc = check_type(v, NOOK_JSON_NUMBER, err);

	if (rc < 0)
		return rc;

	/* json-c gives 0 for a negative number asked for unsigned, and INT64_MAX for a large one
	 * asked for signed: so ask both. */
	int64_t i = json_object_get_int64(v->json);
	uint64_t value = json_object_get_uint64(v->json);

	if (i < 0)
		return nook_json_refuse(v, err, "%lld is below 0", (long long)i);
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

	int64_t value = json_object_get_int64(v->json);
	bool huge = json_object_get_uint64(v->json) > INT64_MAX;

	if (huge || value < min || value > max)
		return nook_json_refuse(v, err, "%s is not between %lld and %lld",
					json_object_get_string(v->json), (long long)min,
					(long long)max);
	*ret = value;
	return 0;
}

int nook_json_as_text(const struct nook_json_value *v, size_t max, const char **ret,
		      struct nook_error *err)
{
	int rc = check_type(v, NOOK_JSON_TEXT, err);

	if (rc < 0)
		return rc;

	const char *text = json_object_get_string(v->json);
	size_t len = (size_t)json_object_get_string_len(v->json);

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
		*ret = json_object_get_boolean(v.json);
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
		*ret = nook_strdup(a, text);
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
