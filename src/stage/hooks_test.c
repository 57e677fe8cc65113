/* SPDX-License-Identifier: Apache-2.0 */
/* Hooks as processes: what they get, what becomes of them, and what is left when they have ended.
 */
#include "stage/hooks.h"

#include "base/own.h"
#include "base/text.h"
#include "sys/pidfd.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static char dir[] = "/tmp/nook-hooks-XXXXXX";

#define STATE "{\"ociVersion\":\"1.3.0\",\"id\":\"c\","

static struct nook_hooks_about about(void)
{
	struct nook_hooks_about a = {
		.state = STATE, .pid = 42, .status = "creating", .dir = dir, .interrupt = NO_FD
	};

	(void)sigemptyset(&a.mask);
	return a;
}

static void read_file(const char *name, char *out, size_t size)
{
	char path[128];

	(void)nook_format(path, sizeof(path), "%s/%s", dir, name);

	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t len = 0;
	ssize_t n = 0;

	while (fd >= 0 && (n = read(fd, out + len, size - 1 - len)) > 0)
		len += (size_t)n;
	out[len] = '\0';
}

static void remove_file(const char *name)
{
	char path[128];

	(void)nook_format(path, sizeof(path), "%s/%s", dir, name);
	(void)unlink(path);
}

static int64_t now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static size_t count_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	size_t n = 0;

	assert_non_null(d);
	while (readdir(d))
		n++;
	(void)closedir(d);
	return n;
}

#define SH(script)                                                                                 \
	(const char *const[])                                                                      \
	{                                                                                          \
		"sh", "-c", script, "word", "two words", NULL                                      \
	}
#define PATH_ENV "PATH=/usr/bin:/bin"

/* ---- one hook ---- */

struct one {
	const char *name;
	const char *path;
	const char *const *args, *const *env;
	unsigned timeout;
	int rc;
	const char *why; /* start of err.why */
	const char *out; /* what it has left in the file "out"; NULL: not looked at */
};

static const char *const two_variables[] = { "A=1", "B=x y", NULL };
static const char *const with_path[] = { PATH_ENV, NULL };

static const struct one ones[] = {
	{ "the state", "/bin/sh", SH("cat >out"), with_path, 0, 0, "",
	  STATE "\"status\":\"creating\",\"pid\":42}" },
	{ "exact words", "/bin/sh",
	  (const char *const[]){ "name", "-c", "printf '%s|' \"$0\" \"$@\" >out", "a b", "", "*",
				 NULL },
	  NULL, 0, 0, "", "a b||*|" },
	{ "no words", "/usr/bin/tty", NULL, NULL, 0, -EIO,
	  "the hook /usr/bin/tty ended with status 1", NULL },
	{ "an empty list of words", "/bin/true", (const char *const[]){ NULL }, NULL, 0, 0, "",
	  NULL },
	{ "only its variables", "/bin/sh", SH("tr '\\0' '|' </proc/self/environ >out"),
	  two_variables, 0, 0, "", "A=1|B=x y|" },
	{ "no variables", "/bin/sh", SH("wc -c </proc/self/environ >out"), NULL, 0, 0, "", "0\n" },
	{ "the directory", "/bin/sh", SH("test \"$(pwd -P)\" -ef . && test -e ./here"), with_path,
	  0, 0, "", NULL },
	{ "no more descriptors", "/bin/sh",
	  SH("set -- /proc/$$/fd/*; for f; do printf '%s ' \"${f##*/}\"; done >out"), with_path, 0,
	  0, "", "0 1 2 3 " /* the shell's, of that folder */ },
	{ "default signals", "/bin/sh",
	  SH("grep -E 'SigBlk|SigIgn' /proc/self/status | tr -d '\\n\\t' >out"), with_path, 0, 0,
	  "", "SigBlk:0000000000000000SigIgn:0000000000000000" },
	{ "a session", "/bin/sh",
	  SH("set -- $(sed 's/.*) //' /proc/$$/stat); test $3 = $$ && test $4 = $$"), with_path, 0,
	  0, "", NULL },
	{ "it fails", "/bin/sh", SH("exit 3"), NULL, 0, -EIO,
	  "the hook /bin/sh ended with status 3", NULL },
	{ "it is killed", "/bin/sh", SH("kill -TERM $$"), NULL, 0, -EIO,
	  "the hook /bin/sh was killed by signal 15", NULL },
	{ "stdin closed at once", "/bin/sh", SH("exec <&-; exit 0"), NULL, 0, 0, "", NULL },
	{ "stdin not read", "/bin/true", NULL, NULL, 0, 0, "", NULL },
	{ "in time", "/bin/true", NULL, NULL, 1, 0, "", NULL },
	{ "the longest time", "/bin/true", NULL, NULL, UINT32_MAX, 0, "", NULL },
	{ "too late", "/bin/sleep", (const char *const[]){ "sleep", "60", NULL }, NULL, 1,
	  -ETIMEDOUT, "the hook /bin/sleep did not end within 1 s, and was killed", NULL },
	{ "too late, deaf", "/bin/sh", SH("trap '' TERM INT HUP; while :; do sleep 60; done"),
	  with_path, 1, -ETIMEDOUT, "the hook /bin/sh did not end within 1 s, and was killed",
	  NULL },
	{ "not there", "/nonexistent/hook", NULL, NULL, 0, -ENOENT,
	  "execve for the hook /nonexistent/hook: No such file or directory", NULL },
	{ "a directory", "/etc", NULL, NULL, 0, -EACCES,
	  "execve for the hook /etc: Permission denied", NULL },
	{ "no program", "/etc/passwd", NULL, NULL, 0, -EACCES,
	  "execve for the hook /etc/passwd: Permission denied", NULL },
};

