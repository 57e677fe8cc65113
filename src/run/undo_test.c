/* SPDX-License-Identifier: Apache-2.0 */
/* Keepers that die at every point, and what the next one finds. */
#include "systemd.h"
#include "run/cgroup.h"

#include "base/file.h"
#include "base/text.h"
#include "state/dir_fixture.h"
#include "sys/pidfd.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

/* Cgroups have tests of their own: these note that they were asked for, or fail. */
static char cgroup_calls[200];
static int cgroup_result;

static int note_call(const char *call, const struct nook_plan_cgroup_dir *dirs, size_t n,
		     struct nook_error *err)
{
	size_t len = strlen(cgroup_calls);

	for (size_t i = 0; i < n; i++)
		len += nook_format(cgroup_calls + len, sizeof(cgroup_calls) - len, "%s %s%s;", call,
				   dirs[i].mount, dirs[i].path);
	return cgroup_result ? nook_fail(err, -cgroup_result, "%s", call) : 0;
}

int nook_cgroup_kill(const struct nook_plan_cgroup_dir *dirs, size_t n, struct nook_error *err)
{
	return note_call("kill", dirs, n, err);
}

int nook_cgroup_remove_intended(const struct nook_plan_cgroup_dir *dirs, size_t n,
				struct nook_error *err)
{
	return note_call("remove intended", dirs, n, err);
}

int nook_systemd_stop(const char *unit, const char *id, struct nook_error *err)
{
	(void)unit;
	(void)id;
	(void)err;
	return 0;
}

int nook_cgroup_remove(const struct nook_plan_cgroup_dir *dirs, size_t n, struct nook_error *err)
{
	return note_call("remove", dirs, n, err);
}

static char boot_id[37];
#define RANGE (NOOK_RANGE_FIRST + 7 * NOOK_RANGE_SIZE)

static int begin(void **state)
{
	cgroup_calls[0] = '\0';
	cgroup_result = 0;
	return nook_boot_id(boot_id, NULL) < 0 ? -1 : make_dir(state);
}

static unsigned files_in(enum nook_folder f)
{
	auto_close int base = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int fd = openat(base, nook_folder_name(f), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	auto_closedir DIR *d = fd < 0 ? NULL : fdopendir(fd);
	unsigned n = 0;

	for (struct dirent *e; d && (e = readdir(d));)
		n += e->d_name[0] != '.';
	return n;
}

static void assert_nothing_left(void)
{
	for (int f = 0; f < NOOK_FOLDER_COUNT; f++)
		assert_int_equal(files_in((enum nook_folder)f), 0);
}

static struct nook_plan_cgroup_dir cgroups[] = { { .mount = "/m", .path = "/nook/c", .v2 = true } };
static const struct sock_filter filter[] = { { 6, 0, 0, 0x7fff0000 } };

static struct nook_record sample(void)
{
	return (struct nook_record){
		.boot_id = boot_id,
		.keeper = getpid(),
		.range = RANGE,
		.cgroups = cgroups,
		.n_cgroups = 1,
		.seccomp_name = "default",
		.seccomp = filter,
		.n_seccomp = 1,
	};
}

/* A program: sleeps until it is killed. Only the test's own end ends it else. */
static pid_t start_program(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		(void)nook_close_range(3, ~0u, 0); /* as the stage does: the lock is among them */
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			(void)pause(); /* returns for signals with a handler only */
	}
	assert_true(pid > 0);
	return pid;
}

enum point {
	AT_FOLDERS,  /* nothing but the folders */
	AT_CLAIM,    /* claimed */
	AT_FILTER,   /* filter and half a record aside */
	AT_CREATING, /* record written, objects may be there */
	AT_RANGE,    /* range held */
	AT_EXCHANGE, /* the old record not yet deleted */
	AT_RUNNING,
	AT_DROPPING, /* range given back, filter deleted */
	AT_LOCK,     /* all but the lock deleted */
	POINTS,
};

