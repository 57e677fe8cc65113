/* SPDX-License-Identifier: Apache-2.0 */
/* For unit tests of nook_supervise() as a shell's job on a terminal: the test is the person and the
 * terminal, a small shell of its own starts the job. */
#ifndef NOOK_RUN_SUPERVISE_RIG_H
#define NOOK_RUN_SUPERVISE_RIG_H

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

static inline void must(bool ok, const char *what)
{
	if (!ok) {
		perror(what);
		_exit(99);
	}
}

static inline void run_program(const char *script, int slave)
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
static inline void run_job(const char *script, enum how how)
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

static inline void give_terminal(pid_t group)
{
	must(tcsetpgrp(0, group) == 0, "tcsetpgrp");
}

/* Job control as a shell has it: reports 'S' when the job stops, takes 'f' and 'b' as fg and bg. */
static inline void run_shell(pid_t job, enum how how, int orders, int reports)
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

static inline void start(struct rig *r, const char *script, enum how how)
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

static inline void finish(struct rig *r)
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
static inline char report(struct rig *r, int *status)
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
static inline size_t see(struct rig *r, const char *text, char *all, size_t size)
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

static inline void type(struct rig *r, const char *text)
{
	assert_int_equal(write(r->terminal, text, strlen(text)), strlen(text));
}

static inline bool is_raw(struct rig *r)
{
	struct termios now;

	assert_int_equal(tcgetattr(r->slave, &now), 0);
	return !(now.c_lflag & (ICANON | ECHO | ISIG)) && !(now.c_oflag & OPOST);
}

static inline void assert_restored(struct rig *r)
{
	struct termios now;

	assert_int_equal(tcgetattr(r->slave, &now), 0);
	assert_int_equal(now.c_lflag, r->before.c_lflag);
	assert_int_equal(now.c_iflag, r->before.c_iflag);
	assert_int_equal(now.c_oflag, r->before.c_oflag);
	assert_memory_equal(now.c_cc, r->before.c_cc, sizeof(now.c_cc));
}

static inline void nap(int milliseconds)
{
	struct timespec t = { milliseconds / 1000, milliseconds % 1000 * 1000000L };

	while (nanosleep(&t, &t) < 0)
		;
}

/* start(), and the script has come as far as to say that it is ready. */
static inline void start_ready(struct rig *r, const char *script, enum how how)
{
	char all[4096];

	start(r, script, how);
	see(r, "ready", all, sizeof(all));
}

/* `fg`: till the terminal is the job's again. */
static inline void bring_back(struct rig *r)
{
	assert_int_equal(write(r->orders, "f", 1), 1);
	for (int n = 0; n < 500 && !is_raw(r); n++)
		nap(10);
	assert_true(is_raw(r));
}

/* The job is stopped, and has given the terminal back as it was. */
static inline void is_stopped(struct rig *r)
{
	assert_int_equal(report(r, NULL), 'S');
	assert_restored(r);
}

/* The job ends with this status, and leaves the terminal as it was. */
static inline void ends_with(struct rig *r, int status)
{
	int its;

	assert_int_equal(report(r, &its), 'E');
	assert_int_equal(its, status);
	assert_restored(r);
	finish(r);
}

#endif
