/* SPDX-License-Identifier: Apache-2.0 */
#include "text.h"

#include "own.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define CHECK(want, ...)                                                                           \
	do {                                                                                       \
		char out_[64];                                                                     \
		size_t len_ = nook_format(out_, sizeof(out_), __VA_ARGS__);                        \
		assert_string_equal(out_, want);                                                   \
		assert_int_equal(len_, strlen(want));                                              \
	} while (0)

static void test_format(void **state)
{
	char small[4];

	CHECK("a b", "%s %c", "a", 'b');
	CHECK("ab|c", "%.2s|%.*s", "abc", 1, "cd");
	CHECK("-5 5 -2147483648", "%d %i %d", -5, 5, INT32_MIN);
	CHECK("-9223372036854775808", "%ld", INT64_MIN);
	CHECK("18446744073709551615", "%zu", SIZE_MAX);
	CHECK("18446744073709551615", "%llu", (unsigned long long)UINT64_MAX);
	CHECK("ff 0x1f 17", "%x 0x%lx %o", 255u, 31ul, 15u);
	CHECK("  7|007|-07| -7", "%3d|%03d|%03d|%3d", 7, 7, -7, -7);
	CHECK("100%", "%u%%", 100u);
	CHECK("0", "%u", 0u);

	/* Cut, and always with an end. */
	assert_int_equal(nook_format(small, sizeof(small), "%s", "abcdef"), 3);
	assert_string_equal(small, "abc");
	assert_int_equal(nook_format(small, 1, "%d", 12), 0);
	assert_string_equal(small, "");
}

static const struct {
	const char *text;
	uint64_t max;
	int rc;
	uint64_t value;
} numbers[] = {
	{ "0", 0, 0, 0 },
	{ "18446744073709551615", UINT64_MAX, 0, UINT64_MAX },
	{ "18446744073709551616", UINT64_MAX, -ERANGE, 0 },
	{ "99999999999999999999999", UINT64_MAX, -ERANGE, 0 },
	{ "11", 10, -ERANGE, 0 },
	{ "", 9, -EINVAL, 0 },
	{ "+1", 9, -EINVAL, 0 },
	{ "-1", 9, -EINVAL, 0 },
	{ " 1", 9, -EINVAL, 0 },
	{ "1 ", 9, -EINVAL, 0 },
	{ "01", 9, -EINVAL, 0 },
	{ "0x1", 9, -EINVAL, 0 },
	{ "1e1", 99, -EINVAL, 0 },
	{ "99999999999999999999999x", UINT64_MAX, -EINVAL, 0 },
};

static void test_u64(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		uint64_t value = 77;

		assert_int_equal(nook_parse_u64(numbers[i].text, numbers[i].max, &value),
				 numbers[i].rc);
		assert_int_equal(value, numbers[i].rc ? 77 : numbers[i].value);
	}
}

static void test_i64(void **state)
{
	int64_t value = 0;

	assert_int_equal(nook_parse_i64("-9223372036854775808", INT64_MIN, 0, &value), 0);
	assert_true(value == INT64_MIN);
	assert_int_equal(nook_parse_i64("9223372036854775808", INT64_MIN, INT64_MAX, &value),
			 -ERANGE);
	assert_int_equal(nook_parse_i64("-9223372036854775809", INT64_MIN, 0, &value), -ERANGE);
	assert_int_equal(nook_parse_i64("-6", -5, 5, &value), -ERANGE);
	assert_int_equal(nook_parse_i64("--6", -9, 5, &value), -EINVAL);
	assert_int_equal(nook_parse_i64("-", -9, 5, &value), -EINVAL);
	assert_true(value == INT64_MIN);
}

static const struct {
	const char *text;
	int rc;
	uint64_t value;
} sizes[] = {
	{ "0", 0, 0 },
	{ "4096", 0, 4096 },
	{ "1k", 0, 1024 },
	{ "1K", 0, 1024 },
	{ "2MiB", 0, 2 << 20 },
	{ "3Gi", 0, 3ull << 30 },
	{ "1tb", 0, 1ull << 40 },
	{ "8388607t", 0, 8388607ull << 40 },
	{ "8388608t", -ERANGE, 0 },
	{ "9223372036854775807", 0, INT64_MAX },
	{ "9223372036854775808", -ERANGE, 0 },
	{ "k", -EINVAL, 0 },
	{ "", -EINVAL, 0 },
	{ "1p", -EINVAL, 0 },
	{ "1kk", -EINVAL, 0 },
	{ "1.5g", -EINVAL, 0 },
	{ "-1k", -EINVAL, 0 },
	{ "01k", -EINVAL, 0 },
	{ "1 k", -EINVAL, 0 },
};

static void test_size(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		uint64_t value = 77;

		assert_int_equal(nook_parse_size(sizes[i].text, &value), sizes[i].rc);
		assert_int_equal(value, sizes[i].rc ? 77 : sizes[i].value);
	}
}

static void test_id(void **state)
{
	static const char *const good[] = { "a", "_", "0", "a.b", "a+b-c", "A..", "1.2" };
	static const char *const bad[] = { "",    ".",   "..",  "-a",       "+a",
					   "a/b", "a b", "a\n", "\xc3\xa4", "a:b" };
	char longest[257];

	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_true(nook_valid_id(good[i]));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(nook_valid_id(bad[i]));
	memset(longest, 'x', sizeof(longest));
	longest[256] = '\0';
	assert_false(nook_valid_id(longest));
	longest[255] = '\0';
	assert_true(nook_valid_id(longest));
}

static void test_after(void **state)
{
	assert_string_equal(nook_after("--volume", "--"), "volume");
	assert_string_equal(nook_after("a", ""), "a");
	assert_null(nook_after("-", "--"));
	assert_true(nook_starts("abc", "abc"));
	assert_false(nook_starts("ab", "abc"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_format), cmocka_unit_test(test_u64),
		cmocka_unit_test(test_i64),    cmocka_unit_test(test_size),
		cmocka_unit_test(test_id),     cmocka_unit_test(test_after),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
