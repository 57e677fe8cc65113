/* SPDX-License-Identifier: Apache-2.0 */
/* From "these numbers get this answer" to a BPF program of a good shape. */
#ifndef NOOK_PLAN_SECCOMP_EMIT_H
#define NOOK_PLAN_SECCOMP_EMIT_H

#include "base/arena.h"
#include "plan/seccomp.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum nook_seccomp_op {
	NOOK_OP_EQ,
	NOOK_OP_NE,
	NOOK_OP_LT,
	NOOK_OP_LE,
	NOOK_OP_GT,
	NOOK_OP_GE,
	NOOK_OP_MASKED_EQ, /* (argument & mask) == value */
	NOOK_OP_ANY_BIT,   /* (argument & mask) != 0 */
};

/* A condition on one argument; unsigned. */
struct nook_seccomp_cond {
	uint8_t arg; /* 0 to 5 */
	uint8_t op;  /* enum nook_seccomp_op */
	bool low;    /* looks at the low 32 bits only, as the kernel does for an int */
	uint64_t mask, value;
};

/* All of @conds hold: @action. */
struct nook_seccomp_match {
	const struct nook_seccomp_cond *conds;
	size_t n;
	uint32_t action; /* SECCOMP_RET_* with its data */
};

/* What one call gets: the first match's action, else @action. */
struct nook_seccomp_answer {
	const struct nook_seccomp_match *matches;
	size_t n;
	uint32_t action;
};

/* Numbers from @first to the next range's. */
struct nook_seccomp_range {
	uint32_t first;
	struct nook_seccomp_answer answer;
};

/* What one kind of machine gets. */
struct nook_seccomp_section {
	uint32_t audit;                          /* AUDIT_ARCH_* */
	const struct nook_seccomp_range *ranges; /* ascending, the first begins at 0 */
	size_t n;
};

/**
 * nook_seccomp_emit() - write the program
 * @sections:  1 or more, the likeliest first
 * @bad_arch:  action for calls of any other machine
 *
 * A binary search over the numbers, with the answers behind it. The kernel runs a new filter once
 * for every number to learn which are always allowed (and never runs it again for those), so that
 * depth decides how long loading takes. Only instructions are used that it can follow there:
 * seccomp_is_const_allow() in the kernel's seccomp.c.
 *
 * Return: 0; -E2BIG when the program has more than BPF_MAXINSNS instructions (@ret is untouched).
 */
int nook_seccomp_emit(struct nook_arena *a, const struct nook_seccomp_section *sections, size_t n,
		      uint32_t bad_arch, struct nook_filter *ret);

#endif
