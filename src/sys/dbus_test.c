/* SPDX-License-Identifier: Apache-2.0 */
/* The bus client against a server of our own that says what it is told to, and against dbus-daemon
 * where that is installed. */
#include "dbus.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

#include <cmocka.h>

#define PATIENCE_MS 5000

static uint8_t buffers[2][NOOK_DBUS_BYTES];
static char dir[] = "/tmp/nook-dbus-XXXXXX";
static char path[64];

static int set_up(void **state)
{
	(void)state;
	if (!mkdtemp(dir))
		return -1;
	(void)snprintf(path, sizeof(path), "%s/s", dir);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	(void)unlink(path);
	return rmdir(dir);
}

/* ---- the server: one connection in a child ---- */

static int listen_here(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)unlink(path);
	strcpy(addr.sun_path, path);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(fd, 1), 0);
	return fd;
}

static void say(int fd, const void *data, size_t len)
{
	if (send(fd, data, len, MSG_NOSIGNAL) != (ssize_t)len)
		_exit(10);
}

/* Reads till @end has come. */
static void hear(int fd, const char *end)
{
	char text[256] = "";
	size_t len = 0;

	while (len < sizeof(text) - 1 && recv(fd, text + len, 1, 0) == 1) {
		len++;
		if (len >= strlen(end) && !memcmp(text + len - strlen(end), end, strlen(end)))
			return;
	}
	_exit(11);
}

static pid_t serve(const char *answer, const void *data, size_t len)
{
	int listener = listen_here();
	pid_t pid = fork();

	if (pid) {
		(void)close(listener);
		return pid;
	}

	int fd = accept(listener, NULL, NULL);

	hear(fd, "\r\n");
	say(fd, answer, strlen(answer));
	if (strncmp(answer, "DATA", 4) == 0) {
		hear(fd, "DATA\r\n");
		say(fd, "OK 1234\r\n", 9);
	}
	if (strncmp(answer, "DATA", 4) == 0 || strncmp(answer, "OK", 2) == 0)
		hear(fd, "BEGIN\r\n");
	if (data) {
		for (size_t i = 0; i < len; i++) /* in pieces, as a socket may */
			say(fd, (const char *)data + i, 1);
	}
	_exit(0);
}

static void reap(pid_t pid)
{
	(void)waitpid(pid, NULL, 0);
}

static int connect_with(const char *answer)
{
	struct nook_dbus d = NOOK_DBUS_NONE;
	pid_t pid = serve(answer, NULL, 0);
	int r = nook_dbus_connect(&d, path, buffers[0], buffers[1], PATIENCE_MS);

	nook_dbus_close(&d);
	reap(pid);
	return r;
}

static void test_connect(void **state)
{
	struct nook_dbus d = NOOK_DBUS_NONE;

	(void)state;
	assert_int_equal(connect_with("OK 1234\r\n"), 0);
	assert_int_equal(connect_with("DATA\r\n"), 0);
	assert_int_equal(connect_with("REJECTED EXTERNAL\r\n"), -EACCES);
	assert_int_equal(connect_with("HTTP/1.1 400\r\n"), -EBADMSG);
	assert_int_equal(connect_with(""), -EPIPE);
	(void)unlink(path);
	assert_int_equal(nook_dbus_connect(&d, path, buffers[0], buffers[1], PATIENCE_MS), -ENOENT);
	assert_int_equal(nook_dbus_connect(&d,
					   "/a/path/that/is/longer/than/the/hundred/and/seven/"
					   "bytes/that/the/address/of/a/socket/has/room/for/in/it/"
					   "so/no",
					   buffers[0], buffers[1], PATIENCE_MS),
			 -ENAMETOOLONG);
}

/* ---- what we write, as the specification has it ---- */

