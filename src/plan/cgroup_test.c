/* SPDX-License-Identifier: Apache-2.0 */
/* Golden plans: limits and a host in, directories and writes out, on the three layouts. */
#include "base/own.h"
#include "base/text.h"
#include "host/cgroup.h"
#include "limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#define BIT(c) (1u << NOOK_CTL_##c)
#define ALL    (BIT(MEMORY) | BIT(CPU) | BIT(PIDS) | BIT(IO) | BIT(CPUSET))

static const struct nook_host unified = {
	.cgroup = { .layout = NOOK_CGROUP_UNIFIED,
		    .v2 = { "/sys/fs/cgroup", "/user.slice/0.scope", "/user.slice", true, NULL },
		    .v2_present = ALL,
		    .v2_controllers = ALL,
		    .io_cost = true,
		    .io_bfq = true },
};

static const struct nook_host alone = {
	.cgroup = { .layout = NOOK_CGROUP_UNIFIED,
		    .v2 = { "/sys/fs/cgroup", "/run.scope", "/run.scope", true, NULL },
		    .v2_present = ALL,
		    .v2_controllers = ALL,
		    .v2_alone = true },
};

static const struct nook_host undelegated = {
	.euid = 1000,
	.cgroup = { .layout = NOOK_CGROUP_UNIFIED,
		    .v2 = { "/sys/fs/cgroup", "/u", NULL, false, "/u may not be written" },
		    .v2_present = ALL },
};

#define V1(name, own)                                                                              \
	{                                                                                          \
		"/sys/fs/cgroup/" name, own, own, true, NULL                                       \
	}

static const struct nook_host hybrid = {
	.cgroup = { .layout = NOOK_CGROUP_HYBRID,
		    .v2 = { "/sys/fs/cgroup/unified", "/", "/", true, NULL },
		    .v1 = { [NOOK_CTL_MEMORY] = V1("memory", "/api/1f"),
			    [NOOK_CTL_CPU] = V1("cpu", "/"),
			    [NOOK_CTL_PIDS] = V1("pids", "/"),
			    [NOOK_CTL_IO] = V1("blkio", "/") },
		    .io_bfq = true },
};

/* One directory for two controllers, pids not mounted, memory not ours. */
static const struct nook_host v1_only = {
	.euid = 1000,
	.cgroup = { .layout = NOOK_CGROUP_V1,
		    .v1 = { [NOOK_CTL_CPU] = V1("cpu,io", "/me"),
			    [NOOK_CTL_IO] = V1("cpu,io", "/me"),
			    [NOOK_CTL_MEMORY] = { "/sys/fs/cgroup/memory", "/me", NULL, false,
						  "/me may not be written" } },
		    .io_cost = true },
};

static const struct nook_host nothing = { .cgroup = { .layout = NOOK_CGROUP_NONE } };

#define NO_LIMIT  .pids = { .set = false }
#define MEMORY(n) .memory = { true, n, "--memory" }
#define SWAP(n)   .memory_swap = { true, n, "--memory-swap" }
#define CPUS(n)   .cpus_milli = { true, n, "--cpus" }
#define WEIGHT(n) .cpu_weight = { true, n, "--cpu-weight" }
#define PIDS(n)   .pids = { true, n, "--pids" }
#define IO(n)     .io_weight = { true, n, "--io-weight" }

