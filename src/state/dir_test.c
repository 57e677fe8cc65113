/* SPDX-License-Identifier: Apache-2.0 */
/* STATE_DIR, the names in it, and who may have them. */
#include "files.h"

#include "leftover_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

/* A directory is deleted only when it is ours, and a lock that is none is not waited for. */
static void test_foreign_things(void **state)
{
	struct nook_state s = NOOK_STATE_NONE;
	struct nook_error err = { 0 };
	auto_close int base = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);

	assert_int_equal(mkdirat(base, "locks", 0700), 0);
	assert_int_equal(mkfifoat(base, "locks/x", 0600), 0);
	assert_int_equal(nook_state_claim(dir, "x", &s, &err), -EINVAL);
	assert_int_equal(unlinkat(base, "locks/x", 0), 0);

	assert_int_equal(symlinkat("/etc/hostname", base, "locks/x"), 0);
	assert_int_equal(nook_state_claim(dir, "x", &s, &err), -ELOOP);
	assert_int_equal(unlinkat(base, "locks/x", 0), 0);

	assert_int_equal(nook_state_claim(dir, "x", &s, &err), 0);
	assert_int_equal(mkdirat(base, "containers/x", 0700), 0);

	assert_int_equal(nook_state_drop(&s, &err), -EISDIR);
	assert_int_equal(s.lock, NO_FD);
	assert_int_equal(unlinkat(base, "containers/x", AT_REMOVEDIR), 0);
	assert_int_equal(nook_state_claim(dir, "x", &s, &err), 0);
	assert_int_equal(nook_state_drop(&s, &err), 0);

	/* A folder that is a symlink. */
	assert_int_equal(unlinkat(base, "new", AT_REMOVEDIR), 0);
	assert_int_equal(symlinkat("/tmp", base, "new"), 0);
	assert_int_equal(nook_state_claim(dir, "x", &s, &err), -ELOOP);
	assert_int_equal(unlinkat(base, "new", 0), 0);
}

static void test_state_dirs_that_are_refused(void **state)
{
	auto_arena struct nook_arena a = { 0 };
	struct nook_state s = NOOK_STATE_NONE;
	struct nook_state_entry *entries;
	struct nook_error err = { 0 };
	size_t n = 7;
	char below[80];

	assert_int_equal(nook_arena_init(&a), 0);
	(void)nook_format(below, sizeof(below), "%s/x/y", dir);
	assert_int_equal(nook_state_claim(below, "n", &s, &err), -ENOENT); /* no mkdir -p */
	assert_int_equal(nook_state_list(below, &a, &entries, &n, &err), 0);
	assert_int_equal(n, 0);
	assert_int_equal(nook_state_claim("", "n", &s, &err), -EINVAL);

	(void)nook_format(below, sizeof(below), "%s/link/", dir);
	auto_close int base = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(symlinkat(".", base, "link"), 0);
	assert_int_equal(nook_state_claim(below, "n", &s, &err), -ENOTDIR);
	assert_int_equal(nook_state_list(below, &a, &entries, &n, &err), -ENOTDIR);
	assert_int_equal(unlinkat(base, "link", 0), 0);

	for (mode_t bad = 020; bad <= 022; bad++) {
		assert_int_equal(chmod(dir, 0700 | bad), 0);
		assert_int_equal(nook_state_claim(dir, "n", &s, &err), bad & 022 ? -EPERM : 0);
		assert_int_equal(nook_state_list(dir, &a, &entries, &n, &err), -EPERM);
	}
	assert_int_equal(chmod(dir, 0755), 0);
	assert_int_equal(nook_state_list(dir, &a, &entries, &n, &err), 0);

	if (geteuid() == 0) {
		assert_int_equal(chown(dir, 12345, 0), 0);
		assert_int_equal(nook_state_claim(dir, "n", &s, &err), -EPERM);
		assert_non_null(strstr(err.why, "belongs to user 12345"));
		assert_int_equal(nook_state_list(dir, &a, &entries, &n, &err), -EPERM);
		assert_int_equal(chown(dir, 0, 0), 0);
	}

	(void)nook_format(below, sizeof(below), "%s/made/", dir);
	assert_int_equal(nook_state_claim(below, "n", &s, &err), 0);

	struct stat st;

	assert_int_equal(fstat(s.base, &st), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 0700);
	for (int f = 0; f < NOOK_FOLDER_COUNT; f++)
		assert_int_equal(fstat(s.dirs[f], &st), 0);
	assert_int_equal(nook_state_drop(&s, &err), 0);

	auto_close int made = openat(base, "made", O_PATH | O_DIRECTORY | O_CLOEXEC);

	for (int f = 0; f < NOOK_FOLDER_COUNT; f++)
		assert_int_equal(
			unlinkat(made, nook_folder_name((enum nook_folder)f), AT_REMOVEDIR), 0);
	assert_int_equal(unlinkat(base, "made", AT_REMOVEDIR), 0);
}

