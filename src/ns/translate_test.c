/* SPDX-License-Identifier: Apache-2.0 */
#include "translate.h"

#include "base/own.h"
#include "sys/process.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/wait.h>
#include <cmocka.h>

#define UID   "Uid:\t0\t1\t2\t3\n"
#define GID   "Gid:\t4\t5\t6\t7\n"
#define TWO   "NStgid:\t70\t1\nNSpid:\t70\t1\nNSpgid:\t60\t0\nNSsid:\t50\t0\n"
#define NAMED "Name:\tsh\n"

#define EIGHT     "1\t1\t1\t1\t1\t1\t1\t1\t"
#define TOO_MANY  EIGHT EIGHT EIGHT EIGHT "1\t1\t1"
#define LONG_NAME "0123456789012345678901234567890123456789012345678901234567890123456789"

static const struct {
	const char *name, *text;
	int rc;
	size_t n;
	const char *word; /* in the error */
} statuses[] = {
	{ "two levels", NAMED UID GID TWO, 0, 2, "" },
	{ "a name that looks like a line", "Name:\tNSpid:\t9\n" UID GID TWO, 0, 2, "" },
	{ "a long name", "Name:\t" LONG_NAME "\n" UID GID TWO, 0, 2, "" },
	{ "an empty name", "Name:\t\n" UID GID TWO, 0, 2, "" },
	{ "empty", "", -EBADMSG, 0, "Name" },
	{ "no name", UID GID TWO, -EBADMSG, 0, "Name" },
	{ "no ids", NAMED TWO, -EBADMSG, 0, "Uid" },
	{ "three ids", NAMED "Uid:\t0\t1\t2\n" GID TWO, -EBADMSG, 0, "Uid" },
	{ "five ids", NAMED "Uid:\t0\t1\t2\t3\t4\n" GID TWO, -EBADMSG, 0, "Uid" },
	{ "an id past 32 bits", NAMED "Uid:\t0\t1\t2\t4294967296\n" GID TWO, -EBADMSG, 0, "Uid" },
	{ "a negative pid", NAMED UID GID "NStgid:\t-1\n", -EBADMSG, 0, "NStgid" },
	{ "a pid with letters", NAMED UID GID "NStgid:\t1a\n", -EBADMSG, 0, "NStgid" },
	{ "a pid past int", NAMED UID GID "NStgid:\t2147483648\n", -EBADMSG, 0, "NStgid" },
	{ "no level", NAMED UID GID "NStgid:\t\n", -EBADMSG, 0, "NStgid" },
	{ "levels that differ", NAMED UID GID "NStgid:\t70\t1\nNSpid:\t70\n", -EBADMSG, 0,
	  "NSpid" },
	{ "too many levels", NAMED UID GID "NStgid:\t" TOO_MANY "\n", -EBADMSG, 0, "NStgid" },
	{ "cut off", NAMED UID GID "NStgid:\t70\t1\nNSpid:\t70\t1\nNSpgid", -EBADMSG, 0, "NSpgid" },
};

static void test_parse(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(statuses); i++) {
		struct nook_translate_status s = { .n = 77 };
		struct nook_error err = { 0 };
		int rc = nook_translate_parse(statuses[i].text, &s, &err);

		print_message("%s: %d %s\n", statuses[i].name, rc, err.why);
		assert_int_equal(rc, statuses[i].rc);
		assert_int_equal(s.n, rc == 0 ? statuses[i].n : 77);
		assert_non_null(strstr(err.why, statuses[i].word));
	}
}

static void test_parse_values(void **state)
{
	struct nook_translate_status s;

	(void)state;
	assert_int_equal(nook_translate_parse(NAMED UID GID TWO, &s, NULL), 0);
	assert_string_equal(s.name, "sh");
	assert_int_equal(s.uid[1], 1);
	assert_int_equal(s.gid[3], 7);
	assert_int_equal(s.pid[0], 70);
	assert_int_equal(s.pid[1], 1);
	assert_int_equal(s.pgid[0], 60);
	assert_int_equal(s.pgid[1], 0);
	assert_int_equal(s.sid[0], 50);
}

