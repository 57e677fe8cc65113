/* SPDX-License-Identifier: Apache-2.0 */
/* What a bundle asks of cgroups, on hosts of every layout: directories and writes out. */
#include "bundle_limits.h"
#include "bundle_parts.h"

#include "base/arena_fixture.h"
#include "base/own.h"
#include "bundle_systemd.h"

#include <linux/capability.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* ---- hosts ---- */

#define V2(own_, place_, may_, bpf_, controllers_)                                                 \
	{                                                                                          \
		.v2 = true, .mount = "/c", .own = own_, .place = place_, .delegated = may_,        \
		.device_bpf = bpf_, .controllers = controllers_,                                   \
	}
#define V1(mount_, own_, may_, controllers_)                                                       \
	{                                                                                          \
		.mount = mount_, .own = own_, .place = own_, .delegated = may_,                    \
		.controllers = controllers_,                                                       \
	}

static struct nook_hierarchy unified[] = { V2("/user/a", "/user", true, true,
					      "cpuset cpu io memory hugetlb pids rdma") };
static struct nook_hierarchy undelegated[] = { V2("/user/a", "/user", false, false,
						  "cpu io memory pids") };
static struct nook_hierarchy hybrid[] = {
	V2("/", "/", true, true, "hugetlb"), V1("/m", "/api", true, "memory"),
	V1("/p", "/", true, "pids"),         V1("/s", "/", true, "cpuset"),
	V1("/x", "/", true, "cpu,cpuacct"),  V1("/d", "/", true, "devices"),
	V1("/n", "/", true, "name=systemd"), V1(NULL, NULL, false, "net_cls"),
};

static const struct {
	enum nook_cgroup_layout layout;
	struct nook_hierarchy *list;
	size_t n;
	bool root;
} hosts[] = {
#define UNIFIED 0
	{ NOOK_CGROUP_UNIFIED, unified, 1, true },
#define USER 1
	{ NOOK_CGROUP_UNIFIED, undelegated, 1, false },
#define HYBRID 2
	{ NOOK_CGROUP_HYBRID, hybrid, ARRAY_SIZE(hybrid), true },
#define ONLY_V1 3
	{ NOOK_CGROUP_V1, hybrid + 1, ARRAY_SIZE(hybrid) - 1, true },
#define NONE 4
	{ NOOK_CGROUP_NONE, NULL, 0, true },
};

static struct nook_host make_host(int which)
{
	bool root = hosts[which].root;

	return (struct nook_host){
		.caps = root ? ~0ULL : 0,
		.initial_userns = root,
		.euid = root ? 0 : 1000,
		.cgroup.layout = hosts[which].layout,
		.hierarchies = hosts[which].list,
		.n_hierarchies = hosts[which].n,
	};
}

static struct nook_plan plan;
static struct nook_error err;

static int build(int which, const char *path, const struct nook_bundle_resources *r, bool systemd)
{
	struct nook_host host = make_host(which);
	struct nook_bundle b = { .cgroups_path = path };
	const struct nook_bundle_options o = { .id = "id", .systemd_cgroup = systemd };
	struct nook_bundle_planner p = { &arena, &b, &o, &host, &plan, &err, 0 };

	if (r)
		b.resources = *r;
	plan = (struct nook_plan){ 0 };
	err = (struct nook_error){ 0 };
	return nook_plan_bundle_cgroup(&p);
}

/* "/c/a/b;/m/a/b;" */
static const char *dirs(void)
{
	const char *text = "";

	for (size_t i = 0; i < plan.cgroup.n_dirs; i++)
		text = nook_printf(&arena, "%s%s%s;", text, plan.cgroup.dirs[i].mount,
				   plan.cgroup.dirs[i].path);
	return text;
}

/* "/m memory.limit_in_bytes=1;", without rules for devices */
static const char *writes(void)
{
	const char *text = "";

	for (size_t i = 0; i < plan.cgroup.n_writes; i++) {
		const struct nook_plan_cgroup_write *w = &plan.cgroup.writes[i];

		if (strncmp(w->file, "devices.", 8) != 0)
			text = nook_printf(&arena, "%s%s %s=%s;", text,
					   plan.cgroup.dirs[w->dir].mount, w->file, w->value);
	}
	return text;
}