static void test_call(void **state)
{
	static const uint8_t want[] = {
		'l',
		1,
		0,
		1,
		0x2c,
		0,
		0,
		0,
		1,
		0,
		0,
		0,
		0x60,
		0,
		0,
		0,
		/* path */
		1,
		1,
		'o',
		0,
		2,
		0,
		0,
		0,
		'/',
		'a',
		0,
		0,
		0,
		0,
		0,
		0,
		/* interface */
		2,
		1,
		's',
		0,
		3,
		0,
		0,
		0,
		'i',
		'.',
		'j',
		0,
		0,
		0,
		0,
		0,
		/* member */
		3,
		1,
		's',
		0,
		1,
		0,
		0,
		0,
		'M',
		0,
		0,
		0,
		0,
		0,
		0,
		0,
		/* destination */
		6,
		1,
		's',
		0,
		3,
		0,
		0,
		0,
		'd',
		'.',
		'e',
		0,
		0,
		0,
		0,
		0,
		/* signature */
		8,
		1,
		'g',
		0,
		10,
		's',
		'a',
		'(',
		's',
		'v',
		')',
		'a',
		'y',
		'b',
		't',
		0,
	};
	struct nook_dbus d = { .fd = NO_FD, .out.data = buffers[0], .in.data = buffers[1] };
	struct nook_dbus_array array;

	(void)state;
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
	skip();
#endif
	nook_dbus_begin(&d, "d.e", "/a", "i.j", "M", "sa(sv)aybt");
	assert_int_equal(d.out.len % 8, 0);
	/* the length of the body is only known when it is sent */
	assert_memory_equal(d.out.data + 16, want + 16, 90 - 16);
	size_t body = d.out.len;

	nook_dbus_put_text(&d, "x");
	array = nook_dbus_open_array(&d, 8);
	nook_dbus_put_struct(&d);
	nook_dbus_put_text(&d, "N");
	nook_dbus_put_signature(&d, "u");
	nook_dbus_put_u32(&d, 7);
	nook_dbus_close_array(&d, array);
	nook_dbus_put_bytes(&d, (const uint8_t *)"\1\2\3", 3);
	nook_dbus_put_bool(&d, true);
	nook_dbus_put_u64(&d, 9);

	static const uint8_t want_body[] = {
		1,  0, 0, 0, 'x', 0, 0, 0, /* s */
		16, 0, 0, 0, 0,   0, 0, 0, /* length of the array, to its first struct */
		1,  0, 0, 0, 'N', 0, 1, 'u', 0, 0, 0, 0,
		7,  0, 0, 0, 3,   0, 0, 0,   1, 2, 3, 0, /* ay */
		1,  0, 0, 0, 0,   0, 0, 0,               /* b, and to the t */
		9,  0, 0, 0, 0,   0, 0, 0,
	};

	assert_int_equal(d.out.len - body, sizeof(want_body));
	assert_memory_equal(d.out.data + body, want_body, sizeof(want_body));
	assert_false(d.out.bad);
}

static void test_too_long(void **state)
{
	struct nook_dbus d = { .fd = NO_FD, .out.data = buffers[0], .in.data = buffers[1] };
	static char text[NOOK_DBUS_BYTES];
	uint32_t serial;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	nook_dbus_begin(&d, "d.e", "/a", "i.j", "M", "s");
	nook_dbus_put_text(&d, text);
	nook_dbus_put_u32(&d, 1);
	assert_int_equal(nook_dbus_send(&d, &serial, PATIENCE_MS), -E2BIG);
}

/* ---- what comes ---- */

#define HEAD(type, body, serial, fields)                                                           \
	'l', type, 0, 1, (body)&0xff, (body) >> 8, 0, 0, serial, 0, 0, 0, (fields)&0xff,           \
		(fields) >> 8, 0, 0
#define REPLY_TO(n) 5, 1, 'u', 0, n, 0, 0, 0

static int receive(const void *data, size_t len, struct nook_dbus *d, struct nook_dbus_message *m)
{
	pid_t pid = serve("OK 1\r\n", data, len);
	int r;

	*d = NOOK_DBUS_NONE;
	r = nook_dbus_connect(d, path, buffers[0], buffers[1], PATIENCE_MS);
	if (r == 0)
		r = nook_dbus_receive(d, m, PATIENCE_MS);
	reap(pid);
	return r;
}

static void test_reply(void **state)
{
	static const uint8_t reply[] = {
		HEAD(2, 11, 3, 16),
		REPLY_TO(9),
		8,
		1,
		'g',
		0,
		2,
		'u',
		's',
		0, /* the fields */
		7,
		0,
		0,
		0,
		2,
		0,
		0,
		0,
		'h',
		'i',
		0,
	};
	struct nook_dbus d;
	struct nook_dbus_message m;
	const char *text;

	(void)state;
	assert_int_equal(receive(reply, sizeof(reply), &d, &m), 0);
	assert_int_equal(m.type, NOOK_DBUS_REPLY);
	assert_int_equal(m.reply_to, 9);
	assert_string_equal(m.signature, "us");
	assert_int_equal(nook_dbus_get_u32(&d), 7);
	text = nook_dbus_get_text(&d);
	assert_non_null(text);
	assert_string_equal(text, "hi");
	assert_null(nook_dbus_get_text(&d)); /* past the end */
	assert_true(d.in.bad);
	nook_dbus_close(&d);
}

/* Longer than anything that is for us: the next one is still understood. */
static void test_long_one_is_skipped(void **state)
{
	static uint8_t both[16 + 80000 + 24];
	const uint8_t big[] = { 'l', 4, 0, 1, 0x80, 0x38, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0 };
	const uint8_t next[] = { HEAD(2, 0, 2, 8), REPLY_TO(4) };
	struct nook_dbus d;
	struct nook_dbus_message m;

	(void)state;
	memcpy(both, big, sizeof(big));
	memcpy(both + 16 + 80000, next, sizeof(next));
	assert_int_equal(receive(both, sizeof(both), &d, &m), 0);
	assert_int_equal(m.reply_to, 4);
	nook_dbus_close(&d);
}