static void check_one(void **test)
{
	const struct one *c = *test;
	const struct nook_plan_hook hook = {
		.path = c->path,
		.args = c->args,
		.env = c->env,
		.timeout = c->timeout,
		.from = "/hooks/prestart/0",
	};
	struct nook_hooks_about a = about();
	struct nook_error err = { 0 };
	size_t fds = count_fds();
	int64_t begin = now_ms();
	/* Left open and inherited: as engines do. */
	auto_close int leaked = open("/dev/null", O_RDONLY); /* NOLINT: not CLOEXEC on purpose */

	remove_file("out");
	assert_int_equal(nook_hooks_run(&hook, 1, &a, &err), c->rc);
	if (strncmp(err.why, c->why, strlen(c->why)) != 0)
		fail_msg("why: %s", err.why);
	assert_string_equal(err.where, c->rc ? "/hooks/prestart/0" : "");
	assert_in_range(now_ms() - begin, 0, c->timeout == 1 ? 5000 : 30000);
	if (c->out) {
		char out[4096];

		read_file("out", out, sizeof(out));
		assert_string_equal(out, c->out);
	}

	close_fd(&leaked);
	assert_int_equal(count_fds(), fds);
	/* Nobody is left to be waited for. */
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

/* ---- the state ---- */

static const struct {
	const char *name;
	int pid;
	const char *status, *text;
	size_t size;
	int rc;
	const char *state;
} states[] = {
	{ "whole", 7, "created",
	  "{\"id\":\"a\",\"status\":\"created\",\"pid\":7,\"bundle\":\"/b\",\"x\":{}}", 128, 58,
	  "{\"id\":\"a\",\"bundle\":\"/b\",\"x\":{}," },
	{ "gone", 0, "stopped", "{\"id\":\"a\",\"status\":\"stopped\",\"bundle\":\"/b\"}", 128, 43,
	  "{\"id\":\"a\",\"bundle\":\"/b\"," },
	{ "short", 7, "created", "{\"status\":\"created\",\"pid\":7}", 128, 28, "{" },
	{ "the largest pid", INT32_MAX, "running", "{\"status\":\"running\",\"pid\":2147483647}",
	  128, 37, "{" },
	{ "no room", 7, "created", NULL, 20, -E2BIG, "{" },
};

static void check_state(void **test)
{
	(void)test;
	for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
		char out[128];
		int rc = nook_hooks_state(out, states[i].size, states[i].state, states[i].pid,
					  states[i].status);

		if (rc != states[i].rc)
			fail_msg("%s: %d", states[i].name, rc);
		if (rc >= 0)
			assert_string_equal(out, states[i].text);
	}
}

/* Sizes around a pipe's, and far past it; read slowly, whole, and not at all. */
static void check_sizes(void **test)
{
	static const size_t sizes[] = { 100, 4096, 65535, 65536, 65537, 300000, 4u << 20 };
	static char state[(4u << 20) + 1];

	(void)test;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		const struct nook_plan_hook hooks[] = {
			{ .path = "/bin/sh",
			  .args = SH("sleep 0.1; wc -c >out"),
			  .env = with_path },
			{ .path = "/bin/true" },
			/* A file of memory must not be one that a hook can change. */
			{ .path = "/bin/sh",
			  .args = SH("! echo x 1<>/proc/self/fd/0 >&0"),
			  .env = with_path },
		};
		const char *tail = "\"status\":\"creating\",\"pid\":42}";
		struct nook_hooks_about a = about();
		struct nook_error err = { 0 };
		char out[64], wanted[64];

		memset(state, 'x', sizes[i] - strlen(tail));
		state[sizes[i] - strlen(tail)] = '\0';
		a.state = state;
		if (nook_hooks_run(hooks, ARRAY_SIZE(hooks), &a, &err) != 0)
			fail_msg("%zu bytes: %s", sizes[i], err.why);
		read_file("out", out, sizeof(out));
		(void)nook_format(wanted, sizeof(wanted), "%zu\n", sizes[i]);
		assert_string_equal(out, wanted);
	}
}

