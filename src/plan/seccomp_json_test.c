/* SPDX-License-Identifier: Apache-2.0 */
/* Profiles as files and JSON: what is refused, with its place. */
#include "seccomp_fixture.h"

#include <sys/mman.h>

#define RULE(rest) "{\"names\":[\"read\"],\"action\":\"SCMP_ACT_ALLOW\"," rest "}"

static void bad_profiles_are_refused_with_their_place(void **state)
{
	static const struct {
		const char *text;
		bool whole; /* else one rule */
		const char *where, *why;
	} cases[] = {
		{ "", true, "line 1 of", "the profile is not JSON: it ends too early" },
		{ "{\n\"a\":\n", true, "line 3 of", "the profile is not JSON: it ends too early" },
		{ "{\n'a':1}", true, "line 2 of", "the profile is not JSON: " },
		{ "{\n\"\\\"'\":1,\na:1}", true, "line 3 of", "the profile is not JSON: " },
		{ "{} x", true, "line 1 of", "the profile is not JSON: " },
		{ "[]", true, "/ in", "a profile is an object" },
		{ "null\n", true, "/ in", "a profile is an object" },
		{ "{}", true, "/ in", "defaultAction is missing" },
		{ "{\"defaultAction\":1}", true, "/defaultAction in",
		  "defaultAction is of type int" },
		{ "{\"defaultAction\":\"ALLOW\"}", true, "/defaultAction in",
		  "unknown action \"ALLOW\"" },
		{ "{\"defaultAction\":\"SCMP_ACT_ALLOW\\u0000\"}", true, "/defaultAction in",
		  "the text has a NUL byte" },
		{ "{\"defaultAction\":\"SCMP_ACT_NOTIFY\"}", true, "/defaultAction in",
		  "SCMP_ACT_NOTIFY needs a listener" },
		{ "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"defaultErrnoRet\":1}", true,
		  "/defaultErrnoRet in", "an errno goes with" },
		{ "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":4096}", true,
		  "/defaultErrnoRet in", "defaultErrnoRet is 4096: it must be 0 to 4095" },
		{ "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":-1}", true,
		  "/defaultErrnoRet in", "defaultErrnoRet is -1" },
		{ "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":1.0}", true,
		  "/defaultErrnoRet in", "defaultErrnoRet is of type double" },
		{ "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrno\":\"EWHAT\"}", true,
		  "/defaultErrno in", "unknown errno \"EWHAT\"" },
		{ "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":1,"
		  "\"defaultErrno\":\"ENOSYS\"}",
		  true, "/defaultErrno in", "ENOSYS is 38, but defaultErrnoRet says 1" },
		{ "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"sycalls\":[]}", true, "/ in",
		  "unknown member \"sycalls\"" },
		{ "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"listenerPath\":\"/x\"}", true,
		  "/listenerPath in", "nook hands no calls to a listener" },
		{ "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"flags\":[\"NO\"]}", true, "/flags/0 in",
		  "unknown flag \"NO\"" },
		{ "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"architectures\":[\"SCMP_ARCH_X86\","
		  "\"X\"]}",
		  true, "/architectures/1 in", "unknown architecture \"X\"" },
		{ "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"architectures\":[\"SCMP_ARCH_X86\"],"
		  "\"archMap\":[{}]}",
		  true, "/archMap in", "architectures and archMap exclude each other" },
		{ "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"archMap\":[{}]}", true, "/archMap/0 in",
		  "architecture is missing" },
		{ "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":{}}", true, "/syscalls in",
		  "syscalls is of type object, not array" },
		{ "7", false, "/syscalls/0 in", "a rule is an object" },
		{ "{}", false, "/syscalls/0 in", "a rule has names" },
		{ "{\"name\":\"read\",\"names\":[\"read\"]}", false, "/syscalls/0 in",
		  "a rule has names" },
		{ "{\"names\":[\"read\"]}", false, "/syscalls/0 in", "action is missing" },
		{ "{\"names\":[\"read\",\"opnat\"],\"action\":\"SCMP_ACT_ALLOW\"}", false,
		  "/syscalls/0/names/1 in", "unknown system call \"opnat\"" },
		{ "{\"names\":[7],\"action\":\"SCMP_ACT_ALLOW\"}", false, "/syscalls/0/names/0 in",
		  "a text belongs here, not int" },
		{ "{\"name\":\"\",\"action\":\"SCMP_ACT_ALLOW\"}", false, "/syscalls/0/name in",
		  "unknown system call \"\"" },
		{ RULE("\"errnoRet\":1"), false, "/syscalls/0/errnoRet in", "an errno goes with" },
		{ RULE("\"arg\":[]"), false, "/syscalls/0 in", "unknown member \"arg\"" },
		{ RULE("\"comment\":1"), false, "/syscalls/0/comment in",
		  "comment is of type int, not string" },
		{ RULE("\"args\":[7]"), false, "/syscalls/0/args/0 in",
		  "a condition is an object" },
		{ RULE("\"args\":[{\"index\":0,\"value\":1}]"), false, "/syscalls/0/args/0 in",
		  "a condition has an index, a value and an op" },
		{ RULE("\"args\":[{\"index\":6,\"value\":1,\"op\":\"SCMP_CMP_EQ\"}]"), false,
		  "/syscalls/0/args/0/index in", "index is 6: it must be 0 to 5" },
		{ RULE("\"args\":[{\"index\":0,\"value\":-1,\"op\":\"SCMP_CMP_EQ\"}]"), false,
		  "/syscalls/0/args/0/value in", "value is -1" },
		{ RULE("\"args\":[{\"index\":0,\"value\":1,\"op\":\"EQ\"}]"), false,
		  "/syscalls/0/args/0/op in", "unknown operator \"EQ\"" },
		{ RULE("\"includes\":{\"caps\":[\"SYS_ADMIN\"]}"), false,
		  "/syscalls/0/includes/caps/0 in", "unknown capability \"SYS_ADMIN\"" },
		{ RULE("\"excludes\":{\"caps\":[\"CAP_21\"]}"), false,
		  "/syscalls/0/excludes/caps/0 in", "unknown capability \"CAP_21\"" },
		{ RULE("\"includes\":{\"arches\":[\"amd65\"]}"), false,
		  "/syscalls/0/includes/arches/0 in", "unknown architecture \"amd65\"" },
		{ RULE("\"includes\":{\"minKernel\":\"4\"}"), false,
		  "/syscalls/0/includes/minKernel in", "\"4\" is no kernel version" },
		{ RULE("\"includes\":{\"minKernel\":\"4.x\"}"), false,
		  "/syscalls/0/includes/minKernel in", "\"4.x\" is no kernel version" },
		{ RULE("\"includes\":{\"foo\":1}"), false, "/syscalls/0/includes in",
		  "unknown member \"foo\"" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		auto_arena struct nook_arena a = { 0 };
		const char *text = cases[i].whole ? cases[i].text : around(&a, cases[i].text);
		struct nook_seccomp_profile profile = { .n_rules = 77 };
		struct nook_error err = { 0 };

		if (parse(&a, text, 0, &profile, &err) != -EINVAL)
			fail_msg("not refused: %s", text);
		if (!nook_starts(err.where, cases[i].where) || !strstr(err.where, "p.json"))
			fail_msg("%s: at %s, not %s", text, err.where, cases[i].where);
		if (!nook_starts(err.why, cases[i].why))
			fail_msg("%s: \"%s\", not \"%s\"", text, err.why, cases[i].why);
		assert_int_equal(profile.n_rules, 77);
	}
}

