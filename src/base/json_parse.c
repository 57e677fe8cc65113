/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON text to json-c's tree, RFC 8259 to the letter. json-c's own parser (0.16) is laxer even when
 * strict, and with no memory it leaves out members without a word, which could be a seccomp rule;
 * this one also takes half the time.
 */
#include "json_parts.h"
#include "own.h"
#include "text.h"

#include <errno.h>
#include <json-c/json.h>
#include <limits.h>
#include <string.h>

#define NAME_LAST 255 /* bytes of a member's name that need no memory of their own */
#define ARRAY     8   /* elements to begin with; it grows by doubling */

static void free_parser(struct nook_json_parser *p)
{
	free(p->scratch);
}

/* ---- the small parts ---- */

static void skip_space(struct nook_json_parser *p)
{
	while (p->at < p->end &&
	       (*p->at == ' ' || *p->at == '\n' || *p->at == '\t' || *p->at == '\r'))
		p->at++;
}

static bool digit(const struct nook_json_parser *p)
{
	return p->at < p->end && *p->at >= '0' && *p->at <= '9';
}

static bool skip_digits(struct nook_json_parser *p)
{
	bool any = digit(p);

	while (digit(p))
		p->at++;
	return any;
}

/* ---- values ---- */

/* A number with a fraction or exponent keeps its text; nobody reads its value. */
static int fraction(struct nook_json_parser *p, const char *begin, struct json_object **ret)
{
	if (nook_json_peek(p) == '.') {
		p->at++;
		if (!skip_digits(p))
			return nook_json_bad(p, p->at, "a digit is missing");
	}
	if (nook_json_peek(p) == 'e' || nook_json_peek(p) == 'E') {
		p->at++;
		if (nook_json_peek(p) == '+' || nook_json_peek(p) == '-')
			p->at++;
		if (!skip_digits(p))
			return nook_json_bad(p, p->at, "a digit is missing");
	}

	auto_free char *text = strndup(begin, (size_t)(p->at - begin));

	if (!text)
		return nook_json_no_memory(p);
	*ret = json_object_new_double_s(strtod(text, NULL), text);
	return *ret ? 0 : nook_json_no_memory(p);
}

static int number(struct nook_json_parser *p, struct json_object **ret)
{
	const char *begin = p->at;
	bool negative = *begin == '-', fits = true;
	uint64_t max = negative ? (uint64_t)INT64_MAX + 1 : UINT64_MAX, value = 0;

	p->at += negative;

	const char *first = p->at;

	for (; digit(p); p->at++) {
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(*p->at - '0'), &value) || value > max)
			fits = false;
	}
	if (p->at == first)
		return nook_json_bad(p, p->at, "a digit is missing");
	if (*first == '0' && p->at > first + 1)
		return nook_json_bad(p, first, "a number with a leading zero");
	if (nook_json_peek(p) == '.' || nook_json_peek(p) == 'e' || nook_json_peek(p) == 'E')
		return fraction(p, begin, ret);
	if (!fits)
		return nook_refuse(p->err, EINVAL, "the number at byte %zu passes 64 bits",
				   (size_t)(first - p->text));

	if (negative)
		*ret = json_object_new_int64((int64_t)(0 - value));
	else if (value <= INT64_MAX)
		*ret = json_object_new_int64((int64_t)value);
	else
		*ret = json_object_new_uint64(value);
	return *ret ? 0 : nook_json_no_memory(p);
}

static int word(struct nook_json_parser *p, struct json_object **ret)
{
	static const struct {
		const char *name;
		size_t len;
	} words[] = { { "null", 4 }, { "true", 4 }, { "false", 5 } };
	size_t left = (size_t)(p->end - p->at);

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		size_t len = words[i].len;

		if (left < len && memcmp(p->at, words[i].name, left) == 0)
			return nook_json_bad(p, p->end, "");
		if (left < len || memcmp(p->at, words[i].name, len) != 0)
			continue;
		p->at += len;
		*ret = i ? json_object_new_boolean(i == 1) : NULL;
		return i && !*ret ? nook_json_no_memory(p) : 0;
	}
	return nook_json_bad(p, p->at, "an unknown word");
}

static int value(struct nook_json_parser *p, struct json_object **ret);

/* Behind an element: is there another? */
static int separator(struct nook_json_parser *p, char close, bool *more)
{
	skip_space(p);
	*more = nook_json_peek(p) == ',';
	if (!*more && nook_json_peek(p) != close)
		return nook_json_bad(p, p->at,
				     close == ']' ? "a comma or ] is missing"
						  : "a comma or } is missing");
	p->at++;
	skip_space(p);
	return 0;
}

