/* SPDX-License-Identifier: Apache-2.0 */
#include "env.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const char *const caller[] = { "PATH=/bin", "PATHS=no", "EMPTY=", "ODD", NULL };

static void test_find(void **state)
{
	assert_string_equal(nook_env_find(caller, "PATH"), "PATH=/bin");
	assert_string_equal(nook_env_find(caller, "EMPTY"), "EMPTY=");
	assert_null(nook_env_find(caller, "PAT"));
	assert_null(nook_env_find(caller, "ODD")); /* no variable */
	assert_null(nook_env_find(NULL, "PATH"));
}

/* The words in order, and what they make. */
static const struct {
	const char *words[4], *result;
} sets[] = {
	{ { "A=1", "B=2" }, "A=1 B=2 " },
	{ { "A=1", "B=2", "A=3" }, "A=3 B=2 " },   /* its place stays */
	{ { "A=1", "AB=2", "A=" }, "A= AB=2 " },   /* no prefix is taken for a name */
	{ { "PATH", "NOT_THERE" }, "PATH=/bin " }, /* not set here: not set there */
	{ { "PATH=/x", "PATH" }, "PATH=/bin " },
	{ { "PATH", "PATH=/x=y" }, "PATH=/x=y " },
};

static void test_set(void **state)
{
	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
		auto_arena struct nook_arena a = { 0 };
		struct nook_env env = { 0 };
		char text[100] = "";

		assert_int_equal(nook_arena_init(&a), 0);
		for (size_t k = 0; k < 4 && sets[i].words[k]; k++)
			nook_env_set_word(&a, &env, sets[i].words[k], caller);
		for (size_t k = 0; k < env.n; k++)
			strcat(strcat(text, env.list[k]), " ");
		assert_string_equal(text, sets[i].result);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_set),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
