/* SPDX-License-Identifier: Apache-2.0 */
/*
 * golden HOST.json WORD…: what `nook run WORD… --plan` would say on the host of that file. It looks
 * at nothing of this machine, so that what it prints can be compared (tools/golden).
 */
#include "base/arena.h"
#include "base/report.h"
#include "host_file.h"
#include "nook/plan.h"
#include "run/show.h"
#include "spec/words.h"

static int build(struct nook_arena *a, const char *host_file, char **argv, struct nook_plan *plan,
		 struct nook_error *err)
{
	/* The plan borrows of both. */
	struct nook_run_words *words = nook_alloc(a, sizeof(*words));
	struct nook_host *host = nook_alloc(a, sizeof(*host));
	int rc = nook_words_run(a, argv, words, err);

	if (rc == 0)
		rc = host_file_read(a, host_file, &words->spec, host, err);
	return rc < 0 ? rc : nook_plan_build(a, &words->spec, host, plan, err);
}

int main(int argc, char **argv)
{
	auto_arena struct nook_arena a = { 0 };
	struct nook_plan plan;
	struct nook_error err = { 0 };

	if (argc < 2 || nook_arena_init(&a) < 0) {
		fputs("usage: golden HOST.json [WORD...]\n", stderr);
		return 2;
	}
	if (build(&a, argv[1], argv + 2, &plan, &err) < 0) {
		nook_error_print(stdout, "nook", &err);
		return 0;
	}
	if (nook_plan_show(&plan, NOOK_PLAN_TEXT, &a, stdout, &err) < 0) {
		nook_error_print(stderr, "golden", &err);
		return 2;
	}
	return 0;
}
