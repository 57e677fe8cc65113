/* SPDX-License-Identifier: Apache-2.0 */
#include "seccomp_profile.h"

#include "base/own.h"
#include "base/text.h"
#include "seccomp_sim.h"

#include <errno.h>
#include <linux/capability.h>
#include <seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <cmocka.h>

#define SMALL  "tests/data/seccomp/small.json"
#define ERR(n) (SECCOMP_RET_ERRNO | (n))

#ifdef __x86_64__
#define NATIVE AUDIT_ARCH_X86_64
#else
#define NATIVE AUDIT_ARCH_AARCH64
#endif

static int parse(struct nook_arena *a, const char *text, uint64_t caps,
		 struct nook_seccomp_profile *ret, struct nook_error *err)
{
	const struct nook_seccomp_facts facts = { .caps = caps, .major = 5, .minor = 14 };

	if (!a->base)
		assert_int_equal(nook_arena_init(a), 0);
	return nook_seccomp_parse(a, text, strlen(text), "p.json", &facts, ret, err);
}

/* A profile around one rule. */
static const char *around(struct nook_arena *a, const char *rule)
{
	if (!a->base)
		assert_int_equal(nook_arena_init(a), 0);
	return nook_printf(a, "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[%s]}\n", rule);
}

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

static uint32_t answer(const struct nook_filter *f, uint32_t audit, int nr, uint64_t arg0,
		       uint64_t arg1, uint64_t arg2)
{
	struct seccomp_data data = { .nr = nr, .arch = audit, .args = { arg0, arg1, arg2 } };

	return sim_run(f->code, &data, NULL);
}

static struct nook_filter compile(struct nook_arena *a, const char *text, uint64_t caps)
{
	struct nook_seccomp_profile profile;
	struct nook_error err = { 0 };
	struct nook_filter f;

	if (parse(a, text, caps, &profile, &err) < 0)
		fail_msg("%s: %s", err.where, err.why);
	assert_int_equal(nook_seccomp_compile(a, &profile, &f), 0);
	assert_true(sim_is_valid(&f));
	return f;
}

