/* SPDX-License-Identifier: Apache-2.0 */
#include "json_tree.h"

#include "text.h"

#include <stdlib.h>
#include <string.h>

#define BLOCK_MOST ((size_t)1 << 20)

/* ---- memory ---- */

struct nook_json_block {
	struct nook_json_block *older;
	size_t size;
};

void *nook_json_take(struct nook_json_memory *m, size_t size)
{
	if (m->arena)
		return nook_alloc(m->arena, size);

	size = (size + 7) & ~(size_t)7;
	if (size > m->left) {
		size_t block = size > m->next ? size : m->next;
		struct nook_json_block *b = malloc(sizeof(*b) + block);

		if (!b)
			return NULL;
		b->older = m->blocks;
		b->size = block;
		m->blocks = b;
		m->left = block;
		m->next = m->next < BLOCK_MOST ? m->next * 2 : m->next;
	}
	m->left -= size;
	return (char *)(m->blocks + 1) + (m->blocks->size - m->left - size);
}

void nook_json_give_back(struct nook_json_memory *m)
{
	while (m->blocks) {
		struct nook_json_block *older = m->blocks->older;

		free(m->blocks);
		m->blocks = older;
	}
	m->left = 0;
}

/* ---- members ---- */

static int compare(const char *a, size_t a_len, const char *b, size_t b_len)
{
	int order = memcmp(a, b, a_len < b_len ? a_len : b_len);

	return order ? order : (a_len > b_len) - (a_len < b_len);
}

/* By name, and of one name by place. */
static int by_name(const void *a, const void *b)
{
	struct nook_json **one = *(struct nook_json ***)(uintptr_t)a,
			 **two = *(struct nook_json ***)(uintptr_t)b;
	int order = compare((*one)->key, (*one)->key_len, (*two)->key, (*two)->key_len);

	return order ? order : (one > two) - (one < two);
}

static bool same_name(const struct nook_json *a, const struct nook_json *b)
{
	return a->key_len == b->key_len && memcmp(a->key, b->key, a->key_len) == 0;
}

/*
 * Sorts, so that a hostile file with a million members costs no more than another. The last of
 * several with one name takes the place of the first, as with json-c and Go.
 */
static bool sort(struct nook_json_memory *m, struct nook_json *object)
{
	size_t n = object->n, kept = 0, names = 0;
	struct nook_json ***places = nook_json_take(m, n * sizeof(*places));
	struct nook_json **sorted = nook_json_take(m, n * sizeof(struct nook_json *));

	if (!places || !sorted)
		return false;
	for (size_t i = 0; i < n; i++)
		places[i] = &object->items[i];
	qsort(places, n, sizeof(struct nook_json **), by_name);

	for (size_t i = 0; i < n;) {
		struct nook_json **first = places[i], *last = *first;

		while (++i < n && same_name(*places[i], last)) {
			last = *places[i];
			*places[i] = NULL;
		}
		sorted[names++] = *first = last;
	}
	for (size_t i = 0; i < n; i++) {
		if (object->items[i])
			object->items[kept++] = object->items[i];
	}
	object->n = kept;
	object->sorted = sorted;
	return true;
}

/* For a few: as sort() does, in place. */
static void drop_repeated(struct nook_json *object)
{
	size_t n = 0;

	for (size_t i = 0; i < object->n; i++) {
		struct nook_json *member = object->items[i];
		size_t at = 0;

		while (at < n && !same_name(object->items[at], member))
			at++;
		object->items[at] = member;
		n += at == n;
	}
	object->n = n;
}

bool nook_json_fill_object(struct nook_json_memory *m, struct nook_json *object,
			   struct nook_json **members, size_t n)
{
	object->items = nook_json_take(m, n * sizeof(struct nook_json *));
	object->sorted = NULL;
	object->n = n;
	if (!object->items)
		return false;
	if (n)
		memcpy(object->items, members, n * sizeof(struct nook_json *));
	if (n > NOOK_JSON_FEW)
		return sort(m, object);
	drop_repeated(object);
	return true;
}

static struct nook_json *search(const struct nook_json *object, const char *key, size_t len)
{
	size_t low = 0, high = object->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		struct nook_json *m = object->sorted[middle];
		int order = compare(key, len, m->key, m->key_len);

		if (order == 0)
			return m;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

static struct nook_json *find(const struct nook_json *object, const char *key)
{
	size_t len = strlen(key);

	if (object->sorted)
		return search(object, key, len);
	for (size_t i = 0; i < object->n; i++) {
		struct nook_json *m = object->items[i];

		if (m->key_len == len && memcmp(m->key, key, len) == 0)
			return m;
	}
	return NULL;
}

struct nook_json *nook_json_find(const struct nook_json *object, const char *key, bool *ret_there)
{
	struct nook_json *m = nook_json_type(object) == NOOK_JSON_OBJECT ? find(object, key) : NULL;

	if (ret_there)
		*ret_there = m != NULL;
	return nook_json_unless_null(m);
}

/* ---- as a text ---- */

struct line {
	struct nook_arena *arena;
	char *text;
	size_t len, size;
};

static void put(struct line *l, const char *bytes, size_t len)
{
	nook_reserve(l->arena, &l->text, &l->size, l->len, len);
	memcpy(l->text + l->len, bytes, len);
	l->len += len;
}

static void put_string(struct line *l, const char *text, size_t len)
{
	static const char names[] = "\"\\bfnrt", bytes[] = "\"\\\b\f\n\r\t";
	size_t begin = 0;

	put(l, "\"", 1);
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c >= 0x20 && c != '"' && c != '\\')
			continue;

		const char *known = c ? strchr(bytes, c) : NULL;
		char escape[8];

		put(l, text + begin, i - begin);
		begin = i + 1;
		if (known)
			put(l, (char[]){ '\\', names[known - bytes] }, 2);
		else
			put(l, escape, nook_format(escape, sizeof(escape), "\\u%04x", c));
	}
	put(l, text + begin, len - begin);
	put(l, "\"", 1);
}

static void put_number(struct line *l, const struct nook_json *json)
{
	char digits[24];

	put(l, digits,
	    json->truth ? nook_format(digits, sizeof(digits), "%ld", (long)json->number)
			: nook_format(digits, sizeof(digits), "%lu", (unsigned long)json->number));
}

/* As deep as the parser let it be. */
static void put_value(struct line *l, const struct nook_json *json)
{
	bool object = json->type == NOOK_JSON_OBJECT;

	switch ((enum nook_json_type)json->type) {
	case NOOK_JSON_NULL:
		put(l, "null", 4);
		return;
	case NOOK_JSON_BOOL:
		put(l, json->truth ? "true" : "false", json->truth ? 4 : 5);
		return;
	case NOOK_JSON_NUMBER:
		put_number(l, json);
		return;
	case NOOK_JSON_FRACTION:
		put(l, json->text, json->len);
		return;
	case NOOK_JSON_TEXT:
		put_string(l, json->text, json->len);
		return;
	case NOOK_JSON_ARRAY:
	case NOOK_JSON_OBJECT:
		break;
	}

	put(l, object ? "{" : "[", 1);
	for (size_t i = 0; i < json->n; i++) {
		const struct nook_json *item = json->items[i];

		if (i)
			put(l, ",", 1);
		if (object) {
			put_string(l, item->key, item->key_len);
			put(l, ":", 1);
		}
		put_value(l, item);
	}
	put(l, object ? "}" : "]", 1);
}

const char *nook_json_compact(struct nook_arena *a, const struct nook_json *json)
{
	struct line l = { .arena = a };

	put_value(&l, json);
	put(&l, "", 1);
	return l.text;
}