static void test_names(void **state)
{
	static const char *const bad[] = { "", ".", "..", "a/b", "-x", ".x", "a b", "\xc3\xa4" };
	auto_arena struct nook_arena a = { 0 };
	struct nook_state s = NOOK_STATE_NONE;
	struct nook_record r;
	enum nook_life life;
	struct nook_error err = { 0 };
	char longest[257];

	assert_int_equal(nook_arena_init(&a), 0);
	memset(longest, 'n', 256);
	longest[256] = '\0';
	assert_int_equal(nook_state_claim(dir, longest, &s, NULL), -EINVAL);
	longest[255] = '\0';
	assert_int_equal(nook_state_claim(dir, longest, &s, NULL), 0);
	r = (struct nook_record){ .boot_id = boot_id };
	assert_int_equal(nook_state_write(&s, &r, NULL), 0);
	assert_int_equal(nook_state_read(dir, longest, &a, &r, &life, NULL), 0);
	assert_int_equal(nook_state_drop(&s, NULL), 0);

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(nook_state_claim(dir, bad[i], &s, NULL), -EINVAL);
		assert_int_equal(nook_state_read(dir, bad[i], &a, &r, &life, NULL), -EINVAL);
	}

	/* The hint says what there is. */
	assert_int_equal(nook_state_read(dir, "no", &a, &r, &life, &err), -ENOENT);
	assert_string_equal(err.hint, "There is none; `nook run --name no` starts one.");
	assert_int_equal(nook_state_claim(dir, "blue", &s, NULL), 0);
	err.hint[0] = '\0';
	assert_int_equal(nook_state_read(dir, "no", &a, &r, &life, &err), -ENOENT);
	assert_string_equal(err.hint, "There is one: blue.");
	assert_int_equal(nook_state_drop(&s, NULL), 0);
}

static void test_a_name_is_taken_once(void **state)
{
	struct nook_state s = NOOK_STATE_NONE, t = NOOK_STATE_NONE;
	struct nook_record r = { .boot_id = boot_id };
	struct nook_error err = { 0 };

	/* The same process: the library may be used by several threads. */
	assert_int_equal(nook_state_claim(dir, "blue", &s, NULL), 0);
	assert_int_equal(nook_state_write(&s, &r, NULL), 0);
	assert_int_equal(nook_state_claim(dir, "blue", &t, &err), -EEXIST);
	assert_int_equal(t.lock, NO_FD);
	assert_string_equal(err.where, "--name blue");
	assert_non_null(strstr(err.why, "container blue has been running since 20"));
	assert_non_null(strstr(err.hint, "nook rm --force blue"));
	assert_int_equal(nook_state_claim(dir, "green", &t, NULL), 0);
	assert_int_equal(nook_state_drop(&t, NULL), 0);

	/* Let go of without a drop: a leftover, which the next claim clears. */
	nook_state_close(&s);
	assert_int_equal(nook_state_claim(dir, "blue", &s, NULL), 0);
	assert_int_equal(cleared, 1);
	assert_false(nook_have_record(&s));
	assert_int_equal(nook_state_drop(&s, NULL), 0);
	assert_int_equal(nook_state_claim(dir, "blue", &s, NULL), 0);
	assert_int_equal(cleared, 1);
	assert_int_equal(nook_state_drop(&s, NULL), 0);
}

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
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, remove_dir)
	const struct CMUnitTest tests[] = {
		TEST(test_foreign_things), TEST(test_state_dirs_that_are_refused),
		TEST(test_names),          TEST(test_a_name_is_taken_once),
		TEST(test_name_aside),     TEST(test_what_is_aside_is_not_listed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
