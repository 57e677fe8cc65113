/* SPDX-License-Identifier: Apache-2.0 */
/* JSON text to a tree, RFC 8259 to the letter. */
#include "json_parts.h"
#include "own.h"
#include "text.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#define ITEMS 64 /* under way, to begin with; it grows by doubling */

/* A tree takes some four times its text, where that is written densely. */
#define BLOCK_LEAST ((size_t)4 << 10)
#define BLOCK_FIRST ((size_t)64 << 10)

/* What nook_json_free() is given is the first of these. */
struct tree {
	struct nook_json root;
	struct nook_json_memory memory;
};

static void free_parser(struct nook_json_parser *p)
{
	if (!p->memory.arena)
		free(p->items);
	nook_json_give_back(&p->memory);
}

void nook_json_free(struct nook_json **json)
{
	if (*json) {
		/* The tree lies in its own memory. */
		struct nook_json_memory memory = ((struct tree *)*json)->memory;

		nook_json_give_back(&memory);
	}
	*json = NULL;
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
static int fraction(struct nook_json_parser *p, const char *begin, struct nook_json *ret)
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

	ret->type = NOOK_JSON_FRACTION;
	ret->len = (size_t)(p->at - begin);

	char *text = nook_json_take(&p->memory, ret->len + 1);

	if (!text)
		return nook_json_no_memory(p);
	memcpy(text, begin, ret->len);
	text[ret->len] = '\0';
	ret->text = text;
	return 0;
}

static int number(struct nook_json_parser *p, struct nook_json *ret)
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

	ret->type = NOOK_JSON_NUMBER;
	ret->truth = negative && value;
	ret->number = negative ? 0 - value : value;
	return 0;
}

static int word(struct nook_json_parser *p, struct nook_json *ret)
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
		ret->type = i ? NOOK_JSON_BOOL : NOOK_JSON_NULL;
		ret->truth = i == 1;
		return 0;
	}
	return nook_json_bad(p, p->at, "an unknown word");
}

static int value(struct nook_json_parser *p, struct nook_json *ret);

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

/* The next of those that are open now. */
static struct nook_json *new_item(struct nook_json_parser *p)
{
	if (p->n == p->size) {
		size_t size = p->size ? p->size * 2 : ITEMS,
		       bytes = size * sizeof(struct nook_json *);
		void *bigger = p->memory.arena ? nook_alloc(p->memory.arena, bytes)
					       : realloc(p->items, bytes);

		if (!bigger)
			return NULL;
		if (p->memory.arena && p->n)
			memcpy(bigger, p->items, p->n * sizeof(struct nook_json *));
		p->items = bigger;
		p->size = size;
	}

	struct nook_json *item = nook_json_take(&p->memory, sizeof(*item));

	if (item) {
		*item = (struct nook_json){ 0 };
		p->items[p->n++] = item;
	}
	return item;
}

/* Those from @first on are an array's, and are open no longer. */
static int close_array(struct nook_json_parser *p, size_t first, struct nook_json *ret)
{
	size_t n = p->n - first;

	ret->type = NOOK_JSON_ARRAY;
	ret->sorted = NULL;
	ret->n = n;
	ret->items = nook_json_take(&p->memory, n * sizeof(struct nook_json *));
	if (!ret->items)
		return nook_json_no_memory(p);
	if (n)
		memcpy(ret->items, p->items + first, n * sizeof(struct nook_json *));
	p->n = first;
	return 0;
}

static int close_object(struct nook_json_parser *p, size_t first, struct nook_json *ret)
{
	ret->type = NOOK_JSON_OBJECT;
	if (!nook_json_fill_object(&p->memory, ret, p->items + first, p->n - first))
		return nook_json_no_memory(p);
	p->n = first;
	return 0;
}

static int element(struct nook_json_parser *p)
{
	struct nook_json *item = new_item(p);

	return item ? value(p, item) : nook_json_no_memory(p);
}

