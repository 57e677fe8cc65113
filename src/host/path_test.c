/* SPDX-License-Identifier: Apache-2.0 */
#include "path.h"

#include "base/own.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static const struct {
	const char *path, *dir;
	bool within;
} within[] = {
	{ "/a", "/a", true },    { "/a/b", "/a", true },  { "/ab", "/a", false },
	{ "/", "/a", false },    { "/a", "/", true },     { "/", "/", true },
	{ "/a", "/a/b", false }, { "/a.b", "/a", false },
};

static void test_within(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(within); i++) {
		print_message("%s in %s\n", within[i].path, within[i].dir);
		assert_int_equal(nook_path_within(within[i].path, within[i].dir), within[i].within);
	}
}

/* In order: what is below a directory follows it at once. */
static const char *const ordered[] = { "/",    "/a",  "/a/b", "/a/b/c", "/a/z",     "/a b",
				       "/a-b", "/a.", "/aa",  "/b",     "/\xc3\xa4" };

static void test_order(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(ordered); i++) {
		for (size_t k = 0; k < ARRAY_SIZE(ordered); k++) {
			int c = nook_path_compare(ordered[i], ordered[k]);

			print_message("%s, %s\n", ordered[i], ordered[k]);
			assert_int_equal(c < 0, i < k);
			assert_int_equal(c > 0, i > k);
		}
	}
}

static const struct {
	const char *path;
	bool plain;
} plain[] = {
	{ "/", true },       { "/a", true },     { "/a/b.c", true }, { "/a/...", true },
	{ "/.a/..b", true }, { "", false },      { "a", false },     { "//", false },
	{ "/a/", false },    { "/a//b", false }, { "/./a", false },  { "/a/.", false },
	{ "/../a", false },  { "/a/..", false }, { "/..", false },
};

static void test_plain(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(plain); i++) {
		print_message("%s\n", plain[i].path);
		assert_int_equal(nook_path_is_plain(plain[i].path), plain[i].plain);
	}
}

static void test_below_root(void **state)
{
	assert_string_equal(nook_path_below_root("/"), ".");
	assert_string_equal(nook_path_below_root("//"), ".");
	assert_string_equal(nook_path_below_root("/a/b"), "a/b");
	assert_string_equal(nook_path_below_root("//a"), "a");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_within),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_below_root),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
