/* SPDX-License-Identifier: Apache-2.0 */
/* Real cgroups, on whatever layout this machine has; skipped where we may make none. */
#include "cgroup.h"
#include "base/own.h"
#include "base/text.h"
#include "cgroup_parts.h"
#include "host/cgroup.h"
#include "plan/parts.h"
#include "sys/cgroupfs.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <cmocka.h>

static void test_same_value(void **state)
{
	static const struct {
		const char *file, *want, *got;
		bool same;
	} cases[] = {
		{ "pids.max", "5", "5", true },
		{ "pids.max", "5", "50", false },
		{ "pids.max", "50", "5", false },
		{ "pids.max", "max", "max", true },
		{ "cpu.max", "1000 100000", "1000 100000", true },
		{ "cpu.max", "1000 100000", "max 100000", false },
		{ "io.weight", "500", "default 500", true },
		{ "io.bfq.weight", "500", "default 500\n8:0 100", true },
		{ "io.weight", "500", "default 100\n8:0 500", false },
		{ "memory.max", "8192", "8192", true },
		{ "memory.max", "8200", "8192", true },
		{ "memory.max", "8191", "4096", true },
		{ "memory.max", "8192", "12288", false },
		{ "memory.max", "8192", "max", false },
		{ "memory.max", "8192", "", false },
		{ "memory.max", "8192", "8192x", false },
		{ "memory.max", "9223372036854775807", "max", true },
		{ "memory.max", "max", "max", true },
		{ "memory.memsw.limit_in_bytes", "-1", "9223372036854771712", true },
		{ "memory.memsw.limit_in_bytes", "-1", "8192", false },
		{ "pids.max", "8191", "8190", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (nook_cgroup_same_value(cases[i].file, cases[i].want, cases[i].got, 4096) !=
		    cases[i].same)
			fail_msg("%s: %s and %s", cases[i].file, cases[i].want, cases[i].got);
}

static void test_split(void **state)
{
	static const struct {
		const char *path, *place, *parent, *leaf; /* place NULL: refused */
	} cases[] = {
		{ "/nook/blue", "/", "nook", "blue" },
		{ "/a/b/nook/blue", "/a/b", "nook", "blue" },
		{ "/blue", NULL, NULL, NULL },
		{ "/", NULL, NULL, NULL },
		{ "", NULL, NULL, NULL },
		{ "nook/blue", NULL, NULL, NULL },
		{ "/nook/", NULL, NULL, NULL },
		{ "/nook/..", NULL, NULL, NULL },
		{ "/../blue", NULL, NULL, NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct nook_cgroup_path got;
		struct nook_error err = { 0 };
		int r = nook_cgroup_split(cases[i].path, &got, &err);

		assert_int_equal(r, cases[i].place ? 0 : -EINVAL);
		if (r < 0)
			continue;
		assert_string_equal(got.place, cases[i].place);
		assert_string_equal(got.parent, cases[i].parent);
		assert_string_equal(got.leaf, cases[i].leaf);
	}
}

/* ---- real ones ---- */

struct world {
	struct nook_arena a;
	struct nook_plan plan;
	struct nook_error err;
};

/* A plan of this machine for @limits; false where it can't hold them, or gives us no cgroup. */
static bool plan_for(struct world *w, const struct nook_limits_spec *limits, const char *name)
{
	struct nook_host host = { .euid = geteuid() };
	struct nook_spec spec = { .limits = *limits };
	struct nook_planner p = { &w->a, &spec, &host, &w->plan, &w->err };

	memset(w, 0, sizeof(*w));
	assert_int_equal(nook_arena_init(&w->a), 0);
	assert_int_equal(nook_host_cgroup_probe(&w->a, limits, &host, &w->err), 0);
	w->plan.name = nook_printf(&w->a, "%s-%d", name, (int)getpid());
	if (nook_plan_cgroup(&p) == 0 && w->plan.cgroup.n_dirs)
		return true;

	print_message("here: %s; %s\n", w->err.why, w->err.cause);
	nook_arena_free(&w->a);
	return false;
}

#define PLAN_OR_SKIP(w, limits, name)                                                              \
	do {                                                                                       \
		if (!plan_for(w, limits, name))                                                    \
			skip();                                                                    \
	} while (0)

static bool exists(const struct nook_plan_cgroup_dir *dir)
{
	auto_close int mount = nook_cgroupfs_mount(dir->mount, dir->v2);
	auto_close int fd = nook_cgroupfs_walk(mount, dir->path, O_PATH);

	assert_true(mount >= 0);
	return fd >= 0;
}

static void assert_none(const struct nook_plan_cgroup *cg)
{
	for (size_t i = 0; i < cg->n_dirs; i++)
		assert_false(exists(&cg->dirs[i]));
}

/* A child that sleeps in the v2 cgroup @into. */
static pid_t spawn(int into)
{
	struct clone_args args = { .exit_signal = SIGCHLD };

	if (into >= 0) {
		args.flags = CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t)into;
	}

	pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));

	if (pid == 0)
		for (;;)
			pause();
	assert_true(pid > 0);
	return pid;
}

