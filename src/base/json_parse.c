/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON text to json-c's tree, RFC 8259 to the letter. json-c's own parser (0.16) is laxer even when
 * strict, and with no memory it leaves out members without a word, which could be a seccomp rule;
 * this one also takes half the time.
 */
#include "json.h"
#include "own.h"
#include "text.h"

#include <errno.h>
#include <json-c/json.h>
#include <limits.h>
#include <string.h>

#define NAME_LAST 255 /* bytes of a member's name that need no memory of their own */
#define ARRAY     8   /* elements to begin with; it grows by doubling */

struct parser {
	const char *text, *at, *end;
	int depth;     /* levels that may still be opened */
	char *scratch; /* a string without its escapes */
	size_t size;   /* bytes of it */
	struct nook_error *err;
};

static void free_parser(struct parser *p)
{
	free(p->scratch);
}

/* ---- what can go wrong ---- */

static int bad(struct parser *p, const char *at, const char *why)
{
	size_t byte = (size_t)(at - p->text);

	if (at >= p->end)
		return nook_refuse(p->err, EINVAL, "the JSON ends too early, at byte %zu", byte);
	return nook_refuse(p->err, EINVAL, "not JSON at byte %zu: %s", byte,
			   *at ? why : "a NUL byte");
}

static int no_memory(struct parser *p)
{
	return nook_fail(p->err, ENOMEM, "reading JSON at byte %zu", (size_t)(p->at - p->text));
}

/* ---- the small parts ---- */

static char peek(const struct parser *p)
{
	return p->at < p->end ? *p->at : '\0';
}

static void skip_space(struct parser *p)
{
	while (p->at < p->end &&
	       (*p->at == ' ' || *p->at == '\n' || *p->at == '\t' || *p->at == '\r'))
		p->at++;
}

static bool digit(const struct parser *p)
{
	return p->at < p->end && *p->at >= '0' && *p->at <= '9';
}

static bool skip_digits(struct parser *p)
{
	bool any = digit(p);

	while (digit(p))
		p->at++;
	return any;
}

/* ---- strings ---- */

static int hex4(struct parser *p, unsigned *ret)
{
	unsigned value = 0;

	for (int i = 0; i < 4; i++, p->at++) {
		char c = peek(p);
		int digit = c >= '0' && c <= '9'   ? c - '0'
			    : c >= 'a' && c <= 'f' ? c - 'a' + 10
			    : c >= 'A' && c <= 'F' ? c - 'A' + 10
						   : -1;

		if (digit < 0)
			return bad(p, p->at, "\\u takes four hexadecimal digits");
		value = value * 16 + (unsigned)digit;
	}
	*ret = value;
	return 0;
}

/* Behind "\u". A surrogate that stands alone becomes U+FFFD, as with json-c and Go. */
static int unicode(struct parser *p, char **out)
{
	unsigned code = 0, low = 0;
	char *o = *out;
	int rc = hex4(p, &code);

	if (rc == 0 && code >= 0xd800 && code < 0xdc00 && p->end - p->at >= 2 && p->at[0] == '\\' &&
	    p->at[1] == 'u') {
		const char *back = p->at;

		p->at += 2;
		rc = hex4(p, &low);
		if (low >= 0xdc00 && low < 0xe000)
			code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
		else
			p->at = back;
	}
	if (rc < 0)
		return rc;
	if (code >= 0xd800 && code < 0xe000)
		code = 0xfffd;

	if (code < 0x80) {
		*o++ = (char)code;
	} else if (code < 0x800) {
		*o++ = (char)(0xc0 | code >> 6);
	} else if (code < 0x10000) {
		*o++ = (char)(0xe0 | code >> 12);
		*o++ = (char)(0x80 | (code >> 6 & 0x3f));
	} else {
		*o++ = (char)(0xf0 | code >> 18);
		*o++ = (char)(0x80 | (code >> 12 & 0x3f));
		*o++ = (char)(0x80 | (code >> 6 & 0x3f));
	}
	if (code >= 0x80)
		*o++ = (char)(0x80 | (code & 0x3f));
	*out = o;
	return 0;
}

static int escape(struct parser *p, char **out)
{
	static const char names[] = "\"\\/bfnrt", bytes[] = "\"\\/\b\f\n\r\t";
	char c = peek(p);
	const char *name = c ? strchr(names, c) : NULL;

	if (c == 'u') {
		p->at++;
		return unicode(p, out);
	}
	if (!name)
		return bad(p, p->at, "an unknown escape");
	*(*out)++ = bytes[name - names];
	p->at++;
	return 0;
}

/* To the end of a run of bytes that mean themselves. */
static const char *run(const struct parser *p)
{
	static const bool stops[256] = { [0 ... 0x1f] = true, ['"'] = true, ['\\'] = true };
	const char *at = p->at;

	while (at < p->end && !stops[(unsigned char)*at])
		at++;
	return at;
}

/* Room for what is left of the string: no escape is shorter than what it stands for. */
static int make_room(struct parser *p, const char *begin)
{
	const char *close = p->at;

	while (close < p->end && *close != '"')
		close += *close == '\\' && close + 1 < p->end ? 2 : 1;

	size_t size = (size_t)(close - begin) + 1;

	if (size <= p->size)
		return 0;

	char *bigger = realloc(p->scratch, size);

	if (!bigger)
		return no_memory(p);
	p->scratch = bigger;
	p->size = size;
	return 0;
}

/* Behind the opening quote; afterwards behind the closing one. @ret points into the text or to
 * p->scratch, without a NUL behind it. */
