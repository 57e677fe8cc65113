/* SPDX-License-Identifier: Apache-2.0 */
/* A program inside that says what it likes, and a manager that hears what it may. */
#include "run/oci_notify.h"

#include "base/own.h"
#include "base/text.h"
#include "run/oci_sockets.h"
#include "sys/pidfd.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char dir[] = "/tmp/nook-notify-XXXXXX";
static char manager_path[64];
static int base, manager;

/* What the manager has got, in one text: its datagrams end in "|". Barriers' descriptors are closed
 * by the kernel: no room is given for them. */
static const char *heard(void)
{
	static char text[65536];
	size_t len = 0;
	ssize_t n;

	while ((n = recv(manager, text + len, sizeof(text) - len - 2, MSG_DONTWAIT)) >= 0) {
		len += (size_t)n;
		text[len++] = '|';
	}
	text[len] = '\0';
	return text;
}

static int say_to(const char *id)
{
	char path[128];
	struct nook_error err = { 0 };

	(void)nook_format(path, sizeof(path), "%s/notify/%s/notify.sock", dir, id);

	int fd = nook_oci_connect(path, SOCK_DGRAM, false, &err);

	if (fd < 0)
		fail_msg("%s", err.why);
	return fd;
}

/* ---- one message each ---- */

static char long_status[1200], too_long[5000];

static const struct {
	const char *name, *said, *heard;
	size_t len; /* 0: strlen(said) */
} messages[] = {
	{ "ready", "READY=1", "MAINPID=77\nREADY=1\n|" },
	{ "with a newline", "READY=1\n", "MAINPID=77\nREADY=1\n|" },
	{ "not first", "X=1\nREADY=1\nY=2\n", "MAINPID=77\nREADY=1\n|" },
	{ "status", "STATUS=half done", "STATUS=half done\n|" },
	{ "both", "STATUS=up\nREADY=1", "STATUS=up\nMAINPID=77\nREADY=1\n|" },
	{ "UTF-8", "STATUS=läuft …", "STATUS=läuft …\n|" },
	{ "an escape", "STATUS=\x1b[2Jx", "STATUS=\\x1b[2Jx\n|" },
	{ "no UTF-8", "STATUS=a\xff", "STATUS=a\\xff\n|" },
	{ "its own MAINPID", "MAINPID=1\nREADY=1", "MAINPID=77\nREADY=1\n|" },
	{ "nothing to pass on",
	  "MAINPID=1\nSTOPPING=1\nRELOADING=1\nWATCHDOG=1\nFDSTORE=1\n"
	  "BUSERROR=x\nEXTEND_TIMEOUT_USEC=99999999999\nBARRIER=1",
	  "" },
	{ "not ready", "READY=0", "" },
	{ "not quite", "READY=10", "" },
	{ "not quite either", " READY=1", "" },
	{ "empty", "", "" },
	{ "a NUL", "STATUS=a\0READY=1", "", 16 },
	{ "the longest", long_status, NULL },
	{ "too long for a message", too_long, "" },
};

static void check_messages(void **test)
{
	(void)test;
	memset(long_status, 'x', sizeof(long_status) - 1);
	memcpy(long_status, "STATUS=", 7);
	memset(too_long, 'x', sizeof(too_long) - 1);
	memcpy(too_long, "READY=1\n", 8);
	assert_int_equal(nook_oci_notify_make(base, "m", NULL), 0);

	for (size_t i = 0; i < ARRAY_SIZE(messages); i++) {
		struct nook_error err = { 0 };
		struct nook_oci_notify n;
		auto_close int listener = nook_oci_notify_listen(base, "m", &err);

		if (listener < 0)
			fail_msg("%s", err.why);
		assert_int_equal(nook_oci_notify_begin(&n, listener, manager_path, 77, &err), 0);
		n.staying = true;

		auto_close int inside = say_to("m");
		size_t len = messages[i].len ? messages[i].len : strlen(messages[i].said);

		assert_int_equal(send(inside, messages[i].said, len, 0), len);
		assert_int_equal(nook_oci_notify_take(&n, &err), 0);

		const char *got = heard();

		if (messages[i].heard && strcmp(got, messages[i].heard) != 0)
			fail_msg("%s: \"%s\"", messages[i].name, got);
		if (!messages[i].heard)
			assert_in_range(strlen(got), NOOK_NOTIFY_STATUS, NOOK_NOTIFY_STATUS + 16);
		assert_int_equal(n.ready, strstr(got, "READY=1") != NULL);
		nook_oci_notify_end(&n);
	}
	assert_int_equal(nook_oci_notify_remove(base, "m", NULL), 0);
}

