/* SPDX-License-Identifier: Apache-2.0 */
#include "seccomp.h"

#include "base/own.h"
#include "plan/parts.h"
#include "seccomp_emit.h"
#include "seccomp_table.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <string.h>

/* Since Linux 5.16 a filter doesn't switch on the mitigations against speculative store bypass;
 * before that it did unless told not to, which slows programs down by a tenth and more. */
#define FLAGS SECCOMP_FILTER_FLAG_SPEC_ALLOW

static struct nook_seccomp_answer just(uint32_t action)
{
	return (struct nook_seccomp_answer){ .action = action };
}

static uint32_t refusal(const struct nook_seccomp_class *c)
{
	return SECCOMP_RET_ERRNO | c->errnum;
}

/* "Refuse when the argument has one of these bits, but not when it is that value." */
static struct nook_seccomp_answer unless_bits(struct nook_arena *a,
					      const struct nook_seccomp_class *c)
{
	struct nook_seccomp_cond *conds = nook_alloc_array(a, 2, sizeof(*conds));
	struct nook_seccomp_match *matches = nook_alloc_array(a, 2, sizeof(*matches));
	size_t n = 0;

	if (c->has_but) {
		conds[n] = (struct nook_seccomp_cond){
			.arg = c->arg, .op = NOOK_OP_EQ, .low = true, .value = c->but
		};
		matches[n] = (struct nook_seccomp_match){ &conds[n], 1, SECCOMP_RET_ALLOW };
		n++;
	}
	conds[n] = (struct nook_seccomp_cond){
		.arg = c->arg, .op = NOOK_OP_ANY_BIT, .low = true, .mask = c->values[0]
	};
	matches[n] = (struct nook_seccomp_match){ &conds[n], 1, refusal(c) };
	return (struct nook_seccomp_answer){ matches, n + 1, SECCOMP_RET_ALLOW };
}

/* "When the argument is one of these: @then; else @otherwise." */
static struct nook_seccomp_answer one_of(struct nook_arena *a, const struct nook_seccomp_class *c,
					 uint32_t then, uint32_t otherwise)
{
	struct nook_seccomp_cond *conds = nook_alloc_array(a, c->n_values, sizeof(*conds));
	struct nook_seccomp_match *matches = nook_alloc_array(a, c->n_values, sizeof(*matches));

	for (size_t i = 0; i < c->n_values; i++) {
		conds[i] = (struct nook_seccomp_cond){
			.arg = c->arg, .op = NOOK_OP_EQ, .low = true, .value = c->values[i]
		};
		matches[i] = (struct nook_seccomp_match){ &conds[i], 1, then };
	}
	return (struct nook_seccomp_answer){ matches, c->n_values, otherwise };
}

static struct nook_seccomp_answer decide(struct nook_arena *a, const struct nook_seccomp_class *c,
					 uint64_t caps)
{
	if (c->errnum == 0 || (c->unless & caps))
		return just(SECCOMP_RET_ALLOW);

	switch (c->test) {
	case NOOK_SECCOMP_ANY_BIT:
		return unless_bits(a, c);
	case NOOK_SECCOMP_ONE_OF:
		return one_of(a, c, refusal(c), SECCOMP_RET_ALLOW);
	case NOOK_SECCOMP_NONE_OF:
		return one_of(a, c, SECCOMP_RET_ALLOW, refusal(c));
	default:
		return just(refusal(c));
	}
}

/* Neighbours that get the same become one range, which is where granted capabilities make the
 * program shorter. */
static struct nook_seccomp_section make_section(struct nook_arena *a,
						const struct nook_seccomp_arch *arch,
						const struct nook_seccomp_answer *answers)
{
	struct nook_seccomp_range *ranges = nook_alloc_array(a, arch->n_spans, sizeof(*ranges));
	size_t n = 0;

	for (size_t i = 0; i < arch->n_spans; i++) {
		struct nook_seccomp_answer answer = answers[arch->spans[i].class];

		if (n > 0 && answer.n == 0 && ranges[n - 1].answer.n == 0 &&
		    ranges[n - 1].answer.action == answer.action)
			continue;
		ranges[n++] = (struct nook_seccomp_range){ arch->spans[i].first, answer };
	}
	return (struct nook_seccomp_section){ arch->audit, ranges, n };
}

void nook_seccomp_default(struct nook_arena *a, uint64_t caps, struct nook_filter *ret)
{
	static const enum nook_seccomp_machine machines[] = { NOOK_MACHINE_NATIVE,
							      NOOK_MACHINE_COMPAT };
	struct nook_seccomp_section sections[ARRAY_SIZE(machines)];
	struct nook_seccomp_answer *answers =
		nook_alloc_array(a, nook_n_seccomp_classes, sizeof(*answers));

	for (size_t i = 0; i < nook_n_seccomp_classes; i++)
		answers[i] = decide(a, &nook_seccomp_classes[i], caps);
	for (size_t i = 0; i < ARRAY_SIZE(machines); i++)
		sections[i] = make_section(a, &nook_seccomp_arches[machines[i]], answers);

	/* The tables are what they were when nook was built and tested: no caps make them too long.
	 */
	if (nook_seccomp_emit(a, sections, ARRAY_SIZE(sections), SECCOMP_RET_ERRNO | ENOSYS, ret) <
	    0)
		__builtin_trap();
	ret->flags = FLAGS;
}

int nook_plan_seccomp(struct nook_planner *p)
{
	struct nook_plan_process *process = &p->plan->process;
	struct nook_filter filter = { 0 };

	switch (p->spec->seccomp) {
	case NOOK_SECCOMP_OFF:
		return 0;
	case NOOK_SECCOMP_DEFAULT:
		nook_seccomp_default(p->arena, process->caps.bounding, &filter);
		process->seccomp_name = NOOK_SECCOMP_DEFAULT_NAME;
		process->seccomp_own = true;
		break;
	case NOOK_SECCOMP_FILE: {
		int rc = nook_seccomp_read(p->arena, p->spec->seccomp_file, process->caps.bounding,
					   &filter, p->err);

		if (rc < 0) {
			nook_where(p->err, "--seccomp %s", p->spec->seccomp_file);
			nook_hint(p->err, "name a profile in the engines' JSON form, or "
					  "\"default\" or \"off\"");
			return rc;
		}
		process->seccomp_name =
			strchr(p->spec->seccomp_file, '/')
				? p->spec->seccomp_file
				: nook_printf(p->arena, "./%s", p->spec->seccomp_file);
		/* An ordinary user's pid 1 can be entered, and must be no way around the filter. */
		process->seccomp_late = p->plan->sources_outside;
		break;
	}
	}

	process->seccomp = filter.code;
	process->n_seccomp = filter.n;
	process->seccomp_flags = filter.flags;
	return 0;
}