static int array(struct nook_json_parser *p, struct json_object **ret)
{
	auto_json struct json_object *list = json_object_new_array_ext(ARRAY);
	bool more = true;

	if (!list)
		return nook_json_no_memory(p);
	skip_space(p);
	if (nook_json_peek(p) == ']') {
		p->at++;
		more = false;
	}
	while (more) {
		auto_json struct json_object *element = NULL;
		int rc = value(p, &element);

		if (rc < 0)
			return rc;
		if (json_object_array_add(list, element) < 0)
			return nook_json_no_memory(p);
		element = NULL;
		if ((rc = separator(p, ']', &more)) < 0)
			return rc;
	}
	*ret = list;
	list = NULL;
	return 0;
}

/* Puts @element under the name that was read; of two members with one name the last counts, as
 * with json-c and Go. */
static int add_member(struct nook_json_parser *p, struct json_object *object, const char *name,
		      struct json_object **element)
{
	if (json_object_object_add(object, name, *element) < 0)
		return nook_json_no_memory(p);
	*element = NULL;
	return 0;
}

/* One member. Its name is kept while the value is read, which may use the scratch. */
static int member(struct nook_json_parser *p, struct json_object *object)
{
	auto_json struct json_object *element = NULL;
	auto_free char *long_name = NULL;
	char short_name[NAME_LAST + 1], *name = short_name;
	const char *text = NULL, *begin = p->at;
	size_t len = 0;
	int rc;

	if (nook_json_peek(p) != '"')
		return nook_json_bad(p, p->at, "a name in double quotes is missing");
	p->at++;
	if ((rc = nook_json_string(p, &text, &len)) < 0)
		return rc;
	if (memchr(text, '\0', len))
		return nook_json_bad(p, begin, "a NUL character in a name");
	if (len > NAME_LAST && !(name = long_name = malloc(len + 1)))
		return nook_json_no_memory(p);
	memcpy(name, text, len);
	name[len] = '\0';

	skip_space(p);
	if (nook_json_peek(p) != ':')
		return nook_json_bad(p, p->at, "a colon is missing");
	p->at++;
	skip_space(p);
	rc = value(p, &element);
	return rc < 0 ? rc : add_member(p, object, name, &element);
}

static int object(struct nook_json_parser *p, struct json_object **ret)
{
	auto_json struct json_object *members = json_object_new_object();
	bool more = true;

	if (!members)
		return nook_json_no_memory(p);
	skip_space(p);
	if (nook_json_peek(p) == '}') {
		p->at++;
		more = false;
	}
	while (more) {
		int rc = member(p, members);

		if (rc < 0 || (rc = separator(p, '}', &more)) < 0)
			return rc;
	}
	*ret = members;
	members = NULL;
	return 0;
}

/* At its first byte; afterwards behind it. */
static int value(struct nook_json_parser *p, struct json_object **ret)
{
	const char *text = NULL;
	size_t len = 0;
	char c = nook_json_peek(p);
	int rc;

	if (p->depth == 0)
		return nook_json_bad(p, p->at, "nested too deeply");
	if (c == '"') {
		p->at++;
		if ((rc = nook_json_string(p, &text, &len)) < 0)
			return rc;
		*ret = json_object_new_string_len(text, (int)len);
		return *ret ? 0 : nook_json_no_memory(p);
	}
	if (c == '{' || c == '[') {
		p->at++;
		p->depth--;
		rc = c == '{' ? object(p, ret) : array(p, ret);
		p->depth++;
		return rc;
	}
	return c == '-' || digit(p) ? number(p, ret) : word(p, ret);
}

int nook_json_parse(const char *text, size_t len, int depth, struct json_object **ret,
		    struct nook_error *err)
{
	__attribute__((cleanup(free_parser))) struct nook_json_parser p = {
		.text = text, .at = text, .end = text + len, .depth = depth, .err = err
	};
	auto_json struct json_object *json = NULL;

	if (len >= INT_MAX)
		return nook_refuse(err, EFBIG, "JSON of %zu bytes", len);

	skip_space(&p);

	int rc = value(&p, &json);

	if (rc < 0)
		return rc;
	skip_space(&p);
	if (p.at < p.end)
		return nook_json_bad(&p, p.at, "text behind the end");

	*ret = json;
	json = NULL;
	return 0;
}