/* However much it says, so much is passed on; and being ready is heard all the same, once. */
static void check_flood(void **test)
{
	struct nook_error err = { 0 };
	struct nook_oci_notify n;
	size_t lines = 0;

	(void)test;
	assert_int_equal(nook_oci_notify_make(base, "f", NULL), 0);

	auto_close int listener = nook_oci_notify_listen(base, "f", &err);

	assert_int_equal(nook_oci_notify_begin(&n, listener, manager_path, 77, &err), 0);
	n.staying = true;

	auto_close int inside = say_to("f");

	for (int i = 0; i < 4 * NOOK_NOTIFY_LINES; i++) {
		assert_int_equal(send(inside, "STATUS=x", 8, 0), 8);
		assert_int_equal(nook_oci_notify_take(&n, &err), 0);
		lines += strcmp(heard(), "STATUS=x\n|") == 0;
	}
	assert_int_equal(lines, NOOK_NOTIFY_LINES);
	assert_int_equal(send(inside, "STATUS=x\nREADY=1", 16, 0), 16);
	assert_int_equal(nook_oci_notify_take(&n, &err), 0);
	assert_string_equal(heard(), "MAINPID=77\nREADY=1\n|");
	assert_true(n.ready);

	n.since -= NOOK_NOTIFY_WINDOW_MS;
	assert_int_equal(send(inside, "READY=1\nSTATUS=y", 16, 0), 16);
	assert_int_equal(nook_oci_notify_take(&n, &err), 0);
	assert_string_equal(heard(), "STATUS=y\n|");
	nook_oci_notify_end(&n);
	assert_int_equal(nook_oci_notify_remove(base, "f", NULL), 0);
}

/* ---- the wait ---- */

static void check_forward(void **test)
{
	static const struct {
		const char *name, *said, *heard;
	} cases[] = {
		{ "ready, and it lives on", "READY=1", "MAINPID=77\nREADY=1\n|BARRIER=1|" },
		{ "it ends without a word", NULL, "" },
		{ "it says something else and ends", "STATUS=no", "STATUS=no\n|" },
	};

	(void)test;
	assert_int_equal(nook_oci_notify_make(base, "w", NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct nook_error err = { 0 };
		auto_close int listener = nook_oci_notify_listen(base, "w", &err);
		bool ready = cases[i].said && strcmp(cases[i].said, "READY=1") == 0;
		pid_t inside = fork();

		if (inside == 0) {
			int fd = say_to("w");

			(void)usleep(50000);
			if (cases[i].said)
				(void)!send(fd, cases[i].said, strlen(cases[i].said), 0);
			for (;;)
				(void)(ready ? pause() : (_exit(0), 0));
		}

		auto_close int pidfd = nook_pidfd_open(inside, 0);

		/* The manager reads when all is said, and so answers the barrier at its end. */
		pid_t reader = fork();

		if (reader == 0) {
			(void)usleep(400000);
			_exit(strcmp(heard(), cases[i].heard) == 0 ? 0 : 1);
		}

		int rc = nook_oci_notify_forward(listener, manager_path, pidfd, 77, &err);
		int status;

		if (rc != 0)
			fail_msg("%s: %s", cases[i].name, err.why);
		assert_int_equal(waitpid(reader, &status, 0), reader);
		if (status != 0)
			fail_msg("%s: the manager heard something else", cases[i].name);
		(void)kill(inside, SIGKILL);
		assert_int_equal(waitpid(inside, NULL, 0), inside);
	}
	assert_int_equal(nook_oci_notify_remove(base, "w", NULL), 0);
}

static void check_interrupt(void **test)
{
	struct nook_error err = { 0 };
	sigset_t set, before;

	(void)test;
	assert_int_equal(nook_oci_notify_make(base, "i", NULL), 0);

	auto_close int listener = nook_oci_notify_listen(base, "i", &err);
	auto_close int pidfd = nook_pidfd_open(getpid(), 0);

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigprocmask(SIG_BLOCK, &set, &before);
	(void)raise(SIGTERM);
	assert_int_equal(nook_oci_notify_forward(listener, manager_path, pidfd, 77, &err), -EINTR);
	assert_int_equal(sigwaitinfo(&set, NULL), SIGTERM); /* it is pending still */
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	assert_int_equal(nook_oci_notify_remove(base, "i", NULL), 0);
}

static void check_no_manager(void **test)
{
	static const struct {
		const char *host;
		int rc;
	} cases[] = {
		{ "/nonexistent/notify", -ENOENT },
		{ "@nook-test-nobody", -ECONNREFUSED },
		{ "/dev/null", -ECONNREFUSED },
	};

	(void)test;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct nook_error err = { 0 };
		struct nook_oci_notify n;
		int rc = nook_oci_notify_begin(&n, NO_FD, cases[i].host, 1, &err);

		if (rc != cases[i].rc)
			fail_msg("%s: %d %s", cases[i].host, rc, err.why);
		assert_true(strncmp(err.where, "NOTIFY_SOCKET=", 14) == 0);
	}
	assert_true(nook_oci_notify_is_socket("/run/x"));
	assert_true(nook_oci_notify_is_socket("@x"));
	assert_false(nook_oci_notify_is_socket(NULL));
	assert_false(nook_oci_notify_is_socket(""));
	assert_false(nook_oci_notify_is_socket("/"));
	assert_false(nook_oci_notify_is_socket("vsock:2:1"));
	assert_false(nook_oci_notify_is_socket("x"));
}

