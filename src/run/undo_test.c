/* SPDX-License-Identifier: Apache-2.0 */
/* Keepers that die at every point, and what the next one finds. */
#include "undo_rig.h"

#include "sys/pidfd.h"

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

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, remove_dir)
	const struct CMUnitTest tests[] = {
		TEST(test_keepers_that_die),
		TEST(test_living_keepers_are_ended_by_force),
		TEST(test_a_keeper_that_cleans_up_is_not_killed),
		TEST(test_our_own_container_is_not_forced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
