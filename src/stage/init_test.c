/* SPDX-License-Identifier: Apache-2.0 */
/* nook_init_main() as pid 1 of a pid namespace of its own, as the stage starts it. */
#include "stage/init.h"

#include "base/own.h"
#include "sys/pidfd.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

struct container {
	pid_t pid; /* of its pid 1 */
	int pidfd;
	int output; /* of the program */
	char seen[4096];
	size_t len;
};

static _Noreturn void be_container(const char *script, int output)
{
	sigset_t all, none;

	/* As nook_supervise_block() leaves it: SIGCHLD is open, what is passed on is not. */
	sigfillset(&all);
	sigdelset(&all, SIGCHLD);
	sigemptyset(&none);
	sigprocmask(SIG_BLOCK, &all, NULL);
	if (setsid() < 0)
		_exit(99);

	pid_t child = fork();

	if (child == 0) {
		if (setsid() < 0)
			_exit(99);
		dup2(output, 1);
		dup2(output, 2);
		sigprocmask(SIG_SETMASK, &none, NULL);
		execl("/bin/sh", "sh", "-c", script, NULL);
		_exit(127);
	}
	nook_init_main(child, -1);
}

static void start(struct container *c, const char *script)
{
	int ends[2], told[2];

	memset(c, 0, sizeof(*c));
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(pipe2(told, O_CLOEXEC), 0);

	/* A user namespace, so that an ordinary user can run the test. The first fork after
	 * unshare(2) is pid 1. */
	pid_t outside = fork();

	if (outside == 0) {
		if (unshare(CLONE_NEWUSER | CLONE_NEWPID) < 0)
			_exit(77);

		pid_t pid = fork();
		int status;

		if (pid == 0) {
			/* This descriptor would keep the reader waiting, were it not closed. */
			be_container(script, ends[1]);
		}
		close(ends[1]);
		if (write(told[1], &pid, sizeof(pid)) != sizeof(pid))
			_exit(98);
		waitpid(pid, &status, 0);
		_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 98);
	}
	close(ends[1]);
	close(told[1]);

	pid_t pid;
	ssize_t n = read(told[0], &pid, sizeof(pid));

	close(told[0]);
	c->output = ends[0];
	c->pid = outside;
	c->pidfd = n == sizeof(pid) ? nook_pidfd_open(pid, 0) : NO_FD;
	if (n != sizeof(pid)) {
		int status;

		waitpid(outside, &status, 0);
		if (WEXITSTATUS(status) == 77) {
			close_fd(&c->output);
			skip(); /* this machine lets us make no user namespace */
		}
		fail_msg("the container did not start: %d", status);
	}
}

static void see(struct container *c, const char *text)
{
	while (!strstr(c->seen, text)) {
		ssize_t n = read(c->output, c->seen + c->len, sizeof(c->seen) - 1 - c->len);

		if (n <= 0)
			fail_msg("waited for \"%s\", saw \"%s\"", text, c->seen);
		c->len += (size_t)n;
	}
}

static int end(struct container *c)
{
	int status;

	assert_int_equal(waitpid(c->pid, &status, 0), c->pid);
	close_fd(&c->output);
	close_fd(&c->pidfd);
	return WEXITSTATUS(status);
}

