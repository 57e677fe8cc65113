/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bundles with one thing wrong, made from good ones: whatever stands where something else belongs
 * is refused with its place, and nothing crashes (the sanitizers watch in their own build).
 */
#include "bundle.h"

#include "base/own.h"

#include <errno.h>
#include <json-c/json.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const char *const names[] = { "every-member", "podman", "podman-rootless", "docker", "cri" };

static struct json_object *load(const char *name)
{
	char path[128];
	struct json_object *tree, *linux_object = NULL, *seccomp = NULL;

	(void)snprintf(path, sizeof(path), "tests/data/bundles/%s.json", name);
	tree = json_object_from_file(path);
	assert_non_null(tree);

	/* The profile has a reader and tests of its own, and is most of the file. */
	assert_true(json_object_object_get_ex(tree, "linux", &linux_object));
	if (json_object_object_get_ex(linux_object, "seccomp", &seccomp))
		json_object_object_add(linux_object, "seccomp", json_object_new_object());
	return tree;
}

static void free_tree(struct json_object **tree)
{
	json_object_put(*tree);
}
#define auto_tree __attribute__((cleanup(free_tree)))

/* Return: what nook_bundle_parse() does; a refusal says what and where. */
static int parse(const char *text, size_t len, struct nook_error *err)
{
	auto_arena struct nook_arena a = { 0 };
	struct nook_bundle b = { 0 };

	assert_int_equal(nook_arena_init(&a), 0);
	int rc = nook_bundle_parse(&a, text, len, &b, err);

	assert_true(rc == 0 || rc == -EINVAL);
	assert_true((rc < 0) == (err->errnum != 0));
	assert_true((rc < 0) == (err->why[0] != '\0'));
	assert_true((rc < 0) == !b.tree);
	return rc;
}

static int parse_tree(struct json_object *tree, struct nook_error *err)
{
	size_t len = 0;
	const char *text = json_object_to_json_string_length(tree, JSON_C_TO_STRING_PLAIN, &len);

	return parse(text, len, err);
}

/* ---- each value by one of another type ---- */

static const char *const strangers[] = {
	"true", "-7", "18446744073709551615", "1.5", "\"\"", "\"strange\"", "[]",
	"[0]",  "{}", "{\"strange\":1}",
};

/* Members that nobody reads, so that anything may stand there. */
static bool ignored(const char *place)
{
	return strncmp(place, "/x-unknown", 10) == 0 ||
	       strcmp(place, "/process/user/username") == 0;
}

struct slot {
	struct json_object *in, *was;
	const char *key; /* NULL: an array */
	size_t index;
};

static void put(const struct slot *slot, struct json_object *value)
{
	if (slot->key)
		assert_int_equal(json_object_object_add(slot->in, slot->key, value), 0);
	else
		assert_int_equal(json_object_array_put_idx(slot->in, slot->index, value), 0);
}

/* @tree with something else in @slot, which is at @place. */
static void replace(struct json_object *tree, const struct slot *slot, const char *place)
{
	for (size_t i = 0; i < ARRAY_SIZE(strangers); i++) {
		struct json_object *stranger = json_tokener_parse(strangers[i]);
		struct nook_error err = { 0 };
		bool other = json_object_get_type(stranger) != json_object_get_type(slot->was);

		assert_non_null(stranger);
		(void)json_object_get(slot->was);
		put(slot, stranger);

		int rc = parse_tree(tree, &err);

		/* What is of the right type may be right, and else is refused here or below; an
		 * element that clashes with another is refused where both are. */
		if (other && !ignored(place) && (rc == 0 || strcmp(err.where, place) != 0))
			fail_msg("%s = %s: %s: %s", place, strangers[i], err.where, err.why);
		put(slot, slot->was);
	}
}

static void replace_below(struct json_object *tree, struct json_object *at, const char *place)
{
	char below[256];

	if (json_object_is_type(at, json_type_object)) {
		json_object_object_foreach(at, key, value)
		{
			(void)snprintf(below, sizeof(below), "%s/%s", place, key);
			replace(tree, &(struct slot){ at, value, key, 0 }, below);
			replace_below(tree, value, below);
		}
	}
	for (size_t i = 0;
	     json_object_is_type(at, json_type_array) && i < json_object_array_length(at); i++) {
		struct json_object *value = json_object_array_get_idx(at, i);

		(void)snprintf(below, sizeof(below), "%s/%zu", place, i);
		replace(tree, &(struct slot){ at, value, NULL, i }, below);
		replace_below(tree, value, below);
	}
}

