/* SPDX-License-Identifier: Apache-2.0 */
#include "seccomp_emit.h"

#include "base/own.h"
#include "seccomp_sim.h"
#include "seccomp_table.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define ERR(n) (SECCOMP_RET_ERRNO | (n))
#define BAD    SECCOMP_RET_KILL_PROCESS

static uint32_t run(const struct nook_filter *f, uint32_t audit, uint32_t nr, uint64_t arg)
{
	struct seccomp_data data = { .nr = (int)nr, .arch = audit, .args = { arg } };

	return sim_run(f->code, &data, NULL);
}

static struct nook_filter emit(struct nook_arena *a, const struct nook_seccomp_section *sections,
			       size_t n)
{
	struct nook_filter f = { 0 };

	assert_int_equal(nook_seccomp_emit(a, sections, n, BAD, &f), 0);
	assert_true(sim_is_valid(&f));
	return f;
}

/* Ranges of @width numbers whose answers go round @kinds errnos. */
static struct nook_seccomp_section stripes(struct nook_arena *a, uint32_t audit, size_t n,
					   unsigned width, unsigned kinds)
{
	struct nook_seccomp_range *ranges = nook_alloc_array(a, n, sizeof(*ranges));

	for (size_t i = 0; i < n; i++)
		ranges[i] = (struct nook_seccomp_range){ (uint32_t)(i * width),
							 { .action = ERR(1 + i % kinds) } };
	return (struct nook_seccomp_section){ audit, ranges, n };
}

/* Jumps have 8 bits: the longer programs need stepping stones, the many answers copies of returns.
 */
static void numbers_find_their_range(void **state)
{
	static const struct {
		size_t n;
		unsigned width, kinds;
	} cases[] = {
		{ 1, 1, 1 },   { 2, 1, 2 },   { 3, 1, 2 },    { 3, 2, 2 },    { 4, 1, 2 },
		{ 64, 3, 3 },  { 255, 1, 2 }, { 256, 2, 2 },  { 257, 1, 5 },  { 600, 1, 2 },
		{ 600, 1, 3 }, { 600, 2, 7 }, { 500, 1, 16 }, { 500, 1, 40 }, { 900, 1, 300 }
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		auto_arena struct nook_arena a = { 0 };

		assert_int_equal(nook_arena_init(&a), 0);
		struct nook_seccomp_section s[] = {
			stripes(&a, 7, cases[i].n, cases[i].width, cases[i].kinds),
			stripes(&a, 8, cases[i].n / 2 + 1, cases[i].width, cases[i].kinds + 1),
		};
		struct nook_filter f = emit(&a, s, ARRAY_SIZE(s));

		for (size_t m = 0; m < ARRAY_SIZE(s); m++) {
			for (size_t r = 0; r < s[m].n; r++) {
				uint32_t first = s[m].ranges[r].first;
				uint32_t last =
					r + 1 < s[m].n ? s[m].ranges[r + 1].first - 1 : UINT32_MAX;
				uint32_t want = s[m].ranges[r].answer.action;

				assert_int_equal(run(&f, s[m].audit, first, 0), want);
				assert_int_equal(run(&f, s[m].audit, last, 0), want);
			}
		}
		assert_int_equal(run(&f, 9, 0, 0), BAD);
	}
}

/* The engine's and our own tables have 100 to 200 ranges: nothing may take long in them. */
static void depth_is_logarithmic(void **state)
{
	auto_arena struct nook_arena a = { 0 };

	assert_int_equal(nook_arena_init(&a), 0);
	struct nook_seccomp_section s = stripes(&a, 7, 256, 1, 2);
	struct nook_filter f = emit(&a, &s, 1);

	for (uint32_t nr = 0; nr < 300; nr++) {
		struct seccomp_data data = { .nr = (int)nr, .arch = 7 };
		size_t steps;

		sim_run(f.code, &data, &steps);
		/* load and compare the machine, load the number, 8 comparisons, one stepping stone,
		 * the return */
		assert_true(steps <= 3 + 8 + 1 + 1);
	}
}