static void write_aside(const struct nook_state *s, const char *path, const char *text)
{
	auto_close int fd = openat(s->base, path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0 || nook_write_fd(fd, text, strlen(text)) < 0)
		_exit(9);
}

/* Walks a container's life as a keeper does, up to a point. */
static void live_until(enum point point, pid_t program, struct nook_state *s)
{
	struct nook_record r = sample();

	if (nook_state_claim(dir, "c", s, NULL) < 0)
		_exit(1);
	if (point == AT_FOLDERS) {
		(void)nook_state_drop(s, NULL);
		return;
	}
	if (point == AT_FILTER) {
		write_aside(s, "seccomp/c", "half");
		write_aside(s, "new/c", "{\"version\":1,\"na");
	}
	if (point <= AT_FILTER)
		return;

	if (nook_state_write(s, &r, NULL) < 0)
		_exit(2);
	if (point >= AT_RANGE && nook_range_claim(s, RANGE, NULL) < 0)
		_exit(3);
	if (point < AT_EXCHANGE)
		return;

	r.phase = NOOK_PHASE_RUNNING;
	r.pid = program;
	if (nook_start_time(program, &r.start_time, NULL) < 0 || nook_state_write(s, &r, NULL) < 0)
		_exit(4);
	if (point == AT_EXCHANGE)
		write_aside(s, "new/c", "{}");
	if (point < AT_DROPPING)
		return;

	if (nook_range_release(s, RANGE, NULL) < 0 || unlinkat(s->base, "seccomp/c", 0) < 0)
		_exit(5);
	if (point == AT_LOCK && nook_files_delete(s, NULL) < 0)
		_exit(6);
}

/* A keeper that lives up to a point and waits there; @ret_program is its child at once with it, so
 * that it outlives it. */
static pid_t start_keeper(enum point point, pid_t program)
{
	int ready[2];
	char byte;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid_t pid = fork();

	if (pid == 0) {
		struct nook_state s = NOOK_STATE_NONE;

		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		live_until(point, program, &s);
		if (write(ready[1], "", 1) != 1)
			_exit(8);
		for (;;)
			(void)pause(); /* as above */
	}
	assert_true(pid > 0);
	(void)close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1); /* 0: it has failed and ended */
	(void)close(ready[0]);
	return pid;
}

static void kill_and_reap(pid_t pid)
{
	int status = 0;

	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
}

