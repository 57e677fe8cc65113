/* SPDX-License-Identifier: Apache-2.0 */
/* Cgroups at an engine's path, made for real on whatever layout this machine has; skipped where we
 * may make none. */
#include "base/own.h"
#include "base/text.h"
#include "cgroup.h"
#include "cgroup_parts.h"
#include "host/cgroup.h"
#include "state/state.h"
#include "sys/cgroupfs.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

static struct nook_arena arena;
static struct nook_host host;
static char top[64];

static int set_up(void **state)
{
	(void)state;
	(void)nook_format(top, sizeof(top), "/nook-test-path-%d", (int)getpid());
	return nook_arena_init(&arena) < 0 || nook_host_cgroup_probe(&arena, NULL, &host, NULL) < 0;
}

static int tear_down(void **state)
{
	(void)state;
	nook_arena_free(&arena);
	return 0;
}

static struct nook_plan_cgroup_dir dir_in(const struct nook_cgroup_mount *m, bool v2,
					  const char *below)
{
	return (struct nook_plan_cgroup_dir){
		.mount = m->mount,
		.path = nook_printf(&arena, "%s%s%s", strcmp(m->own, "/") ? m->own : "", top,
				    below),
		.v2 = v2,
		.by_path = true,
	};
}

/* The v2 hierarchy, or a v1 one with that controller. */
static bool any_dir(struct nook_plan_cgroup_dir *ret, const char *below)
{
	const struct nook_cgroup_mount *m = host.cgroup.v2.delegated ? &host.cgroup.v2
					    : host.cgroup.v1[NOOK_CTL_PIDS].delegated
						    ? &host.cgroup.v1[NOOK_CTL_PIDS]
						    : NULL;

	if (m)
		*ret = dir_in(m, m == &host.cgroup.v2, below);
	return m != NULL;
}

static bool exists(const struct nook_plan_cgroup_dir *dir)
{
	auto_close int fd = nook_cgroup_open_dir(dir);

	return fd >= 0;
}

/* What stands above is left there, so the test takes it away. */
static void remove_above(const struct nook_plan_cgroup_dir *dir)
{
	struct nook_plan_cgroup_dir above = *dir;

	for (;;) {
		struct nook_cgroup_leaf leaf;

		assert_int_equal(nook_cgroup_split_leaf(above.path, &leaf, NULL), 0);
		above.path = nook_strdup(&arena, leaf.parent);
		if (!strstr(above.path, top))
			return;
		assert_true(exists(&above));
		assert_int_equal(nook_cgroup_remove(&above, 1, NULL), 0);
	}
}

static void test_any_depth(void **state)
{
	struct nook_plan_cgroup_dir dir;
	struct nook_plan_cgroup plan = { .dirs = &dir, .n_dirs = 1, .by_path = true };
	struct nook_error err = { 0 };
	int into = NO_FD;
	size_t made;

	(void)state;
	if (!any_dir(&dir, "/a/b/c"))
		skip();
	assert_int_equal(nook_cgroup_make(&plan, &into, &made, &err), 0);
	assert_int_equal(made, 1);
	assert_int_equal(into >= 0, dir.v2);
	close_fd(&into);
	assert_true(exists(&dir));

	/* An empty one is taken over. */
	assert_int_equal(nook_cgroup_make(&plan, &into, &made, &err), 0);
	close_fd(&into);

	assert_int_equal(nook_cgroup_remove(&dir, 1, &err), 0);
	assert_false(exists(&dir));
	remove_above(&dir);
}

static pid_t live_in(const struct nook_plan_cgroup_dir *dir)
{
	auto_close int fd = nook_cgroup_open_dir(dir);
	char text[16];
	pid_t pid = fork();

	if (pid == 0) {
		(void)pause();
		_exit(0);
	}
	(void)nook_format(text, sizeof(text), "%d", (int)pid);
	assert_int_equal(nook_cgroupfs_write(fd, "cgroup.procs", text), 0);
	return pid;
}