static void test_other_types(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		auto_tree struct json_object *tree = load(names[i]);
		struct nook_error err = { 0 };

		assert_int_equal(parse_tree(tree, &err), 0);
		replace_below(tree, tree, "");
	}
}

/* ---- at random, the same each time ---- */

static uint64_t seed;

static size_t below(size_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (size_t)(seed % n);
}

#define ROUNDS 3000
#define TEXT   (1 << 17)

/* Bytes, pieces and words that JSON is made of. */
static void damage(char *text, size_t *len)
{
	static const char *const words[] = {
		"\"",
		"{",
		"}",
		"[",
		"]",
		":",
		",",
		"null",
		"-",
		"0",
		"18446744073709551616",
		"-9223372036854775809",
		"1e9",
		"\\u0000",
		"\\ud800",
		"\xff",
		"\\",
		"\"\":",
		"[[[[[[[[",
	};
	const char *word = words[below(ARRAY_SIZE(words))];
	size_t at = below(*len), n = 1 + below(16), size = strlen(word);

	n = n < *len - at ? n : *len - at;
	switch (below(4)) {
	case 0:
		text[at] = (char)below(256);
		break;
	case 1: /* drop a piece */
		memmove(text + at, text + at + n, *len - at - n);
		*len -= n;
		break;
	case 2: /* double a piece */
		memmove(text + at + n, text + at, *len - at);
		*len += n;
		break;
	default: /* put a word in */
		memmove(text + at + size, text + at, *len - at);
		memcpy(text + at, word, size);
		*len += size;
	}
}

static void test_damaged_text(void **state)
{
	seed = 20240229;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		auto_tree struct json_object *tree = load(names[i]);
		const char *good = json_object_to_json_string_ext(tree, JSON_C_TO_STRING_PLAIN);

		for (size_t round = 0; round < ROUNDS; round++) {
			auto_free char *text = malloc(TEXT);
			size_t len = strlen(good);
			struct nook_error err = { 0 };

			assert_true(text && len + 4 * 32 < TEXT);
			memcpy(text, good, len);
			for (size_t n = 1 + below(4); n > 0 && len > 1; n--)
				damage(text, &len);
			text[len] = '\0';
			(void)parse(text, len, &err); /* either is right */
		}
	}
}

/* A value of the tree, any depth. */
static struct slot pick(struct json_object *tree)
{
	struct slot slot = { .was = tree };

	for (;;) {
		struct json_object *in = slot.was;

		if (json_object_is_type(in, json_type_object) && json_object_object_length(in)) {
			size_t n = below((size_t)json_object_object_length(in));

			json_object_object_foreach(in, key, value)
			{
				if (n-- == 0) {
					slot = (struct slot){ in, value, key, 0 };
					break;
				}
			}
		} else if (json_object_is_type(in, json_type_array) &&
			   json_object_array_length(in)) {
			size_t n = below(json_object_array_length(in));

			slot = (struct slot){ in, json_object_array_get_idx(in, n), NULL, n };
		} else {
			return slot;
		}
		if (below(4) == 0)
			return slot;
	}
}

/* Well-formed JSON in which parts of one bundle stand in another. */
static void test_mixed_trees(void **state)
{
	struct json_object *trees[ARRAY_SIZE(names)];

	seed = 19700101;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		trees[i] = load(names[i]);
	for (size_t round = 0; round < ROUNDS; round++) {
		struct json_object *tree = NULL;
		struct nook_error err = { 0 };

		assert_int_equal(
			json_object_deep_copy(trees[below(ARRAY_SIZE(trees))], &tree, NULL), 0);
		for (size_t n = 1 + below(3); n > 0; n--) {
			struct slot to = pick(tree), from = pick(trees[below(ARRAY_SIZE(trees))]);
			struct json_object *copy = NULL;

			(void)json_object_deep_copy(from.was, &copy, NULL); /* null stays NULL */
			put(&to, copy);
		}
		(void)parse_tree(tree, &err); /* either is right */
		json_object_put(tree);
	}
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		json_object_put(trees[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_other_types),
		cmocka_unit_test(test_damaged_text),
		cmocka_unit_test(test_mixed_trees),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
