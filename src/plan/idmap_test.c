/* SPDX-License-Identifier: Apache-2.0 */
#include "idmap.h"

#include "base/own.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct nook_error err;

static const struct {
	const char *name;
	struct nook_idmap map[3];
	size_t n;
	int rc; /* length of the text or error */
	const char *text;
} maps[] = {
	{ "root and subids",
	  { { 0, 1000, 1 }, { 1, 100000, 65536 } },
	  2,
	  24,
	  "0 1000 1\n1 100000 65536\n" },
	{ "none", { { 0 } }, 0, -EINVAL, "the map has no entry" },
	{ "empty line", { { 0, 1000, 0 } }, 1, -EINVAL, "entry 0 maps no ids" },
	{ "overlap inside",
	  { { 0, 1000, 10 }, { 9, 2000, 1 } },
	  2,
	  -EINVAL,
	  "entries 0 and 1 overlap" },
	{ "overlap outside", { { 0, 1000, 10 }, { 10, 1009, 1 } }, 2, -EINVAL, "entries 0 and 1" },
	{ "they touch", { { 0, 1000, 10 }, { 10, 1010, 1 } }, 2, 22, "0 1000 10\n10 1010 1\n" },
	{ "the last id", { { 0, 0, 4294967295 } }, 1, 17, "0 0 4294967295\n" },
	{ "past it inside", { { 1, 0, 4294967295 } }, 1, -EINVAL, "entry 0 passes the last id" },
	{ "past it outside", { { 0, 4294967295, 1 } }, 1, -EINVAL, "entry 0 passes the last id" },
	{ "the third is wrong",
	  { { 0, 10, 1 }, { 1, 11, 1 }, { 0, 12, 1 } },
	  3,
	  -EINVAL,
	  "entries 0 and 2 overlap" },
};

static void test_idmap_format(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(maps); i++) {
		char out[4097] = "";

		err = (struct nook_error){ 0 };
		int rc = nook_idmap_format(maps[i].map, maps[i].n, out, sizeof(out), &err);

		if (maps[i].rc < 0) {
			assert_int_equal(rc, maps[i].rc);
			assert_ptr_equal(strstr(err.why, maps[i].text), err.why);
		} else {
			assert_string_equal(out, maps[i].text);
			assert_int_equal(rc, strlen(maps[i].text));
		}
	}
}

static void test_idmap_limits(void **state)
{
	struct nook_idmap map[NOOK_IDMAP_MAX_LINES + 1];
	char out[4097];

	for (uint32_t i = 0; i < ARRAY_SIZE(map); i++)
		map[i] = (struct nook_idmap){ i, i, 1 };
	assert_true(nook_idmap_format(map, NOOK_IDMAP_MAX_LINES, out, sizeof(out), &err) > 0);
	assert_int_equal(nook_idmap_format(map, ARRAY_SIZE(map), out, sizeof(out), &err), -E2BIG);
	for (uint32_t i = 0; i < ARRAY_SIZE(map); i++)
		map[i] = (struct nook_idmap){ 1000000000 + i, 1000000000 + i, 1 };
	assert_int_equal(nook_idmap_format(map, 300, out, sizeof(out), &err), -E2BIG); /* a page */
}

static void test_idmap_covers(void **state)
{
	static const struct nook_idmap map[] = { { 5, 0, 2 }, { 4294967294, 9, 1 } };

	assert_false(nook_idmap_covers(map, 2, 4));
	assert_true(nook_idmap_covers(map, 2, 5));
	assert_true(nook_idmap_covers(map, 2, 6));
	assert_false(nook_idmap_covers(map, 2, 7));
	assert_true(nook_idmap_covers(map, 2, 4294967294));
	assert_false(nook_idmap_covers(map, 0, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_idmap_format),
		cmocka_unit_test(test_idmap_limits),
		cmocka_unit_test(test_idmap_covers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
