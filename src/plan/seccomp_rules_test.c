/* SPDX-License-Identifier: Apache-2.0 */
/* Profiles as filters: for whom and in which order rules hold. libseccomp is asked, too. */
#include "seccomp_fixture.h"

#include "seccomp_sim.h"

#include <linux/capability.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define SMALL  "tests/data/seccomp/small.json"
#define ERR(n) (SECCOMP_RET_ERRNO | (n))

#ifdef __x86_64__
#define NATIVE AUDIT_ARCH_X86_64
#else
#define NATIVE AUDIT_ARCH_AARCH64
#endif

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
		cmocka_unit_test(rules_hold_for_whom_they_say),
		cmocka_unit_test(rules_for_one_call_have_an_order),
		cmocka_unit_test(flags_are_those_of_the_profile),
#ifdef __x86_64__
		cmocka_unit_test(other_machines),
#endif
		cmocka_unit_test(libseccomp_agrees),
		cmocka_unit_test(too_long_a_filter_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