/* ---- the place ---- */

static void check_place(void **test)
{
	struct nook_error err = { 0 };
	char path[128];
	struct stat st;

	(void)test;
	assert_int_equal(nook_oci_notify_listen(base, "none", &err), -ENOENT);
	assert_int_equal(nook_oci_notify_remove(base, "none", &err), 0);

	mode_t mask = umask(077);

	assert_int_equal(nook_oci_notify_make(base, "p", &err), 0);
	assert_int_equal(nook_oci_notify_make(base, "p", &err), 0);
	for (int i = 0; i < 2; i++) { /* the second finds what the first has left */
		auto_close int fd = nook_oci_notify_listen(base, "p", &err);

		if (fd < 0)
			fail_msg("%s", err.why);
	}
	(void)umask(mask);

	(void)nook_format(path, sizeof(path), "%s/notify/p", dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	(void)nook_format(path, sizeof(path), "%s/notify/p/notify.sock", dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0777);
	(void)nook_format(path, sizeof(path), "%s/notify", dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 077, 0);
	assert_int_equal(nook_oci_notify_remove(base, "p", &err), 0);
	assert_int_equal(nook_oci_notify_remove(base, "p", &err), 0);

	/* A link in its place is not followed. */
	(void)nook_format(path, sizeof(path), "%s/notify/link", dir);
	assert_int_equal(symlink("/", path), 0);
	assert_true(nook_oci_notify_make(base, "link", &err) < 0);
	assert_true(nook_oci_notify_listen(base, "link", &err) < 0);
	assert_true(nook_oci_notify_remove(base, "link", &err) < 0);
	assert_int_equal(unlink(path), 0);
}

/* ---- the bundle ---- */

static void check_bundle(void **test)
{
	static const char *const env[] = { "A=1", "NOTIFY_SOCKET=/old", "B=2", NULL };
	struct nook_bundle_mount mounts[] = { { .destination = "/proc" } };
	auto_arena struct nook_arena a = { 0 };
	struct nook_bundle b = {
		.mounts = mounts,
		.n_mounts = 1,
		.process = { .set = true, .env = env },
	};
	struct nook_bundle none = { 0 };

	(void)test;
	assert_int_equal(nook_arena_init(&a), 0);
	nook_oci_notify_add(&a, &b, "/run/nook", "c1");
	assert_int_equal(b.n_mounts, 2);
	assert_string_equal(b.mounts[0].destination, "/proc");
	assert_string_equal(b.mounts[1].destination, "/run/notify");
	assert_string_equal(b.mounts[1].source, "/run/nook/notify/c1");
	assert_string_equal(b.process.env[0], "A=1");
	assert_string_equal(b.process.env[1], "B=2");
	assert_string_equal(b.process.env[2], "NOTIFY_SOCKET=/run/notify/notify.sock");
	assert_null(b.process.env[3]);

	nook_oci_notify_add(&a, &none, "/run/nook", "c1");
	assert_int_equal(none.n_mounts, 0);
}

static int begin(void **state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	(void)state;
	if (!mkdtemp(dir))
		return -1;
	base = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	(void)nook_format(manager_path, sizeof(manager_path), "%s/manager", dir);
	manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	memcpy(address.sun_path, manager_path, strlen(manager_path));
	return bind(manager, (struct sockaddr *)&address, sizeof(address));
}

static int end(void **state)
{
	char path[64];

	(void)state;
	close_fd(&base);
	close_fd(&manager);
	(void)unlink(manager_path);
	(void)nook_format(path, sizeof(path), "%s/notify", dir);
	(void)rmdir(path);
	return rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(check_messages),   cmocka_unit_test(check_flood),
		cmocka_unit_test(check_forward),    cmocka_unit_test(check_interrupt),
		cmocka_unit_test(check_no_manager), cmocka_unit_test(check_place),
		cmocka_unit_test(check_bundle),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
