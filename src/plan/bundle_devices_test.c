/* SPDX-License-Identifier: Apache-2.0 */
/* Rules for devices: the BPF program is run here as the kernel would, and v1's list is compared. */
#include "bundle_limits.h"

#include "base/arena_fixture.h"
#include "base/own.h"

#include <linux/bpf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define R   NOOK_DEVICE_READ
#define W   NOOK_DEVICE_WRITE
#define M   NOOK_DEVICE_MKNOD
#define RWM (R | W | M)

#define RULES(...)                                                                                 \
	(const struct nook_bundle_device_rule[])                                                   \
	{                                                                                          \
		__VA_ARGS__                                                                        \
	}

/* ---- the few instructions that the program is made of ---- */

static bool jumps(const struct bpf_insn *i, uint64_t value)
{
	bool equal = BPF_CLASS(i->code) == BPF_JMP32 ? (uint32_t)value == (uint32_t)i->imm
						     : value == (uint64_t)(int64_t)i->imm;

	return BPF_OP(i->code) == BPF_JEQ ? equal : !equal;
}

static void calculate(const struct bpf_insn *i, uint64_t *r)
{
	uint64_t operand = BPF_SRC(i->code) == BPF_X ? r[i->src_reg] : (uint64_t)(int64_t)i->imm;

	switch (BPF_OP(i->code)) {
	case BPF_MOV:
		r[i->dst_reg] = operand;
		break;
	case BPF_AND:
		r[i->dst_reg] &= operand;
		break;
	case BPF_RSH:
		r[i->dst_reg] >>= operand;
		break;
	default:
		fail_msg("operation %02x", i->code);
	}
}

static bool run(const struct bpf_insn *program, size_t n, const struct bpf_cgroup_dev_ctx *ctx)
{
	uint64_t r[11] = { 0 };

	for (size_t at = 0; at < n; at++) {
		const struct bpf_insn *i = &program[at];

		switch (BPF_CLASS(i->code)) {
		case BPF_LDX: {
			uint32_t word;

			assert_int_equal(i->src_reg, 1);
			assert_in_range(i->off, 0, sizeof(*ctx) - sizeof(word));
			memcpy(&word, (const char *)ctx + i->off, sizeof(word));
			r[i->dst_reg] = word;
			break;
		}
		case BPF_ALU64:
			calculate(i, r);
			break;
		case BPF_JMP:
		case BPF_JMP32:
			if (BPF_OP(i->code) == BPF_EXIT)
				return r[0] != 0;
			assert_true(i->off >= 0); /* forward only: it ends */
			if (jumps(i, r[i->dst_reg]))
				at += (size_t)i->off;
			break;
		default:
			fail_msg("class %02x", i->code);
		}
	}
	fail_msg("the program runs past its end");
	return false;
}

static bool may(const struct nook_bundle_device_rule *rules, size_t n, char type, uint32_t major,
		uint32_t minor, unsigned access)
{
	struct bpf_cgroup_dev_ctx ctx = { .major = major, .minor = minor };
	size_t len;
	const struct bpf_insn *program = nook_device_program(&arena, rules, n, &len);

	ctx.access_type =
		(uint32_t)(type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR) |
		((access & R ? BPF_DEVCG_ACC_READ : 0) | (access & W ? BPF_DEVCG_ACC_WRITE : 0) |
		 (access & M ? BPF_DEVCG_ACC_MKNOD : 0))
			<< 16;
	return run(program, len, &ctx);
}

#define NONE_ALLOWED                                                                               \
	{                                                                                          \
		false, 'a', -1, -1, RWM, NULL                                                      \
	}
#define ALL_ALLOWED                                                                                \
	{                                                                                          \
		true, 'a', -1, -1, RWM, NULL                                                       \
	}