static void test_somebody_is_there(void **state)
{
	struct nook_plan_cgroup_dir dir, below;
	struct nook_plan_cgroup plan = { .dirs = &dir, .n_dirs = 1, .by_path = true };
	struct nook_error err = { 0 };
	int into = NO_FD;
	size_t made;
	pid_t pid;

	(void)state;
	if (!any_dir(&dir, "/a") || !any_dir(&below, "/a/b"))
		skip();
	plan.dirs = &below;
	assert_int_equal(nook_cgroup_make(&plan, &into, &made, &err), 0);
	close_fd(&into);
	pid = live_in(&below);

	/* In it, or in one below it. */
	assert_int_equal(nook_cgroup_make(&plan, &into, &made, &err), -EEXIST);
	assert_string_equal(err.where, "/linux/cgroupsPath");
	plan.dirs = &dir;
	assert_int_equal(nook_cgroup_make(&plan, &into, &made, &err), -EEXIST);
	assert_true(exists(&below));
	assert_int_equal(kill(pid, 0), 0);

	/* It is not known to be ours: it stays, with who is in it. */
	assert_int_equal(nook_cgroup_remove_intended(&below, 1, &err), 0);
	assert_true(exists(&below));

	assert_int_equal(nook_cgroup_kill(&below, 1, &err), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(nook_cgroup_remove_intended(&below, 1, &err), 0);
	assert_false(exists(&below));
	remove_above(&below);
}

static bool memory_dir(struct nook_plan_cgroup_dir *ret)
{
	const struct nook_cgroup_mount *m = &host.cgroup.v1[NOOK_CTL_MEMORY];

	if (!m->delegated)
		return false;
	*ret = dir_in(m, false, "");
	return true;
}

static void expect(int fd, const char *file, const char *want)
{
	char text[64];

	assert_true(nook_cgroupfs_read(fd, file, text, sizeof(text)) >= 0);
	assert_string_equal(text, want);
}

/* Up, one has to be written first; down, the other. */
static void test_order(void **state)
{
	static const char *const values[][2] = { { "8192000", "16384000" },
						 { "81920000", "163840000" },
						 { "8192000", "8192000" } };
	struct nook_plan_cgroup_dir dir;
	struct nook_plan_cgroup_write writes[] = {
		{ .file = "memory.limit_in_bytes" },
		{ .file = "memory.memsw.limit_in_bytes" },
	};
	struct nook_plan_cgroup plan = {
		.dirs = &dir, .n_dirs = 1, .writes = writes, .n_writes = 2, .by_path = true
	};
	struct nook_error err = { 0 };

	(void)state;
	if (!memory_dir(&dir))
		skip();

	auto_close int fd = nook_cgroup_make_path(&dir, &err);

	assert_true(fd >= 0);
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		const char *old[2] = { NULL, NULL };
		const struct nook_cgroup_old keep = { &arena, old };

		writes[0].value = values[i][0];
		writes[1].value = values[i][1];
		assert_int_equal(nook_cgroup_write_patiently(&plan, 0, fd, &keep, &err), 0);
		expect(fd, writes[0].file, values[i][0]);
		expect(fd, writes[1].file, values[i][1]);
		if (i) {
			assert_string_equal(old[0], values[i - 1][0]);
			assert_string_equal(old[1], values[i - 1][1]);
		}
	}

	/* What can't be at all is told of. */
	writes[0].from = "/memory/limit";
	writes[0].value = "16384000";
	plan.n_writes = 1;
	assert_int_equal(nook_cgroup_write_patiently(&plan, 0, fd, NULL, &err), -EINVAL);
	assert_string_equal(err.where, "/memory/limit");
	assert_int_equal(nook_cgroup_remove(&dir, 1, &err), 0);
}

static void test_exec_paths(void **state)
{
	static const struct {
		const char *sub, *v2, *v1; /* NULL: refused */
	} cases[] = {
		{ NULL, "/a", "/b" },
		{ "x/y", "/a/x/y", "/b/x/y" },
		{ "/x", "/a/x", "/b/x" },
		{ "cpu:x", "/a", "/b/x" },
		{ "cpuacct:/x", "/a", "/b/x" },
		{ "memory:x", "/a", "/b" },
		{ "..", NULL, NULL },
		{ "x/../../y", NULL, NULL },
		{ "x//y", NULL, NULL },
		{ "x/.", NULL, NULL },
		{ "", NULL, NULL },
		{ "/", NULL, NULL },
		{ "cpu:", NULL, NULL },
	};
	struct nook_plan_cgroup_dir dirs[] = {
		{ .mount = "/nowhere/unified", .path = "/a", .v2 = true },
		{ .mount = "/nowhere/cpu,cpuacct", .path = "/b" },
	};
	const struct nook_record record = { .cgroups = dirs, .n_cgroups = 2 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct nook_plan_cgroup_dir *got = NULL;
		struct nook_error err = { 0 };
		size_t n = 0;
		int r = nook_cgroup_of_exec(&arena, &record, cases[i].sub, &got, &n, &err);

		if (r != (cases[i].v2 ? 0 : -EINVAL))
			fail_msg("%s: %d", cases[i].sub, r);
		if (r < 0)
			continue;
		assert_string_equal(got[0].path, cases[i].v2);
		assert_string_equal(got[1].path, cases[i].v1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_any_depth),
		cmocka_unit_test(test_somebody_is_there),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_exec_paths),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