/* Ended, and by SIGKILL: then it is reaped. */
static void assert_was_killed(pid_t pid)
{
	int status = 0;

	assert_int_equal(waitpid(pid, &status, WNOHANG), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void look(enum nook_life *life, int *rc)
{
	auto_arena struct nook_arena a = { 0 };
	struct nook_record r;

	assert_int_equal(nook_arena_init(&a), 0);
	*rc = nook_state_read(dir, "c", &a, &r, life, NULL);
}

static void assert_life(enum point point, bool dead)
{
	enum nook_life life = NOOK_LIFE_GONE;
	int rc = 1;

	look(&life, &rc);
	if (point == AT_FOLDERS) {
		assert_int_equal(rc, -ENOENT);
		return;
	}
	assert_int_equal(rc, point == AT_DROPPING ? -EBADMSG : 0); /* its filter is missing */
	if (dead)
		assert_int_equal(life, NOOK_LIFE_GONE);
	else if (point == AT_EXCHANGE || point == AT_RUNNING)
		assert_int_equal(life, NOOK_LIFE_RUNNING);
	else
		assert_int_equal(life, NOOK_LIFE_STARTING);
}

static void assert_cgroups_undone(enum point point)
{
	bool recorded = point >= AT_CREATING && point < AT_LOCK;

	assert_string_equal(cgroup_calls, recorded ? "kill /m/nook/c;remove /m/nook/c;" : "");
}

static void test_keepers_that_die(void **state)
{
	for (int p = 0; p < POINTS; p++) {
		for (int by_claim = 0; by_claim < 2; by_claim++) {
			enum point point = (enum point)p;
			pid_t program = start_program(), keeper = start_keeper(point, program);

			assert_life(point, false);
			if (point != AT_FOLDERS)
				assert_int_equal(nook_state_undo(dir, "c", false, NULL), -EBUSY);
			kill_and_reap(keeper);
			assert_life(point, true);

			cgroup_calls[0] = '\0';
			if (by_claim) {
				struct nook_state s = NOOK_STATE_NONE;

				assert_int_equal(nook_state_claim(dir, "c", &s, NULL), 0);
				assert_false(nook_have_record(&s));
				assert_cgroups_undone(point);

				/* Leftovers beside are no obstacle. */
				struct nook_record r = sample();

				r.n_cgroups = 0;
				assert_int_equal(nook_state_write(&s, &r, NULL), 0);
				assert_int_equal(nook_range_claim(&s, RANGE, NULL), 0);
				assert_int_equal(nook_range_release(&s, RANGE, NULL), 0);
				assert_int_equal(nook_state_drop(&s, NULL), 0);
			} else {
				assert_int_equal(nook_state_undo(dir, "c", false, NULL), 0);
				assert_cgroups_undone(point);
			}
			assert_nothing_left();
			assert_int_equal(nook_state_undo(dir, "c", false, NULL), 0);

			if (point == AT_EXCHANGE || point == AT_RUNNING || point == AT_DROPPING)
				assert_was_killed(program);
			else
				kill_and_reap(program);
		}
	}
}

static void test_living_keepers_are_ended_by_force(void **state)
{
	for (int p = AT_CLAIM; p < POINTS; p++) {
		if (p == AT_EXCHANGE || p == AT_DROPPING)
			continue; /* a second each, and no other than AT_RUNNING */

		pid_t program = start_program(), keeper = start_keeper((enum point)p, program);
		struct nook_error err = { 0 };

		if (p == AT_RUNNING) /* a stopped one can't clean up itself */
			assert_int_equal(kill(keeper, SIGSTOP), 0);
		assert_int_equal(nook_state_undo(dir, "c", false, &err), -EBUSY);
		assert_string_equal(err.hint, "`nook rm --force c` ends it first.");
		assert_int_equal(nook_state_undo(dir, "c", true, &err), 0);
		assert_was_killed(keeper);
		assert_nothing_left();
		if (p == AT_RUNNING)
			assert_was_killed(program);
		else
			kill_and_reap(program);
	}
}

/* A keeper that sees its program end cleans up itself, and is left alone. */
static void test_a_keeper_that_cleans_up_is_not_killed(void **state)
{
	pid_t program = start_program();
	int ready[2], status = 0;
	char byte;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid_t keeper = fork();

	if (keeper == 0) {
		auto_close int pidfd = nook_pidfd_open(program, 0);
		struct nook_state s = NOOK_STATE_NONE;

		live_until(AT_RUNNING, program, &s);
		if (write(ready[1], "", 1) != 1 || nook_pidfd_wait(pidfd, 5000) < 0)
			_exit(9);
		(void)nook_range_release(&s, RANGE, NULL);
		_exit(nook_state_drop(&s, NULL) < 0 ? 7 : 42);
	}
	(void)close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	(void)close(ready[0]);

	assert_int_equal(nook_state_undo(dir, "c", true, NULL), 0);
	assert_nothing_left();
	assert_string_equal(cgroup_calls, "");
	assert_int_equal(waitpid(keeper, &status, 0), keeper);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 42);
	assert_was_killed(program);
}

/* The same process runs it, in another thread: it isn't killed, and the undo says why it fails. */
static void test_our_own_container_is_not_forced(void **state)
{
	struct nook_state s = NOOK_STATE_NONE;
	struct nook_record r = sample();
	struct nook_error err = { 0 };

	assert_int_equal(nook_state_claim(dir, "c", &s, NULL), 0);
	assert_int_equal(nook_state_write(&s, &r, NULL), 0);
	assert_int_equal(nook_state_undo(dir, "c", true, &err), -EBUSY);
	assert_non_null(strstr(err.why, "can't be seen"));
	assert_int_equal(nook_state_clear(&s, NULL), 0);
	assert_int_equal(nook_state_drop(&s, NULL), 0);
}

/* A pid that somebody else has by now is not killed. */
static void test_a_pid_of_somebody_else_is_left_alone(void **state)
{
	static const struct {
		const char *boot;
		int later;
		bool cgroups;
	} cases[] = {
		{ NULL, 1, true },                                    /* it began later */
		{ "00000000-0000-0000-0000-000000000000", 0, false }, /* before a reboot */
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		pid_t stranger = start_program();
		struct nook_state s = NOOK_STATE_NONE;
		struct nook_record r = sample();

		if (cases[i].boot)
			r.boot_id = cases[i].boot;
		r.phase = NOOK_PHASE_RUNNING;
		r.pid = stranger;
		assert_int_equal(nook_start_time(stranger, &r.start_time, NULL), 0);
		r.start_time -= (uint64_t)cases[i].later;

		assert_int_equal(nook_state_claim(dir, "c", &s, NULL), 0);
		assert_int_equal(nook_state_write(&s, &r, NULL), 0);
		assert_int_equal(nook_range_claim(&s, RANGE, NULL), 0);
		nook_state_close(&s);

		cgroup_calls[0] = '\0';
		assert_int_equal(nook_state_undo(dir, "c", true, NULL), 0);
		assert_true((cgroup_calls[0] != '\0') == cases[i].cgroups);
		assert_nothing_left();
		assert_int_equal(waitpid(stranger, NULL, WNOHANG), 0);
		kill_and_reap(stranger);
	}
}

/* After a power loss the record may be anything. */
static void test_garbled_records_are_undone(void **state)
{
	static const char *const texts[] = { "", "{\"version\":1", "\x01\x02", "{\"version\":9}" };

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct nook_state s = NOOK_STATE_NONE, other = NOOK_STATE_NONE;
		struct nook_record r = sample();
		enum nook_life life;
		int rc;

		assert_int_equal(nook_state_claim(dir, "other", &other, NULL), 0);
		assert_int_equal(nook_state_claim(dir, "c", &s, NULL), 0);
		assert_int_equal(nook_state_write(&s, &r, NULL), 0);
		assert_int_equal(nook_range_claim(&s, RANGE, NULL), 0);
		assert_int_equal(nook_range_claim(&other, RANGE + 65536, NULL), 0);
		assert_int_equal(unlinkat(s.base, "containers/c", 0), 0);
		write_aside(&s, "containers/c", texts[i]);
		nook_state_close(&s);

		look(&life, &rc);
		assert_int_equal(rc, -EBADMSG);
		assert_int_equal(life, NOOK_LIFE_GONE);
		assert_int_equal(nook_state_undo(dir, "c", false, NULL), 0);
		assert_int_equal(files_in(NOOK_FOLDER_IDS), 1); /* the other's stays */
		assert_int_equal(nook_range_release(&other, RANGE + 65536, NULL), 0);
		assert_int_equal(nook_state_drop(&other, NULL), 0);
		assert_nothing_left();
	}
}

