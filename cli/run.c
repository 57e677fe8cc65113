/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include "base/own.h"
#include "host/causes.h"
#include "nook/container.h"
#include "spec/words.h"

/* For the search of a cause: where the container's files are, the topmost layer first. */
static void note_roots(struct nook_arena *a, const struct nook_root_spec *root,
		       struct nook_explain_context *ctx)
{
	const char **roots = NULL;
	size_t n = 0;

	if (root->kind == NOOK_ROOT_DIR)
		*nook_append(a, roots, n) = root->dir.path;
	if (root->kind == NOOK_ROOT_LAYERS && root->changes.path)
		*nook_append(a, roots, n) = root->changes.path;
	for (size_t i = root->n_layers; i-- > 0;)
		*nook_append(a, roots, n) = root->layers[i].path;
	ctx->roots = roots;
	ctx->n_roots = n;
}

static int failed(struct nook_arena *a, const struct nook_spec *spec, struct nook_error *err,
		  int status)
{
	enum nook_ns_mode user = spec->ns[NOOK_NS_USER].mode;
	struct nook_explain_context ctx = {
		.new_userns = user == NOOK_NS_DEFAULT || user == NOOK_NS_NEW,
		.command = spec->argv ? spec->argv[0] : NULL,
	};

	ctx.changes = spec->root.changes.path;
	note_roots(a, &spec->root, &ctx);
	return nook_cli_failed(err, &ctx, status);
}

static int plan(struct nook_arena *a, const struct nook_run_words *words, struct nook_error *err)
{
	if (nook_run_plan(&words->spec, words->plan_format, stdout, err) < 0)
		return failed(a, &words->spec, err, NOOK_EXIT_FAILURE);
	return nook_cli_end(0);
}

int nook_cmd_run(int argc, char **argv)
{
	auto_arena struct nook_arena a = { 0 };
	struct nook_run_words words;
	struct nook_error err = { 0 };
	int status = NOOK_EXIT_FAILURE;
	int rc = nook_arena_open(&a, &err);

	(void)argc;
	if (rc < 0)
		return nook_cli_failed(&err, NULL, status);

	if (nook_words_run(&a, argv + 1, &words, &err) < 0)
		return nook_cli_refused(&err);
	if (words.help)
		return nook_help_command("run");
	if (words.plan)
		return plan(&a, &words, &err);

	rc = nook_run(&words.spec, words.trace ? nook_cli_trace() : NULL, &status, &err);
	if (words.trace)
		nook_cli_trace_end();
	return rc < 0 ? failed(&a, &words.spec, &err, status) : status;
}
