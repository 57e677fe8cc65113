/* SPDX-License-Identifier: Apache-2.0 */
#include "where_layers.h"

#include "base/own.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

/* super, upper, lowers with a "|" between */
static const char *const cases[][3] = {
	{ "rw,lowerdir=/a:/b,upperdir=/u,workdir=/w", "/u", "/a|/b" },
	{ "ro,lowerdir=/a", NULL, "/a" },
	{ "rw,lowerdir+=l1,lowerdir+=l0,upperdir=up", "up", "l1|l0" },
	{ "rw,lowerdir=/a\\:b:/c", NULL, "/a:b|/c" },
	{ "rw,lowerdir=/a\\,b,upperdir=/u\\,v", "/u,v", "/a,b" },
	{ "rw,lowerdir=/a\\040b", NULL, "/a b" },
	{ "rw,lowerdir=/a::/data", NULL, "/a" },
	{ "rw,lowerdir=", NULL, "" },
	{ "rw,lowerdir=/a\\", NULL, "/a\\" },
	{ "rw,lowerdir=/a\\04", NULL, "/a04" },
	{ "", NULL, "" },
	{ ",,,", NULL, "" },
	{ "rw,xupperdir=/no,lowerdirs=/no", NULL, "" },
};

static void test_layers(void **state)
{
	auto_arena struct nook_arena a = { 0 };

	(void)state;
	assert_int_equal(nook_arena_init(&a), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct nook_where_layers l;
		const char *lowers = "";

		print_message("%s\n", cases[i][0]);
		nook_where_layers_parse(&a, cases[i][0], &l);
		for (size_t k = 0; k < l.n_lowers; k++)
			lowers = nook_printf(&a, "%s%s%s", lowers, k ? "|" : "", l.lowers[k]);
		assert_string_equal(lowers, cases[i][2]);
		if (cases[i][1])
			assert_string_equal(l.upper, cases[i][1]);
		else
			assert_null(l.upper);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_layers) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
