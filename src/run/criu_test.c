/* SPDX-License-Identifier: Apache-2.0 */
/* CRIU's messages, byte by byte. */
#include "run/criu.h"

#include "base/own.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct nook_arena arena;

static void expect(const struct nook_criu_message *m, const char *bytes, size_t len)
{
	assert_int_equal(m->len, len);
	assert_memory_equal(m->bytes, bytes, len);
}

#define EXPECT(m, text) expect(&(m), text, sizeof(text) - 1)

static void test_write(void **state)
{
	struct nook_criu_message m = { .arena = &arena }, inner = { .arena = &arena };

	(void)state;
	nook_criu_number(&m, 1, 0);
	nook_criu_number(&m, 2, 300);
	nook_criu_text(&m, 37, "ab");
	EXPECT(m, "\x08\x00\x10\xac\x02\xaa\x02\x02"
		  "ab");

	m = (struct nook_criu_message){ .arena = &arena };
	nook_criu_number(&inner, 1, UINT64_MAX); /* as -1 of an int32 is sent */
	nook_criu_part(&m, 4, &inner);
	EXPECT(m, "\x22\x0b\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01");

	/* An empty part, and one that makes the message grow. */
	m = (struct nook_criu_message){ .arena = &arena };
	inner = (struct nook_criu_message){ .arena = &arena };
	nook_criu_part(&m, 1, &inner);
	EXPECT(m, "\x0a\x00");
	for (int i = 0; i < 1000; i++)
		nook_criu_text(&m, 2, "0123456789");
	assert_int_equal(m.len, 2 + 1000 * 12);
	assert_memory_equal(m.bytes + m.len - 12,
			    "\x12\x0a"
			    "0123456789",
			    12);
}

static void test_read(void **state)
{
	static const struct {
		const char *name, *bytes;
		size_t len;
		struct nook_criu_answer want;
	} cases[] = {
#define BYTES(text) text, sizeof(text) - 1
		{ "nothing", BYTES(""), { 0 } },
		{ "restored",
		  BYTES("\x08\x02\x10\x01\x22\x03\x08\xb9\x60"),
		  { .what = NOOK_CRIU_RESTORE, .success = true, .pid = 12345 } },
		{ "asks back",
		  BYTES("\x08\x06\x10\x01\x2a\x10\x0a\x0cpost-restore\x10\x07"),
		  { .what = NOOK_CRIU_NOTIFY,
		    .success = true,
		    .pid = 7,
		    .script = "post-restore" } },
		{ "says why",
		  BYTES("\x08\x01\x10\x00\x38\x02\x4a\x04"
			"oops"),
		  { .what = NOOK_CRIU_DUMP, .errnum = 2, .why = "oops" } },
		{ "fields that are new",
		  BYTES("\x08\x01\x10\x01\xfa\x01\x02zz\xf9\x01\x01\x02\x03\x04\x05\x06\x07\x08"
			"\xfd\x01\x01\x02\x03\x04"),
		  { .what = NOOK_CRIU_DUMP, .success = true } },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct nook_criu_answer got;

		print_message("%s\n", cases[i].name);
		assert_int_equal(
			nook_criu_read((const unsigned char *)cases[i].bytes, cases[i].len, &got),
			0);
		assert_int_equal(got.what, cases[i].want.what);
		assert_int_equal(got.success, cases[i].want.success);
		assert_int_equal(got.pid, cases[i].want.pid);
		assert_int_equal(got.errnum, cases[i].want.errnum);
		assert_string_equal(got.script, cases[i].want.script);
		assert_string_equal(got.why, cases[i].want.why);
	}
}

static void test_read_what_is_cut_or_wrong(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
	} cases[] = {
		{ BYTES("\x08") },     /* no value */
		{ BYTES("\x08\xff") }, /* a number without end */
		{ BYTES("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01") }, /* too long a one */
		{ BYTES("\x4a\x05oops") }, /* a text longer than the rest */
		{ BYTES("\x4a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01") },
		{ BYTES("\x2a\x02\x0a\x05") }, /* in a part */
		{ BYTES("\xfd\x01\x01") },     /* less than 32 bits */
		{ BYTES("\x0b\x00") },         /* a type that there isn't */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct nook_criu_answer got;

		assert_int_equal(
			nook_criu_read((const unsigned char *)cases[i].bytes, cases[i].len, &got),
			-EBADMSG);
	}
}

static void test_long_texts_are_cut(void **state)
{
	struct nook_criu_message m = { .arena = &arena };
	struct nook_criu_answer got;
	char text[1000];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	nook_criu_text(&m, 9, text);
	assert_int_equal(nook_criu_read(m.bytes, m.len, &got), 0);
	assert_int_equal(strlen(got.why), sizeof(got.why) - 1);
}

static void test_a_program_that_is_not_there(void **state)
{
	struct nook_error err = { 0 };
	sigset_t none;
	const struct nook_criu_start start = {
		.program = "/no/such/criu",
		.cgroup = NO_FD,
		.signals = &none,
	};
	int sock = NO_FD, pidfd = NO_FD;

	(void)state;
	(void)sigemptyset(&none);
	assert_int_equal(nook_criu_start(&start, &sock, &pidfd, &err), -ENOENT);
	assert_int_equal(sock, NO_FD);
	assert_int_equal(pidfd, NO_FD);
	assert_string_equal(err.id, "no-criu");
	assert_non_null(strstr(err.why, "/no/such/criu"));
}

static void test_one_that_answers_nothing(void **state)
{
	struct nook_error err = { 0 };
	sigset_t none;
	const struct nook_criu_start start = {
		.program = "/bin/true",
		.cgroup = NO_FD,
		.signals = &none,
	};
	const struct nook_criu_message options = { .arena = &arena };
	int sock = NO_FD, pidfd = NO_FD;
	(void)sigemptyset(&none);

	int pid = nook_criu_start(&start, &sock, &pidfd, &err);
	const struct nook_criu_talk talk = {
		.sock = sock,
		.interrupt = NO_FD,
		.what = NOOK_CRIU_DUMP,
		.options = &options,
	};

	(void)state;
	assert_true(pid > 0);
	assert_true(nook_criu_ask(&talk, NULL, &err) < 0);
	nook_criu_end(pid, pidfd, false);
	close_fd(&sock);
	close_fd(&pidfd);
}

static int set_up(void **state)
{
	(void)state;
	return nook_arena_init(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_write),
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_read_what_is_cut_or_wrong),
		cmocka_unit_test(test_long_texts_are_cut),
		cmocka_unit_test(test_a_program_that_is_not_there),
		cmocka_unit_test(test_one_that_answers_nothing),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
