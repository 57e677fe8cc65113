/* SPDX-License-Identifier: Apache-2.0 */
/* For tests: the kernel's check of a seccomp filter, and what the filter answers. */
#ifndef NOOK_PLAN_SECCOMP_SIM_H
#define NOOK_PLAN_SECCOMP_SIM_H

#include "plan/seccomp.h"

#include <linux/seccomp.h>
#include <stdbool.h>
#include <string.h>

/* Only what seccomp_is_const_allow() can follow, jumps that land inside, a return at the end. */
static inline bool sim_is_valid(const struct nook_filter *f)
{
	if (f->n == 0 || f->n > BPF_MAXINSNS || f->code[f->n - 1].code != (BPF_RET | BPF_K))
		return false;

	for (size_t i = 0; i < f->n; i++) {
		const struct sock_filter *c = &f->code[i];

		switch (c->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			if (c->k % 4 != 0 || c->k >= sizeof(struct seccomp_data))
				return false;
			break;
		case BPF_RET | BPF_K:
		case BPF_ALU | BPF_AND | BPF_K:
			break;
		case BPF_JMP | BPF_JA:
			if (c->k >= f->n - i - 1)
				return false;
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
		case BPF_JMP | BPF_JGE | BPF_K:
		case BPF_JMP | BPF_JGT | BPF_K:
		case BPF_JMP | BPF_JSET | BPF_K:
			if (c->jt >= f->n - i - 1 || c->jf >= f->n - i - 1)
				return false;
			break;
		default:
			return false;
		}
	}
	return true;
}

/* SECCOMP_RET_*, of a filter that is valid; any instruction of libseccomp's too. @steps may be
 * NULL: receives how many were run. */
static inline uint32_t sim_run(const struct sock_filter *code, const struct seccomp_data *data,
			       size_t *steps)
{
	uint32_t a = 0;
	size_t n = 0;

	for (size_t pc = 0;; pc++) {
		const struct sock_filter *c = &code[pc];
		bool taken = false;

		n++;
		switch (c->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			memcpy(&a, (const char *)data + c->k, sizeof(a));
			continue;
		case BPF_ALU | BPF_AND | BPF_K:
			a &= c->k;
			continue;
		case BPF_JMP | BPF_JA:
			pc += c->k;
			continue;
		case BPF_JMP | BPF_JEQ | BPF_K:
			taken = a == c->k;
			break;
		case BPF_JMP | BPF_JGE | BPF_K:
			taken = a >= c->k;
			break;
		case BPF_JMP | BPF_JGT | BPF_K:
			taken = a > c->k;
			break;
		case BPF_JMP | BPF_JSET | BPF_K:
			taken = (a & c->k) != 0;
			break;
		case BPF_RET | BPF_K:
			if (steps)
				*steps = n;
			return c->k;
		default:
			return 0xdeadbeef;
		}
		pc += taken ? c->jt : c->jf;
	}
}

#endif