static const struct {
	const char *what;
	const struct nook_host *host;
	const char *name;
	struct nook_limits_spec limits;
	const char *want;
} golden[] = {
	{ "no limit, unified",
	  &unified,
	  "blue",
	  { NO_LIMIT },
	  "optional\n"
	  "v2 /sys/fs/cgroup /user.slice/nook/blue 0\n" },
	{ "no limit, hybrid: no v1 directory",
	  &hybrid,
	  "blue",
	  { NO_LIMIT },
	  "optional\n"
	  "v2 /sys/fs/cgroup/unified /nook/blue 0\n" },
	{ "no limit, v1", &v1_only, "blue", { NO_LIMIT }, "optional\n" },
	{ "no limit, not delegated", &undelegated, "blue", { NO_LIMIT }, "optional\n" },
	{ "no limit, no cgroups", &nothing, "blue", { NO_LIMIT }, "optional\n" },
	{ "no limit, alone: nobody moves",
	  &alone,
	  "blue",
	  { NO_LIMIT },
	  "optional\n"
	  "v2 /sys/fs/cgroup /run.scope/nook/blue 0\n" },
	{ "everything, unified",
	  &unified,
	  "blue",
	  { MEMORY(104857600), SWAP(157286400), CPUS(1500), WEIGHT(200), PIDS(64), IO(500) },
	  "v2 /sys/fs/cgroup /user.slice/nook/blue f\n"
	  "0 memory.max 104857600 --memory\n"
	  "0 memory.swap.max 52428800 --memory-swap\n"
	  "0 cpu.max 150000 100000 --cpus\n"
	  "0 cpu.weight 200 --cpu-weight\n"
	  "0 pids.max 64 --pids\n"
	  "0 io.weight 500 --io-weight\n"
	  "0 io.bfq.weight 136 --io-weight\n" },
	{ "everything, hybrid",
	  &hybrid,
	  "blue",
	  { MEMORY(104857600), SWAP(157286400), CPUS(1500), WEIGHT(200), PIDS(64), IO(500) },
	  "v2 /sys/fs/cgroup/unified /nook/blue 0\n"
	  "v1 /sys/fs/cgroup/memory /api/1f/nook/blue 0\n"
	  "v1 /sys/fs/cgroup/cpu /nook/blue 0\n"
	  "v1 /sys/fs/cgroup/pids /nook/blue 0\n"
	  "v1 /sys/fs/cgroup/blkio /nook/blue 0\n"
	  "1 memory.limit_in_bytes 104857600 --memory\n"
	  "1 memory.memsw.limit_in_bytes 157286400 --memory-swap\n"
	  "2 cpu.cfs_period_us 100000 --cpus\n"
	  "2 cpu.cfs_quota_us 150000 --cpus\n"
	  "2 cpu.shares 2048 --cpu-weight\n"
	  "3 pids.max 64 --pids\n"
	  "4 blkio.bfq.weight 136 --io-weight\n" },
	{ "alone: we step aside",
	  &alone,
	  "blue",
	  { PIDS(9) },
	  "supervisor /run.scope/nook-supervisor\n"
	  "v2 /sys/fs/cgroup /run.scope/nook/blue 4\n"
	  "0 pids.max 9 --pids\n" },
	{ "memory alone: no swap, where it is counted",
	  &unified,
	  "blue",
	  { MEMORY(4096) },
	  "v2 /sys/fs/cgroup /user.slice/nook/blue 1\n"
	  "0 memory.max 4096 --memory\n"
	  "0 memory.swap.max 0 --memory optional\n" },
	{ "the same on v1",
	  &hybrid,
	  "blue",
	  { MEMORY(4096) },
	  "v2 /sys/fs/cgroup/unified /nook/blue 0\n"
	  "v1 /sys/fs/cgroup/memory /api/1f/nook/blue 0\n"
	  "1 memory.limit_in_bytes 4096 --memory\n"
	  "1 memory.memsw.limit_in_bytes 4096 --memory optional\n" },
	{ "unlimited swap",
	  &unified,
	  "blue",
	  { MEMORY(8192), SWAP(-1) },
	  "v2 /sys/fs/cgroup /user.slice/nook/blue 1\n"
	  "0 memory.max 8192 --memory\n"
	  "0 memory.swap.max max --memory-swap optional\n" },
	{ "unlimited swap, v1",
	  &hybrid,
	  "blue",
	  { MEMORY(8192), SWAP(-1) },
	  "v2 /sys/fs/cgroup/unified /nook/blue 0\n"
	  "v1 /sys/fs/cgroup/memory /api/1f/nook/blue 0\n"
	  "1 memory.limit_in_bytes 8192 --memory\n"
	  "1 memory.memsw.limit_in_bytes -1 --memory-swap optional\n" },
	{ "no swap, said",
	  &unified,
	  "blue",
	  { MEMORY(8192), SWAP(8192) },
	  "v2 /sys/fs/cgroup /user.slice/nook/blue 1\n"
	  "0 memory.max 8192 --memory\n"
	  "0 memory.swap.max 0 --memory-swap\n" },
	{ "the least CPU time",
	  &unified,
	  "blue",
	  { CPUS(1) },
	  "v2 /sys/fs/cgroup /user.slice/nook/blue 2\n"
	  "0 cpu.max 1000 1000000 --cpus\n" },
	{ "the least of the usual period",
	  &unified,
	  "blue",
	  { CPUS(10) },
	  "v2 /sys/fs/cgroup /user.slice/nook/blue 2\n"
	  "0 cpu.max 1000 100000 --cpus\n" },
	{ "weights at their ends",
	  &hybrid,
	  "blue",
	  { WEIGHT(1), IO(1) },
	  "v2 /sys/fs/cgroup/unified /nook/blue 0\n"
	  "v1 /sys/fs/cgroup/cpu /nook/blue 0\n"
	  "v1 /sys/fs/cgroup/blkio /nook/blue 0\n"
	  "1 cpu.shares 10 --cpu-weight\n"
	  "2 blkio.bfq.weight 1 --io-weight\n" },
	{ "the other end",
	  &hybrid,
	  "blue",
	  { WEIGHT(10000), IO(10000) },
	  "v2 /sys/fs/cgroup/unified /nook/blue 0\n"
	  "v1 /sys/fs/cgroup/cpu /nook/blue 0\n"
	  "v1 /sys/fs/cgroup/blkio /nook/blue 0\n"
	  "1 cpu.shares 102400 --cpu-weight\n"
	  "2 blkio.bfq.weight 1000 --io-weight\n" },
	{ "the middle is the kernel's default",
	  &hybrid,
	  "blue",
	  { WEIGHT(100), IO(100) },
	  "v2 /sys/fs/cgroup/unified /nook/blue 0\n"
	  "v1 /sys/fs/cgroup/cpu /nook/blue 0\n"
	  "v1 /sys/fs/cgroup/blkio /nook/blue 0\n"
	  "1 cpu.shares 1024 --cpu-weight\n"
	  "2 blkio.bfq.weight 100 --io-weight\n" },
	{ "unlimited pids",
	  &unified,
	  "blue",
	  { PIDS(-1) },
	  "v2 /sys/fs/cgroup /user.slice/nook/blue 4\n"
	  "0 pids.max max --pids\n" },
	{ "a name that is a file of the kernel's",
	  &hybrid,
	  "memory.max",
	  { NO_LIMIT },
	  "optional\n"
	  "v2 /sys/fs/cgroup/unified /nook/_memory.max 0\n" },
	{ "and one of v1",
	  &hybrid,
	  "tasks",
	  { NO_LIMIT },
	  "optional\n"
	  "v2 /sys/fs/cgroup/unified /nook/_tasks 0\n" },
	{ "no two names meet",
	  &hybrid,
	  "_tasks",
	  { NO_LIMIT },
	  "optional\n"
	  "v2 /sys/fs/cgroup/unified /nook/__tasks 0\n" },
};

