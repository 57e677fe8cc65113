/* SPDX-License-Identifier: Apache-2.0 */
/* Spec and host in, members of the plan or the refusal out. Whole plans: tests/plans. */
#include "parts.h"

#include "base/own.h"

#include <linux/capability.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define BIT(cap) (1ULL << (cap))
#define ALL      (BIT(41) - 1)

static const struct nook_id_range range = { 100000, 65536 };
static const char *const no_env[] = { NULL };

static struct nook_host root_host(void)
{
	return (struct nook_host){
		.caps = ALL,
		.bounding = ALL,
		.initial_userns = true,
		.env = no_env,
		.release = "6.18.0",
		.last_cap = 40,
		.free_range = 65536 * 20,
		.root_idmap = true,
		.feature = { [NOOK_FEATURE_OVERLAY_IDMAP] = true,
			     [NOOK_FEATURE_CLONE3_TIME] = true },
	};
}

static struct nook_host user_host(void)
{
	struct nook_host h = root_host();

	h.euid = h.egid = 1000;
	h.caps = 0;
	h.free_range = 0;
	h.subuid = h.subgid = (struct nook_id_range *)(uintptr_t)&range;
	h.n_subuid = h.n_subgid = 1;
	h.newuidmap = "/usr/bin/newuidmap";
	h.newgidmap = "/usr/bin/newgidmap";
	return h;
}

static struct nook_arena arena;
static struct nook_error err;
static struct nook_plan plan;

static int build(struct nook_spec *spec, const struct nook_host *host)
{
	static const char *argv[] = { "true", NULL };

	if (!spec->argv)
		spec->argv = argv;
	spec->name = "x";
	spec->seccomp = NOOK_SECCOMP_OFF;
	err = (struct nook_error){ 0 };
	return nook_plan_build(&arena, spec, host, &plan, &err);
}

/* ---- id maps ---- */

/* Who writes which map. */
static void test_userns(void **state)
{
	struct nook_idmap own = { 0, 1000, 1 }, other = { 0, 5000, 10 };
	struct nook_host root = root_host(), user = user_host(), poor = user_host();
	struct nook_spec spec = { 0 };

	poor.n_subuid = 0;
	assert_int_equal(build(&spec, &root), 0);
	assert_int_equal(plan.userns.writer, NOOK_IDMAP_DIRECT);
	assert_string_equal(plan.userns.uid_map, "0 1310720 65536\n");
	assert_int_equal(plan.userns.range, 1310720);

	assert_int_equal(build(&spec, &user), 0);
	assert_int_equal(plan.userns.writer, NOOK_IDMAP_HELPER);
	assert_string_equal(plan.userns.uid_map, "0 1000 1\n1 100000 65535\n");
	assert_int_equal(plan.userns.range, 0);
	assert_false(plan.userns.deny_setgroups);

	assert_int_equal(build(&spec, &poor), 0);
	assert_int_equal(plan.userns.writer, NOOK_IDMAP_DIRECT);
	assert_string_equal(plan.userns.gid_map, "0 1000 1\n");
	assert_true(plan.userns.deny_setgroups && plan.process.keep_groups);

	root.free_range = 0;
	assert_int_equal(build(&spec, &root), -EUSERS);
	assert_string_equal(err.id, "range-exhausted");

	spec.uid_map = &own;
	spec.n_uid_map = 1;
	assert_int_equal(build(&spec, &poor), 0);
	assert_true(plan.userns.deny_setgroups);

	spec.uid_map = &other;
	spec.uid_map_from = "--uid-map 0:5000:10";
	assert_int_equal(build(&spec, &user), 0);
	assert_int_equal(plan.userns.writer, NOOK_IDMAP_HELPER);
	user.newgidmap = NULL;
	assert_int_equal(build(&spec, &user), -ENOENT);
	assert_string_equal(err.id, "setuid-helper-missing");
	assert_string_equal(err.where, "--uid-map 0:5000:10");
}

/* ---- namespaces ---- */

