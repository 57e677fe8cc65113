/* SPDX-License-Identifier: Apache-2.0 */
/* What an engine receives, at sockets and in files of a temporary directory. */
#include "run/oci_sockets.h"

#include "base/own.h"
#include "base/text.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

static char dir[] = "/tmp/nook-sockets-XXXXXX";
static char long_dir[PATH_MAX];

/* Listens at NAME below @where, which may be too long for an address. */
static int listen_at(const char *where, const char *name)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char before[PATH_MAX];

	assert_non_null(getcwd(before, sizeof(before)));
	assert_int_equal(chdir(where), 0);
	(void)nook_format(a.sun_path, sizeof(a.sun_path), "%s", name);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(fd, 4), 0);
	assert_int_equal(chdir(before), 0);
	return fd;
}

/* As conmon does: accepts, reads one message with one descriptor, then the end. */
static int receive(int listener, char *text, size_t size)
{
	auto_close int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	struct iovec iov = { text, size - 1 };
	char control[CMSG_SPACE(sizeof(int) * 4)];
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	int got = NO_FD;
	ssize_t n;

	assert_true(fd >= 0);
	n = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC);
	assert_true(n > 0);
	text[n] = '\0';

	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	assert_non_null(c);
	assert_int_equal(c->cmsg_len, CMSG_LEN(sizeof(int)));
	memcpy(&got, CMSG_DATA(c), sizeof(got));
	assert_int_equal(recv(fd, control, 1, 0), 0);
	return got;
}

static void assert_same_file(int a, int b)
{
	struct stat one, other;

	assert_int_equal(fstat(a, &one), 0);
	assert_int_equal(fstat(b, &other), 0);
	assert_true(one.st_dev == other.st_dev && one.st_ino == other.st_ino);
}

static void send_and_check(const char *where, const char *name)
{
	char path[PATH_MAX], text[64];
	auto_close int listener = listen_at(where, name);
	auto_close int file = open("/dev/null", O_RDWR | O_CLOEXEC);
	struct nook_error err = { 0 };

	(void)nook_format(path, sizeof(path), "%s/%s", where, name);
	if (nook_oci_send_console(path, file, &err) != 0)
		fail_msg("%s: %s", err.where, err.why);

	auto_close int master = receive(listener, text, sizeof(text));

	assert_string_equal(text, "/dev/ptmx");
	assert_same_file(master, file);

	for (int init = 0; init < 2; init++) {
		assert_int_equal(nook_oci_send_pidfd(path, file, init, &err), 0);

		auto_close int pidfd = receive(listener, text, sizeof(text));

		assert_string_equal(text, init ? "standard" : "setns");
		assert_same_file(pidfd, file);
	}
	assert_int_equal(unlink(path), 0);
}

static void check_send(void **test)
{
	(void)test;
	send_and_check(dir, "s");
	send_and_check(long_dir, "s");
}

/* Paths of 107 and 108 bytes: the last that fits, and the first that doesn't. */
static void check_lengths(void **test)
{
	char name[128];

	(void)test;
	for (size_t len = 106; len <= 109; len++) {
		memset(name, 'n', sizeof(name));
		name[len - strlen(dir) - 1] = '\0';
		send_and_check(dir, name);
	}
}

/* Nobody there, and nobody who listens. */
static void check_refusals(void **test)
{
	char path[PATH_MAX];
	struct nook_error err = { 0 };

	(void)test;
	(void)nook_format(path, sizeof(path), "%s/none", dir);
	assert_int_equal(nook_oci_send_console(path, 0, &err), -ENOENT);
	assert_non_null(strstr(err.why, "connect to /tmp/nook-sockets-"));
	assert_non_null(strstr(err.where, "--console-socket "));

	auto_close int listener = listen_at(dir, "none");

	close_fd(&listener);
	assert_int_equal(nook_oci_send_pidfd(path, 0, true, &err), -ECONNREFUSED);
	assert_int_equal(unlink(path), 0);

	(void)nook_format(path, sizeof(path), "%s/none", long_dir);
	assert_int_equal(nook_oci_send_console(path, 0, &err), -ENOENT);

	/* An abstract name is a path here. */
	assert_int_equal(nook_oci_connect("@none", SOCK_STREAM, false, &err), -ENOENT);
	assert_int_equal(nook_oci_connect("@nook-test-none", SOCK_STREAM, true, &err),
			 -ECONNREFUSED);
	memset(path, 'x', 200);
	path[0] = '@';
	path[200] = '\0';
	assert_int_equal(nook_oci_connect(path, SOCK_STREAM, true, &err), -ENAMETOOLONG);
}