/* ---- several ---- */

static void check_order(void **test)
{
	const struct nook_plan_hook hooks[] = {
		{ .path = "/bin/sh", .args = SH("printf 1 >>out") },
		{ .path = "/bin/sh", .args = SH("printf 2 >>out") },
		{ .path = "/bin/sh", .args = SH("printf 3 >>out; exit 9"), .from = "third" },
		{ .path = "/bin/sh", .args = SH("printf 4 >>out") },
	};
	struct nook_hooks_about a = about();
	struct nook_error err = { 0 };
	char out[64];

	(void)test;
	remove_file("out");
	assert_int_equal(nook_hooks_run(hooks, ARRAY_SIZE(hooks), &a, &err), -EIO);
	assert_string_equal(err.where, "third");
	read_file("out", out, sizeof(out));
	assert_string_equal(out, "123");
}

static bool is_alive(pid_t pid)
{
	return kill(pid, 0) == 0;
}

static bool is_gone_soon(pid_t pid)
{
	for (int i = 0; i < 200 && is_alive(pid); i++)
		(void)usleep(10000);
	return !is_alive(pid);
}

static pid_t pid_in(const char *name)
{
	char text[32];
	uint64_t pid = 0;

	read_file(name, text, sizeof(text));
	text[strcspn(text, "\n")] = '\0';
	if (nook_parse_u64(text, INT32_MAX, &pid) < 0)
		fail_msg("no pid in %s: \"%s\"", name, text);
	return (pid_t)pid;
}

/* What a hook has started goes with it when its time is over. */
static void check_group(void **test)
{
	const struct nook_plan_hook hook = {
		.path = "/bin/sh",
		.args = SH("sleep 60 & echo $! >child; wait"),
		.env = with_path,
		.timeout = 1,
	};
	struct nook_hooks_about a = about();
	struct nook_error err = { 0 };

	(void)test;
	remove_file("child");
	assert_int_equal(nook_hooks_run(&hook, 1, &a, &err), -ETIMEDOUT);
	assert_true(is_gone_soon(pid_in("child")));
}

/* One that leaves a process behind, with our stdout and its stdin still open there, is done. */
static void check_daemon(void **test)
{
	const struct nook_plan_hook hook = {
		.path = "/bin/sh",
		.args = SH("setsid sh -c 'echo $$ >child; exec sleep 60' & "
			   "while ! test -s child; do sleep 0.01; done"),
		.env = with_path,
		.timeout = 10,
	};
	struct nook_hooks_about a = about();
	struct nook_error err = { 0 };
	int64_t begin = now_ms();

	(void)test;
	remove_file("child");
	assert_int_equal(nook_hooks_run(&hook, 1, &a, &err), 0);
	assert_in_range(now_ms() - begin, 0, 9000);

	pid_t child = pid_in("child");

	assert_true(is_alive(child));
	(void)kill(child, SIGKILL);
}

/* Blocked signals, ignored ones and a handler stay with us. */
static void check_signals(void **test)
{
	const struct nook_plan_hook hook = {
		.path = "/bin/sh",
		.args = SH("grep -E 'SigBlk|SigIgn' /proc/self/status | "
			   "tr -d '\\n\\t' >out"),
		.env = with_path,
	};
	struct nook_hooks_about a = about();
	struct nook_error err = { 0 };
	struct sigaction chld;
	char out[256];

	(void)test;
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN);
	(void)signal(SIGCHLD, SIG_IGN);
	(void)sigaddset(&a.mask, SIGUSR1);
	assert_int_equal(nook_hooks_run(&hook, 1, &a, &err), 0);
	read_file("out", out, sizeof(out));
	assert_string_equal(out, "SigBlk:0000000000000200SigIgn:0000000000000000");
	assert_int_equal(sigaction(SIGCHLD, NULL, &chld), 0);
	assert_true(chld.sa_handler == SIG_IGN);
	(void)signal(SIGPIPE, SIG_DFL);
	(void)signal(SIGHUP, SIG_DFL);
	(void)signal(SIGCHLD, SIG_DFL);
}