static const struct {
	const char *map;
	uint32_t outside;
	int rc;
	uint32_t inside;
} maps[] = {
	{ "         0       1000          1\n", 1000, 0, 0 },
	{ "0 1000 1\n1 100000 65536\n", 100009, 0, 10 },
	{ "0 1000 1\n1 100000 65536\n", 165535, 0, 65536 },
	{ "0 1000 1\n1 100000 65536\n", 165536, -ENOENT, 9 },
	{ "0 0 4294967295\n", 4294967294u, 0, 4294967294u },
	{ "0 0 4294967295\n", 4294967295u, -ENOENT, 9 },
	{ "", 0, -ENOENT, 9 },
	{ "0 1000\n", 1000, -EBADMSG, 9 },
	{ "0 1000 1 1\n", 1000, -EBADMSG, 9 },
	{ "0 1000 0\n", 1000, -ENOENT, 9 },
	{ "\n0 1000 1\n", 1000, -EBADMSG, 9 },
	{ "4294967295 0 4294967295\n", 5, -ENOENT, 9 }, /* no id is that large */
	{ "0 -1 1\n", 1000, -EBADMSG, 9 },
};

static void test_maps(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(maps); i++) {
		uint32_t inside = 9;

		print_message("%s", maps[i].map);
		assert_int_equal(nook_translate_id(maps[i].map, maps[i].outside, &inside),
				 maps[i].rc);
		assert_int_equal(inside, maps[i].inside);
	}
	assert_true(nook_translate_has("0 1000 1\n5 7 2\n", 6));
	assert_false(nook_translate_has("0 1000 1\n5 7 2\n", 7));
	assert_false(nook_translate_has("nonsense", 0));
}

/* ---- what the kernel answers and what the search finds are the same ---- */

static void test_agree(void **state)
{
	pid_t pid = nook_clone(CLONE_NEWUSER | CLONE_NEWPID, NO_FD, NULL);
	uint64_t ino = 0;

	(void)state;
	if (pid == 0) {
		for (;;)
			(void)pause();
	}
	if (pid == -EPERM || pid == -ENOSPC)
		skip(); /* no user namespaces for this user */
	assert_true(pid > 0);

	int dir = nook_translate_open(pid, NULL);
	int ns = nook_translate_ns(dir, "pid", &ino);
	int own = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);
	int out = nook_translate_out(ns, 1, NOOK_TRANSLATE_IOCTL);
	int in = nook_translate_in(ns, pid, NOOK_TRANSLATE_IOCTL);

	assert_true(ns >= 0 && own >= 0);
	assert_int_equal(nook_translate_out(ns, 1, NOOK_TRANSLATE_SEARCH), pid);
	assert_int_equal(nook_translate_in(ns, pid, NOOK_TRANSLATE_SEARCH), 1);
	assert_int_equal(nook_translate_in(own, pid, NOOK_TRANSLATE_SEARCH), pid);
	assert_int_equal(nook_translate_in(ns, getpid(), NOOK_TRANSLATE_SEARCH), -ESRCH);
	assert_int_equal(nook_translate_out(ns, 2, NOOK_TRANSLATE_SEARCH), -ESRCH);
	if (out != -ENOTTY) { /* Linux 6.11 */
		assert_int_equal(out, pid);
		assert_int_equal(in, 1);
		assert_int_equal(nook_translate_in(own, pid, NOOK_TRANSLATE_IOCTL), pid);
		assert_int_equal(nook_translate_in(ns, getpid(), NOOK_TRANSLATE_IOCTL), -ESRCH);
		assert_int_equal(nook_translate_out(ns, 2, NOOK_TRANSLATE_IOCTL), -ESRCH);
	}

	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(nook_translate_out(ns, 1, NOOK_TRANSLATE_ANY), -ESRCH);
	assert_int_equal(nook_translate_open(pid, NULL), -ESRCH);
	close_fd(&dir);
	close_fd(&ns);
	close_fd(&own);
}

static void test_what_has_ended_says_so(void **state)
{
	auto_arena struct nook_arena a = { 0 };
	pid_t pid = fork();
	char *text = NULL;

	(void)state;
	assert_int_equal(nook_arena_init(&a), 0);
	if (pid == 0) {
		for (;;)
			(void)pause();
	}
	int dir = nook_translate_open(pid, NULL);

	assert_int_equal(nook_translate_read(&a, dir, "status", 1 << 20, &text), 0);
	assert_int_equal(nook_translate_read(&a, dir, "nothing", 1 << 20, &text), -ENOENT);
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	assert_int_equal(nook_translate_read(&a, dir, "status", 1 << 20, &text), -ESRCH);
	close_fd(&dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_parse_values),
		cmocka_unit_test(test_maps),
		cmocka_unit_test(test_agree),
		cmocka_unit_test(test_what_has_ended_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