static int string(struct parser *p, const char **ret, size_t *ret_len)
{
	const char *begin = p->at, *stop = run(p);
	char *out = NULL;
	int rc = 0;

	if (stop < p->end && *stop == '"') { /* as almost always */
		*ret = begin;
		*ret_len = (size_t)(stop - begin);
		p->at = stop + 1;
		return 0;
	}

	if ((rc = make_room(p, begin)) < 0)
		return rc;
	for (out = p->scratch;; stop = run(p)) {
		out = mempcpy(out, p->at, (size_t)(stop - p->at));
		p->at = stop;
		if (p->at == p->end || (unsigned char)*p->at < 0x20)
			return bad(p, p->at, "a control character in a string");
		if (*p->at++ == '"')
			break;
		if ((rc = escape(p, &out)) < 0)
			return rc;
	}
	*ret = p->scratch;
	*ret_len = (size_t)(out - p->scratch);
	return 0;
}

/* ---- values ---- */

/* A number with a fraction or exponent keeps its text; nobody reads its value. */
static int fraction(struct parser *p, const char *begin, struct json_object **ret)
{
	if (peek(p) == '.') {
		p->at++;
		if (!skip_digits(p))
			return bad(p, p->at, "a digit is missing");
	}
	if (peek(p) == 'e' || peek(p) == 'E') {
		p->at++;
		if (peek(p) == '+' || peek(p) == '-')
			p->at++;
		if (!skip_digits(p))
			return bad(p, p->at, "a digit is missing");
	}

	auto_free char *text = strndup(begin, (size_t)(p->at - begin));

	if (!text)
		return no_memory(p);
	*ret = json_object_new_double_s(strtod(text, NULL), text);
	return *ret ? 0 : no_memory(p);
}

static int number(struct parser *p, struct json_object **ret)
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
		return bad(p, p->at, "a digit is missing");
	if (*first == '0' && p->at > first + 1)
		return bad(p, first, "a number with a leading zero");
	if (peek(p) == '.' || peek(p) == 'e' || peek(p) == 'E')
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
	return *ret ? 0 : no_memory(p);
}

static int word(struct parser *p, struct json_object **ret)
{
	static const struct {
		const char *name;
		size_t len;
	} words[] = { { "null", 4 }, { "true", 4 }, { "false", 5 } };
	size_t left = (size_t)(p->end - p->at);

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		size_t len = words[i].len;

		if (left < len && memcmp(p->at, words[i].name, left) == 0)
			return bad(p, p->end, "");
		if (left < len || memcmp(p->at, words[i].name, len) != 0)
			continue;
		p->at += len;
		*ret = i ? json_object_new_boolean(i == 1) : NULL;
		return i && !*ret ? no_memory(p) : 0;
	}
	return bad(p, p->at, "an unknown word");
}

static int value(struct parser *p, struct json_object **ret);

/* Behind an element: is there another? */
static int separator(struct parser *p, char close, bool *more)
{
	skip_space(p);
	*more = peek(p) == ',';
	if (!*more && peek(p) != close)
		return bad(p, p->at,
			   close == ']' ? "a comma or ] is missing" : "a comma or } is missing");
	p->at++;
	skip_space(p);
	return 0;
}

static int array(struct parser *p, struct json_object **ret)
{
	auto_json struct json_object *list = json_object_new_array_ext(ARRAY);
	bool more = true;

	if (!list)
		return no_memory(p);
	skip_space(p);
	if (peek(p) == ']') {
		p->at++;
		more = false;
	}
	while (more) {
		auto_json struct json_object *element = NULL;
		int rc = value(p, &element);

		if (rc < 0)
			return rc;
		if (json_object_array_add(list, element) < 0)
			return no_memory(p);
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
static int add_member(struct parser *p, struct json_object *object, const char *name,
		      struct json_object **element)
{
	if (json_object_object_add(object, name, *element) < 0)
		return no_memory(p);
	*element = NULL;
	return 0;
}

/* One member. Its name is kept while the value is read, which may use the scratch. */
static int member(struct parser *p, struct json_object *object)
{
	auto_json struct json_object *element = NULL;
	auto_free char *long_name = NULL;
	char short_name[NAME_LAST + 1], *name = short_name;
	const char *text = NULL, *begin = p->at;
	size_t len = 0;
	int rc;

	if (peek(p) != '"')
		return bad(p, p->at, "a name in double quotes is missing");
	p->at++;
	if ((rc = string(p, &text, &len)) < 0)
		return rc;
	if (memchr(text, '\0', len))
		return bad(p, begin, "a NUL character in a name");
	if (len > NAME_LAST && !(name = long_name = malloc(len + 1)))
		return no_memory(p);
	memcpy(name, text, len);
	name[len] = '\0';

	skip_space(p);
	if (peek(p) != ':')
		return bad(p, p->at, "a colon is missing");
	p->at++;
	skip_space(p);
	rc = value(p, &element);
	return rc < 0 ? rc : add_member(p, object, name, &element);
}

static int object(struct parser *p, struct json_object **ret)
{
	auto_json struct json_object *members = json_object_new_object();
	bool more = true;

	if (!members)
		return no_memory(p);
	skip_space(p);
	if (peek(p) == '}') {
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
static int value(struct parser *p, struct json_object **ret)
{
	const char *text = NULL;
	size_t len = 0;
	char c = peek(p);
	int rc;

	if (p->depth == 0)
		return bad(p, p->at, "nested too deeply");
	if (c == '"') {
		p->at++;
		if ((rc = string(p, &text, &len)) < 0)
			return rc;
		*ret = json_object_new_string_len(text, (int)len);
		return *ret ? 0 : no_memory(p);
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
	__attribute__((cleanup(free_parser))) struct parser p = {
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
		return bad(&p, p.at, "text behind the end");

	*ret = json;
	json = NULL;
	return 0;
}
