/* SPDX-License-Identifier: Apache-2.0 */
/* nook_supervise() as a shell's job on a terminal: the test is the person and the terminal, a small
 * shell of its own starts the job. */
#include "run/terminal.h"
#include "run/tty.h"

#include "base/own.h"
#include "sys/pidfd.h"

#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>

#include <cmocka.h>

enum how { JOB, BACKGROUND, PIPE_IN, NO_PTY };

struct rig {
	int terminal; /* the master of the caller's terminal */
	int slave;    /* to look at its mode */
	int orders, reports;
	int input; /* to the job's stdin when it is a pipe */
	pid_t shell, job;
	struct termios before;
};

static void must(bool ok, const char *what)
{
	if (!ok) {
		perror(what);
		_exit(99);
	}
}

static void run_program(const char *script, int slave)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	must(setsid() >= 0, "setsid");
	if (slave >= 0) {
		must(ioctl(slave, TIOCSCTTY, 0) == 0, "TIOCSCTTY");
		for (int fd = 0; fd < 3; fd++)
			dup2(slave, fd);
		if (slave > 2)
			close(slave);
	}
	execl("/bin/sh", "sh", "-c", script, NULL);
	_exit(127);
}

/* What nook does: block, make a pty, clone, supervise. */
static void run_job(const char *script, enum how how)
{
	struct nook_error err = { 0 };
	int master = NO_FD, slave = NO_FD, status = 98;

	nook_supervise_block();
	if (how != NO_PTY) {
		int unlock = 0;

		master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
		must(ioctl(master, TIOCSPTLCK, &unlock) == 0, "TIOCSPTLCK");
		slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY);
		must(slave >= 0, "TIOCGPTPEER");
		nook_terminal_copy_size(master);
	}

	pid_t pid = fork();

	if (pid == 0)
		run_program(script, slave);
	close_fd(&slave);
	if (nook_supervise(nook_pidfd_open(pid, 0), pid, master, &status, &err) < 0)
		dprintf(2, "nook_supervise: %s\n", err.why);
	_exit(status);
}

static void give_terminal(pid_t group)
{
	must(tcsetpgrp(0, group) == 0, "tcsetpgrp");
}