static void check_interrupt(void **test)
{
	const struct nook_plan_hook hook = {
		.path = "/bin/sh",
		.args = SH("echo $$ >child; sleep 60"),
		.env = with_path,
	};
	struct nook_hooks_about a = about();
	struct nook_error err = { 0 };
	int ends[2];

	(void)test;
	remove_file("child");
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	a.interrupt = ends[0];

	pid_t other = fork();

	if (other == 0) {
		(void)usleep(300000);
		_exit(write(ends[1], "x", 1) == 1 ? 0 : 1);
	}
	assert_int_equal(nook_hooks_run(&hook, 1, &a, &err), -EINTR);
	assert_true(is_gone_soon(pid_in("child")));
	assert_int_equal(waitpid(other, NULL, 0), other);
	close_fd(&ends[0]);
	close_fd(&ends[1]);
}

/* A hook ends with whoever waits for it. */
static void check_death(void **test)
{
	const struct nook_plan_hook hook = {
		.path = "/bin/sh",
		.args = SH("echo $$ >child; exec sleep 60"),
		.env = with_path,
	};
	struct nook_hooks_about a = about();
	char out[32] = "";

	(void)test;
	remove_file("child");

	pid_t other = fork();

	if (other == 0) {
		struct nook_error err = { 0 };

		_exit(nook_hooks_run(&hook, 1, &a, &err) == 0 ? 0 : 1);
	}
	for (int i = 0; i < 500 && !strchr(out, '\n'); i++) {
		(void)usleep(10000);
		read_file("child", out, sizeof(out));
	}

	pid_t child = pid_in("child");

	assert_int_equal(kill(other, SIGKILL), 0);
	assert_int_equal(waitpid(other, NULL, 0), other);
	assert_true(is_gone_soon(child));
}

/* The caller has closed its standard input. */
static void check_no_stdin(void **test)
{
	const struct nook_plan_hook hook = {
		.path = "/bin/sh",
		.args = SH("cat >out"),
		.env = with_path,
	};
	struct nook_hooks_about a = about();
	struct nook_error err = { 0 };
	char out[128];
	/* So the pipe becomes descriptor 0. */
	int saved = fcntl(0, F_DUPFD_CLOEXEC, 100);

	(void)test;
	(void)close(0);
	assert_int_equal(nook_hooks_run(&hook, 1, &a, &err), 0);
	if (saved >= 0) {
		assert_int_equal(dup2(saved, 0), 0);
		close_fd(&saved);
	}
	read_file("out", out, sizeof(out));
	assert_string_equal(out, STATE "\"status\":\"creating\",\"pid\":42}");
}

static void check_no_dir(void **test)
{
	const struct nook_plan_hook hook = { .path = "/bin/true" };
	struct nook_hooks_about a = about();
	struct nook_error err = { 0 };

	(void)test;
	a.dir = "/nonexistent";
	assert_int_equal(nook_hooks_run(&hook, 1, &a, &err), -ENOENT);
	assert_string_equal(err.why, "chdir to the bundle for the hook /bin/true: "
				     "No such file or directory");
}

static void check_no_shebang(void **test)
{
	char path[128];
	const struct nook_plan_hook hook = { .path = path };
	struct nook_hooks_about a = about();
	struct nook_error err = { 0 };

	(void)test;
	(void)nook_format(path, sizeof(path), "%s/plain", dir);

	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, "exit 0\n", 7), 7);
	close_fd(&fd);
	assert_int_equal(nook_hooks_run(&hook, 1, &a, &err), -ENOEXEC);
	assert_non_null(strstr(err.hint, "#!/bin/sh"));
}

static int make_dir(void **state)
{
	char path[128];

	(void)state;
	if (!mkdtemp(dir))
		return -1;
	(void)nook_format(path, sizeof(path), "%s/here", dir);

	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	close_fd(&fd);
	return 0;
}

static int remove_dir(void **state)
{
	static const char *const names[] = { "here", "out", "child", "plain" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		remove_file(names[i]);
	return rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest rest[] = {
		cmocka_unit_test(check_state),      cmocka_unit_test(check_sizes),
		cmocka_unit_test(check_order),      cmocka_unit_test(check_group),
		cmocka_unit_test(check_daemon),     cmocka_unit_test(check_signals),
		cmocka_unit_test(check_interrupt),  cmocka_unit_test(check_death),
		cmocka_unit_test(check_no_stdin),   cmocka_unit_test(check_no_dir),
		cmocka_unit_test(check_no_shebang),
	};
	struct CMUnitTest tests[ARRAY_SIZE(ones) + ARRAY_SIZE(rest)];

	for (size_t i = 0; i < ARRAY_SIZE(ones); i++)
		tests[i] = (struct CMUnitTest){ ones[i].name, check_one, NULL, NULL,
						(void *)(uintptr_t)&ones[i] };
	memcpy(&tests[ARRAY_SIZE(ones)], rest, sizeof(rest));
	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
