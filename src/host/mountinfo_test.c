/* SPDX-License-Identifier: Apache-2.0 */
#include "mountinfo.h"

#include "base/own.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#define ROOT "27 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n"
#define PROC "22 27 0:21 / /proc rw,nosuid,nodev,noexec,relatime shared:5 - proc proc rw\n"

static const struct {
	const char *name, *text, *visible; /* points, each with a newline */
} views[] = {
	{ "empty", "", "" },
	{ "root and proc", ROOT PROC, "/\n/proc\n" },
	{ "children in the order of paths, '/' the lowest letter",
	  ROOT "30 27 0:1 / /a-b rw - ext4 x rw\n31 27 0:1 / /a rw - ext4 x rw\n"
	       "32 31 0:1 / /a/b rw - ext4 x rw\n",
	  "/\n/a\n/a/b\n/a-b\n" },
	{ "twice on one place: the later one lies in the first",
	  ROOT "30 27 0:1 / /a rw - ext4 one rw\n31 30 0:2 / /a rw - ext4 two rw\n", "/\n/a\n" },
	{ "hidden below a later mount",
	  ROOT "30 27 0:1 / /a/b rw - ext4 x rw\n31 27 0:1 / /a rw - ext4 x rw\n", "/\n/a\n" },
	{ "hidden with its parent",
	  ROOT "30 27 0:1 / /a rw - ext4 x rw\n31 30 0:1 / /a/b rw - ext4 x rw\n"
	       "32 30 0:1 / /a rw - ext4 x rw\n",
	  "/\n/a\n" },
	{ "a root over the root",
	  "1 1 0:2 / / rw - rootfs rootfs rw\n"
	  "20 1 8:1 / / rw - ext4 /dev/sda rw\n"
	  "21 1 0:3 / /old rw - ext4 x rw\n"
	  "22 20 0:4 / /new rw - ext4 x rw\n",
	  "/\n/new\n" },
	{ "a chroot that is no mount", "40 33 0:21 / /proc rw - proc proc rw\n", "/proc\n" },
	{ "escapes", ROOT "30 27 0:1 / /a\\040b\\134c\\012 rw - ext4 x rw\n", "/\n/a b\\c\n\n" },
	{ "an empty source", ROOT "30 27 0:1 / /a rw - ext4  rw\n", "/\n/a\n" },
	{ "a loop of parents is reached by no path",
	  ROOT "30 31 0:1 / /a rw - ext4 x rw\n31 30 0:1 / /a/b rw - ext4 x rw\n", "/\n" },
	{ "a child outside of its parent is reached by no path",
	  ROOT "30 27 0:1 / /a rw - ext4 x rw\n31 30 0:1 / /b rw - ext4 x rw\n", "/\n/a\n" },
};

static int parse(struct nook_arena *a, const char *text, struct nook_mounts *ret,
		 struct nook_error *err)
{
	assert_int_equal(nook_arena_init(a), 0);
	return nook_mountinfo_parse(a, nook_strdup(a, text), ret, err);
}

static void test_views(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(views); i++) {
		auto_arena struct nook_arena a = { 0 };
		struct nook_mounts mounts;
		struct nook_error err = { 0 };
		char seen[256] = "";

		print_message("%s\n", views[i].name);
		assert_int_equal(parse(&a, views[i].text, &mounts, &err), 0);
		for (size_t k = 0; k < mounts.n_visible; k++) {
			strcat(seen, mounts.visible[k]->point);
			strcat(seen, "\n");
		}
		assert_string_equal(seen, views[i].visible);
	}
}

static const char *const bad[] = {
	"27 1 254:0 / / rw,relatime ext4 /dev/vda rw\n",
	"27 1 254:0 / - ext4 /dev/vda rw\n",
	"27 1 254 / / rw - ext4 /dev/vda rw\n",
	"27 1 254:0 / / rw - ext4 /dev/vda\n",
	"x 1 254:0 / / rw - ext4 /dev/vda rw\n",
	"4294967295 1 254:0 / / rw - ext4 /dev/vda rw\n",
	"27 4294967296 254:0 / / rw - ext4 /dev/vda rw\n",
	"27 1 254:0 / home rw - ext4 /dev/vda rw\n",
	ROOT ROOT,
	"\n",
};

static void test_bad_lines(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		auto_arena struct nook_arena a = { 0 };
		struct nook_mounts mounts;
		struct nook_error err = { 0 };

		print_message("%s", bad[i]);
		assert_int_equal(parse(&a, bad[i], &mounts, &err), -EINVAL);
		assert_non_null(strstr(err.why, "mountinfo"));
	}
}

static void test_mount_of_a_path(void **state)
{
	auto_arena struct nook_arena a = { 0 };
	struct nook_mounts mounts;
	struct nook_error err = { 0 };

	assert_int_equal(parse(&a, ROOT PROC "30 27 0:1 / /a/b rw - ext4 x rw\n", &mounts, &err),
			 0);
	assert_string_equal(nook_mounts_at(&mounts, "/")->point, "/");
	assert_string_equal(nook_mounts_at(&mounts, "/a")->point, "/");
	assert_string_equal(nook_mounts_at(&mounts, "/a/b")->point, "/a/b");
	assert_string_equal(nook_mounts_at(&mounts, "/a/b/c/d")->point, "/a/b");
	assert_string_equal(nook_mounts_at(&mounts, "/a/bc")->point, "/");
}

/* Quadratic work on this would take minutes. */
static void test_many_mounts_take_little_time(void **state)
{
	auto_arena struct nook_arena a = { 0 };
	struct nook_mounts mounts;
	struct nook_error err = { 0 };
	size_t n = 50000, size = n * 80 + 200;

	assert_int_equal(nook_arena_init(&a), 0);

	char *text = nook_alloc(&a, size);
	char *at = stpcpy(text, ROOT);

	for (size_t i = 0; i < n; i++)
		at += sprintf(at, "%zu %zu 0:1 / /a%s rw,relatime - proc x rw\n", 100 + i,
			      i % 2 ? 99 + i : 27, i % 2 ? "/b" : "");
	assert_int_equal(nook_mountinfo_parse(&a, text, &mounts, &err), 0);
	assert_int_equal(mounts.n, n + 1);
	assert_int_equal(mounts.n_visible, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_views),
		cmocka_unit_test(test_bad_lines),
		cmocka_unit_test(test_mount_of_a_path),
		cmocka_unit_test(test_many_mounts_take_little_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
