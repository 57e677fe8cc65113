/* SPDX-License-Identifier: Apache-2.0 */
/*
 * golden HOST.json WORD…: what `nook run WORD… --plan` would say on the host of that file.
 * golden --bundle HOST.json CONFIG.json [WORD…]: the same of `nook-oci create WORD… demo`.
 * It looks at nothing of this machine, so that what it prints can be compared (tools/golden).
 */
#include "base/arena.h"
#include "base/file.h"
#include "base/own.h"
#include "base/report.h"
#include "host_file.h"
#include "nook/plan.h"
#include "plan/bundle.h"
#include "run/show.h"
#include "spec/bundle.h"
#include "spec/words.h"

#include <fcntl.h>
#include <string.h>

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

/* The words of `nook-oci create` that a plan depends on. */
static int read_options(char **argv, struct nook_bundle_options *o, struct nook_error *err)
{
	struct {
		const char *word;
		bool *flag;
	} flags[] = {
		{ "--systemd-cgroup", &o->systemd_cgroup },
		{ "--no-cgroups", &o->no_cgroups },
		{ "--no-pivot", &o->no_pivot },
		{ "--no-new-keyring", &o->no_new_keyring },
	};

	for (; *argv; argv++) {
		size_t i = 0;

		while (i < ARRAY_SIZE(flags) && strcmp(flags[i].word, *argv) != 0)
			i++;
		if (i < ARRAY_SIZE(flags))
			*flags[i].flag = true;
		else if (strncmp(*argv, "--preserve-fds=", 15) == 0)
			o->preserve_fds = (unsigned)atoi(*argv + 15);
		else if (strncmp(*argv, "--console-socket=", 17) == 0)
			; /* no plan depends on it, but the command wants one */
		else
			return nook_refuse(err, EINVAL, "golden knows no word %s", *argv);
	}
	return 0;
}

static int build_bundle(struct nook_arena *a, char **argv, struct nook_bundle *b,
			struct nook_plan *plan, struct nook_error *err)
{
	const struct nook_spec none = { 0 };
	struct nook_bundle_options *o = nook_alloc(a, sizeof(*o));
	struct nook_host *host = nook_alloc(a, sizeof(*host));
	auto_close int fd = open(argv[1], NOOK_OPEN_READ);
	char *text;
	size_t len;

	if (fd < 0)
		return nook_fail(err, errno, "open %s", argv[1]);

	*o = (struct nook_bundle_options){ .id = "demo",
					   .state_dir = "/run/nook-oci",
					   .start_later = true };

	int rc = nook_read_fd(a, fd, argv[1], 1 << 20, &text, &len, err);

	if (rc == 0)
		rc = read_options(argv + 2, o, err);
	if (rc == 0)
		rc = host_file_read(a, argv[0], &none, host, err);
	if (rc == 0)
		rc = nook_bundle_parse(a, text, len, b, err);
	b->dir = "/bundle";
	return rc < 0 ? rc : nook_plan_bundle(a, b, o, host, plan, err);
}

int main(int argc, char **argv)
{
	auto_arena struct nook_arena a = { 0 };
	struct nook_bundle bundle = { 0 };
	struct nook_plan plan;
	struct nook_error err = { 0 };
	bool of_bundle = argc > 1 && strcmp(argv[1], "--bundle") == 0;

	if (argc < (of_bundle ? 4 : 2) || nook_arena_init(&a) < 0) {
		fputs("usage: golden HOST.json [WORD...]\n"
		      "       golden --bundle HOST.json CONFIG.json [WORD...]\n",
		      stderr);
		return 2;
	}

	int rc = of_bundle ? build_bundle(&a, argv + 2, &bundle, &plan, &err)
			   : build(&a, argv[1], argv + 2, &plan, &err);

	if (rc < 0) {
		nook_error_print(stdout, of_bundle ? "nook-oci" : "nook", &err);
		return 0;
	}
	if (nook_plan_show(&plan, NOOK_PLAN_TEXT, &a, stdout, &err) < 0) {
		nook_error_print(stderr, "golden", &err);
		return 2;
	}
	for (const char *const *w = plan.warnings; w && *w; w++)
		printf("warning: %s\n", *w);
	return 0;
}