/* ---- the pid file ---- */

static size_t entries_of(const char *where)
{
	DIR *d = opendir(where);
	size_t n = 0;

	assert_non_null(d);
	while (readdir(d))
		n++;
	(void)closedir(d);
	return n - 2;
}

static void assert_content(const char *path, const char *wanted)
{
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	char text[64];
	ssize_t n = read(fd, text, sizeof(text) - 1);

	assert_true(n >= 0);
	text[n] = '\0';
	assert_string_equal(text, wanted);
}

static void check_pid_file(void **test)
{
	struct nook_error err = { 0 };
	char path[PATH_MAX], longest[NAME_MAX + 1], before[PATH_MAX];
	size_t n = entries_of(dir);

	(void)test;
	memset(longest, 'p', NAME_MAX);
	longest[NAME_MAX] = '\0';
	for (int i = 0; i < 2; i++) {
		(void)nook_format(path, sizeof(path), "%s/%s", dir, i ? longest : "pid");
		if (nook_oci_write_pid_file(path, 4194304, &err) != 0)
			fail_msg("%s", err.why);
		assert_content(path, "4194304");
		/* It replaces what is there: an older, longer one, or a link. */
		assert_int_equal(unlink(path), 0);
		assert_int_equal(symlink("/nonexistent/target", path), 0);
		assert_int_equal(nook_oci_write_pid_file(path, 7, &err), 0);
		assert_content(path, "7");
		assert_string_equal(err.where, "");
		assert_int_equal(unlink(path), 0);
	}

	/* Relative to where we are. */
	assert_non_null(getcwd(before, sizeof(before)));
	assert_int_equal(chdir(dir), 0);
	assert_int_equal(nook_oci_write_pid_file("./pid", 8, &err), 0);
	assert_content("pid", "8");
	assert_int_equal(nook_oci_write_pid_file("pid", 9, &err), 0);
	assert_content("pid", "9");
	assert_int_equal(unlink("pid"), 0);
	assert_int_equal(chdir(before), 0);

	assert_int_equal(entries_of(dir), n);
}

static void check_bad_pid_file(void **test)
{
	static const struct {
		const char *path;
		int rc;
	} cases[] = {
		{ "/nonexistent/pid", -ENOENT },
		{ "/etc/passwd/pid", -ENOTDIR },
		{ "/proc/self/pid", -ENOENT },
		{ "long", -EISDIR },
		{ "", -ENOENT },
	};
	char before[PATH_MAX];
	size_t n = entries_of(dir);

	(void)test;
	assert_non_null(getcwd(before, sizeof(before)));
	assert_int_equal(chdir(dir), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct nook_error err = { 0 };
		int rc = nook_oci_write_pid_file(cases[i].path, 1, &err);

		if (rc != cases[i].rc)
			fail_msg("%s: %d %s", cases[i].path, rc, err.why);
		assert_true(strncmp(err.where, "--pid-file ", 11) == 0);
	}
	assert_int_equal(chdir(before), 0);
	assert_int_equal(entries_of(dir), n);
}

static int make_dirs(void **state)
{
	(void)state;
	if (!mkdtemp(dir))
		return -1;
	(void)nook_format(long_dir, sizeof(long_dir), "%s/long", dir);
	if (mkdir(long_dir, 0700) < 0)
		return -1;
	for (size_t len = strlen(long_dir); len < 600; len = strlen(long_dir)) {
		memset(long_dir + len, 'd', 100);
		long_dir[len] = '/';
		long_dir[len + 100] = '\0';
		if (mkdir(long_dir, 0700) < 0)
			return -1;
	}
	return 0;
}

static int remove_dirs(void **state)
{
	(void)state;
	while (strcmp(long_dir, dir) != 0) {
		if (rmdir(long_dir) < 0)
			return -1;
		*strrchr(long_dir, '/') = '\0';
	}
	return rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(check_send),         cmocka_unit_test(check_lengths),
		cmocka_unit_test(check_refusals),     cmocka_unit_test(check_pid_file),
		cmocka_unit_test(check_bad_pid_file),
	};

	return cmocka_run_group_tests(tests, make_dirs, remove_dirs);
}