static void test_program(void **state)
{
	static const struct {
		const char *what;
		struct nook_bundle_device_rule rules[4];
		size_t n;
		char type;
		uint32_t major, minor;
		unsigned access;
		bool want;
	} cases[] = {
		{ "no rule is no", { { 0 } }, 0, 'c', 1, 3, R, false },
		{ "all", { ALL_ALLOWED }, 1, 'b', 8, 0, RWM, true },
		{ "none", { NONE_ALLOWED }, 1, 'c', 1, 3, R, false },
		{ "the last decides: deny", { ALL_ALLOWED, NONE_ALLOWED }, 2, 'c', 1, 3, R, false },
		{ "the last decides: allow", { NONE_ALLOWED, ALL_ALLOWED }, 2, 'c', 1, 3, R, true },
		{ "one", { { true, 'c', 1, 3, RWM, NULL } }, 1, 'c', 1, 3, RWM, true },
		{ "its other type", { { true, 'c', 1, 3, RWM, NULL } }, 1, 'b', 1, 3, R, false },
		{ "its other major", { { true, 'c', 1, 3, RWM, NULL } }, 1, 'c', 2, 3, R, false },
		{ "its other minor", { { true, 'c', 1, 3, RWM, NULL } }, 1, 'c', 1, 5, R, false },
		{ "any minor", { { true, 'c', 136, -1, RWM, NULL } }, 1, 'c', 136, 77, R, true },
		{ "any major", { { true, 'c', -1, 7, RWM, NULL } }, 1, 'c', 4095, 7, R, true },
		{ "greatest numbers",
		  { { true, 'c', UINT32_MAX, UINT32_MAX, RWM, NULL } },
		  1,
		  'c',
		  UINT32_MAX,
		  UINT32_MAX,
		  R,
		  true },
		{ "read only: read", { { true, 'c', 1, 3, R, NULL } }, 1, 'c', 1, 3, R, true },
		{ "read only: write", { { true, 'c', 1, 3, R, NULL } }, 1, 'c', 1, 3, W, false },
		{ "read only: both", { { true, 'c', 1, 3, R, NULL } }, 1, 'c', 1, 3, R | W, false },
		{ "each half by another rule",
		  { { true, 'c', 1, 3, R, NULL }, { true, 'c', 1, -1, W, NULL } },
		  2,
		  'c',
		  1,
		  3,
		  R | W,
		  true },
		{ "a hole in a wider rule: inside",
		  { { true, 'c', 10, -1, RWM, NULL }, { false, 'c', 10, 229, RWM, NULL } },
		  2,
		  'c',
		  10,
		  229,
		  R,
		  false },
		{ "a hole in a wider rule: beside",
		  { { true, 'c', 10, -1, RWM, NULL }, { false, 'c', 10, 229, RWM, NULL } },
		  2,
		  'c',
		  10,
		  228,
		  R,
		  true },
		{ "a denied half",
		  { { true, 'c', 1, 3, RWM, NULL }, { false, 'c', 1, 3, W, NULL } },
		  2,
		  'c',
		  1,
		  3,
		  R | W,
		  false },
		{ "the half that stays",
		  { { true, 'c', 1, 3, RWM, NULL }, { false, 'c', 1, 3, W, NULL } },
		  2,
		  'c',
		  1,
		  3,
		  R | M,
		  true },
		{ "what was denied before is allowed again",
		  { { false, 'c', 1, 3, W, NULL }, { true, 'c', 1, 3, RWM, NULL } },
		  2,
		  'c',
		  1,
		  3,
		  R | W,
		  true },
		{ "all but one: that one",
		  { ALL_ALLOWED, { false, 'b', 8, -1, RWM, NULL } },
		  2,
		  'b',
		  8,
		  1,
		  R,
		  false },
		{ "all but one: another",
		  { ALL_ALLOWED, { false, 'b', 8, -1, RWM, NULL } },
		  2,
		  'b',
		  9,
		  1,
		  RWM,
		  true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (may(cases[i].rules, cases[i].n, cases[i].type, cases[i].major, cases[i].minor,
			cases[i].access) != cases[i].want)
			fail_msg("%s", cases[i].what);
}

/* The rules one by one, the last first. */
static bool decide(const struct nook_bundle_device_rule *rules, size_t n, char type, uint32_t major,
		   uint32_t minor, unsigned access)
{
	while (n-- > 0) {
		const struct nook_bundle_device_rule *r = &rules[n];

		if ((r->type != 'a' && r->type != type) || (r->major >= 0 && r->major != major) ||
		    (r->minor >= 0 && r->minor != minor))
			continue;
		if (!r->allow && (access & r->access))
			return false;
		if (r->allow)
			access &= ~r->access;
		if (!access)
			return true;
	}
	return false;
}

/* However they are put together, and more than are put together cleverly. */
static void test_any_rules(void **state)
{
	static struct nook_bundle_device_rule rules[2100];
	uint64_t seed = 42;

	(void)state;
	for (int round = 0; round < 3000; round++) {
		size_t n = round % 1000 == 999 ? ARRAY_SIZE(rules) : (size_t)round % 14;
		size_t used = arena.used;

		for (size_t i = 0; i < n; i++) {
			seed = seed * 6364136223846793005u + 1442695040888963407u;

			unsigned r = (unsigned)(seed >> 33);

			rules[i] = (struct nook_bundle_device_rule){
				.allow = r % 4 != 0,
				.type = "cccba"[r / 4 % 5],
				.major = (int64_t)(r / 20 % 4) - 1,
				.minor = (int64_t)(r / 80 % 4) - 1,
				.access = r / 320 % 2 ? RWM : r / 640 % 7 + 1,
			};
		}
		for (unsigned i = 0; i < 2 * 3 * 3 * 7; i++) {
			char type = "cb"[i % 2];
			unsigned major = i / 2 % 3, minor = i / 6 % 3, access = i / 18 + 1;

			if (may(rules, n, type, major, minor, access) !=
			    decide(rules, n, type, major, minor, access))
				fail_msg("round %d: %c %u:%u %u", round, type, major, minor,
					 access);
			nook_arena_rewind(&arena, used);
		}
	}
}

/* The kernel refuses a program with instructions that can't be reached. */
static void test_nothing_after_the_end(void **state)
{
	size_t n;
	const struct bpf_insn *p = nook_device_program(
		&arena, RULES({ true, 'c', 1, 3, RWM, NULL }, NONE_ALLOWED), 2, &n);

	(void)state;
	assert_int_equal(p[n - 1].code, BPF_JMP | BPF_EXIT);
	for (size_t i = 0; i + 1 < n; i++)
		assert_int_not_equal(p[i].code, BPF_JMP | BPF_EXIT);
}

static void test_defaults(void **state)
{
	static struct nook_bundle_device_rule deny[] = { NONE_ALLOWED };
	const struct nook_bundle_resources r = { .devices = deny, .n_devices = 1 };
	size_t n;
	const struct nook_bundle_device_rule *rules = nook_device_rules(&arena, &r, &n);

	(void)state;
	assert_true(may(rules, n, 'c', 1, 3, R | W));
	assert_true(may(rules, n, 'c', 1, 9, RWM));
	assert_true(may(rules, n, 'c', 5, 2, R | W));
	assert_true(may(rules, n, 'c', 136, 3, R | W));
	assert_true(may(rules, n, 'c', 10, 200, R | W));
	assert_true(may(rules, n, 'b', 8, 0, M));
	assert_false(may(rules, n, 'b', 8, 0, R));
	assert_false(may(rules, n, 'c', 1, 11, R)); /* kmsg */
	assert_false(may(rules, n, 'c', 5, 1, R));  /* the machine's console */
}

static void test_all_allowed(void **state)
{
	(void)state;
	assert_true(nook_device_rules_allow_all(RULES(ALL_ALLOWED), 1));
	assert_true(nook_device_rules_allow_all(
		RULES(NONE_ALLOWED, ALL_ALLOWED, { true, 'c', 1, 3, R, NULL }), 3));
	assert_false(nook_device_rules_allow_all(RULES(NONE_ALLOWED), 1));
	assert_false(
		nook_device_rules_allow_all(RULES(ALL_ALLOWED, { false, 'c', 1, 3, R, NULL }), 2));
	assert_false(nook_device_rules_allow_all(RULES({ true, 'c', 1, 3, R, NULL }), 1));
	assert_false(nook_device_rules_allow_all(NULL, 0));
}

/* ---- v1 ---- */

static void test_v1(void **state)
{
	static const struct {
		const char *what;
		struct nook_bundle_device_rule rules[4];
		size_t n;
		int result;
		const char *writes; /* "deny a;allow c 1:3 rwm;" */
	} cases[] = {
		{ "nothing", { { 0 } }, 0, 0, "deny a;" },
		{ "all", { ALL_ALLOWED }, 1, 0, "allow a;" },
		{ "some",
		  { NONE_ALLOWED, { true, 'c', 1, 3, RWM, NULL }, { true, 'b', -1, -1, M, NULL } },
		  3,
		  0,
		  "deny a;allow c 1:3 rwm;allow b *:* m;" },
		{ "all but one",
		  { ALL_ALLOWED, { false, 'b', 8, -1, R | W, NULL } },
		  2,
		  0,
		  "allow a;deny b 8:* rw;" },
		{ "a rule for all ends what was before",
		  { { true, 'c', 1, 3, RWM, NULL }, NONE_ALLOWED },
		  2,
		  0,
		  "deny a;" },
		{ "taken back whole",
		  { { true, 'c', 1, 3, RWM, NULL }, { false, 'c', 1, -1, RWM, "/d" } },
		  2,
		  0,
		  "deny a;" },
		{ "taken back in part",
		  { { true, 'c', 1, 3, RWM, NULL }, { false, 'c', 1, 3, W, "/d" } },
		  2,
		  0,
		  "deny a;allow c 1:3 rm;" },
		{ "both types, some accesses",
		  { { true, 'a', -1, -1, M, NULL } },
		  1,
		  0,
		  "deny a;allow c *:* m;allow b *:* m;" },
		{ "a hole, which v1 can't hold",
		  { { true, 'c', 10, -1, RWM, NULL }, { false, 'c', 10, 229, RWM, "/d" } },
		  2,
		  -EOPNOTSUPP,
		  NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct nook_plan_cgroup cg = { 0 };
		struct nook_error err = { 0 };
		struct nook_limiter l = { .arena = &arena, .cg = &cg, .err = &err };
		const char *got = "";
		int r = nook_limit_devices_v1(&l, 0, cases[i].rules, cases[i].n);

		if (r != cases[i].result)
			fail_msg("%s: %d, %s", cases[i].what, r, err.why);
		if (r < 0) {
			assert_string_equal(err.where, "/d");
			continue;
		}
		for (size_t k = 0; k < cg.n_writes; k++)
			got = nook_printf(&arena, "%s%s %s;", got,
					  cg.writes[k].file + strlen("devices."),
					  cg.writes[k].value);
		assert_string_equal(got, cases[i].writes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_program),
		cmocka_unit_test(test_any_rules),
		cmocka_unit_test(test_nothing_after_the_end),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_all_allowed),
		cmocka_unit_test(test_v1),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