static void test_garbled(void **state)
{
	static const struct {
		const char *what;
		uint8_t data[40];
		size_t len;
		int result;
	} cases[] = {
		{ "other byte order", { 'B', 2, 0, 1 }, 16, -EBADMSG },
		{ "other version", { 'l', 2, 0, 2 }, 16, -EBADMSG },
		{ "no end of it", { 'l', 2, 0, 1, 0, 0, 0, 0xff }, 16, -EBADMSG },
		{ "cut short", { HEAD(2, 0, 1, 8), 5, 1 }, 18, -EPIPE },
		{ "field of an unknown type",
		  { HEAD(2, 0, 1, 8), 9, 1, 'x', 0, 0, 0, 0, 0 },
		  24,
		  -EBADMSG },
		{ "text longer than the message",
		  { HEAD(2, 0, 1, 8), 1, 1, 's', 0, 99, 0, 0, 0 },
		  24,
		  -EBADMSG },
		{ "text without an end",
		  { HEAD(2, 0, 1, 16), 1, 1, 's', 0, 3, 0, 0, 0, 'a', 'b', 'c', 'd' },
		  32,
		  -EBADMSG },
		{ "text with a NUL",
		  { HEAD(2, 0, 1, 16), 1, 1, 's', 0, 3, 0, 0, 0, 'a', 0, 'c', 0 },
		  32,
		  -EBADMSG },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct nook_dbus d;
		struct nook_dbus_message m;
		int r = receive(cases[i].data, cases[i].len, &d, &m);

		if (r != cases[i].result)
			fail_msg("%s: %d", cases[i].what, r);
		nook_dbus_close(&d);
	}
}

static void test_silence(void **state)
{
	int listener = listen_here();
	struct nook_dbus d = NOOK_DBUS_NONE;

	(void)state;
	assert_int_equal(nook_dbus_connect(&d, path, buffers[0], buffers[1], 50), -ETIMEDOUT);
	(void)close(listener);
}

/* ---- a real one ---- */

static pid_t start_daemon(void)
{
	char config[96], address[128];
	FILE *f;
	pid_t pid;

	(void)snprintf(config, sizeof(config), "%s/conf", dir);
	(void)snprintf(address, sizeof(address), "--config-file=%s", config);
	f = fopen(config, "we");
	assert_non_null(f);
	(void)fprintf(
		f,
		"<busconfig><type>session</type><listen>unix:path=%s</listen>"
		"<policy context=\"default\"><allow user=\"*\"/><allow own=\"*\"/>"
		"<allow send_destination=\"*\"/><allow receive_sender=\"*\"/></policy></busconfig>",
		path);
	assert_int_equal(fclose(f), 0);
	(void)unlink(path);
	pid = fork();
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)freopen("/dev/null", "w",
			      stderr); /* it tells of limits that it can't raise */
		(void)execlp("dbus-daemon", "dbus-daemon", address, "--nofork", "--nopidfile",
			     "--nosyslog", (char *)NULL);
		_exit(127);
	}
	for (int i = 0; i < 500; i++) {
		const struct timespec slice = { .tv_nsec = 10000000 };
		struct stat st;

		if (stat(path, &st) == 0 || waitpid(pid, NULL, WNOHANG) == pid)
			break;
		(void)nanosleep(&slice, NULL);
	}
	(void)unlink(config);
	return pid;
}

static void test_daemon(void **state)
{
	struct nook_dbus d = NOOK_DBUS_NONE;
	struct nook_dbus_message m;
	uint32_t serial;
	const char *name;
	pid_t pid = start_daemon();

	(void)state;
	if (nook_dbus_connect(&d, path, buffers[0], buffers[1], PATIENCE_MS) < 0)
		skip(); /* it isn't installed */
	nook_dbus_begin(&d, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
			"Hello", "");
	assert_int_equal(nook_dbus_send(&d, &serial, PATIENCE_MS), 0);
	assert_int_equal(nook_dbus_receive(&d, &m, PATIENCE_MS), 0);
	assert_int_equal(m.type, NOOK_DBUS_REPLY);
	assert_int_equal(m.reply_to, serial);
	name = nook_dbus_get_text(&d);
	assert_non_null(name);
	assert_int_equal(name[0], ':');

	nook_dbus_begin(&d, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
			"GetNameOwner", "s");
	nook_dbus_put_text(&d, "no.such.name");
	assert_int_equal(nook_dbus_send(&d, &serial, PATIENCE_MS), 0);
	do
		assert_int_equal(nook_dbus_receive(&d, &m, PATIENCE_MS), 0);
	while (m.reply_to != serial);
	assert_int_equal(m.type, NOOK_DBUS_ERROR);
	assert_string_equal(m.error, "org.freedesktop.DBus.Error.NameHasNoOwner");

	nook_dbus_close(&d);
	(void)kill(pid, SIGTERM);
	reap(pid);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_connect),
		cmocka_unit_test(test_call),
		cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_reply),
		cmocka_unit_test(test_long_one_is_skipped),
		cmocka_unit_test(test_garbled),
		cmocka_unit_test(test_silence),
		cmocka_unit_test(test_daemon),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