static void test_paths(void **state)
{
	static const struct nook_bundle_resources pids = { .pids = { true, 5, "/pids" } };
	static const struct {
		const char *what;
		int host;
		const char *path;
		const struct nook_bundle_resources *r;
		const char *dirs;
	} cases[] = {
		{ "absolute", UNIFIED, "/a/b", NULL, "/c/a/b;" },
		{ "absolute, not clean", UNIFIED, "/a/./../../b//c/", NULL, "/c/b/c;" },
		{ "relative: beside our own", UNIFIED, "a/b", NULL, "/c/user/a/b;" },
		{ "relative, upwards", UNIFIED, "../../a", NULL, "/c/user/a;" },
		{ "not said", UNIFIED, NULL, NULL, "/c/user/id;" },
		{ "said as nothing", UNIFIED, "", NULL, "/c/user/id;" },
		{ "not said, nor delegated", USER, NULL, NULL, "" },
		{ "said to a user", USER, "/a", NULL, "/c/a;" },
		{ "in all that are mounted", HYBRID, "/a", NULL,
		  "/c/a;/m/a;/p/a;/s/a;/x/a;/d/a;/n/a;" },
		{ "relative, v1: below our own", HYBRID, "a", NULL,
		  "/c/a;/m/api/a;/p/a;/s/a;/x/a;/d/a;/n/a;" },
		{ "not said: v2 is enough", HYBRID, NULL, NULL, "/c/id;" },
		{ "not said, a limit of v1", HYBRID, NULL, &pids, "/c/id;/p/id;" },
		{ "only v1", ONLY_V1, "/a", NULL, "/m/a;/p/a;/s/a;/x/a;/d/a;/n/a;" },
		{ "only v1, not said", ONLY_V1, NULL, NULL,
		  "/m/api/id;/p/id;/s/id;/x/id;/d/id;/n/id;" },
		{ "none at all", NONE, NULL, NULL, "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		if (build(cases[i].host, cases[i].path, cases[i].r, false) < 0)
			fail_msg("%s: %s", cases[i].what, err.why);
		if (strcmp(dirs(), cases[i].dirs) != 0)
			fail_msg("%s: %s", cases[i].what, dirs());
	}
}

static void test_refused_paths(void **state)
{
	(void)state;
	assert_int_equal(build(UNIFIED, "/", NULL, false), -EINVAL);
	assert_string_equal(err.where, "/linux/cgroupsPath");
	assert_int_equal(build(UNIFIED, "/a/..", NULL, false), -EINVAL);
	assert_int_equal(build(NONE, "/a", NULL, false), -EOPNOTSUPP);
}

static void test_controllers(void **state)
{
	(void)state;
	assert_int_equal(build(UNIFIED, "/a", NULL, false), 0);
	assert_string_equal(plan.cgroup.dirs[0].controllers, "cpuset cpu io memory pids");
	assert_int_equal(build(HYBRID, "/a", NULL, false), 0);
	assert_null(plan.cgroup.dirs[0].controllers); /* v2 has none of them here */
	assert_true(plan.cgroup.dirs[3].cpuset);
	assert_false(plan.cgroup.dirs[1].cpuset);
}

#define I64(n)                                                                                     \
	{                                                                                          \
		true, n, "/p"                                                                      \
	}
#define U64(n)                                                                                     \
	{                                                                                          \
		true, n, "/p"                                                                      \
	}

static struct nook_bundle_blkio_device throttled[] = { { .major = 8, .rate = 1000 },
						       { .major = 9, .minor = 1 } };
static struct nook_bundle_blkio_device weighed[] = { { .major = 8, .weight = U64(20) } };
static struct nook_bundle_pair pages[] = { { .name = "2MB", .number = 9 } };
static struct nook_bundle_pair files[] = { { .name = "memory.high", .text = "1\n2\n" } };
static struct nook_bundle_rdma rdma[] = { { .name = "mlx", .handles = U64(2) } };

static void test_limits(void **state)
{
	static const struct {
		const char *what;
		struct nook_bundle_resources r;
		int host;
		const char *writes;
	} cases[] = {
		{ "memory, v2", { .memory.limit = I64(100) }, UNIFIED, "/c memory.max=100;" },
		{ "memory, v1",
		  { .memory.limit = I64(100) },
		  HYBRID,
		  "/m memory.limit_in_bytes=100;" },
		{ "memory and swap, v2",
		  { .memory = { .limit = I64(100), .swap = I64(150) } },
		  UNIFIED,
		  "/c memory.swap.max=50;/c memory.max=100;" },
		{ "memory and swap, v1",
		  { .memory = { .limit = I64(100), .swap = I64(150) } },
		  HYBRID,
		  "/m memory.limit_in_bytes=100;/m memory.memsw.limit_in_bytes=150;" },
		{ "no swap",
		  { .memory = { .limit = I64(100), .swap = I64(100) } },
		  UNIFIED,
		  "/c memory.swap.max=0;/c memory.max=100;" },
		{ "unlimited is without limit of swap too",
		  { .memory.limit = I64(-1) },
		  UNIFIED,
		  "/c memory.swap.max=max;/c memory.max=max;" },
		{ "unlimited, v1",
		  { .memory.limit = I64(-1) },
		  HYBRID,
		  "/m memory.limit_in_bytes=-1;/m memory.memsw.limit_in_bytes=-1;" },
		{ "what engines write for nothing",
		  { .memory = { .limit = I64(0),
				.swap = I64(0),
				.reservation = I64(0),
				.kernel = I64(0),
				.kernel_tcp = I64(0),
				.disable_oom_killer = NOOK_NO },
		    .cpu = { .shares = U64(0), .quota = I64(0), .period = U64(0), .cpus = "" },
		    .blkio.weight = U64(0) },
		  UNIFIED,
		  "" },
		{ "of v1 only",
		  { .memory = { .swappiness = U64(0),
				.kernel_tcp = I64(5),
				.disable_oom_killer = NOOK_YES } },
		  HYBRID,
		  "/m memory.kmem.tcp.limit_in_bytes=5;/m memory.swappiness=0;"
		  "/m memory.oom_control=1;" },
		{ "shares, least", { .cpu.shares = U64(2) }, UNIFIED, "/c cpu.weight=1;" },
		{ "shares, normal", { .cpu.shares = U64(1024) }, UNIFIED, "/c cpu.weight=39;" },
		{ "shares, most", { .cpu.shares = U64(262144) }, UNIFIED, "/c cpu.weight=10000;" },
		{ "shares, v1", { .cpu.shares = U64(1024) }, HYBRID, "/x cpu.shares=1024;" },
		{ "quota and period",
		  { .cpu = { .quota = I64(5000), .period = U64(10000) } },
		  UNIFIED,
		  "/c cpu.max=5000 10000;" },
		{ "quota and period, v1",
		  { .cpu = { .quota = I64(5000), .period = U64(10000) } },
		  HYBRID,
		  "/x cpu.cfs_period_us=10000;/x cpu.cfs_quota_us=5000;" },
		{ "no quota", { .cpu.quota = I64(-1) }, UNIFIED, "/c cpu.max=max;" },
		{ "burst and idle",
		  { .cpu = { .burst = U64(9), .idle = I64(1) } },
		  UNIFIED,
		  "/c cpu.idle=1;/c cpu.max.burst=9;" },
		{ "real time",
		  { .cpu = { .realtime_period = U64(9), .realtime_runtime = I64(8) } },
		  HYBRID,
		  "/x cpu.rt_period_us=9;/x cpu.rt_runtime_us=8;" },
		{ "cpus",
		  { .cpu = { .cpus = "0-1,3", .mems = "0" } },
		  HYBRID,
		  "/s cpuset.cpus=0-1,3;/s cpuset.mems=0;" },
		{ "pids", { .pids = I64(5) }, UNIFIED, "/c pids.max=5;" },
		{ "any number of pids", { .pids = I64(-1) }, UNIFIED, "/c pids.max=max;" },
		{ "which nothing needs to hold", { .pids = I64(-1) }, NONE, "" },
		{ "weight", { .blkio.weight = U64(1000) }, UNIFIED, "/c io.bfq.weight=1000;" },
		{ "by device",
		  { .blkio = { .weights = weighed,
			       .n_weights = 1,
			       .throttle[NOOK_WRITE_BPS] = throttled,
			       .n_throttle[NOOK_WRITE_BPS] = 2 } },
		  UNIFIED,
		  "/c io.bfq.weight=8:0 20;/c io.max=8:0 wbps=1000;/c io.max=9:1 wbps=max;" },
		{ "huge pages, v2 in a hybrid layout",
		  { .hugepages = pages, .n_hugepages = 1 },
		  HYBRID,
		  "/c hugetlb.2MB.max=9;/c hugetlb.2MB.rsvd.max=9;" },
		{ "rdma",
		  { .rdma = rdma, .n_rdma = 1 },
		  UNIFIED,
		  "/c rdma.max=mlx hca_handle=2 hca_object=max;" },
		{ "by name, each line",
		  { .unified = files, .n_unified = 1 },
		  UNIFIED,
		  "/c memory.high=1;/c memory.high=2;" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		if (build(cases[i].host, NULL, &cases[i].r, false) < 0)
			fail_msg("%s: %s", cases[i].what, err.why);
		if (strcmp(writes(), cases[i].writes) != 0)
			fail_msg("%s: %s", cases[i].what, writes());
	}
}

/* io.weight, where the kernel has no bfq. */
static void test_weight_instead(void **state)
{
	static const struct nook_bundle_resources r = { .blkio.weight = U64(100) };

	(void)state;
	assert_int_equal(build(UNIFIED, "/a", &r, false), 0);
	assert_string_equal(plan.cgroup.writes[0].or_file, "io.weight");
	assert_string_equal(plan.cgroup.writes[0].or_value, "default 910");
}

static struct nook_bundle_pair odd_pages[] = { { .name = "../2MB", .from = "/p" } };
static struct nook_bundle_pair procs[] = { { .name = "cgroup.procs", .text = "1", .from = "/p" } };
static struct nook_bundle_pair slash[] = { { .name = "a/memory.max", .text = "1", .from = "/p" } };
static struct nook_bundle_pair up[] = { { .name = "..memory", .text = "1", .from = "/p" } };
static struct nook_bundle_pair unknown[] = { { .name = "nope.max", .text = "1", .from = "/p" } };

static void test_refused_limits(void **state)
{
	static const struct {
		const char *what;
		struct nook_bundle_resources r;
		int host, result;
	} cases[] = {
		{ "swap below memory",
		  { .memory = { .limit = I64(9), .swap = I64(8) } },
		  UNIFIED,
		  -EINVAL },
		{ "swap alone, v2", { .memory.swap = I64(8) }, UNIFIED, -EINVAL },
		{ "swappiness", { .memory.swappiness = U64(101) }, HYBRID, -EINVAL },
		{ "swappiness on v2", { .memory.swappiness = U64(1) }, UNIFIED, -EOPNOTSUPP },
		{ "shares", { .cpu.shares = U64(1) }, UNIFIED, -EINVAL },
		{ "shares", { .cpu.shares = U64(262145) }, UNIFIED, -EINVAL },
		{ "quota", { .cpu.quota = I64(999) }, UNIFIED, -EINVAL },
		{ "period", { .cpu.period = U64(1000001) }, UNIFIED, -EINVAL },
		{ "real time on v2", { .cpu.realtime_runtime = I64(1) }, UNIFIED, -EOPNOTSUPP },
		{ "no list", { .cpu = { .cpus = "all", .cpus_from = "/p" } }, UNIFIED, -EINVAL },
		{ "pids", { .pids = I64(4194305) }, UNIFIED, -EINVAL },
		{ "no pids here", { .pids = I64(4) }, NONE, -EOPNOTSUPP },
		{ "none delegated", { .pids = I64(4) }, USER, -EACCES },
		{ "weight", { .blkio.weight = U64(9) }, UNIFIED, -EINVAL },
		{ "leaf weight", { .blkio.leaf_weight = U64(10) }, UNIFIED, -EOPNOTSUPP },
		{ "page size", { .hugepages = odd_pages, .n_hugepages = 1 }, UNIFIED, -EINVAL },
		{ "class id on v2", { .class_id = U64(1) }, UNIFIED, -EOPNOTSUPP },
		{ "by name: moves processes",
		  { .unified = procs, .n_unified = 1 },
		  UNIFIED,
		  -EINVAL },
		{ "by name: a path", { .unified = slash, .n_unified = 1 }, UNIFIED, -EINVAL },
		{ "by name: up", { .unified = up, .n_unified = 1 }, UNIFIED, -EINVAL },
		{ "by name: no controller",
		  { .unified = unknown, .n_unified = 1 },
		  UNIFIED,
		  -EOPNOTSUPP },
		{ "by name on v1", { .unified = files, .n_unified = 1 }, ONLY_V1, -EOPNOTSUPP },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int r = build(cases[i].host, NULL, &cases[i].r, false);

		if (r != cases[i].result)
			fail_msg("%s: %d, %s", cases[i].what, r, err.why);
		if (cases[i].r.unified != files)
			assert_string_equal(err.where, "/p");
	}
}

static void test_devices(void **state)
{
	(void)state;
	assert_int_equal(build(UNIFIED, NULL, NULL, false), 0);
	assert_non_null(plan.cgroup.device_program);
	assert_int_equal(build(HYBRID, "/a", NULL, false), 0);
	assert_non_null(plan.cgroup.device_program);
	assert_int_equal(plan.cgroup.n_writes, 0);
	assert_int_equal(build(ONLY_V1, "/a", NULL, false), 0);
	assert_null(plan.cgroup.device_program);
	assert_true(plan.cgroup.n_writes > 1);
	/* A user can't have any, and goes on without. */
	assert_int_equal(build(USER, "/a", NULL, false), 0);
	assert_null(plan.cgroup.device_program);
}

/* ---- systemd ---- */

static void test_slices(void **state)
{
	static const struct {
		const char *slice, *path;
	} cases[] = {
		{ "system.slice", "/system.slice" },
		{ "a-b-c.slice", "/a.slice/a-b.slice/a-b-c.slice" },
		{ "-.slice", "" },
		{ "-a.slice", NULL },
		{ "a-.slice", NULL },
		{ "a--b.slice", NULL },
		{ "a/b.slice", NULL },
		{ ".slice", NULL },
		{ "system", NULL },
		{ "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *got = nook_slice_path(&arena, cases[i].slice);

		if (!got != !cases[i].path || (got && strcmp(got, cases[i].path) != 0))
			fail_msg("%s: %s", cases[i].slice, got ? got : "NULL");
	}
}

static void test_units(void **state)
{
	(void)state;
	assert_int_equal(build(UNIFIED, "machine-x.slice:libpod:77", NULL, true), 0);
	assert_string_equal(plan.cgroup.unit, "libpod-77.scope");
	assert_string_equal(plan.cgroup.slice, "machine-x.slice");
	assert_string_equal(dirs(), "/c/machine.slice/machine-x.slice/libpod-77.scope;");
	assert_int_equal(build(UNIFIED, ":p:77", NULL, true), 0);
	assert_string_equal(plan.cgroup.slice, "system.slice");
	assert_int_equal(build(UNIFIED, "s.slice::77", NULL, true), 0);
	assert_string_equal(plan.cgroup.unit, "77.scope");
	assert_int_equal(build(USER, NULL, NULL, true), 0);
	assert_string_equal(plan.cgroup.slice, "user.slice");
	assert_string_equal(plan.cgroup.unit, "nook-id.scope");

	assert_int_equal(build(UNIFIED, "/a/b", NULL, true), -EINVAL);
	assert_int_equal(build(UNIFIED, "a:b", NULL, true), -EINVAL);
	assert_int_equal(build(UNIFIED, "a.slice:b:c:d", NULL, true), -EINVAL);
	assert_int_equal(build(UNIFIED, "a:b:c", NULL, true), -EINVAL);
	assert_int_equal(build(UNIFIED, "a.slice:b:", NULL, true), -EINVAL);
	assert_int_equal(build(UNIFIED, "a.slice:b:c/d", NULL, true), -EINVAL);
	assert_int_equal(build(UNIFIED, "a.slice:b:c.slice", NULL, true), -EINVAL);
}

static const struct nook_plan_property *property(const char *name)
{
	for (size_t i = 0; i < plan.cgroup.n_properties; i++)
		if (!strcmp(plan.cgroup.properties[i].name, name))
			return &plan.cgroup.properties[i];
	fail_msg("no property %s", name);
	return NULL;
}

static void test_unit_limits(void **state)
{
	static const struct nook_bundle_resources r = {
		.memory = { .limit = I64(100), .swap = I64(150) },
		.cpu = { .quota = I64(50001), .shares = U64(1024), .cpus = "0,9-10" },
		.pids = I64(-1),
	};

	(void)state;
	assert_int_equal(build(UNIFIED, NULL, &r, true), 0);
	assert_int_equal(property("MemoryMax")->number, 100);
	assert_int_equal(property("MemorySwapMax")->number, 50);
	assert_int_equal(property("CPUWeight")->number, 39);
	assert_int_equal(property("CPUQuotaPerSecUSec")->number, 510000);
	assert_int_equal(property("TasksMax")->number, UINT64_MAX);
	assert_string_equal(property("AllowedCPUs")->text, "0106");
	assert_int_equal(property("Delegate")->number, 1);
}

static void test_annotations(void **state)
{
	static const struct {
		const char *name, *value;
		int result;
		const char *as;
		char type;
		uint64_t number;
		const char *text;
	} cases[] = {
		{ "CollectMode", "'inactive-or-failed'", 0, "CollectMode", 's', 0,
		  "inactive-or-failed" },
		{ "Some", "\"a \\\"b\"", 0, "Some", 's', 0, "a \"b" },
		{ "SendSIGHUP", "true", 0, "SendSIGHUP", 'b', 1, NULL },
		{ "Some", "uint64 18446744073709551615", 0, "Some", 't', UINT64_MAX, NULL },
		{ "Some", "7", 0, "Some", 'i', 7, NULL },
		{ "Some", "int32 -7", 0, "Some", 'i', (uint64_t)-7, NULL },
		{ "TimeoutStopSec", "uint64 5", 0, "TimeoutStopUSec", 't', 5000000, NULL },
		{ "TimeoutStopUSec", "uint64 5", 0, "TimeoutStopUSec", 't', 5, NULL },
		{ "After", "['a.service', 'b.service']", 0, "After", 'S', 0,
		  "a.service\nb.service" },
		{ "After", "[]", 0, "After", 'S', 0, "" },
		{ "Some", "", -EINVAL, NULL, 0, 0, NULL },
		{ "Some", "'open", -EINVAL, NULL, 0, 0, NULL },
		{ "Some", "'a' b", -EINVAL, NULL, 0, 0, NULL },
		{ "Some", "['a' 'b']", -EINVAL, NULL, 0, 0, NULL },
		{ "Some", "['a'", -EINVAL, NULL, 0, 0, NULL },
		{ "Some", "4294967296", -EINVAL, NULL, 0, 0, NULL },
		{ "Some", "maybe", -EINVAL, NULL, 0, 0, NULL },
		{ "So", "true", -EINVAL, NULL, 0, 0, NULL },
		{ "Some-x", "true", -EINVAL, NULL, 0, 0, NULL },
		{ "SomeSec", "'5'", -EINVAL, NULL, 0, 0, NULL },
		{ "SomeSec", "uint64 18446744073709551615", -EINVAL, NULL, 0, 0, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct nook_plan_property p;
		int r = nook_systemd_property(&arena, cases[i].name, cases[i].value, &p);

		if (r != cases[i].result)
			fail_msg("%s=%s: %d", cases[i].name, cases[i].value, r);
		if (r < 0)
			continue;
		assert_string_equal(p.name, cases[i].as);
		assert_int_equal(p.type, cases[i].type);
		assert_int_equal(p.number, cases[i].number);
		if (cases[i].text)
			assert_string_equal(p.text, cases[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths),          cmocka_unit_test(test_refused_paths),
		cmocka_unit_test(test_controllers),    cmocka_unit_test(test_limits),
		cmocka_unit_test(test_weight_instead), cmocka_unit_test(test_refused_limits),
		cmocka_unit_test(test_devices),        cmocka_unit_test(test_slices),
		cmocka_unit_test(test_units),          cmocka_unit_test(test_unit_limits),
		cmocka_unit_test(test_annotations),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