static const char *render(struct nook_arena *a, const struct nook_plan_cgroup *cg)
{
	const char *text = cg->optional ? "optional\n" : "";

	if (cg->supervisor)
		text = nook_printf(a, "%ssupervisor %s\n", text, cg->supervisor);
	for (size_t i = 0; i < cg->n_dirs; i++)
		text = nook_printf(a, "%s%s %s %s %x\n", text, cg->dirs[i].v2 ? "v2" : "v1",
				   cg->dirs[i].mount, cg->dirs[i].path, cg->dirs[i].enable);
	for (size_t i = 0; i < cg->n_writes; i++)
		text = nook_printf(a, "%s%u %s %s %s%s\n", text, cg->writes[i].dir,
				   cg->writes[i].file, cg->writes[i].value, cg->writes[i].from,
				   cg->writes[i].optional ? " optional" : "");
	return text;
}

static int plan_it(struct nook_arena *a, const struct nook_host *host, const char *name,
		   const struct nook_limits_spec *limits, struct nook_plan *plan,
		   struct nook_error *err)
{
	struct nook_spec spec = { .limits = *limits };
	struct nook_planner p = { a, &spec, host, plan, err };

	plan->name = name;
	return nook_plan_cgroup(&p);
}

static void test_golden(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(golden); i++) {
		auto_arena struct nook_arena a = { 0 };
		struct nook_plan plan = { 0 };
		struct nook_error err = { 0 };

		assert_int_equal(nook_arena_init(&a), 0);
		int r = plan_it(&a, golden[i].host, golden[i].name, &golden[i].limits, &plan, &err);

		if (r != 0)
			fail_msg("%s: %d, %s", golden[i].what, r, err.why);

		const char *got = render(&a, &plan.cgroup);

		if (strcmp(got, golden[i].want))
			fail_msg("%s:\n%swanted:\n%s", golden[i].what, got, golden[i].want);
		if (err.where[0])
			fail_msg("%s: a place is noted without a failure", golden[i].what);
	}
}