static void rules_hold_for_whom_they_say(void **state)
{
	const uint64_t admin = (uint64_t)1 << CAP_SYS_ADMIN, nice = (uint64_t)1 << CAP_SYS_NICE;
	const struct {
		const char *filters;
		uint64_t caps;
		bool holds;
	} cases[] = {
		{ "\"comment\":\"c\"", 0, true },
		{ "\"includes\":null", 0, true },
		{ "\"includes\":{\"caps\":null}", 0, true },
		{ "\"includes\":{\"caps\":[\"CAP_SYS_ADMIN\"]}", 0, false },
		{ "\"includes\":{\"caps\":[\"CAP_SYS_ADMIN\"]}", admin, true },
		{ "\"includes\":{\"caps\":[\"CAP_SYS_ADMIN\",\"CAP_SYS_NICE\"]}", admin, false },
		{ "\"includes\":{\"caps\":[\"CAP_SYS_ADMIN\",\"CAP_SYS_NICE\"]}", admin | nice,
		  true },
		{ "\"excludes\":{\"caps\":[\"CAP_SYS_ADMIN\",\"CAP_SYS_NICE\"]}", nice, false },
		{ "\"excludes\":{\"caps\":[\"CAP_SYS_ADMIN\"]}", nice, true },
		{ "\"includes\":{\"arches\":[\"amd64\",\"arm64\"]}", 0, true },
		{ "\"includes\":{\"arches\":[\"s390x\"]}", 0, false },
		{ "\"excludes\":{\"arches\":[\"s390\",\"s390x\"]}", 0, true },
		{ "\"excludes\":{\"arches\":[\"s390\",\"amd64\",\"arm64\"]}", 0, false },
		{ "\"includes\":{\"minKernel\":\"4.8\"}", 0, true },
		{ "\"includes\":{\"minKernel\":\"5.14\"}", 0, true },
		{ "\"includes\":{\"minKernel\":\"5.15\"}", 0, false },
		{ "\"includes\":{\"minKernel\":\"6.0\"}", 0, false },
		{ "\"excludes\":{\"minKernel\":\"5.14\"}", 0, false },
		{ "\"excludes\":{\"minKernel\":\"6.0\"}", 0, true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		auto_arena struct nook_arena a = { 0 };

		assert_int_equal(nook_arena_init(&a), 0);
		const char *rule =
			nook_printf(&a, "{\"names\":[\"read\"],\"action\":\"SCMP_ACT_ALLOW\",%s}",
				    cases[i].filters);
		struct nook_filter f = compile(&a, around(&a, rule), cases[i].caps);

		if (answer(&f, NATIVE, SYS_read, 0, 0, 0) !=
		    (cases[i].holds ? SECCOMP_RET_ALLOW : ERR(EPERM)))
			fail_msg("%s", cases[i].filters);
	}
}

#define CALL(names, action, rest)                                                                  \
	"{\"names\":[" names "],\"action\":\"SCMP_ACT_" action "\"" rest "}"
#define ARGS(index, op, value)                                                                     \
	"{\"index\":" #index ",\"op\":\"SCMP_CMP_" op "\",\"value\":" #value "}"

static void rules_for_one_call_have_an_order(void **state)
{
	static const struct {
		const char *rules;
		uint64_t arg0;
		uint32_t want;
	} cases[] = {
		{ CALL("\"read\"", "ALLOW", "") "," CALL("\"read\"", "TRAP", ""), 0,
		  SECCOMP_RET_ALLOW },
		{ CALL("\"read\"", "ALLOW",
		       ",\"args\":[" ARGS(0, "EQ", 1) "]") "," CALL("\"read\"", "TRAP", ""),
		  1, SECCOMP_RET_TRAP },
		/* says what the profile says of all calls: left out, as engines do */
		{ CALL("\"read\"", "ERRNO", "") "," CALL("\"read\"", "ALLOW", ""), 0,
		  SECCOMP_RET_ALLOW },
		{ CALL("\"read\"", "ERRNO", ",\"errnoRet\":5") "," CALL("\"read\"", "ALLOW", ""), 0,
		  ERR(5) },
		{ CALL("\"read\"", "ALLOW",
		       ",\"args\":[" ARGS(0, "GT", 5) "," ARGS(1, "EQ", 0) "]"),
		  6, SECCOMP_RET_ALLOW },
		{ CALL("\"read\"", "ALLOW",
		       ",\"args\":[" ARGS(0, "GT", 5) "," ARGS(1, "EQ", 1) "]"),
		  6, ERR(EPERM) },
		/* two on one argument: either */
		{ CALL("\"read\"", "ALLOW",
		       ",\"args\":[" ARGS(0, "EQ", 5) "," ARGS(0, "EQ", 7) "]"),
		  7, SECCOMP_RET_ALLOW },
		{ CALL("\"read\"", "TRACE", ",\"errnoRet\":9"), 7, SECCOMP_RET_TRACE | 9 },
		{ CALL("\"read\"", "KILL", ""), 7, SECCOMP_RET_KILL_THREAD },
		{ CALL("\"read\"", "KILL_PROCESS", ""), 7, SECCOMP_RET_KILL_PROCESS },
		{ CALL("\"read\"", "LOG", ""), 7, SECCOMP_RET_LOG },
		{ "", 7, ERR(EPERM) },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		auto_arena struct nook_arena a = { 0 };
		struct nook_filter f = compile(&a, around(&a, cases[i].rules), 0);
		uint32_t got = answer(&f, NATIVE, SYS_read, cases[i].arg0, 0, 0);

		if (got != cases[i].want)
			fail_msg("%s: %#x, not %#x", cases[i].rules, got, cases[i].want);
	}
}

static void flags_are_those_of_the_profile(void **state)
{
	static const struct {
		const char *flags;
		unsigned want;
	} cases[] = {
		{ "null", SECCOMP_FILTER_FLAG_SPEC_ALLOW },
		{ "[]", 0 },
		{ "[\"SECCOMP_FILTER_FLAG_TSYNC\"]", 0 },
		{ "[\"SECCOMP_FILTER_FLAG_LOG\",\"SECCOMP_FILTER_FLAG_SPEC_ALLOW\"]",
		  SECCOMP_FILTER_FLAG_LOG | SECCOMP_FILTER_FLAG_SPEC_ALLOW },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		auto_arena struct nook_arena a = { 0 };

		assert_int_equal(nook_arena_init(&a), 0);
		struct nook_filter f = compile(
			&a,
			nook_printf(&a, "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"flags\":%s}",
				    cases[i].flags),
			0);

		assert_int_equal(f.flags, cases[i].want);
	}
}

#ifdef __x86_64__
/* Machines that the profile doesn't name, x32, and i386's way round the names. */
static void other_machines(void **state)
{
	static const char deny[] =
		"{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"architectures\":[\"SCMP_ARCH_X86_64\","
		"\"SCMP_ARCH_X86\",\"SCMP_ARCH_X32\"],\"syscalls\":[" CALL(
			"\"socket\",\"shmat\"", "ERRNO", ",\"errnoRet\":13") "]}";
	static const char allow[] =
		"{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"architectures\":[\"SCMP_ARCH_X86\"],"
		"\"syscalls\":[" CALL("\"socket\"", "ALLOW",
				      ",\"args\":[" ARGS(0, "EQ", 1) "]") "]}";
	auto_arena struct nook_arena a = { 0 };
	struct nook_filter f = compile(&a, deny, 0);

	assert_int_equal(answer(&f, AUDIT_ARCH_X86_64, SYS_socket, 1, 0, 0), ERR(EACCES));
	assert_int_equal(answer(&f, AUDIT_ARCH_I386, 359, 1, 0, 0), ERR(EACCES));
	assert_int_equal(answer(&f, AUDIT_ARCH_I386, 102, 1, 0, 0), ERR(EACCES));
	assert_int_equal(answer(&f, AUDIT_ARCH_I386, 102, 2, 0, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(answer(&f, AUDIT_ARCH_I386, 117, 0x10015, 0, 0), ERR(EACCES));
	assert_int_equal(answer(&f, AUDIT_ARCH_I386, 117, 0x10016, 0, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(answer(&f, AUDIT_ARCH_X86_64, 0x40000000 | SYS_read, 0, 0, 0),
			 ERR(ENOSYS));
	assert_int_equal(answer(&f, AUDIT_ARCH_ARM, 3, 0, 0, 0), SECCOMP_RET_KILL_PROCESS);

	f = compile(&a, allow, 0);
	assert_int_equal(answer(&f, AUDIT_ARCH_I386, 359, 1, 0, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(answer(&f, AUDIT_ARCH_I386, 359, 38, 0, 0), ERR(EPERM));
	assert_int_equal(answer(&f, AUDIT_ARCH_I386, 102, 1, 0, 0), ERR(EPERM));

	f = compile(&a, "{\"defaultAction\":\"SCMP_ACT_ALLOW\"}", 0);
	assert_int_equal(answer(&f, AUDIT_ARCH_I386, 3, 0, 0, 0), SECCOMP_RET_KILL_PROCESS);
}
#endif

/* What libseccomp makes of the same rules, as an independent check. */
static struct sock_filter *reference(struct nook_arena *a,
				     const struct nook_seccomp_profile *profile)
{
	scmp_filter_ctx ctx = seccomp_init(profile->action & SECCOMP_RET_ACTION_FULL
						   ? SCMP_ACT_ERRNO(profile->action & 0xffff)
						   : SCMP_ACT_KILL);
	struct stat st;

	assert_non_null(ctx);
	for (size_t i = 0; i < profile->n_rules; i++) {
		const struct nook_seccomp_rule *rule = &profile->rules[i];
		struct scmp_arg_cmp cmp[6];
		static const enum scmp_compare ops[] = {
			[NOOK_OP_EQ] = SCMP_CMP_EQ,
			[NOOK_OP_NE] = SCMP_CMP_NE,
			[NOOK_OP_LT] = SCMP_CMP_LT,
			[NOOK_OP_LE] = SCMP_CMP_LE,
			[NOOK_OP_GT] = SCMP_CMP_GT,
			[NOOK_OP_GE] = SCMP_CMP_GE,
			[NOOK_OP_MASKED_EQ] = SCMP_CMP_MASKED_EQ,
		};

		for (size_t c = 0; c < rule->n_conds; c++)
			cmp[c] = (struct scmp_arg_cmp){ rule->conds[c].arg, ops[rule->conds[c].op],
							rule->conds[c].op == NOOK_OP_MASKED_EQ
								? rule->conds[c].mask
								: rule->conds[c].value,
							rule->conds[c].value };
		for (size_t n = 0; n < rule->n_calls; n++) {
			int nr = rule->calls[n]->number[NOOK_MACHINE_NATIVE];

			/* SECCOMP_RET_* and SCMP_ACT_* are the same numbers. */
			if (nr >= 0)
				assert_int_equal(seccomp_rule_add_array(ctx, rule->action, nr,
									(unsigned)rule->n_conds,
									cmp),
						 0);
		}
	}

	auto_close int fd = memfd_create("bpf", MFD_CLOEXEC);

	assert_int_equal(seccomp_export_bpf(ctx, fd), 0);
	seccomp_release(ctx);
	assert_int_equal(fstat(fd, &st), 0);
	struct sock_filter *code = nook_alloc(a, (size_t)st.st_size);

	assert_int_equal(pread(fd, code, (size_t)st.st_size, 0), st.st_size);
	return code;
}

static void compare_with_libseccomp(const char *path, uint64_t caps)
{
	static const uint64_t values[] = { 0,           1,          8,          9,
					   15,          16,         17,         38,
					   40,          0x20000,    0x20008,    0x40000,
					   0x7e020000,  0x10000000, 0xffffffff, 0x100000000,
					   0x100000010, UINT64_MAX };
	auto_arena struct nook_arena a = { 0 };
	const struct nook_seccomp_facts facts = { .caps = caps, .major = 6, .minor = 1 };
	struct nook_seccomp_profile profile;
	struct nook_error err = { 0 };
	struct nook_filter f;
	auto_fclose FILE *in = fopen(path, "re");
	static char text[1 << 20];

	assert_non_null(in);
	assert_int_equal(nook_arena_init(&a), 0);
	size_t len = fread(text, 1, sizeof(text), in);

	if (nook_seccomp_parse(&a, text, len, path, &facts, &profile, &err) < 0)
		fail_msg("%s: %s", err.where, err.why);
	assert_int_equal(nook_seccomp_compile(&a, &profile, &f), 0);
	assert_true(sim_is_valid(&f));

	struct sock_filter *theirs = reference(&a, &profile);

	for (int nr = 0; nr < 600; nr++) {
		for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
			for (size_t j = 0; j < ARRAY_SIZE(values); j++) {
				struct seccomp_data data = { .nr = nr,
							     .arch = NATIVE,
							     .args = { values[i], values[j],
								       values[(i + j) % 18],
								       values[j] } };
				uint32_t got = sim_run(f.code, &data, NULL);
				uint32_t want = sim_run(theirs, &data, NULL);

				if (got != want)
					fail_msg("%s: %d(%#llx, %#llx): %#x, libseccomp %#x", path,
						 nr, (unsigned long long)values[i],
						 (unsigned long long)values[j], got, want);
			}
		}
	}
}

static void libseccomp_agrees(void **state)
{
	const uint64_t caps[] = { 0, (uint64_t)1 << CAP_AUDIT_WRITE, (uint64_t)1 << CAP_SYS_ADMIN,
				  UINT64_MAX };
	/* of golang-github-containers-common, where it is installed */
	const char *engines = "/usr/share/containers/seccomp.json";
	const char *given = getenv("NOOK_TEST_SECCOMP");

	for (size_t i = 0; i < ARRAY_SIZE(caps); i++) {
		compare_with_libseccomp(SMALL, caps[i]);
		if (access(engines, R_OK) == 0)
			compare_with_libseccomp(engines, caps[i]);
		if (given)
			compare_with_libseccomp(given, caps[i]);
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

/* A valid profile that no kernel would load. */
static void too_long_a_filter_is_refused(void **state)
{
	auto_arena struct nook_arena a = { 0 };
	auto_close int fd = memfd_create("long", MFD_CLOEXEC);
	struct nook_error err = { 0 };
	struct nook_filter f;
	char path[64];

	assert_true(fd >= 0);
	dprintf(fd, "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[");
	for (int i = 0; i < 3000; i++)
		dprintf(fd,
			"%s{\"name\":\"read\",\"action\":\"SCMP_ACT_ERRNO\",\"args\":[" ARGS(
				0, "EQ", % d) "]}",
			i ? "," : "", i);
	dprintf(fd, "]}");
	nook_format(path, sizeof(path), "/proc/self/fd/%d", fd);
	assert_int_equal(nook_arena_init(&a), 0);
	assert_int_equal(nook_seccomp_read(&a, path, 0, &f, &err), -E2BIG);
	assert_non_null(strstr(err.why, "more than 4096 instructions"));
	assert_string_equal(err.id, "seccomp-too-long");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_profiles_are_refused_with_their_place),
		cmocka_unit_test(numbers_do_not_wrap),
		cmocka_unit_test(unknown_calls_have_a_cause_and_a_hint),
		cmocka_unit_test(rules_hold_for_whom_they_say),
		cmocka_unit_test(rules_for_one_call_have_an_order),
		cmocka_unit_test(flags_are_those_of_the_profile),
#ifdef __x86_64__
		cmocka_unit_test(other_machines),
#endif
		cmocka_unit_test(libseccomp_agrees),
		cmocka_unit_test(only_regular_files_of_some_size_are_read),
		cmocka_unit_test(too_big_a_file_is_not_read),
		cmocka_unit_test(too_long_a_filter_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