/* Job control as a shell has it: reports 'S' when the job stops, takes 'f' and 'b' as fg and bg. */
static void run_shell(pid_t job, enum how how, int orders, int reports)
{
	int status;
	char order;

	signal(SIGTTOU, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	(void)setpgid(job, job);
	if (how != BACKGROUND)
		give_terminal(job);

	while (waitpid(job, &status, WUNTRACED) == job && WIFSTOPPED(status)) {
		give_terminal(getpid());
		must(write(reports, "S", 1) == 1, "report");
		if (read(orders, &order, 1) != 1)
			_exit(97);
		if (order == 'f')
			give_terminal(job);
		kill(-job, SIGCONT);
	}

	char end[2] = { 'E', (char)(WIFSIGNALED(status) ? 128 + WTERMSIG(status)
							: WEXITSTATUS(status)) };
	must(write(reports, end, 2) == 2, "report");
	_exit(0);
}

static void start(struct rig *r, const char *script, enum how how)
{
	int orders[2], reports[2], input[2] = { -1, -1 }, unlock = 0;
	struct winsize size = { .ws_row = 40, .ws_col = 132 };

	r->terminal = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	assert_true(r->terminal >= 0);
	assert_int_equal(ioctl(r->terminal, TIOCSPTLCK, &unlock), 0);
	r->slave = ioctl(r->terminal, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(r->slave >= 0);
	assert_int_equal(ioctl(r->terminal, TIOCSWINSZ, &size), 0);
	assert_int_equal(tcgetattr(r->slave, &r->before), 0);
	assert_int_equal(pipe2(orders, O_CLOEXEC), 0);
	assert_int_equal(pipe2(reports, O_CLOEXEC), 0);
	if (how == PIPE_IN)
		assert_int_equal(pipe2(input, O_CLOEXEC), 0);

	r->shell = fork();
	if (r->shell == 0) {
		must(setsid() >= 0 && ioctl(r->slave, TIOCSCTTY, 0) == 0, "the shell's terminal");
		close(r->terminal);
		close(orders[1]);
		for (int fd = 0; fd < 3; fd++)
			dup2(r->slave, fd);
		close(r->slave);

		pid_t job = fork();

		if (job == 0) {
			setpgid(0, 0);
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			signal(SIGTTOU, SIG_IGN);
			if (how != BACKGROUND)
				give_terminal(getpid());
			signal(SIGTTOU, SIG_DFL);
			if (how == PIPE_IN) {
				dup2(input[0], 0);
				close(input[1]);
			}
			close(orders[0]);
			close(reports[1]);
			run_job(script, how);
		}
		close(input[0]);
		close(input[1]);
		must(write(reports[1], &job, sizeof(job)) == sizeof(job), "report");
		run_shell(job, how, orders[0], reports[1]);
	}

	close(orders[0]);
	close(reports[1]);
	if (how == PIPE_IN)
		close(input[0]);
	r->orders = orders[1];
	r->reports = reports[0];
	r->input = input[1];
	assert_int_equal(read(r->reports, &r->job, sizeof(r->job)), sizeof(r->job));
}

static void finish(struct rig *r)
{
	int status;

	close_fd(&r->orders);
	close_fd(&r->reports);
	close_fd(&r->input);
	close_fd(&r->slave);
	close_fd(&r->terminal);
	assert_int_equal(waitpid(r->shell, &status, 0), r->shell);
	assert_int_equal(status, 0);
}

/* The next report; 'E' leaves the exit status in @status. */
static char report(struct rig *r, int *status)
{
	struct pollfd p = { .fd = r->reports, .events = POLLIN };
	unsigned char what = 0, code = 0;

	assert_int_equal(poll(&p, 1, 10000), 1);
	assert_int_equal(read(r->reports, &what, 1), 1);
	if (what == 'E')
		assert_int_equal(read(r->reports, &code, 1), 1);
	if (status)
		*status = code;
	return (char)what;
}

/* Reads the terminal until @text has come, into @all. */
static size_t see(struct rig *r, const char *text, char *all, size_t size)
{
	size_t len = 0;

	memset(all, 0, size);
	while (!memmem(all, len, text, strlen(text))) {
		struct pollfd p = { .fd = r->terminal, .events = POLLIN };
		ssize_t n = -1;

		assert_true(len + 1 < size);
		if (poll(&p, 1, 10000) == 1)
			n = read(r->terminal, all + len, size - len - 1);
		if (n <= 0)
			fail_msg("waited for \"%s\", saw \"%s\"", text, all);
		len += (size_t)n;
	}
	return len;
}

static void type(struct rig *r, const char *text)
{
	assert_int_equal(write(r->terminal, text, strlen(text)), strlen(text));
}

static bool is_raw(struct rig *r)
{
	struct termios now;

	assert_int_equal(tcgetattr(r->slave, &now), 0);
	return !(now.c_lflag & (ICANON | ECHO | ISIG)) && !(now.c_oflag & OPOST);
}

static void assert_restored(struct rig *r)
{
	struct termios now;

	assert_int_equal(tcgetattr(r->slave, &now), 0);
	assert_int_equal(now.c_lflag, r->before.c_lflag);
	assert_int_equal(now.c_iflag, r->before.c_iflag);
	assert_int_equal(now.c_oflag, r->before.c_oflag);
	assert_memory_equal(now.c_cc, r->before.c_cc, sizeof(now.c_cc));
}

static double cpu_seconds(pid_t pid)
{
	clockid_t clock;
	struct timespec t;

	assert_int_equal(clock_getcpuclockid(pid, &clock), 0);
	assert_int_equal(clock_gettime(clock, &t), 0);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void nap(int milliseconds)
{
	struct timespec t = { milliseconds / 1000, milliseconds % 1000 * 1000000L };

	while (nanosleep(&t, &t) < 0)
		;
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

static void test_interrupt_key_goes_inside(void **state)
{
	char all[4096];
	struct rig r;
	int status;

	start(&r, "trap 'echo caught; exit 4' INT; echo ready; while :; do sleep 0.02; done", JOB);
	see(&r, "ready", all, sizeof(all));
	type(&r, "\003");
	see(&r, "caught", all, sizeof(all));
	assert_int_equal(report(&r, &status), 'E');
	assert_int_equal(status, 4);
	finish(&r);
}

static void test_window_follows(void **state)
{
	struct winsize size = { .ws_row = 11, .ws_col = 22 };
	char all[4096];
	struct rig r;

	start(&r, "trap 'stty size; exit' WINCH; echo ready; while :; do sleep 0.02; done", JOB);
	see(&r, "ready", all, sizeof(all));
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

		start(&r, "stty -echo; echo ready; n=$(wc -c); echo \"bytes $n.\"", PIPE_IN);
		see(&r, "ready", all, sizeof(all));
		assert_int_equal(write(r.input, inputs[i], strlen(inputs[i])), strlen(inputs[i]));
		close_fd(&r.input);

		char expected[32];

		snprintf(expected, sizeof(expected), "bytes %zu.", strlen(inputs[i]));
		see(&r, expected, all, sizeof(all));
		assert_int_equal(report(&r, NULL), 'E');
		assert_restored(&r);
		finish(&r);
	}
}

/* The program closes its terminal, lives on, and comes back to it. */
static void test_slaves_closed(void **state)
{
	char all[4096];
	struct rig r;
	int status;

	start(&r, "echo ready; exec <&- >&- 2>&-; sleep 0.4; echo back >/dev/tty; exit 5", JOB);
	see(&r, "ready", all, sizeof(all));
	nap(250);
	assert_true(cpu_seconds(r.job) < 0.1);
	see(&r, "back", all, sizeof(all));
	assert_int_equal(report(&r, &status), 'E');
	assert_int_equal(status, 5);
	finish(&r);
}

static void test_stop_and_continue(void **state)
{
	char all[4096];
	struct rig r;

	start(&r, "echo ready; read line; echo \"got $line\"", JOB);
	see(&r, "ready", all, sizeof(all));
	for (int i = 0; i < 3; i++) {
		kill(r.job, i == 0 ? SIGTSTP : i == 1 ? SIGTTIN : SIGTTOU);
		assert_int_equal(report(&r, NULL), 'S');
		assert_restored(&r);
		assert_int_equal(write(r.orders, "f", 1), 1);
		for (int n = 0; n < 500 && !is_raw(&r); n++)
			nap(10);
		assert_true(is_raw(&r));
	}
	type(&r, "on\r");
	see(&r, "got on", all, sizeof(all));
	assert_int_equal(report(&r, NULL), 'E');
	assert_restored(&r);
	finish(&r);
}

/* The terminal belongs to the shell: nothing of it is changed until `fg`. */
static void test_background(void **state)
{
	char all[4096];
	struct rig r;

	start(&r, "read line; echo \"got $line\"", BACKGROUND);
	assert_int_equal(report(&r, NULL), 'S');
	assert_restored(&r);
	assert_int_equal(write(r.orders, "b", 1), 1);
	assert_int_equal(report(&r, NULL), 'S');
	assert_restored(&r);
	assert_int_equal(write(r.orders, "f", 1), 1);
	for (int n = 0; n < 500 && !is_raw(&r); n++)
		nap(10);
	assert_true(is_raw(&r));
	type(&r, "late\r");
	see(&r, "got late", all, sizeof(all));
	assert_int_equal(report(&r, NULL), 'E');
	assert_restored(&r);
	finish(&r);
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
		int status;

		snprintf(script, sizeof(script),
			 "trap 'echo caught; exit 6' %s; echo ready; while :; do sleep 0.02; done",
			 cases[i].name);
		start(&r, script, cases[i].how);
		see(&r, "ready", all, sizeof(all));
		kill(r.job, cases[i].signal);
		see(&r, "caught", all, sizeof(all));
		assert_int_equal(report(&r, &status), 'E');
		assert_int_equal(status, 6);
		assert_restored(&r);
		finish(&r);
	}
}

/* Without a pty the keys of our terminal are signals to us. */
static void test_keys_without_pty(void **state)
{
	char all[4096];
	struct rig r;
	int status;

	start(&r, "trap 'echo caught; exit 6' INT; echo ready; while :; do sleep 0.02; done",
	      NO_PTY);
	see(&r, "ready", all, sizeof(all));
	type(&r, "\032");
	assert_int_equal(report(&r, NULL), 'S');
	assert_int_equal(write(r.orders, "f", 1), 1);
	for (int n = 0; n < 500 && tcgetpgrp(r.terminal) != r.job; n++)
		nap(10); /* else the key is for the shell */
	type(&r, "\003");
	see(&r, "caught", all, sizeof(all));
	assert_int_equal(report(&r, &status), 'E');
	assert_int_equal(status, 6);
	finish(&r);
}

static void test_terminal_goes_away(void **state)
{
	char all[4096];
	struct rig r;
	int status;

	start(&r, "echo ready; while :; do sleep 0.02; done", JOB);
	see(&r, "ready", all, sizeof(all));
	close_fd(&r.slave);
	close_fd(&r.terminal);
	assert_int_equal(report(&r, &status), 'E');
	assert_int_equal(status, 129);
	finish(&r);
}

static void test_fault_restores(void **state)
{
	static const int faults[] = { SIGSEGV, SIGABRT };
	char all[4096];

	for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
		struct rig r;
		int status;

		start(&r, "echo ready; read line", JOB);
		see(&r, "ready", all, sizeof(all));
		assert_true(is_raw(&r));
		kill(r.job, faults[i]);
		assert_int_equal(report(&r, &status), 'E');
		assert_int_equal(status, 128 + faults[i]);
		assert_restored(&r);
		finish(&r);
	}
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
		cmocka_unit_test(test_interrupt_key_goes_inside),
		cmocka_unit_test(test_window_follows),
		cmocka_unit_test(test_stalled_reader),
		cmocka_unit_test(test_stalled_program),
		cmocka_unit_test(test_pipe_ends),
		cmocka_unit_test(test_slaves_closed),
		cmocka_unit_test(test_stop_and_continue),
		cmocka_unit_test(test_background),
		cmocka_unit_test(test_signals_from_outside),
		cmocka_unit_test(test_keys_without_pty),
		cmocka_unit_test(test_terminal_goes_away),
		cmocka_unit_test(test_fault_restores),
		cmocka_unit_test(test_ignored_stay_ignored),
		cmocka_unit_test(test_private_descriptor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