static bool holds(const struct nook_seccomp_cond *c, uint64_t arg)
{
	if (c->low)
		arg = (uint32_t)arg;
	switch (c->op) {
	case NOOK_OP_EQ:
		return arg == c->value;
	case NOOK_OP_NE:
		return arg != c->value;
	case NOOK_OP_LT:
		return arg < c->value;
	case NOOK_OP_LE:
		return arg <= c->value;
	case NOOK_OP_GT:
		return arg > c->value;
	case NOOK_OP_GE:
		return arg >= c->value;
	case NOOK_OP_MASKED_EQ:
		return (arg & c->mask) == c->value;
	case NOOK_OP_ANY_BIT:
		return (arg & c->mask) != 0;
	}
	return false;
}

static const uint64_t words[] = {
	0,
	1,
	2,
	0x7fffffff,
	0x80000000,
	0xfffffffe,
	0xffffffff,
	0x100000000,
	0x100000001,
	0x1ffffffff,
	0x7fffffffffffffff,
	0x8000000000000000,
	0xfffffffeffffffff,
	0xffffffff00000000,
	0xfffffffffffffffe,
	0xffffffffffffffff,
};

/* All operators, both widths, on values at the edges of both halves. */
static void conditions_compare_64_bits(void **state)
{
	auto_arena struct nook_arena a = { 0 };
	size_t used;

	assert_int_equal(nook_arena_init(&a), 0);
	used = a.used;
	for (unsigned op = NOOK_OP_EQ; op <= NOOK_OP_ANY_BIT; op++) {
		for (size_t v = 0; v < 2 * ARRAY_SIZE(words); v++) {
			bool low = v % 2;
			uint64_t value = low ? (uint32_t)words[v / 2] : words[v / 2];
			struct nook_seccomp_cond c = { .op = (uint8_t)op, .low = low };
			struct nook_seccomp_match match = { &c, 1, ERR(5) };
			struct nook_seccomp_range range = { 0, { &match, 1, ERR(6) } };
			struct nook_seccomp_section s = { 7, &range, 1 };

			c.value = value;
			c.mask = op == NOOK_OP_MASKED_EQ ? value | 0xff00000000 : value;
			struct nook_filter f = emit(&a, &s, 1);

			for (size_t w = 0; w < ARRAY_SIZE(words); w++)
				assert_int_equal(run(&f, 7, 3, words[w]),
						 holds(&c, words[w]) ? ERR(5) : ERR(6));
			memset(a.base + used, 0, a.used - used);
			a.used = used;
		}
	}
}

static void the_first_match_decides(void **state)
{
	auto_arena struct nook_arena a = { 0 };
	const struct nook_seccomp_cond c[] = {
		{ .arg = 0, .op = NOOK_OP_GE, .value = 10 },
		{ .arg = 0, .op = NOOK_OP_LE, .value = 20 },
		{ .arg = 0, .op = NOOK_OP_EQ, .value = 15 },
		{ .arg = 5, .op = NOOK_OP_EQ, .value = 0 },
	};
	const struct nook_seccomp_match matches[] = {
		{ &c[2], 1, ERR(1) },
		{ &c[0], 2, ERR(2) },
		{ &c[3], 1, ERR(3) },
	};
	const struct nook_seccomp_range range = { 0, { matches, 3, ERR(4) } };
	const struct nook_seccomp_section s = { 7, &range, 1 };

	assert_int_equal(nook_arena_init(&a), 0);
	struct nook_filter f = emit(&a, &s, 1);

	assert_int_equal(run(&f, 7, 0, 15), ERR(1));
	assert_int_equal(run(&f, 7, 0, 10), ERR(2));
	assert_int_equal(run(&f, 7, 0, 20), ERR(2));
	assert_int_equal(run(&f, 7, 0, 21), ERR(3));

	struct seccomp_data data = { .nr = 0, .arch = 7, .args = { 9, 0, 0, 0, 0, 1 } };

	assert_int_equal(sim_run(f.code, &data, NULL), ERR(4));
}

