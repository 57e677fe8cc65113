/* SPDX-License-Identifier: Apache-2.0 */
#include "files.h"

#include "dir_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

static void test_name_aside(void **state)
{
	char longest[256], other[256], aside[NOOK_NAME_ASIDE], others[NOOK_NAME_ASIDE];

	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	memcpy(other, longest, sizeof(other));
	other[sizeof(other) - 2] = 'b';

	nook_name_aside(longest, aside);
	nook_name_aside(other, others);
	assert_string_not_equal(aside, others);
	assert_int_equal(strlen(aside), strlen(others));
	assert_int_equal(nook_check_name(longest, NULL), 0);
	assert_int_equal(nook_check_name(aside, NULL), -EINVAL); /* it is nobody's own */

	nook_name_aside(longest, others);
	assert_string_equal(aside, others); /* who comes later finds it again */
}

/* Who lists a folder while something in it is written sees no name that is none. */
static void test_what_is_aside_is_not_listed(void **state)
{
	auto_close int base = nook_base_open(dir, true, NULL);
	auto_close int folder = nook_folder_open_named(base, "things", true, NULL);
	char aside[NOOK_NAME_ASIDE];
	auto_closedir DIR *list = NULL;
	const char *name = NULL;

	nook_name_aside("web", aside);
	assert_int_equal(mkdirat(folder, aside, 0700), 0);
	assert_int_equal(mkdirat(folder, "web", 0700), 0);
	assert_int_equal(nook_folder_list(base, "things", &list, NULL), 0);
	assert_int_equal(nook_folder_next(list, "things", &name, NULL), 1);
	assert_string_equal(name, "web");
	assert_int_equal(nook_folder_next(list, "things", &name, NULL), 0);

	assert_int_equal(unlinkat(folder, aside, AT_REMOVEDIR), 0);
	assert_int_equal(unlinkat(folder, "web", AT_REMOVEDIR), 0);
	assert_int_equal(unlinkat(base, "things", AT_REMOVEDIR), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_name_aside),
		cmocka_unit_test_setup_teardown(test_what_is_aside_is_not_listed, make_dir,
						remove_dir),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
