/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program is written from its end to its beginning: BPF jumps forwards only, so whatever an
 * instruction leads to is there before it, and every distance is known when it is needed. A place
 * in the program is counted from the end for the same reason: the last instruction is 1.
 */
#include "seccomp_emit.h"

#include "base/own.h"

#include <errno.h>
#include <linux/seccomp.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "low words come first in seccomp_data");

/* A conditional jump skips at most 255 instructions. Between the moment when a target is looked at
 * and the jump itself, its other target may add a stepping stone. */
#define NEAR (255 - 1)

struct place {
	size_t at;
	uint32_t action; /* of a return instruction */
};

struct emitter {
	struct sock_filter *code; /* BPF_MAXINSNS of them, filled from the end */
	size_t n;
	bool full;
	struct place returns[16]; /* the nearest instruction that returns an action */
	size_t n_returns;
};

static size_t put(struct emitter *e, uint16_t code, uint8_t jt, uint8_t jf, uint32_t k)
{
	if (e->n == BPF_MAXINSNS) {
		e->full = true;
		return e->n;
	}
	e->n++;
	e->code[BPF_MAXINSNS - e->n] =
		(struct sock_filter){ .code = code, .jt = jt, .jf = jf, .k = k };
	return e->n;
}

/* A place that the next conditional jump can reach and that leads to @at. */
static size_t near(struct emitter *e, size_t at)
{
	if (e->n - at <= NEAR)
		return at;
	return put(e, BPF_JMP | BPF_JA, 0, 0, (uint32_t)(e->n - at));
}

static void put_jump(struct emitter *e, uint16_t op, uint32_t k, size_t yes, size_t no)
{
	yes = near(e, yes);
	no = near(e, no);
	put(e, BPF_JMP | BPF_K | op, (uint8_t)(e->n - yes), (uint8_t)(e->n - no), k);
}

/* The nearest return of @action, a new one when there is none in reach. */
static size_t put_return(struct emitter *e, uint32_t action)
{
	size_t i = 0;

	while (i < e->n_returns && e->returns[i].action != action)
		i++;
	if (i < e->n_returns && e->n - e->returns[i].at <= NEAR)
		return e->returns[i].at;
	if (i == ARRAY_SIZE(e->returns))
		i = action % ARRAY_SIZE(e->returns); /* the cache is full: forget another */
	else if (i == e->n_returns)
		e->n_returns++;

	e->returns[i].action = action;
	e->returns[i].at = put(e, BPF_RET | BPF_K, 0, 0, action);
	return e->returns[i].at;
}

static size_t put_load(struct emitter *e, size_t offset)
{
	return put(e, BPF_LD | BPF_W | BPF_ABS, 0, 0, (uint32_t)offset);
}

static size_t arg_offset(const struct nook_seccomp_cond *c, bool high)
{
	return offsetof(struct seccomp_data, args) + c->arg * sizeof(uint64_t) +
	       (high ? sizeof(uint32_t) : 0);
}

/* Compares one half of the argument: to @yes, @no, or to @same when this half can't tell. */
static size_t put_half(struct emitter *e, const struct nook_seccomp_cond *c, bool high, size_t yes,
		       size_t no, size_t same)
{
	uint32_t value = (uint32_t)(high ? c->value >> 32 : c->value);
	uint32_t mask = (uint32_t)(high ? c->mask >> 32 : c->mask);

	switch (c->op) {
	case NOOK_OP_EQ:
	case NOOK_OP_NE:
		put_jump(e, BPF_JEQ, value, same, no);
		break;
	case NOOK_OP_GT:
	case NOOK_OP_LE:
		if (high)
			put_jump(e, BPF_JEQ, value, same, no);
		put_jump(e, BPF_JGT, value, yes, high ? e->n : no);
		break;
	case NOOK_OP_GE:
	case NOOK_OP_LT:
		if (high) {
			put_jump(e, BPF_JEQ, value, same, no);
			put_jump(e, BPF_JGT, value, yes, e->n);
		} else {
			put_jump(e, BPF_JGE, value, yes, no);
		}
		break;
	case NOOK_OP_MASKED_EQ:
		put_jump(e, BPF_JEQ, value, same, no);
		put(e, BPF_ALU | BPF_AND | BPF_K, 0, 0, mask);
		break;
	case NOOK_OP_ANY_BIT:
		put_jump(e, BPF_JSET, mask, yes, same);
		break;
	}
	return put_load(e, arg_offset(c, high));
}