static void assert_killed(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void read_limit(const struct nook_plan_cgroup *cg, const char *file, char *out, size_t size)
{
	out[0] = '\0';
	for (size_t i = 0; i < cg->n_writes; i++) {
		const struct nook_plan_cgroup_dir *dir = &cg->dirs[cg->writes[i].dir];

		if (strcmp(cg->writes[i].file, file))
			continue;

		auto_close int mount = nook_cgroupfs_mount(dir->mount, dir->v2);
		auto_close int fd = nook_cgroupfs_walk(mount, dir->path, O_PATH);

		(void)nook_cgroupfs_read(fd, file, out, size);
	}
}

static const struct nook_limits_spec no_limit;
static const struct nook_limits_spec some_limits = {
	.memory = { true, 64 << 20, "--memory 64m" },
	.cpus_milli = { true, 500, "--cpus 0.5" },
	.cpu_weight = { true, 200, "--cpu-weight 200" },
	.pids = { true, 32, "--pids 32" },
};

static void life(const struct nook_limits_spec *limits, const char *name)
{
	struct world w;
	int into = NO_FD;
	size_t made = 0;

	PLAN_OR_SKIP(&w, limits, name);

	const struct nook_plan_cgroup *cg = &w.plan.cgroup;
	int r = nook_cgroup_make(cg, &into, &made, &w.err);

	if (r < 0)
		fail_msg("make: %s; %s", w.err.why, w.err.cause);
	assert_int_equal(made, cg->n_dirs);
	assert_int_equal(into >= 0, cg->dirs[0].v2);
	if (limits->pids.set) {
		char text[64];

		read_limit(cg, "pids.max", text, sizeof(text));
		assert_string_equal(text, "32");
	}

	pid_t pid = spawn(into);

	assert_int_equal(nook_cgroup_enter_v1(cg->dirs, cg->n_dirs, pid, &w.err), 0);

	auto_close int again = NO_FD;

	assert_int_equal(nook_cgroup_open(cg->dirs, cg->n_dirs, &again, &w.err), 0);

	pid_t second = spawn(again);

	if (!cg->dirs[0].v2)
		assert_int_equal(nook_cgroup_enter_v1(cg->dirs, cg->n_dirs, second, &w.err), 0);
	assert_int_equal(nook_cgroup_kill(cg->dirs, cg->n_dirs, &w.err), 0);
	assert_killed(pid);
	assert_killed(second);
	r = nook_cgroup_remove(cg->dirs, cg->n_dirs, &w.err);
	if (r < 0)
		fail_msg("remove: %s", w.err.why);
	assert_none(cg);

	/* Both may be said again. */
	assert_int_equal(nook_cgroup_kill(cg->dirs, cg->n_dirs, &w.err), 0);
	assert_int_equal(nook_cgroup_remove(cg->dirs, cg->n_dirs, &w.err), 0);
	close_fd(&into);
	nook_arena_free(&w.a);
}

static void test_life_without_limits(void **state)
{
	life(&no_limit, "unit-plain");
}

static void test_life_with_limits(void **state)
{
	life(&some_limits, "unit-limits");
}

static void test_twice(void **state)
{
	struct world w;
	int into = NO_FD, other = NO_FD;
	size_t made = 0, none = 0;

	PLAN_OR_SKIP(&w, &no_limit, "unit-twice");

	const struct nook_plan_cgroup *cg = &w.plan.cgroup;

	assert_int_equal(nook_cgroup_make(cg, &into, &made, &w.err), 0);
	assert_int_equal(nook_cgroup_make(cg, &other, &none, &w.err), -EEXIST);
	assert_non_null(strstr(w.err.why, "is empty"));
	assert_int_equal(other, NO_FD);
	assert_true(exists(&cg->dirs[0]));

	pid_t pid = spawn(into);

	memset(&w.err, 0, sizeof(w.err));
	assert_int_equal(nook_cgroup_make(cg, &other, &none, &w.err), -EEXIST);
	assert_non_null(strstr(w.err.why, "processes live in it"));
	assert_int_equal(nook_cgroup_kill(cg->dirs, made, &w.err), 0);
	assert_killed(pid);
	assert_int_equal(nook_cgroup_remove(cg->dirs, made, &w.err), 0);
	close_fd(&into);
	nook_arena_free(&w.a);
}

/* What a container makes below its own cgroup goes with it: in width and in depth. */
static void test_nested(void **state)
{
	struct world w;
	int into = NO_FD;
	size_t made = 0;

	PLAN_OR_SKIP(&w, &no_limit, "unit-nested");

	const struct nook_plan_cgroup *cg = &w.plan.cgroup;

	assert_int_equal(nook_cgroup_make(cg, &into, &made, &w.err), 0);

	int dir = dup(into);

	for (int depth = 0; depth < 30; depth++) {
		assert_int_equal(nook_cgroupfs_mkdir(dir, "left"), 0);
		assert_int_equal(nook_cgroupfs_mkdir(dir, "right"), 0);

		int down = nook_cgroupfs_child(dir, "right");

		assert_true(down >= 0);
		close_fd(&dir);
		dir = down;
	}

	pid_t pid = spawn(dir);

	close_fd(&dir);
	assert_int_equal(nook_cgroup_kill(cg->dirs, made, &w.err), 0);
	assert_int_equal(nook_cgroup_remove(cg->dirs, made, &w.err), 0);
	assert_killed(pid);
	assert_none(cg);
	close_fd(&into);
	nook_arena_free(&w.a);
}

/* A limit that the kernel does not take: told, with the words that asked, and nothing is left. */
static void test_refused_write(void **state)
{
	struct world w;
	int into = NO_FD;
	size_t made = 77;

	PLAN_OR_SKIP(&w, &some_limits, "unit-refused");

	struct nook_plan_cgroup *cg = &w.plan.cgroup;
	struct nook_plan_cgroup_write *last = &cg->writes[cg->n_writes - 1];

	last->value = "many";
	assert_true(nook_cgroup_make(cg, &into, &made, &w.err) < 0);
	assert_string_equal(w.err.where, "--pids 32");
	assert_non_null(strstr(w.err.why, "write many to"));
	assert_int_equal(into, NO_FD);
	assert_int_equal(made, 77);
	assert_none(cg);

	memset(&w.err, 0, sizeof(w.err));
	last->file = "pids.no_such_file";
	last->optional = false;
	assert_int_equal(nook_cgroup_make(cg, &into, &made, &w.err), -ENOENT);
	assert_none(cg);

	last->optional = true;
	assert_int_equal(nook_cgroup_make(cg, &into, &made, &w.err), 0);
	assert_int_equal(nook_cgroup_remove(cg->dirs, made, &w.err), 0);
	close_fd(&into);
	nook_arena_free(&w.a);
}

static void test_optional(void **state)
{
	struct nook_plan_cgroup_dir dir = { "/proc", "/nook/blue", true, 0 };
	struct nook_plan_cgroup cg = { .dirs = &dir, .n_dirs = 1, .optional = true };
	struct nook_error err = { 0 };
	int into = 5;
	size_t made = 5;

	assert_int_equal(nook_cgroup_make(&cg, &into, &made, &err), 0);
	assert_int_equal(into, NO_FD);
	assert_int_equal(made, 0);
	assert_int_equal(err.errnum, 0);

	cg.optional = false;
	into = 5;
	assert_int_equal(nook_cgroup_make(&cg, &into, &made, &err), -ENODEV);
	assert_int_equal(into, 5);
}

/* A record that was tampered with reaches nothing outside of the cgroup file systems. */
static void test_hostile_paths(void **state)
{
	static const char *const paths[] = { "/../tmp/x", "/nook/..", "/nook/../..", "/./.", "//" };
	struct world w;

	PLAN_OR_SKIP(&w, &no_limit, "unit-hostile");
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		struct nook_plan_cgroup_dir dir = { w.plan.cgroup.dirs[0].mount, paths[i], true,
						    0 };
		struct nook_plan_cgroup cg = { .dirs = &dir, .n_dirs = 1 };
		int into = NO_FD;
		size_t made = 0;

		assert_true(nook_cgroup_make(&cg, &into, &made, &w.err) < 0);
		assert_true(nook_cgroup_remove(&dir, 1, &w.err) < 0);
	}
	nook_arena_free(&w.a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_value),
		cmocka_unit_test(test_split),
		cmocka_unit_test(test_life_without_limits),
		cmocka_unit_test(test_life_with_limits),
		cmocka_unit_test(test_twice),
		cmocka_unit_test(test_nested),
		cmocka_unit_test(test_refused_write),
		cmocka_unit_test(test_optional),
		cmocka_unit_test(test_hostile_paths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
