/* SPDX-License-Identifier: Apache-2.0 */
/* nook_supervise() as a job: its keys, stops and signals. */
#include "supervise_rig.h"

static void test_interrupt_key_goes_inside(void **state)
{
	char all[4096];
	struct rig r;

	start_ready(&r, "trap 'echo caught; exit 4' INT; echo ready; while :; do sleep 0.02; done",
		    JOB);
	type(&r, "\003");
	see(&r, "caught", all, sizeof(all));
	ends_with(&r, 4);
}

static void test_stop_and_continue(void **state)
{
	char all[4096];
	struct rig r;

	start_ready(&r, "echo ready; read line; echo \"got $line\"", JOB);
	for (int i = 0; i < 3; i++) {
		kill(r.job, i == 0 ? SIGTSTP : i == 1 ? SIGTTIN : SIGTTOU);
		is_stopped(&r);
		bring_back(&r);
	}
	type(&r, "on\r");
	see(&r, "got on", all, sizeof(all));
	ends_with(&r, 0);
}

/* The terminal belongs to the shell: nothing of it is changed until `fg`. */
static void test_background(void **state)
{
	char all[4096];
	struct rig r;

	start(&r, "read line; echo \"got $line\"", BACKGROUND);
	is_stopped(&r);
	assert_int_equal(write(r.orders, "b", 1), 1);
	is_stopped(&r);
	bring_back(&r);
	type(&r, "late\r");
	see(&r, "got late", all, sizeof(all));
	ends_with(&r, 0);
}

static void test_signals_from_outside(void **state)
{
	static const struct {
		const char *name;
		int signal;
		enum how how;
	} cases[] = {
		{ "TERM", SIGTERM, JOB },      { "INT", SIGINT, JOB },
		{ "HUP", SIGHUP, JOB },        { "USR1", SIGUSR1, JOB },
		{ "TERM", SIGTERM, NO_PTY },   { "QUIT", SIGQUIT, NO_PTY },
		{ "WINCH", SIGWINCH, NO_PTY }, { "ALRM", SIGALRM, NO_PTY },
	};
	char all[4096], script[128];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct rig r;

		snprintf(script, sizeof(script),
			 "trap 'echo caught; exit 6' %s; echo ready; while :; do sleep 0.02; done",
			 cases[i].name);
		start_ready(&r, script, cases[i].how);
		kill(r.job, cases[i].signal);
		see(&r, "caught", all, sizeof(all));
		ends_with(&r, 6);
	}
}

/* Without a pty the keys of our terminal are signals to us. */
static void test_keys_without_pty(void **state)
{
	char all[4096];
	struct rig r;

	start_ready(&r, "trap 'echo caught; exit 6' INT; echo ready; while :; do sleep 0.02; done",
		    NO_PTY);
	type(&r, "\032");
	assert_int_equal(report(&r, NULL), 'S');
	assert_int_equal(write(r.orders, "f", 1), 1);
	for (int n = 0; n < 500 && tcgetpgrp(r.terminal) != r.job; n++)
		nap(10); /* else the key is for the shell */
	type(&r, "\003");
	see(&r, "caught", all, sizeof(all));
	ends_with(&r, 6);
}

/* nohup and background jobs of scripts: what the caller ignores stays ignored; but the child's end
 * is ours to know. */
static void test_ignored_stay_ignored(void **state)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		struct nook_error err = { 0 };
		sigset_t now;

		signal(SIGHUP, SIG_IGN);
		signal(SIGCHLD, SIG_IGN);
		nook_supervise_block();
		sigprocmask(SIG_BLOCK, NULL, &now);
		if (sigismember(&now, SIGHUP) || !sigismember(&now, SIGTERM) ||
		    sigismember(&now, SIGCHLD) || sigismember(&now, SIGSEGV))
			_exit(1);

		pid_t child = fork();

		if (child == 0)
			_exit(42);
		if (nook_supervise(nook_pidfd_open(child, 0), child, NO_FD, &status, &err) < 0)
			_exit(2);
		_exit(status == 42 ? 0 : 3);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_interrupt_key_goes_inside),
		cmocka_unit_test(test_stop_and_continue),
		cmocka_unit_test(test_background),
		cmocka_unit_test(test_signals_from_outside),
		cmocka_unit_test(test_keys_without_pty),
		cmocka_unit_test(test_ignored_stay_ignored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
