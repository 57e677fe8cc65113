/* SPDX-License-Identifier: Apache-2.0 */
#include "attempt.h"
#include "base/own.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <cmocka.h>

static int succeed(void *data, struct nook_error *err)
{
	*(int *)data = 7;
	return 0;
}

static int refuse(void *data, struct nook_error *err)
{
	nook_hint(err, "Try again.");
	return nook_fail(err, EXDEV, "rename a");
}

static int crash(void *data, struct nook_error *err)
{
	(void)raise(SIGKILL);
	return 0;
}

static int leave(void *data, struct nook_error *err)
{
	_exit(0);
	return 0;
}

static int hang(void *data, struct nook_error *err)
{
	for (;;)
		(void)pause();
	return 0;
}

static const struct {
	const char *name;
	int (*fn)(void *data, struct nook_error *err);
	int rc;
	const char *why;
} cases[] = {
	{ "succeeds", succeed, 0, "" },
	{ "fails", refuse, -EXDEV, "rename a: " },
	{ "is killed", crash, -ECHILD, "without an answer" },
	{ "leaves without a word", leave, -ECHILD, "without an answer" },
	{ "hangs", hang, -ETIMEDOUT, "probe" },
};

static void test_outcomes(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct nook_error err = { 0 };
		int value = 1;
		int rc = nook_attempt_for(300, cases[i].fn, &value, &err);

		if (rc != cases[i].rc || !strstr(err.why, cases[i].why))
			fail_msg("%s: %d, %s", cases[i].name, rc, err.why);
		assert_int_equal(value, 1); /* what the child changed is lost */
		assert_int_equal(err.errnum, -rc);
		if (waitpid(-1, NULL, WNOHANG) != -1 || errno != ECHILD)
			fail_msg("%s: a child is left", cases[i].name);
	}
}

static void test_the_error_travels_whole(void **state)
{
	struct nook_error err = { 0 };

	assert_int_equal(nook_attempt(refuse, NULL, &err), -EXDEV);
	assert_string_equal(err.hint, "Try again.");
}

static void test_nobody_asks_for_the_error(void **state)
{
	int value = 0;

	assert_int_equal(nook_attempt(refuse, NULL, NULL), -EXDEV);
	assert_int_equal(nook_attempt(succeed, &value, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_outcomes),
		cmocka_unit_test(test_the_error_travels_whole),
		cmocka_unit_test(test_nobody_asks_for_the_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