static void test_refusals(void **state)
{
	static const struct {
		const char *what;
		const struct nook_host *host;
		struct nook_limits_spec limits;
		int result;
		const char *id, *where, *why;
	} cases[] = {
		{ "no memory",
		  &unified,
		  { MEMORY(0) },
		  -EINVAL,
		  "",
		  "--memory",
		  "at least one page" },
		{ "negative",
		  &unified,
		  { MEMORY(-1) },
		  -EINVAL,
		  "",
		  "--memory",
		  "at least one page" },
		{ "below a page", &unified, { MEMORY(4095) }, -EINVAL, "", "--memory", "one page" },
		{ "swap alone",
		  &unified,
		  { SWAP(8192) },
		  -EINVAL,
		  "",
		  "--memory-swap",
		  "--memory" },
		{ "swap below",
		  &unified,
		  { MEMORY(8192), SWAP(8191) },
		  -EINVAL,
		  "",
		  "--memory-swap",
		  "below" },
		{ "swap -2",
		  &unified,
		  { MEMORY(8192), SWAP(-2) },
		  -EINVAL,
		  "",
		  "--memory-swap",
		  "below" },
		{ "no CPU", &unified, { CPUS(0) }, -EINVAL, "", "--cpus", "0.001" },
		{ "absurd CPUs", &unified, { CPUS(UINT64_MAX) }, -EINVAL, "", "--cpus", "1000000" },
		{ "weight 0", &unified, { WEIGHT(0) }, -EINVAL, "", "--cpu-weight", "10000" },
		{ "weight 10001",
		  &unified,
		  { WEIGHT(10001) },
		  -EINVAL,
		  "",
		  "--cpu-weight",
		  "10000" },
		{ "pids 0", &unified, { PIDS(0) }, -EINVAL, "", "--pids", "4194304" },
		{ "pids -2", &unified, { PIDS(-2) }, -EINVAL, "", "--pids", "4194304" },
		{ "pids too many", &unified, { PIDS(4194305) }, -EINVAL, "", "--pids", "4194304" },
		{ "io 0", &unified, { IO(0) }, -EINVAL, "", "--io-weight", "10000" },
		{ "io 10001", &unified, { IO(10001) }, -EINVAL, "", "--io-weight", "10000" },
		{ "io honoured by nobody",
		  &alone,
		  { IO(100) },
		  -EOPNOTSUPP,
		  "controller-unavailable",
		  "--io-weight",
		  "no block device" },
		{ "io.cost is of no use on v1",
		  &v1_only,
		  { IO(100) },
		  -EOPNOTSUPP,
		  "controller-unavailable",
		  "--io-weight",
		  "no block device" },
		{ "no such controller",
		  &v1_only,
		  { PIDS(5) },
		  -EOPNOTSUPP,
		  "controller-unavailable",
		  "--pids",
		  "no pids controller" },
		{ "no cgroups",
		  &nothing,
		  { MEMORY(8192) },
		  -EOPNOTSUPP,
		  "controller-unavailable",
		  "--memory",
		  "no memory controller" },
		{ "v1, not ours",
		  &v1_only,
		  { CPUS(1000), MEMORY(8192) },
		  -EACCES,
		  "no-delegated-cgroup",
		  "--memory",
		  "delegated" },
		{ "v2, not ours",
		  &undelegated,
		  { WEIGHT(5) },
		  -EACCES,
		  "no-delegated-cgroup",
		  "--cpu-weight",
		  "delegated" },
		{ "the second of two",
		  &v1_only,
		  { CPUS(1000), PIDS(5) },
		  -EOPNOTSUPP,
		  "controller-unavailable",
		  "--pids",
		  "no pids controller" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		auto_arena struct nook_arena a = { 0 };
		struct nook_plan plan = { 0 };
		struct nook_error err = { 0 };

		assert_int_equal(nook_arena_init(&a), 0);
		int r = plan_it(&a, cases[i].host, "blue", &cases[i].limits, &plan, &err);

		if (r != cases[i].result || strcmp(err.id, cases[i].id) ||
		    strcmp(err.where, cases[i].where) || !strstr(err.why, cases[i].why))
			fail_msg("%s: %d id %s where %s why %s", cases[i].what, r, err.id,
				 err.where, err.why);
	}
}

/* The probe asks for the controllers that the plan's table will need: neither more nor less. */
static void test_probe_and_table_agree(void **state)
{
	static const struct nook_limits_spec one_each[] = {
		{ MEMORY(8192) }, { CPUS(1) }, { WEIGHT(1) }, { PIDS(1) }, { IO(1) },
	};

	for (size_t i = 0; i < ARRAY_SIZE(one_each); i++) {
		auto_arena struct nook_arena a = { 0 };
		struct nook_spec spec = { .limits = one_each[i] };
		struct nook_planner p = { &a, &spec, &unified, NULL, NULL };
		struct nook_limit limits[NOOK_LIMIT_ROWS];
		uint32_t bits = 0;
		size_t n;

		assert_int_equal(nook_arena_init(&a), 0);
		assert_int_equal(nook_plan_limits(&p, limits, &n), 0);
		while (n--)
			bits |= 1u << limits[n].controller;
		assert_int_equal(bits, nook_limits_controllers(&one_each[i]));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_probe_and_table_agree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