static void test_namespaces(void **state)
{
	static const uint64_t all = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWIPC |
				    CLONE_NEWUTS | CLONE_NEWNET | CLONE_NEWPID | 0x80;
	struct nook_host root = root_host(), user = user_host();
	struct nook_spec spec = { 0 };

	assert_int_equal(build(&spec, &root), 0);
	assert_int_equal(plan.clone_flags, all);
	assert_string_equal(plan.hostname, "x");
	assert_true(plan.loopback_up && plan.process.init && plan.n_joins == 0);

	spec.ns[NOOK_NS_UTS].mode = NOOK_NS_SHARE;
	spec.ns[NOOK_NS_PID].mode = NOOK_NS_SHARE;
	spec.net = NOOK_NET_HOST;
	assert_int_equal(build(&spec, &root), 0);
	assert_int_equal(plan.clone_flags,
			 all & ~(uint64_t)(CLONE_NEWUTS | CLONE_NEWPID | CLONE_NEWNET));
	assert_null(plan.hostname);
	assert_false(plan.loopback_up || plan.process.init);

	spec = (struct nook_spec){ .monotonic = { true, -3, "--monotonic" } };
	assert_int_equal(build(&spec, &root), 0);
	assert_string_equal(plan.time_offsets, "monotonic -3 0\n");
	assert_true(plan.late_time && !(plan.clone_flags & 0x80));

	/* Linux before 6.3, whose clone3(2) makes no time namespace. */
	root.feature[NOOK_FEATURE_CLONE3_TIME] = false;
	spec = (struct nook_spec){ 0 };
	assert_int_equal(build(&spec, &root), 0);
	assert_true(plan.late_time && plan.clone_flags == (all & ~(uint64_t)0x80));
	assert_null(plan.time_offsets);
	spec.ns[NOOK_NS_TIME].mode = NOOK_NS_SHARE;
	assert_int_equal(build(&spec, &root), 0);
	assert_false(plan.late_time || plan.clone_flags & 0x80);
	root.feature[NOOK_FEATURE_CLONE3_TIME] = true;

	/* Root joins a user namespace last, an ordinary user first. */
	spec = (struct nook_spec){ 0 };
	spec.ns[NOOK_NS_USER] = (struct nook_ns_spec){ NOOK_NS_JOIN, "77", "--join user=77" };
	spec.ns[NOOK_NS_NET] = (struct nook_ns_spec){ NOOK_NS_JOIN, "/n", "--join net=/n" };
	assert_int_equal(build(&spec, &root), 0);
	assert_int_equal(plan.n_joins, 2);
	assert_int_equal(plan.joins[0].kind, NOOK_NS_NET);
	assert_string_equal(plan.joins[0].path, "/n");
	assert_int_equal(plan.joins[1].pid, 77);
	assert_int_equal(build(&spec, &user), 0);
	assert_int_equal(plan.joins[0].kind, NOOK_NS_USER);

	spec.ns[NOOK_NS_NET].target = "0";
	assert_int_equal(build(&spec, &root), -ENOENT);
	assert_string_equal(err.where, "--join net=/n");

	spec = (struct nook_spec){ 0 };
	spec.ns[NOOK_NS_USER] = (struct nook_ns_spec){ NOOK_NS_SHARE, NULL, "--share user" };
	assert_int_equal(build(&spec, &user), -EPERM);
	assert_string_equal(err.id, "missing-capability");
}

/* ---- capabilities ---- */

static const struct {
	struct nook_cap_spec words[3];
	size_t n;
	uint32_t uid;
	uint64_t bounding; /* 0: the default */
	uint64_t permitted, ambient;
} caps[] = {
	{ { { "all", false, "" } }, 1, 0, ~0ULL, 0, 0 },
	{ { { "all", true, "" } }, 1, 0, ALL, ALL, 0 },
	{ { { "all", false, "" }, { "CAP_KILL", true, "" } },
	  2,
	  0,
	  BIT(CAP_KILL),
	  BIT(CAP_KILL),
	  0 },
	{ { { "kill", true, "" }, { "all", false, "" } }, 2, 0, ~0ULL, 0, 0 },
	/* Another user has only what was asked for, and keeps it over execve. */
	{ { { "all", false, "" }, { "kill", true, "" } },
	  2,
	  7,
	  BIT(CAP_KILL),
	  BIT(CAP_KILL),
	  BIT(CAP_KILL) },
	{ { { "all", true, "" }, { "all", false, "" }, { "chown", true, "" } },
	  3,
	  7,
	  BIT(CAP_CHOWN),
	  BIT(CAP_CHOWN),
	  BIT(CAP_CHOWN) },
};

static void test_caps(void **state)
{
	struct nook_cap_spec wrong[] = { { "make_tea", true, "--cap-add make_tea" },
					 { "12", true, "--cap-add 12" } };
	struct nook_host host = root_host();

	for (size_t i = 0; i < ARRAY_SIZE(caps); i++) {
		struct nook_spec spec = { .caps = (struct nook_cap_spec *)(uintptr_t)caps[i].words,
					  .n_caps = caps[i].n };

		host.account.uid = caps[i].uid;
		assert_int_equal(build(&spec, &host), 0);
		assert_int_equal(plan.process.caps.bounding,
				 caps[i].bounding == ~0ULL ? 0 : caps[i].bounding);
		assert_int_equal(plan.process.caps.permitted, caps[i].permitted);
		assert_int_equal(plan.process.caps.effective, caps[i].permitted);
		assert_int_equal(plan.process.caps.ambient, caps[i].ambient);
		assert_int_equal(plan.process.caps.inheritable, caps[i].ambient);
	}
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		struct nook_spec spec = { .caps = &wrong[i], .n_caps = 1 };

		assert_int_equal(build(&spec, &host), -EINVAL);
		assert_string_equal(err.where, wrong[i].from);
	}

	/* Without a user namespace no more than nook itself has. */
	struct nook_spec spec = { 0 };

	spec.ns[NOOK_NS_USER].mode = NOOK_NS_SHARE;
	host.account.uid = 0;
	host.caps = BIT(CAP_SYS_ADMIN) | BIT(CAP_KILL) | BIT(CAP_SETGID);
	assert_int_equal(build(&spec, &host), 0);
	assert_int_equal(plan.process.caps.permitted, BIT(CAP_KILL) | BIT(CAP_SETGID));
}