static int member(struct nook_json_parser *p)
{
	struct nook_json *item = new_item(p);
	const char *begin = p->at;
	size_t len = 0;
	int rc;

	if (!item)
		return nook_json_no_memory(p);
	if (nook_json_peek(p) != '"')
		return nook_json_bad(p, p->at, "a name in double quotes is missing");
	p->at++;
	if ((rc = nook_json_string(p, &item->key, &len)) < 0)
		return rc;
	if (strlen(item->key) != len)
		return nook_json_bad(p, begin, "a NUL character in a name");
	item->key_len = (unsigned)len; /* of a text below INT_MAX bytes */

	skip_space(p);
	if (nook_json_peek(p) != ':')
		return nook_json_bad(p, p->at, "a colon is missing");
	p->at++;
	skip_space(p);
	return value(p, item);
}

/* Behind the opening bracket; afterwards behind the closing one. */
static int items(struct nook_json_parser *p, char close, struct nook_json *ret)
{
	size_t first = p->n;
	bool more = true;

	skip_space(p);
	if (nook_json_peek(p) == close) {
		p->at++;
		more = false;
	}
	while (more) {
		int rc = close == ']' ? element(p) : member(p);

		if (rc < 0 || (rc = separator(p, close, &more)) < 0)
			return rc;
	}
	return close == ']' ? close_array(p, first, ret) : close_object(p, first, ret);
}

/* At its first byte; afterwards behind it. */
static int value(struct nook_json_parser *p, struct nook_json *ret)
{
	char c = nook_json_peek(p);
	int rc;

	if (p->depth == 0)
		return nook_json_bad(p, p->at, "nested too deeply");
	if (c == '"') {
		p->at++;
		ret->type = NOOK_JSON_TEXT;
		return nook_json_string(p, &ret->text, &ret->len);
	}
	if (c == '{' || c == '[') {
		p->at++;
		p->depth--;
		rc = items(p, c == '{' ? '}' : ']', ret);
		p->depth++;
		return rc;
	}
	return c == '-' || digit(p) ? number(p, ret) : word(p, ret);
}

static int document(struct nook_json_parser *p, struct nook_json *ret)
{
	skip_space(p);

	int rc = value(p, ret);

	if (rc < 0)
		return rc;
	skip_space(p);
	return p->at < p->end ? nook_json_bad(p, p->at, "text behind the end") : 0;
}

static int parse(struct nook_json_parser *p, struct nook_json **ret)
{
	size_t len = (size_t)(p->end - p->text);

	if (len >= INT_MAX)
		return nook_refuse(p->err, EFBIG, "JSON of %zu bytes", len);

	struct tree *tree = nook_json_take(&p->memory, sizeof(*tree));

	p->own = nook_json_take(&p->memory, len + 1);
	if (!tree || !p->own)
		return nook_json_no_memory(p);
	*tree = (struct tree){ 0 };
	memcpy(p->own, p->text, len);

	int rc = document(p, &tree->root);

	if (rc < 0)
		return rc;
	tree->memory = p->memory;
	p->memory.blocks = NULL; /* they are the tree's now */
	*ret = &tree->root;
	return 0;
}

#define PARSER(text_, len_, depth_, err_)                                                          \
	{                                                                                          \
		.text = (text_), .at = (text_), .end = (text_) + (len_), .depth = (depth_),        \
		.err = (err_)                                                                      \
	}
#define auto_parser __attribute__((cleanup(free_parser)))

int nook_json_parse(const char *text, size_t len, int depth, struct nook_json **ret,
		    struct nook_error *err)
{
	size_t first = len * 4 < BLOCK_LEAST ? BLOCK_LEAST : len * 4;
	auto_parser struct nook_json_parser p = PARSER(text, len, depth, err);

	p.memory.next = first > BLOCK_FIRST ? BLOCK_FIRST : first;
	return parse(&p, ret);
}

int nook_json_parse_in(struct nook_arena *a, const char *text, size_t len, int depth,
		       struct nook_json **ret, size_t *ret_byte, struct nook_error *err)
{
	auto_parser struct nook_json_parser p = PARSER(text, len, depth, err);

	p.memory.arena = a;

	int rc = parse(&p, ret);

	if (ret_byte)
		*ret_byte = (size_t)(p.at - text);
	return rc;
}
