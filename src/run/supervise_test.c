/* SPDX-License-Identifier: Apache-2.0 */
/* nook_supervise() on a terminal: what is typed and shown, and how it is left. */
#include "supervise_rig.h"

static double cpu_seconds(pid_t pid)
{
	clockid_t clock;
	struct timespec t;

	assert_int_equal(clock_getcpuclockid(pid, &clock), 0);
	assert_int_equal(clock_gettime(clock, &t), 0);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void test_status_and_last_words(void **state)
{
	static const struct {
		const char *script;
		enum how how;
		int status;
		const char *shown;
	} cases[] = {
		{ "printf end; exit 7", JOB, 7, "end" },
		{ "printf end; kill -9 $$", JOB, 137, "end" },
		{ "printf end; exit 7", NO_PTY, 7, "end" },
		{ "printf end; kill -TERM $$", NO_PTY, 143, "end" },
		{ "tty >/dev/null && stty size", JOB, 0, "40 132" },
		/* more than a pty holds, then the program is gone at once */
		{ "stty -opost; head -c 100000 /dev/zero | tr '\\0' x; printf end", JOB, 0, "end" },
	};
	static char all[200000];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct rig r;
		int status;

		start(&r, cases[i].script, cases[i].how);
		size_t len = see(&r, cases[i].shown, all, sizeof(all));

		assert_int_equal(report(&r, &status), 'E');
		assert_int_equal(status, cases[i].status);
		if (strstr(cases[i].script, "100000"))
			assert_int_equal(len, 100003);
		assert_restored(&r);
		finish(&r);
	}
}

static void test_raw_and_back(void **state)
{
	char all[4096];
	struct rig r;

	start(&r, "echo ready; read line; echo \"got $line\"", JOB);
	see(&r, "ready\r\n", all, sizeof(all));
	assert_true(is_raw(&r));
	/* Not ours to change: the shell has the same open file description. */
	assert_false(fcntl(r.slave, F_GETFL) & O_NONBLOCK);
	type(&r, "hello\r");
	see(&r, "got hello", all, sizeof(all));
	assert_int_equal(report(&r, NULL), 'E');
	assert_restored(&r);
	assert_false(fcntl(r.slave, F_GETFL) & O_NONBLOCK);
	finish(&r);
}

static void test_window_follows(void **state)
{
	struct winsize size = { .ws_row = 11, .ws_col = 22 };
	char all[4096];
	struct rig r;

	start_ready(&r, "trap 'stty size; exit' WINCH; echo ready; while :; do sleep 0.02; done",
		    JOB);
	assert_int_equal(ioctl(r.terminal, TIOCSWINSZ, &size), 0);
	see(&r, "11 22", all, sizeof(all));
	assert_int_equal(report(&r, NULL), 'E');
	finish(&r);
}

/* A terminal that stalls stops the program; it costs no processor time, and no byte. */
static void test_stalled_reader(void **state)
{
	static char all[1200000];
	struct rig r;

	start(&r, "stty -opost; head -c 1000000 /dev/zero | tr '\\0' x; printf end", JOB);
	nap(300);
	assert_true(cpu_seconds(r.job) < 0.1);
	assert_int_equal(see(&r, "end", all, sizeof(all)), 1000003);
	assert_int_equal(report(&r, NULL), 'E');
	finish(&r);
}

/* More than both ptys hold, to a program that reads late. */
static void test_stalled_program(void **state)
{
	static char many[300000];
	char all[4096];
	struct rig r;
	size_t sent = 0;

	memset(many, 'y', sizeof(many));
	start(&r,
	      "stty raw -echo; echo ready; sleep 0.3; head -c 300000 | tr -d y | wc -c; echo end",
	      JOB);
	see(&r, "ready", all, sizeof(all));
	double before = cpu_seconds(r.job);

	while (sent < sizeof(many)) {
		struct pollfd p = { .fd = r.terminal, .events = POLLOUT };

		assert_int_equal(poll(&p, 1, 10000), 1);
		ssize_t n = write(r.terminal, many + sent, sizeof(many) - sent);

		if (n > 0)
			sent += (size_t)n;
	}
	assert_true(cpu_seconds(r.job) - before < 0.15);
	see(&r, "0\nend", all, sizeof(all));
	assert_int_equal(report(&r, NULL), 'E');
	finish(&r);
}

static void test_pipe_ends(void **state)
{
	static const char *inputs[] = { "", "whole line\n", "line begun" };
	char all[4096];

	for (size_t i = 0; i < ARRAY_SIZE(inputs); i++) {
		struct rig r;

		start_ready(&r, "stty -echo; echo ready; n=$(wc -c); echo \"bytes $n.\"", PIPE_IN);
		assert_int_equal(write(r.input, inputs[i], strlen(inputs[i])), strlen(inputs[i]));
		close_fd(&r.input);

		char expected[32];

		snprintf(expected, sizeof(expected), "bytes %zu.", strlen(inputs[i]));
		see(&r, expected, all, sizeof(all));
		ends_with(&r, 0);
	}
}

/* The program closes its terminal, lives on, and comes back to it. */
static void test_slaves_closed(void **state)
{
	char all[4096];
	struct rig r;

	start_ready(&r, "echo ready; exec <&- >&- 2>&-; sleep 0.4; echo back >/dev/tty; exit 5",
		    JOB);
	nap(250);
	assert_true(cpu_seconds(r.job) < 0.1);
	see(&r, "back", all, sizeof(all));
	ends_with(&r, 5);
}

static void test_terminal_goes_away(void **state)
{
	struct rig r;
	int status;

	start_ready(&r, "echo ready; while :; do sleep 0.02; done", JOB);
	close_fd(&r.slave);
	close_fd(&r.terminal);
	assert_int_equal(report(&r, &status), 'E');
	assert_int_equal(status, 129);
	finish(&r);
}

static void test_fault_restores(void **state)
{
	static const int faults[] = { SIGSEGV, SIGABRT };

	for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
		struct rig r;

		start_ready(&r, "echo ready; read line", JOB);
		assert_true(is_raw(&r));
		kill(r.job, faults[i]);
		ends_with(&r, 128 + faults[i]);
	}
}

static void test_private_descriptor(void **state)
{
	int ends[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	auto_close int read_end = ends[0];
	auto_close int write_end = ends[1];
	auto_close int private = nook_private_fd(write_end, O_WRONLY);
	auto_close int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	assert_true(private >= 0);
	assert_true(fcntl(private, F_GETFL) & O_NONBLOCK);
	assert_false(fcntl(write_end, F_GETFL) & O_NONBLOCK);
	assert_int_equal(write(private, "x", 1), 1);

	char c;

	assert_int_equal(read(read_end, &c, 1), 1);
	/* a file's offset, and a terminal that would be another one */
	assert_int_equal(nook_private_fd(file, O_RDONLY), NO_FD);

	auto_close int ptmx = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);

	assert_int_equal(nook_private_fd(ptmx, O_RDONLY), NO_FD);
	assert_int_equal(nook_private_fd(NO_FD, O_RDONLY), NO_FD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_status_and_last_words),
		cmocka_unit_test(test_raw_and_back),
		cmocka_unit_test(test_window_follows),
		cmocka_unit_test(test_stalled_reader),
		cmocka_unit_test(test_stalled_program),
		cmocka_unit_test(test_pipe_ends),
		cmocka_unit_test(test_slaves_closed),
		cmocka_unit_test(test_terminal_goes_away),
		cmocka_unit_test(test_fault_restores),
		cmocka_unit_test(test_private_descriptor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