/* ---- root and mounts ---- */

static const struct {
	const char *target;
	int rc;
} targets[] = {
	{ "/srv", 0 },           { "/", -EINVAL },       { "//", -EINVAL },
	{ "/proc", -EINVAL },    { "/proc/x", -EINVAL }, { "/process", 0 },
	{ "/dev/pts", -EINVAL }, { "/dev/ptsx", 0 },     { "/dev/shm", 0 },
};

static void test_targets(void **state)
{
	struct nook_host host = root_host();

	for (size_t i = 0; i < ARRAY_SIZE(targets); i++) {
		struct nook_mount_spec m = { .kind = NOOK_MOUNT_VOLUME,
					     .source = "/s",
					     .target = targets[i].target,
					     .from = "--volume" };
		struct nook_spec spec = { .mounts = &m, .n_mounts = 1 };

		assert_int_equal(build(&spec, &host), targets[i].rc);
		if (targets[i].rc < 0)
			assert_string_equal(err.where, "--volume");
	}
}

static void test_roots(void **state)
{
	struct nook_path_spec layers[501];
	struct nook_host root = root_host(), user = user_host();
	struct nook_spec spec = { .root = { .kind = NOOK_ROOT_LAYERS, .layers = layers } };

	for (size_t i = 0; i < ARRAY_SIZE(layers); i++)
		layers[i] = (struct nook_path_spec){ "/l", "--layer /l" };
	spec.root.n_layers = 500;
	assert_int_equal(build(&spec, &root), 0);
	assert_int_equal(plan.overlays[0].n_lowers, 500);
	assert_true(plan.sources_outside && plan.sources[0].idmap);
	assert_int_equal(build(&spec, &user), 0);
	assert_false(plan.sources_outside || plan.sources[0].idmap);

	spec.root.n_layers = 501;
	assert_int_equal(build(&spec, &root), -E2BIG);

	spec.root.n_layers = 1;
	root.feature[NOOK_FEATURE_OVERLAY_IDMAP] = false;
	assert_int_equal(build(&spec, &root), -ENOSYS);
	assert_string_equal(err.id, "kernel-too-old");

	spec.root = (struct nook_root_spec){ .kind = NOOK_ROOT_HOST };
	assert_int_equal(build(&spec, &root), 0);
	assert_false(plan.sources[plan.overlays[0].lowers[0]].idmap);
	spec.root.changes.path = "/c"; /* what is kept has owners */
	assert_int_equal(build(&spec, &root), -ENOSYS);

	spec.root = (struct nook_root_spec){ .kind = NOOK_ROOT_DIR, .dir = { "/r", "--root /r" } };
	assert_int_equal(build(&spec, &root), 0);
	assert_int_equal(plan.root_how, NOOK_PLAN_ROOT_BIND);
	assert_true(plan.sources[plan.root_source].recursive);
}

/* ---- the program ---- */

static void test_process(void **state)
{
	static const char *env[] = { "TERM=vt100", "SECRET=1", "LC_TIME=C", NULL };
	static const char *asked[] = { "HOME=/h", "SECRET", "NONE", "A=", "A=2" };
	struct nook_host host = root_host();
	struct nook_spec spec = { .env = asked, .n_env = 5, .clear_env = true };
	struct nook_rlimit_spec limit = { "nofile", 5, 4, "--rlimit nofile=5:4" };

	host.env = env;
	assert_int_equal(build(&spec, &host), 0);
	assert_string_equal(plan.process.env[0], "HOME=/h");
	assert_string_equal(plan.process.env[1], "SECRET=1");
	assert_string_equal(plan.process.env[2], "A=2");
	assert_null(plan.process.env[3]);

	/* By default nothing of the caller's but its terminal and language. */
	spec.clear_env = false;
	spec.n_env = 0;
	assert_int_equal(build(&spec, &host), 0);
	for (const char *const *e = plan.process.env; *e; e++)
		assert_null(strstr(*e, "SECRET"));
	assert_true(plan.process.no_new_privs);

	spec.rlimits = &limit;
	spec.n_rlimits = 1;
	assert_int_equal(build(&spec, &host), -EINVAL);
	assert_string_equal(err.where, "--rlimit nofile=5:4");
	limit = (struct nook_rlimit_spec){ "nofiles", 1, 1, "--rlimit nofiles=1" };
	assert_int_equal(build(&spec, &host), -EINVAL);
}

static int set_up(void **state)
{
	return nook_arena_init(&arena);
}

static int tear_down(void **state)
{
	nook_arena_free(&arena);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_userns), cmocka_unit_test(test_namespaces),
		cmocka_unit_test(test_caps),   cmocka_unit_test(test_targets),
		cmocka_unit_test(test_roots),  cmocka_unit_test(test_process),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