/* A call with so many conditions that its end is out of a jump's reach. */
static void long_answers_keep_their_way(void **state)
{
	enum { N = 200 };
	auto_arena struct nook_arena a = { 0 };
	struct nook_seccomp_cond c[N];
	struct nook_seccomp_match matches[N];

	for (unsigned i = 0; i < N; i++) {
		c[i] = (struct nook_seccomp_cond){ .op = NOOK_OP_EQ, .value = i };
		matches[i] = (struct nook_seccomp_match){ &c[i], 1, ERR(1 + i % 50) };
	}
	const struct nook_seccomp_range ranges[] = {
		{ 0, { .action = ERR(60) } },
		{ 1, { matches, N, ERR(61) } },
		{ 2, { .action = ERR(60) } },
	};
	const struct nook_seccomp_section s = { 7, ranges, ARRAY_SIZE(ranges) };

	assert_int_equal(nook_arena_init(&a), 0);
	struct nook_filter f = emit(&a, &s, 1);

	for (unsigned i = 0; i < N; i++)
		assert_int_equal(run(&f, 7, 1, i), ERR(1 + i % 50));
	assert_int_equal(run(&f, 7, 1, N), ERR(61));
	assert_int_equal(run(&f, 7, 0, 3), ERR(60));
	assert_int_equal(run(&f, 7, 2, 3), ERR(60));
}

static void too_long_a_program_is_refused(void **state)
{
	auto_arena struct nook_arena a = { 0 };
	struct nook_filter f = { .n = 77 };

	assert_int_equal(nook_arena_init(&a), 0);
	struct nook_seccomp_section s = stripes(&a, 7, 5000, 1, 2);

	assert_int_equal(nook_seccomp_emit(&a, &s, 1, BAD, &f), -E2BIG);
	assert_int_equal(f.n, 77);
}

/* Every machine's table, also of those that this build does not use. */
static void tables_of_all_machines_fit(void **state)
{
	for (size_t m = 0; m < NOOK_MACHINE_COUNT; m++) {
		const struct nook_seccomp_arch *arch = &nook_seccomp_arches[m];
		auto_arena struct nook_arena a = { 0 };

		assert_int_equal(nook_arena_init(&a), 0);
		struct nook_seccomp_range *ranges =
			nook_alloc_array(&a, arch->n_spans, sizeof(*ranges));

		assert_int_equal(arch->spans[0].first, 0);
		for (size_t i = 0; i < arch->n_spans; i++) {
			assert_true(i == 0 || arch->spans[i].first > arch->spans[i - 1].first);
			ranges[i] = (struct nook_seccomp_range){
				arch->spans[i].first, { .action = ERR(1u + arch->spans[i].class) }
			};
		}
		struct nook_seccomp_section s = { arch->audit, ranges, arch->n_spans };
		struct nook_filter f = emit(&a, &s, 1);

		for (size_t i = 0; i < nook_n_seccomp_calls; i++) {
			const struct nook_seccomp_call *call = &nook_seccomp_calls[i];

			if (call->number[m] >= 0)
				assert_int_equal(run(&f, arch->audit, (uint32_t)call->number[m], 0),
						 ERR(1u + call->class));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_find_their_range),
		cmocka_unit_test(depth_is_logarithmic),
		cmocka_unit_test(conditions_compare_64_bits),
		cmocka_unit_test(the_first_match_decides),
		cmocka_unit_test(long_answers_keep_their_way),
		cmocka_unit_test(too_long_a_program_is_refused),
		cmocka_unit_test(tables_of_all_machines_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