static void test_status(void **state)
{
	static const struct {
		const char *script;
		int status;
	} cases[] = {
		{ "exit 0", 0 },
		{ "exit 255", 255 },
		{ "kill -9 $$", 137 },
		{ "kill -TERM $$", 143 },
		/* its orphans die with pid 1, at once */
		{ "(trap '' TERM HUP; sleep 100) & exit 3", 3 },
		/* a child's end is not the program's */
		{ "(exit 9); sh -c 'kill -9 $$'; exit 4", 4 },
		/* signals without handler, from inside, don't end pid 1; nor do those it can't pass
		 */
		{ "trap '' TERM; kill -TERM 1; kill -KILL 1; kill -STOP 1; sleep 0.1; exit 5", 5 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct container c;

		start(&c, cases[i].script);
		assert_int_equal(end(&c), cases[i].status);
	}
}

/* kill -0 finds a zombie; only when pid 1 has reaped it there is none. */
static void test_orphans_are_reaped(void **state)
{
	struct container c;

	start(&c, "for i in 1 2 3 4 5 6 7 8; do\n"
		  "  pids=\"$pids $(sh -c 'sleep 0.05 >/dev/null 2>&1 & echo $!')\"\n"
		  "done\n"
		  "n=0\n"
		  "while [ $n -lt 100 ]; do\n"
		  "  left=0\n"
		  "  for p in $pids; do kill -0 $p 2>/dev/null && left=1; done\n"
		  "  [ $left = 0 ] && { echo \"reaped:$pids\"; exit 6; }\n"
		  "  n=$((n+1)); sleep 0.05\n"
		  "done\n"
		  "echo zombies; exit 1");
	see(&c, "reaped: ");
	assert_int_equal(end(&c), 6);
}

static void tell(struct container *c, int sig, bool group)
{
	int rc = group ? nook_pidfd_queue_signal(c->pidfd, sig, NOOK_SIGNAL_FOR_GROUP)
		       : nook_pidfd_send_signal(c->pidfd, sig);

	assert_int_equal(rc, 0);
}

static void test_signals_are_passed(void **state)
{
	static const struct {
		const char *name;
		int signal;
	} cases[] = {
		{ "TERM", SIGTERM }, { "HUP", SIGHUP },     { "INT", SIGINT },
		{ "USR2", SIGUSR2 }, { "WINCH", SIGWINCH }, { "ABRT", SIGABRT },
		{ "TSTP", SIGTSTP }, { "TTIN", SIGTTIN },
	};
	char script[200];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct container c;

		snprintf(script, sizeof(script),
			 "trap 'echo caught; exit 7' %s; echo ready; while :; do sleep 0.02; done",
			 cases[i].name);
		start(&c, script);
		see(&c, "ready");
		tell(&c, cases[i].signal, false);
		see(&c, "caught");
		assert_int_equal(end(&c), 7);
	}
}

/* To the program alone, but a terminal's key to its whole group: then the command that a script
 * waits for ends too. */
static void test_group(void **state)
{
	static const struct {
		bool group;
		const char *last;
	} cases[] = { { false, "command ended: 0" }, { true, "command ended: 9" } };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct container c;

		start(&c, "trap : INT\n"
			  "sh -c 'trap \"exit 9\" INT; echo ready; sleep 0.3; sleep 0.3; exit 0'\n"
			  "echo \"command ended: $?\"");
		see(&c, "ready");
		tell(&c, SIGINT, cases[i].group);
		see(&c, cases[i].last);
		end(&c);
	}
}

/* ^Z and fg of a container without terminal. */
static void test_group_stops(void **state)
{
	struct container c;

	start(&c, "echo ready; sleep 0.3; echo on; exit 8");
	see(&c, "ready");
	tell(&c, SIGTSTP, true);
	usleep(600000);

	struct pollfd p = { .fd = c.output, .events = POLLIN };

	assert_int_equal(poll(&p, 1, 0), 0);
	tell(&c, SIGCONT, true);
	see(&c, "on");
	assert_int_equal(end(&c), 8);
}

/* Nothing of ours stays open in pid 1: the reader of the program's output sees its end when the
 * program closes it. */
static void test_descriptors_are_closed(void **state)
{
	struct container c;
	char byte;

	start(&c, "exec >/dev/null 2>&1; sleep 5");
	assert_int_equal(read(c.output, &byte, 1), 0);
	tell(&c, SIGKILL, false);
	end(&c);
}

static void test_words_are_forgotten(void **state)
{
	static char words[] = "nook\0run\0--env\0PASSWORD=secret";
	char text[64];
	struct container c;

	/* In the copy that pid 1 has: read through its memory. */
	nook_init_words(words, sizeof(words));
	start(&c, "echo ready; sleep 5");
	see(&c, "ready");

	pid_t pid = 0;

	snprintf(text, sizeof(text), "/proc/self/fdinfo/%d", c.pidfd);

	FILE *info = fopen(text, "re");

	assert_non_null(info);
	while (fgets(text, sizeof(text), info)) {
		if (sscanf(text, "Pid: %d", &pid) == 1)
			break;
	}
	fclose(info);
	snprintf(text, sizeof(text), "/proc/%d/mem", pid);

	auto_close int memory = open(text, O_RDONLY | O_CLOEXEC);
	char there[sizeof(words)];

	assert_true(memory >= 0);
	assert_int_equal(pread(memory, there, sizeof(there), (off_t)(uintptr_t)words),
			 sizeof(there));
	assert_string_equal(there, "nook-init");
	assert_null(memmem(there, sizeof(there), "secret", 6));
	nook_init_words(NULL, 0);
	tell(&c, SIGKILL, false);
	end(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_status),
		cmocka_unit_test(test_orphans_are_reaped),
		cmocka_unit_test(test_signals_are_passed),
		cmocka_unit_test(test_group),
		cmocka_unit_test(test_group_stops),
		cmocka_unit_test(test_descriptors_are_closed),
		cmocka_unit_test(test_words_are_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
