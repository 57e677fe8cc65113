/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include "base/own.h"
#include "host/causes.h"
#include "keep/net_home.h"
#include "net/outside.h"
#include "nook/container.h"
#include "nook/net.h"
#include "spec/words.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

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

/* Will one of the networks be there? The default one is made at need. */
static bool is_any(struct nook_arena *a, const char *state_dir, const struct nook_spec *s)
{
	struct nook_network network;
	bool any = false;

	for (size_t i = 0; i < s->n_links && !any; i++) {
		const char *name = s->links[i].network;

		any = name && (strcmp(name, NOOK_NET_DEFAULT) == 0 ||
			       nook_net_find(state_dir, name, a, &network, NULL) == 0);
	}
	return any;
}

/* An ordinary user's networks are not in the machine's own namespaces. */
static int go_home(struct nook_arena *a, const struct nook_run_words *words, struct nook_error *err)
{
	const struct nook_spec *s = &words->spec;
	const char *state_dir;
	bool networks = false;

	for (size_t i = 0; s->net == NOOK_NET_LINKS && i < s->n_links; i++)
		networks |= s->links[i].network != NULL;
	if (!networks)
		return 0;

	int rc = nook_state_dir(&state_dir, err);

	if (rc == 0 && s->n_ports && !words->plan)
		rc = nook_outside_begin(err);
	return rc < 0 ? rc
		      : nook_net_home_enter(state_dir, !words->plan && is_any(a, state_dir, s),
					    err);
}

static void warn(void *data, const char *what, const char *remedy)
{
	(void)data;
	fprintf(stderr, "nook: %s\n  try:   %s\n", what, remedy);
	(void)fflush(stderr); /* nobody is left to tell */
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
	if (go_home(&a, &words, &err) < 0)
		return failed(&a, &words.spec, &err, NOOK_EXIT_FAILURE);
	if (words.plan)
		return plan(&a, &words, &err);

	struct nook_trace told = { 0 };

	if (words.trace)
		told = *nook_cli_trace();
	told.warning = warn;
	rc = nook_run(&words.spec, &told, &status, &err);
	if (words.trace)
		nook_cli_trace_end();
	return rc < 0 ? failed(&a, &words.spec, &err, status) : status;
}
