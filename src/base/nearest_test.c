/* SPDX-License-Identifier: Apache-2.0 */
#include "nearest.h"

#include "own.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const char words[] = "volume tmpfs net user memory memory-swap";

static const struct {
	const char *typed, *meant; /* NULL: nothing is near */
} cases[] = {
	{ "volume", "volume" },
	{ "vloume", "volume" }, /* swapped */
	{ "volme", "volume" },  /* missing */
	{ "vollume", "volume" },
	{ "xser", "user" },
	{ "memory-sawp", "memory-swap" },
	{ "vol", "volume" }, /* the only one that begins so */
	{ "mem", NULL },     /* two do */
	{ "memori", "memory" },
	{ "nt", "net" },
	{ "not", "net" },
	{ "nxx", NULL },
	{ "", NULL },
	{ "abcdefgh", NULL },
	{ "volumevolumevolumevolumevolumevolume", NULL }, /* longer than anything */
};

static void test_nearest(void **state)
{
	char out[16];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		bool found = nook_nearest_word(cases[i].typed, words, out, sizeof(out));

		assert_string_equal(out, cases[i].meant ? cases[i].meant : "");
		assert_int_equal(found, cases[i].meant != NULL);
	}
	assert_false(nook_nearest_word("a", "", out, sizeof(out)));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_nearest) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
