/* SPDX-License-Identifier: Apache-2.0 */
/* The two pairs of lists meet: every SEND of one is the next WAIT of the other, whatever the plan.
 */
#include "create.h"

#include "base/own.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct {
	const char *name;
	const struct nook_step *outside, *inside;
	const size_t *n_outside, *n_inside;
} pairs[] = {
	{ "run", nook_create_steps, nook_stage_steps, &nook_create_n_steps, &nook_stage_n_steps },
	{ "exec", nook_exec_steps, nook_enter_steps, &nook_exec_n_steps, &nook_enter_n_steps },
};

static struct nook_plan_source source = { .path = "/x", .idmap = true };
static struct nook_plan_join join = { .kind = NOOK_NS_USER };
static struct nook_plan_cgroup_dir dir = { .mount = "/m", .path = "/nook/x" };
static const struct sock_filter filter;

/* What steps ask for, each on or off. */
enum { TOGGLES = 15 };

static struct nook_plan plan_of(unsigned on)
{
	struct nook_plan p = { .root_how = on & 1 ? NOOK_PLAN_ROOT_KEEP : NOOK_PLAN_ROOT_OVERLAY };

	p.userns.writer = on & 2 ? NOOK_IDMAP_DIRECT : NOOK_IDMAP_NONE;
	p.userns.range = on & 2 ? 65536 : 0;
	p.sources = &source;
	p.n_sources = on & 4 ? 1 : 0;
	p.sources_outside = on & 8;
	p.joins = &join;
	p.n_joins = on & 16 ? 1 : 0;
	p.cgroup.dirs = &dir;
	p.cgroup.n_dirs = on & 32 ? 1 : 0;
	p.process.terminal = on & 64;
	p.process.init = on & 128;
	p.process.seccomp = on & 256 ? &filter : NULL;
	p.process.no_new_privs = on & 512;
	p.late_time = on & 1024;
	p.process.set_oom_score_adj = on & 2048;
	p.bundle = on & 4096;
	p.start_later = on & 8192;
	p.announced = on & 16384;
	return p;
}

/* The next step at or after *@at that talks to the other side; NULL at the end. */
static const struct nook_step *next_message(const struct nook_step *steps, size_t n, size_t *at,
					    const struct nook_plan *plan)
{
	while (*at < n) {
		const struct nook_step *s = &steps[(*at)++];

		if (s->kind != NOOK_STEP_RUN && (!s->needed || s->needed(plan)))
			return s;
	}
	return NULL;
}

static void test_the_lists_meet(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		for (unsigned on = 0; on < 1u << TOGGLES; on++) {
			struct nook_plan plan = plan_of(on);
			size_t out_at = 0, in_at = 0, met = 0;

			for (;; met++) {
				const struct nook_step *out = next_message(
					pairs[i].outside, *pairs[i].n_outside, &out_at, &plan);
				const struct nook_step *in = next_message(
					pairs[i].inside, *pairs[i].n_inside, &in_at, &plan);

				if (!out && !in)
					break;
				assert_true(out && in);
				assert_int_equal(out->message, in->message);
				assert_string_equal(out->name, in->name);
				assert_true((out->kind == NOOK_STEP_SEND) ==
					    (in->kind == NOOK_STEP_WAIT));
			}
			assert_true(met >= 1);
		}
	}
}

/* Every way to the program ends with exactly one step that executes it. */
static void test_the_program_is_started_once(void **state)
{
	for (unsigned on = 0; on < 1u << TOGGLES; on++) {
		struct nook_plan plan = plan_of(on);

		for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
			size_t starts = 0;

			for (size_t k = 0; k < *pairs[i].n_inside; k++) {
				const struct nook_step *s = &pairs[i].inside[k];

				if ((s->run == start_program || s->run == exec_program) &&
				    (!s->needed || s->needed(&plan)))
					starts++;
			}
			assert_int_equal(starts, 1);
		}
	}
}

static void check_row(const struct nook_step *s)
{
	assert_non_null(s->name);
	if (s->kind != NOOK_STEP_RUN) {
		assert_int_not_equal(s->message, NOOK_MSG_NONE);
		assert_null(s->undo);
		return;
	}
	assert_non_null(s->run);
	assert_non_null(s->show); /* else --plan would keep quiet about it */
	assert_non_null(s->wanted);
	assert_true(s->wanted[0] >= 'a' && s->wanted[0] <= 'z'); /* it goes on after "cannot" */
}

static void test_each_row_is_whole(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		for (size_t k = 0; k < *pairs[i].n_outside; k++)
			check_row(&pairs[i].outside[k]);
		for (size_t k = 0; k < *pairs[i].n_inside; k++) {
			check_row(&pairs[i].inside[k]);
			/* The stage dies, and its namespaces with it. */
			assert_null(pairs[i].inside[k].undo);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_lists_meet),
		cmocka_unit_test(test_the_program_is_started_once),
		cmocka_unit_test(test_each_row_is_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
