/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel.h"

#include "base/own.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static const struct {
	const char *release;
	int result;
	unsigned major, minor;
} releases[] = {
	{ "6.1.0-13-amd64", 0, 6, 1 },
	{ "5.14.0-70.el9.x86_64", 0, 5, 14 },
	{ "6.18.44-fc-v595", 0, 6, 18 },
	{ "6.10", 0, 6, 10 },
	{ "7.0-rc1", 0, 7, 0 },
	{ "5.15.153.1-microsoft-standard-WSL2", 0, 5, 15 },
	{ "6.6+", 0, 6, 6 },
	{ "", -EINVAL, 0, 0 },
	{ "6", -EINVAL, 0, 0 },
	{ "6.", -EINVAL, 0, 0 },
	{ "6.x", -EINVAL, 0, 0 },
	{ ".1", -EINVAL, 0, 0 },
	{ "v6.1", -EINVAL, 0, 0 },
	{ "-6.1", -EINVAL, 0, 0 },
	{ "6.4294967297", -EINVAL, 0, 0 },
	{ "06.1", -EINVAL, 0, 0 },
};

static void test_releases(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(releases); i++) {
		unsigned major = 0, minor = 0;

		print_message("\"%s\"\n", releases[i].release);
		assert_int_equal(nook_kernel_parse(releases[i].release, &major, &minor),
				 releases[i].result);
		assert_int_equal(major, releases[i].major);
		assert_int_equal(minor, releases[i].minor);
	}
}

static const struct {
	unsigned major, minor;
	enum nook_feature feature;
	bool there;
} cases[] = {
	{ 5, 14, NOOK_FEATURE_CGROUP_KILL, true },
	{ 5, 13, NOOK_FEATURE_CGROUP_KILL, false },
	{ 5, 14, NOOK_FEATURE_OVERLAY_IDMAP, false },
	{ 5, 19, NOOK_FEATURE_OVERLAY_IDMAP, true },
	{ 6, 0, NOOK_FEATURE_OVERLAY_IDMAP, true },
	{ 6, 2, NOOK_FEATURE_TMPFS_IDMAP, false },
	{ 6, 3, NOOK_FEATURE_TMPFS_IDMAP, true },
	{ 6, 1, NOOK_FEATURE_CLONE3_TIME, false },
	{ 6, 3, NOOK_FEATURE_CLONE3_TIME, true },
	{ 6, 4, NOOK_FEATURE_OVERLAY_LOWERDIR_ADD, false },
	{ 6, 10, NOOK_FEATURE_OVERLAY_LOWERDIR_ADD, true },
	{ 6, 10, NOOK_FEATURE_PIDFD_GET_NS, false },
	{ 6, 12, NOOK_FEATURE_DETACHED_CLONE, false },
	{ 6, 18, NOOK_FEATURE_DETACHED_CLONE, true },
	{ 7, 0, NOOK_FEATURE_DETACHED_CLONE, true },
};

static void test_features(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		bool feature[NOOK_FEATURE_COUNT];

		nook_kernel_features(cases[i].major, cases[i].minor, feature);
		print_message("%u.%u %s\n", cases[i].major, cases[i].minor,
			      nook_feature_name(cases[i].feature));
		assert_int_equal(feature[cases[i].feature], cases[i].there);
	}
}

/* The order of the enum is that of the versions, and each has a name. */
static void test_table_is_whole(void **state)
{
	unsigned last = 0;

	for (enum nook_feature f = 0; f < NOOK_FEATURE_COUNT; f++) {
		unsigned major = 0, minor = 0;

		nook_feature_version(f, &major, &minor);
		assert_non_null(nook_feature_name(f));
		assert_true(major >= 5 && major * 1000 + minor >= last);
		last = major * 1000 + minor;
	}
}

static void test_probe(void **state)
{
	auto_arena struct nook_arena a = { 0 };
	struct nook_host host = { 0 };
	struct nook_error err = { 0 };

	assert_int_equal(nook_arena_init(&a), 0);
	assert_int_equal(nook_kernel_probe(&a, &host, &err), 0);
	assert_true(host.major >= 5);
	assert_true(host.feature[NOOK_FEATURE_IDMAP_MOUNT]);
	assert_non_null(host.hostname);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_releases),
		cmocka_unit_test(test_features),
		cmocka_unit_test(test_table_is_whole),
		cmocka_unit_test(test_probe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