/* To @yes when the condition holds, else to @no. Returns where it begins. */
static size_t put_cond(struct emitter *e, const struct nook_seccomp_cond *c, size_t yes, size_t no)
{
	bool negated = c->op == NOOK_OP_NE || c->op == NOOK_OP_LE || c->op == NOOK_OP_LT;
	size_t holds = negated ? no : yes, fails = negated ? yes : no;
	/* Where the lower half says nothing new: equal for EQ, no bit for ANY_BIT. */
	size_t same = c->op == NOOK_OP_ANY_BIT ? fails : holds;
	size_t low = put_half(e, c, false, holds, fails, same);

	return c->low ? low : put_half(e, c, true, holds, fails, low);
}

static size_t put_answer(struct emitter *e, const struct nook_seccomp_answer *answer)
{
	size_t entry = put_return(e, answer->action);

	for (size_t m = answer->n; m-- > 0;) {
		const struct nook_seccomp_match *match = &answer->matches[m];
		size_t no = entry, yes = put_return(e, match->action);

		for (size_t i = match->n; i-- > 0;)
			yes = put_cond(e, &match->conds[i], yes, no);
		entry = yes;
	}
	return entry;
}

/* The part of the tree for ranges [@lo, @hi), whose answers begin at @at. */
static size_t put_tree(struct emitter *e, const struct nook_seccomp_range *ranges, size_t *at,
		       size_t lo, size_t hi)
{
	if (hi - lo == 1) {
		/* Most answers are returns that all share: take the nearest. */
		if (ranges[lo].answer.n == 0)
			at[lo] = put_return(e, ranges[lo].answer.action);
		return at[lo];
	}

	/* One number between others that are treated alike needs one comparison, not two. */
	if (hi - lo == 3 && ranges[lo + 2].first - ranges[lo + 1].first == 1 &&
	    ranges[lo].answer.n == 0 && ranges[lo + 2].answer.n == 0 &&
	    ranges[lo].answer.action == ranges[lo + 2].answer.action) {
		size_t other = put_tree(e, ranges, at, lo, lo + 1);
		size_t one = put_tree(e, ranges, at, lo + 1, lo + 2);

		put_jump(e, BPF_JEQ, ranges[lo + 1].first, one, other);
		return e->n;
	}

	size_t middle = lo + (hi - lo) / 2;
	size_t right = put_tree(e, ranges, at, middle, hi);
	size_t left = put_tree(e, ranges, at, lo, middle);

	put_jump(e, BPF_JGE, ranges[middle].first, right, left);
	return e->n;
}

static bool same_answer(const struct nook_seccomp_answer *x, const struct nook_seccomp_answer *y)
{
	return x->matches == y->matches && x->n == y->n && x->action == y->action;
}

/* Returns where the section begins: the machine is known, the number is not loaded yet. */
static size_t put_section(struct emitter *e, struct nook_arena *a,
			  const struct nook_seccomp_section *s)
{
	size_t *at = nook_alloc_array(a, s->n, sizeof(*at));

	for (size_t i = 0; i < s->n; i++) {
		size_t j = 0;

		if (s->ranges[i].answer.n == 0)
			continue;
		while (j < i && !same_answer(&s->ranges[j].answer, &s->ranges[i].answer))
			j++;
		at[i] = j < i ? at[j] : put_answer(e, &s->ranges[i].answer);
	}
	put_tree(e, s->ranges, at, 0, s->n);
	return put_load(e, offsetof(struct seccomp_data, nr));
}

int nook_seccomp_emit(struct nook_arena *a, const struct nook_seccomp_section *sections, size_t n,
		      uint32_t bad_arch, struct nook_filter *ret)
{
	struct emitter e = { .code = nook_alloc_array(a, BPF_MAXINSNS, sizeof(*e.code)) };
	size_t *entries = nook_alloc_array(a, n, sizeof(*entries));

	for (size_t i = n; i-- > 0;)
		entries[i] = put_section(&e, a, &sections[i]);

	size_t entry = put_return(&e, bad_arch);

	for (size_t i = n; i-- > 0;) {
		put_jump(&e, BPF_JEQ, sections[i].audit, entries[i], entry);
		entry = e.n;
	}
	put_load(&e, offsetof(struct seccomp_data, arch));
	if (e.full)
		return -E2BIG;

	ret->code = e.code + BPF_MAXINSNS - e.n;
	ret->n = e.n;
	return 0;
}
