/* SPDX-License-Identifier: Apache-2.0 */
/* On this machine: what is found must fit together, whatever it is. */
#include "bundle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cmocka.h>

#define CGROUP2 0x63677270
#define CGROUP1 0x27e0eb

static void test_hierarchies(void **state)
{
	auto_arena struct nook_arena a = { 0 };
	const struct nook_bundle_wants wants = { .cgroups = true, .state_dir = "/run/x" };
	struct nook_error err = { 0 };
	struct nook_host h;
	bool v1 = false, v2 = false;

	assert_int_equal(nook_arena_init(&a), 0);
	if (nook_host_probe_bundle(&a, &wants, &h, &err) < 0)
		fail_msg("%s", err.why);
	assert_string_equal(h.state_dir, "/run/x");
	assert_int_equal(h.pid, getpid());
	assert_int_equal(h.euid, geteuid());
	assert_null(h.newuidmap);

	for (size_t i = 0; i < h.n_hierarchies; i++) {
		const struct nook_hierarchy *one = &h.hierarchies[i];
		struct statfs fs;

		assert_non_null(one->controllers);
		assert_true(!one->v2 || i == 0);
		assert_true(one->v2 || one->controllers[0]);
		if (!one->mount)
			continue;
		assert_int_equal(statfs(one->mount, &fs), 0);
		assert_int_equal(fs.f_type, one->v2 ? CGROUP2 : CGROUP1);
		if (one->own)
			assert_int_equal(one->own[0], '/');
		v1 |= !one->v2;
		v2 |= one->v2;
	}
	assert_int_equal(h.cgroup.layout, v1 && v2 ? NOOK_CGROUP_HYBRID
					  : v2     ? NOOK_CGROUP_UNIFIED
					  : v1     ? NOOK_CGROUP_V1
						   : NOOK_CGROUP_NONE);
	assert_int_equal(h.cgroup.v2.mount != NULL, v2);
}

static void test_nothing_is_looked_at_unasked(void **state)
{
	auto_arena struct nook_arena a = { 0 };
	const struct nook_bundle_wants wants = { .state_dir = "/run/x" };
	struct nook_error err = { 0 };
	struct nook_host h;

	assert_int_equal(nook_arena_init(&a), 0);
	assert_int_equal(nook_host_probe_bundle(&a, &wants, &h, &err), 0);
	assert_int_equal(h.n_hierarchies, 0);
	assert_true(h.last_cap >= 30 && h.major >= 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hierarchies),
		cmocka_unit_test(test_nothing_is_looked_at_unasked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