/* What can't be undone now stays recorded, and is undone later. */
static void test_a_failed_undo_can_be_repeated(void **state)
{
	struct nook_state s = NOOK_STATE_NONE;
	struct nook_record r = sample();
	struct nook_error err = { 0 };

	assert_int_equal(nook_state_claim(dir, "c", &s, NULL), 0);
	assert_int_equal(nook_state_write(&s, &r, NULL), 0);
	assert_int_equal(nook_range_claim(&s, RANGE, NULL), 0);
	nook_state_close(&s);

	cgroup_result = -EBUSY;
	assert_int_equal(nook_state_undo(dir, "c", false, &err), -EBUSY);
	assert_string_equal(err.why, "kill: Device or resource busy");
	assert_int_equal(nook_state_claim(dir, "c", &s, &err), -EBUSY);
	assert_int_equal(files_in(NOOK_FOLDER_RECORDS), 1);
	assert_int_equal(files_in(NOOK_FOLDER_IDS), 1);

	/* Nor is its range handed to another. */
	struct nook_state t = NOOK_STATE_NONE;

	assert_int_equal(nook_state_claim(dir, "t", &t, NULL), 0);
	assert_int_equal(nook_range_claim(&t, RANGE, NULL), -EEXIST);

	cgroup_result = 0;
	assert_int_equal(nook_range_claim(&t, RANGE, NULL), 0);
	assert_int_equal(files_in(NOOK_FOLDER_RECORDS), 0);
	assert_int_equal(nook_range_release(&t, RANGE, NULL), 0);
	assert_int_equal(nook_state_drop(&t, NULL), 0);
	assert_nothing_left();
}

