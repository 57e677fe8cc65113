/* SPDX-License-Identifier: Apache-2.0 */
#include "arena.h"

#include "own.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_memory_is_zeroed_and_aligned(void **state)
{
	auto_arena struct nook_arena a = { 0 };

	assert_int_equal(nook_arena_init(&a), 0);
	for (size_t size = 0; size < 40; size++) {
		unsigned char *p = nook_alloc(&a, size);

		assert_int_equal((uintptr_t)p % 16, 0);
		for (size_t i = 0; i < size; i++)
			assert_int_equal(p[i], 0);
		memset(p, 0xff, size);
	}
}

static void test_texts(void **state)
{
	auto_arena struct nook_arena a = { 0 };

	assert_int_equal(nook_arena_init(&a), 0);
	assert_null(nook_strdup(&a, NULL));
	assert_null(nook_strndup(&a, NULL, 3));
	assert_string_equal(nook_strdup(&a, ""), "");
	assert_string_equal(nook_strndup(&a, "abc", 2), "ab");
	assert_string_equal(nook_strndup(&a, "abc", 9), "abc");
	assert_string_equal(nook_printf(&a, "%s-%d", "x", 7), "x-7");
}

/* An array that grows keeps what is in it, whatever else is taken meanwhile. */
static void test_append(void **state)
{
	auto_arena struct nook_arena a = { 0 };
	uint32_t *list = NULL;
	size_t n = 0;

	assert_int_equal(nook_arena_init(&a), 0);
	for (uint32_t i = 0; i < 1000; i++) {
		uint32_t *p = nook_append(&a, list, n);

		assert_int_equal(*p, 0);
		*p = i;
		memset(nook_alloc(&a, 32), 0xff, 32);
	}
	assert_int_equal(n, 1000);
	for (uint32_t i = 0; i < n; i++)
		assert_int_equal(list[i], i);
}

/* A text that grows keeps what is in it, and has room for a NUL. */
static void test_reserve(void **state)
{
	static const size_t pieces[] = { 0, 1, 1021, 1, 1, 0, 1024, 2047, 100000, 1 };
	auto_arena struct nook_arena a = { 0 };
	char *text = NULL;
	size_t size = 0, len = 0;

	assert_int_equal(nook_arena_init(&a), 0);
	for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
		char *before = text;
		bool fits = size > len + pieces[i];

		nook_reserve(&a, &text, &size, len, pieces[i]);
		assert_true(size > len + pieces[i]);
		if (fits)
			assert_ptr_equal(text, before);
		memset(text + len, 'a' + (int)i, pieces[i]);
		len += pieces[i];
		text[len] = '\0';
	}
	for (size_t i = 0, at = 0; i < ARRAY_SIZE(pieces); at += pieces[i++]) {
		for (size_t n = 0; n < pieces[i]; n++)
			assert_int_equal(text[at + n], 'a' + (int)i);
	}
	assert_int_equal(strlen(text), len);
}

static void test_free_twice(void **state)
{
	struct nook_arena a = { 0 };

	nook_arena_free(&a);
	assert_int_equal(nook_arena_init(&a), 0);
	(void)nook_alloc(&a, 1);
	nook_arena_free(&a);
	nook_arena_free(&a);
	assert_null(a.base);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_memory_is_zeroed_and_aligned),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_append),
		cmocka_unit_test(test_reserve),
		cmocka_unit_test(test_free_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
