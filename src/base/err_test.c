/* SPDX-License-Identifier: Apache-2.0 */
#include "nook/error.h"

#include "own.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_fail(void **state)
{
	struct nook_error err = { .where = "--x" };

	assert_int_equal(nook_fail(&err, ENOENT, "open %s", "/a"), -ENOENT);
	assert_string_equal(err.why, "open /a: No such file or directory");
	assert_string_equal(err.where, "--x");
	assert_int_equal(err.errnum, ENOENT);
	assert_int_equal(nook_fail(&err, 0, "x"), -EIO); /* never 0 */
	assert_int_equal(nook_fail(&err, -3, "x"), -EIO);
	assert_int_equal(nook_fail(NULL, EPERM, "x"), -EPERM);
	assert_int_equal(nook_fail(&err, 4000, "x"), -4000);
	assert_string_equal(err.why, "x: unknown error");
}

static void test_refuse(void **state)
{
	struct nook_error err = { 0 };

	assert_int_equal(nook_refuse(&err, ERANGE, "%d is too much", 9), -ERANGE);
	assert_string_equal(err.why, "9 is too much");
	assert_int_equal(nook_refuse(&err, 0, "x"), -EINVAL);
	assert_int_equal(nook_refuse(NULL, E2BIG, "x"), -E2BIG);
}

/* The one who knows best speaks first. */
static void test_the_first_says_it(void **state)
{
	struct nook_error err = { 0 };

	nook_where(&err, "%s", "first");
	nook_where(&err, "%s", "second");
	nook_hint(&err, "one");
	nook_hint(&err, "two");
	nook_cause(&err, "id-1", "cause %d", 1);
	nook_cause(&err, "id-2", "cause %d", 2);
	assert_string_equal(err.where, "first");
	assert_string_equal(err.hint, "one");
	assert_string_equal(err.id, "id-1");
	assert_string_equal(err.cause, "cause 1");
	nook_where(NULL, "x");
	nook_hint(NULL, "x");
	nook_cause(NULL, "x", "x");
}

static void test_long_texts_are_cut(void **state)
{
	struct nook_error err = { 0 };
	char text[2000];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	(void)nook_fail(&err, EIO, "%s", text);
	nook_where(&err, "%s", text);
	nook_cause(&err, text, "%s", text);
	nook_hint(&err, "%s", text);
	assert_int_equal(strlen(err.why), sizeof(err.why) - 1);
	assert_int_equal(strlen(err.where), sizeof(err.where) - 1);
	assert_int_equal(strlen(err.id), sizeof(err.id) - 1);
	assert_int_equal(strlen(err.cause), sizeof(err.cause) - 1);
	assert_int_equal(strlen(err.hint), sizeof(err.hint) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fail),
		cmocka_unit_test(test_refuse),
		cmocka_unit_test(test_the_first_says_it),
		cmocka_unit_test(test_long_texts_are_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