/* A child that has a copy of the lock's descriptor follows its keeper soon: both a claim and an
 * undo wait for it. */
static void test_a_dying_child_is_waited_for(void **state)
{
	for (int by_claim = 0; by_claim < 2; by_claim++) {
		struct nook_state s = NOOK_STATE_NONE;
		struct nook_record r = sample();

		assert_int_equal(nook_state_claim(dir, "c", &s, NULL), 0);
		assert_int_equal(nook_state_write(&s, &r, NULL), 0);
		pid_t child = fork();

		if (child == 0) {
			(void)usleep(50000);
			_exit(0);
		}
		nook_state_close(&s); /* as our death would */

		if (by_claim) {
			assert_int_equal(nook_state_claim(dir, "c", &s, NULL), 0);
			assert_int_equal(nook_state_drop(&s, NULL), 0);
		} else {
			assert_int_equal(nook_state_undo(dir, "c", false, NULL), 0);
		}
		assert_int_equal(waitpid(child, NULL, 0), child);
		assert_nothing_left();
	}
}

static void test_one_of_many_gets_the_name(void **state)
{
	for (int round = 0; round < 20; round++) {
		pid_t pids[6];
		int go[2], winners = 0;

		assert_int_equal(pipe2(go, O_CLOEXEC), 0);
		for (size_t i = 0; i < ARRAY_SIZE(pids); i++) {
			pids[i] = fork();
			if (pids[i] == 0) {
				struct nook_state s = NOOK_STATE_NONE;
				struct nook_record r = sample();
				char byte;

				(void)close(go[1]);
				(void)!read(go[0], &byte, 1); /* its end is the signal */
				r.n_cgroups = 0;
				int rc = nook_state_claim(dir, "c", &s, NULL);

				if (rc == 0)
					rc = nook_state_write(&s, &r, NULL);
				if (rc == 0)
					(void)usleep(500000);
				_exit(rc == 0 ? 1 : rc == -EEXIST ? 0 : 2);
			}
			assert_true(pids[i] > 0);
		}
		(void)close(go[0]);
		(void)close(go[1]);

		pid_t winner = 0;

		/* The losers end; the winner would sleep, and is killed with the name. */
		for (size_t i = 1; i < ARRAY_SIZE(pids); i++) {
			int status = 0;

			assert_true(wait(&status) > 0);
			assert_true(WIFEXITED(status));
			assert_int_equal(WEXITSTATUS(status), 0);
		}
		for (size_t i = 0; i < ARRAY_SIZE(pids); i++) {
			if (kill(pids[i], 0) == 0) {
				winner = pids[i];
				winners++;
			}
		}
		assert_int_equal(winners, 1);
		kill_and_reap(winner);
	}
	assert_int_equal(nook_state_undo(dir, "c", false, NULL), 0);
	assert_nothing_left();
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, remove_dir)
	const struct CMUnitTest tests[] = {
		TEST(test_keepers_that_die),
		TEST(test_living_keepers_are_ended_by_force),
		TEST(test_a_keeper_that_cleans_up_is_not_killed),
		TEST(test_our_own_container_is_not_forced),
		TEST(test_a_pid_of_somebody_else_is_left_alone),
		TEST(test_garbled_records_are_undone),
		TEST(test_a_failed_undo_can_be_repeated),
		TEST(test_a_dying_child_is_waited_for),
		TEST(test_one_of_many_gets_the_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
