/* SPDX-License-Identifier: Apache-2.0 */
#include "nook/container.h"

#include "base/own.h"
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define USER 12345u

static char base[] = "/tmp/nook-state-dir-test-XXXXXX";
static char fallback[64];

/* Everything below needs an ordinary user: root's answer is always the same. */
static int become_user(void **state)
{
	if (geteuid() == 0 && seteuid(USER) < 0)
		return -1;
	(void)nook_format(fallback, sizeof(fallback), "/tmp/nook-%u", geteuid()); /* it fits */
	return mkdtemp(base) ? 0 : -1;
}

static int become_self(void **state)
{
	if (getuid() == 0 && seteuid(0) < 0)
		return -1;
	return 0;
}

static const char *ask(const char *runtime)
{
	const char *dir = NULL;
	struct nook_error err = { 0 };

	if (runtime)
		assert_int_equal(setenv("XDG_RUNTIME_DIR", runtime, 1), 0);
	else
		assert_int_equal(unsetenv("XDG_RUNTIME_DIR"), 0);
	assert_int_equal(nook_state_dir(&dir, &err), 0);
	return dir;
}

static void test_runtime_dir(void **state)
{
	char mine[64], slash[64], link[64], link_slash[64], nook[64], open_dir[64];

	(void)nook_format(mine, sizeof(mine), "%s/mine", base);
	(void)nook_format(slash, sizeof(slash), "%s/mine//", base);
	(void)nook_format(link, sizeof(link), "%s/link", base);
	(void)nook_format(link_slash, sizeof(link_slash), "%s/link/", base);
	(void)nook_format(nook, sizeof(nook), "%s/mine/nook", base);
	(void)nook_format(open_dir, sizeof(open_dir), "%s/open", base);
	assert_int_equal(mkdir(mine, 0700), 0);
	assert_int_equal(symlink("mine", link), 0);
	assert_int_equal(mkdir(open_dir, 0700), 0);
	assert_int_equal(chmod(open_dir, 0770), 0);

	assert_string_equal(ask(mine), nook);
	assert_string_equal(ask(slash), nook);
	assert_string_equal(ask(NULL), fallback);
	assert_string_equal(ask(""), fallback);
	assert_string_equal(ask("relative"), fallback);
	assert_string_equal(ask("/nope"), fallback);
	assert_string_equal(ask("/etc/passwd"), fallback);
	assert_string_equal(ask("/usr"), fallback); /* another's */
	assert_string_equal(ask("/tmp"), fallback); /* others write to it */
	assert_string_equal(ask(open_dir), fallback);
	assert_string_equal(ask(link), fallback);
	assert_string_equal(ask(link_slash), fallback);

	assert_int_equal(unlink(link), 0);
	assert_int_equal(rmdir(mine), 0);
	assert_int_equal(rmdir(open_dir), 0);
	assert_int_equal(rmdir(base), 0);
}

static void test_too_long(void **state)
{
	char text[PATH_MAX + 10];
	const char *dir = NULL;
	struct nook_error err = { 0 };

	memset(text, 'a', sizeof(text) - 1);
	text[0] = '/';
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(setenv("XDG_RUNTIME_DIR", text, 1), 0);
	assert_int_equal(nook_state_dir(&dir, &err), -ENAMETOOLONG);
	assert_null(dir);
	assert_string_equal(err.where, "XDG_RUNTIME_DIR");
}

static void test_root(void **state)
{
	if (getuid() != 0)
		skip();
	assert_int_equal(seteuid(0), 0);
	assert_string_equal(ask("/tmp"), "/run/nook");
	assert_int_equal(seteuid(USER), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_runtime_dir),
		cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_root),
	};

	return cmocka_run_group_tests(tests, become_user, become_self);
}
