/* SPDX-License-Identifier: Apache-2.0 */
/* Leftovers that are not what they should be, and who is in the way: what the next one finds. */
#include "undo_rig.h"

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
		TEST(test_a_pid_of_somebody_else_is_left_alone),
		TEST(test_garbled_records_are_undone),
		TEST(test_a_failed_undo_can_be_repeated),
		TEST(test_a_dying_child_is_waited_for),
		TEST(test_one_of_many_gets_the_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