/* json-c reads a number past 64 bits as the largest one. */
static void numbers_do_not_wrap(void **state)
{
	static const char *const values[] = { "18446744073709551616",
					      "99999999999999999999999",
					      "-9223372036854775809",
					      "1e3",
					      "0x10",
					      "007",
					      "1234567890123456789012345678901234567890" };

	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		auto_arena struct nook_arena a = { 0 };
		struct nook_seccomp_profile profile;
		struct nook_error err = { 0 };

		assert_int_equal(nook_arena_init(&a), 0);
		const char *text =
			around(&a, nook_printf(&a,
					       RULE("\"args\":[{\"index\":0,\"value\":%s,"
						    "\"op\":\"SCMP_CMP_EQ\"}]"),
					       values[i]));

		if (parse(&a, text, 0, &profile, &err) != -EINVAL)
			fail_msg("%s was taken", values[i]);
	}
}

static void unknown_calls_have_a_cause_and_a_hint(void **state)
{
	static const struct {
		const char *name, *hint;
	} cases[] = {
		{ "opnat", "Did you mean openat?" },
		{ "Read", "Did you mean read?" },
		{ "futex_waitvv", "Did you mean futex_waitv?" },
		{ "xyzzyxyzzy", "Remove it" },
		{ "a_name_that_is_longer_than_any_system_call_that_there_is", "Remove it" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		auto_arena struct nook_arena a = { 0 };
		struct nook_seccomp_profile profile;
		struct nook_error err = { 0 };

		assert_int_equal(nook_arena_init(&a), 0);
		const char *text = around(
			&a, nook_printf(&a, "{\"names\":[\"%s\"],\"action\":\"SCMP_ACT_ALLOW\"}",
					cases[i].name));

		assert_int_equal(parse(&a, text, 0, &profile, &err), -EINVAL);
		assert_string_equal(err.id, "unknown-syscall");
		if (!nook_starts(err.hint, cases[i].hint))
			fail_msg("%s: %s", cases[i].name, err.hint);
	}
}

static void only_regular_files_of_some_size_are_read(void **state)
{
	static const struct {
		const char *path;
		int result;
		const char *why;
	} cases[] = {
		{ "tests/data/seccomp/none.json", -ENOENT,
		  "open tests/data/seccomp/none.json: No such file or directory" },
		{ "tests", -EINVAL, "tests is not a regular file" },
		{ "/dev/zero", -EINVAL, "/dev/zero is not a regular file" },
		{ "meson.build", -EINVAL, "the profile is not JSON: " },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		auto_arena struct nook_arena a = { 0 };
		struct nook_error err = { 0 };
		struct nook_filter f = { .n = 77 };

		assert_int_equal(nook_arena_init(&a), 0);
		assert_int_equal(nook_seccomp_read(&a, cases[i].path, 0, &f, &err),
				 cases[i].result);
		if (!nook_starts(err.why, cases[i].why))
			fail_msg("%s", err.why);
		assert_int_equal(f.n, 77);
	}
}

static void too_big_a_file_is_not_read(void **state)
{
	auto_arena struct nook_arena a = { 0 };
	auto_close int fd = memfd_create("big", MFD_CLOEXEC);
	struct nook_error err = { 0 };
	struct nook_filter f;
	char path[64];

	assert_int_equal(ftruncate(fd, (4 << 20) + 1), 0);
	nook_format(path, sizeof(path), "/proc/self/fd/%d", fd);
	assert_int_equal(nook_arena_init(&a), 0);
	assert_int_equal(nook_seccomp_read(&a, path, 0, &f, &err), -EINVAL);
	assert_non_null(strstr(err.why, "more than 4 MiB"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_profiles_are_refused_with_their_place),
		cmocka_unit_test(numbers_do_not_wrap),
		cmocka_unit_test(unknown_calls_have_a_cause_and_a_hint),
		cmocka_unit_test(only_regular_files_of_some_size_are_read),
		cmocka_unit_test(too_big_a_file_is_not_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
