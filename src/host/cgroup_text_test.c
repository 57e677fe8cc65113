/* SPDX-License-Identifier: Apache-2.0 */
#include "cgroup_text.h"
#include "base/own.h"
#include "cgroup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static void same(const char *what, const char *got, const char *want)
{
	if (!got != !want || (got && strcmp(got, want)))
		fail_msg("%s: got %s, want %s", what, got ? got : "NULL", want ? want : "NULL");
}

static void test_own_lines(void **state)
{
	static const struct {
		const char *line, *v2, *memory, *cpu, *io;
	} cases[] = {
		{ "0::/user.slice/a.scope", "/user.slice/a.scope", NULL, NULL, NULL },
		{ "0::/", "/", NULL, NULL, NULL },
		{ "4:memory:/process_api/1f", NULL, "/process_api/1f", NULL, NULL },
		{ "2:cpu,cpuacct:/x", NULL, NULL, "/x", NULL },
		{ "2:cpuacct,cpu:/x", NULL, NULL, "/x", NULL },
		{ "2:cpuacct:/x", NULL, NULL, NULL, NULL },
		{ "7:blkio:/", NULL, NULL, NULL, "/" },
		{ "9:name=systemd:/memory", NULL, NULL, NULL, NULL },
		{ "4:memory:/with:colons:in it", NULL, "/with:colons:in it", NULL, NULL },
		{ "4:memory,:/x", NULL, "/x", NULL, NULL },
		/* outside of our cgroup namespace, and what the kernel never writes */
		{ "0::/../other", NULL, NULL, NULL, NULL },
		{ "0::/a/../b", NULL, NULL, NULL, NULL },
		{ "0::/a/./b", NULL, NULL, NULL, NULL },
		{ "0::/a//b", NULL, NULL, NULL, NULL },
		{ "0::/a/", NULL, NULL, NULL, NULL },
		{ "0::a", NULL, NULL, NULL, NULL },
		{ "0::", NULL, NULL, NULL, NULL },
		{ "0:", NULL, NULL, NULL, NULL },
		{ "", NULL, NULL, NULL, NULL },
		{ ":::::", NULL, NULL, NULL, NULL },
		{ "10::/a", NULL, NULL, NULL, NULL },
		{ "4:mem:/a", NULL, NULL, NULL, NULL },
		{ "4:memoryx:/a", NULL, NULL, NULL, NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		auto_arena struct nook_arena a = { 0 };
		struct nook_cgroup_own own = { 0 };

		assert_int_equal(nook_arena_init(&a), 0);
		nook_cgroup_own_line(&a, cases[i].line, &own);
		same(cases[i].line, own.v2, cases[i].v2);
		same(cases[i].line, own.v1[NOOK_CTL_MEMORY], cases[i].memory);
		same(cases[i].line, own.v1[NOOK_CTL_CPU], cases[i].cpu);
		same(cases[i].line, own.v1[NOOK_CTL_IO], cases[i].io);
	}
}

static void test_own_line_is_bounded(void **state)
{
	auto_arena struct nook_arena a = { 0 };
	struct nook_cgroup_own own = { 0 };
	char line[8192] = "0::/";

	assert_int_equal(nook_arena_init(&a), 0);
	memset(line + 4, 'x', sizeof(line) - 5);
	nook_cgroup_own_line(&a, line, &own);
	assert_null(own.v2);

	/* The first line counts: one more can't move us. */
	nook_cgroup_own_line(&a, "0::/first", &own);
	nook_cgroup_own_line(&a, "0::/second", &own);
	assert_string_equal(own.v2, "/first");
}

static void read_mounts(struct nook_arena *a, const char *text, struct nook_cgroup_mounts *m)
{
	/* The root, without which nothing is visible. */
	char *copy = nook_printf(a, "20 1 8:1 / / rw - ext4 /dev/sda rw\n%s\n", text);
	struct nook_mounts mounts = { 0 };
	struct nook_error err = { 0 };

	if (nook_mountinfo_parse(a, copy, &mounts, &err) < 0)
		fail_msg("%s: %s", text, err.why);
	for (size_t i = 0; i < mounts.n; i++)
		nook_cgroup_note_mount(&mounts.all[i], m);
}

static void test_mounts(void **state)
{
	static const struct {
		const char *lines, *v2, *v2_root, *memory, *cpu;
		bool any_v1;
	} cases[] = {
		{ "41 20 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw",
		  "/sys/fs/cgroup/unified", "/", NULL, NULL, false },
		{ "30 20 0:26 / /sys/fs/cgroup rw shared:4 master:1 - cgroup2 x rw,nsdelegate",
		  "/sys/fs/cgroup", "/", NULL, NULL, false },
		{ "30 20 0:26 /docker/1f /sys/fs/cgroup ro - cgroup2 cgroup rw", "/sys/fs/cgroup",
		  "/docker/1f", NULL, NULL, false },
		{ "35 20 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory", NULL, NULL,
		  "/sys/fs/cgroup/memory", NULL, true },
		{ "32 20 0:29 / /cg/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct", NULL, NULL,
		  NULL, "/cg/cpu,cpuacct", true },
		{ "40 20 0:37 / /cg/systemd rw - cgroup cgroup rw,name=systemd", NULL, NULL, NULL,
		  NULL, true },
		{ "40 20 0:37 / /cg/x rw - cgroup cgroup rw,name=memory", NULL, NULL, NULL, NULL,
		  true },
		{ "21 20 0:3 / /with\\040space\\011 rw - cgroup2 x rw", "/with space\t", "/", NULL,
		  NULL, false },
		/* only the type decides */
		{ "21 20 0:3 / /cgroup2 rw - tmpfs cgroup2 rw,memory", NULL, NULL, NULL, NULL,
		  false },
		/* outside of our cgroup namespace */
		{ "21 20 0:3 /../.. /x rw - cgroup2 x rw", NULL, NULL, NULL, NULL, false },
		/* the whole hierarchy wins over a part, then the first over later ones */
		{ "21 20 0:3 /part /part rw - cgroup2 x rw\n"
		  "22 20 0:3 / /whole rw - cgroup2 x rw\n"
		  "23 20 0:3 / /later rw - cgroup2 x rw",
		  "/whole", "/", NULL, NULL, false },
		/* something was mounted over it */
		{ "21 20 0:3 / /cg rw - cgroup2 x rw\n22 21 0:4 / /cg rw - tmpfs x rw", NULL, NULL,
		  NULL, NULL, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		auto_arena struct nook_arena a = { 0 };
		struct nook_cgroup_mounts m = { 0 };

		assert_int_equal(nook_arena_init(&a), 0);
		read_mounts(&a, cases[i].lines, &m);
		same(cases[i].lines, m.v2.mount, cases[i].v2);
		same(cases[i].lines, m.v2.root, cases[i].v2_root);
		same(cases[i].lines, m.v1[NOOK_CTL_MEMORY].mount, cases[i].memory);
		same(cases[i].lines, m.v1[NOOK_CTL_CPU].mount, cases[i].cpu);
		assert_int_equal(m.any_v1, cases[i].any_v1);
	}
}

static void test_below(void **state)
{
	static const struct {
		const char *root, *own, *want;
	} cases[] = {
		{ "/", "/a", "/a" },   { "/a", "/a", "/" },    { "/a", "/a/b", "/b" },
		{ "/a", "/ab", NULL }, { "/a/b", "/a", NULL }, { "/", NULL, NULL },
		{ "/a", NULL, NULL },  { "/a", "/", NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		same(cases[i].root, nook_cgroup_below(cases[i].root, cases[i].own), cases[i].want);
}

static void test_controllers(void **state)
{
	uint32_t memory = 1u << NOOK_CTL_MEMORY, cpu = 1u << NOOK_CTL_CPU;

	assert_int_equal(nook_cgroup_controllers("cpuset cpu io memory hugetlb pids"),
			 (1u << NOOK_CTL_COUNT) - 1);
	assert_int_equal(nook_cgroup_controllers("memory cpu"), memory | cpu);
	assert_int_equal(nook_cgroup_controllers("memoryx cpuacct xcpu hugetlb"), 0);
	assert_int_equal(nook_cgroup_controllers(""), 0);
	assert_int_equal(nook_cgroup_controllers("  cpu\n"), cpu);
}

/* This machine's own files: whatever they say, the probe describes it without failing. */
static void test_probe_here(void **state)
{
	static const struct nook_limits_spec none;
	auto_arena struct nook_arena a = { 0 };
	struct nook_host host = { 0 };
	struct nook_error err = { 0 };

	assert_int_equal(nook_arena_init(&a), 0);
	assert_int_equal(nook_host_cgroup_probe(&a, &none, &host, &err), 0);
	enum nook_cgroup_layout quick = host.cgroup.layout;
	assert_int_equal(nook_host_cgroup_probe(&a, NULL, &host, &err), 0);
	assert_int_equal(host.cgroup.layout, quick);

	const struct nook_cgroup_mount *v2 = &host.cgroup.v2;

	assert_true(!v2->delegated || (v2->mount && v2->own && v2->place));
	assert_true(v2->delegated || !v2->mount || v2->why_not);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_own_lines),   cmocka_unit_test(test_own_line_is_bounded),
		cmocka_unit_test(test_mounts),      cmocka_unit_test(test_below),
		cmocka_unit_test(test_controllers), cmocka_unit_test(test_probe_here),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
