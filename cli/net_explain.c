/* SPDX-License-Identifier: Apache-2.0 */
#include "net_tools.h"

#include "base/json.h"
#include "base/own.h"
#include "net/address.h"
#include "nook/container.h"
#include "ns_names.h"
#include "run/net_explain.h"
#include "table.h"

#include <errno.h>
#include <netinet/in.h>

#define EXIT_STOPS 1

static const struct nook_option rows[] = {
	{ .name = "json", .set = nook_option_flag, .help = "print the path as JSON" },
	NOOK_OPTION_HELP_ROW,
};

const struct nook_option_table nook_net_explain_table = { .command = "nook net explain",
							  .rows = rows,
							  .n = ARRAY_SIZE(rows) };

static const char *const results[] = {
	[NOOK_EXPLAIN_PASSES] = "passes",
	[NOOK_EXPLAIN_SUSPECT] = "suspect",
	[NOOK_EXPLAIN_UNKNOWN] = "unknown",
	[NOOK_EXPLAIN_STOPS] = "stops",
};

static const char *const verdicts[] = {
	[NOOK_EXPLAIN_ARRIVES] = "arrives",
	[NOOK_EXPLAIN_LEAVES] = "leaves",
	[NOOK_EXPLAIN_STUCK] = "stops",
};

static const char *protocol_of(const struct nook_explanation *e)
{
	return e->protocol == IPPROTO_UDP ? "udp" : "tcp";
}

static int status_of(const struct nook_explanation *e)
{
	return e->verdict == NOOK_EXPLAIN_STUCK ? EXIT_STOPS : 0;
}

static int show_json(const struct nook_explanation *e)
{
	struct nook_json_writer w;
	char text[NOOK_NET_TEXT];

	nook_json_to_file(&w, stdout, true);
	nook_json_object(&w, NULL);
	nook_json_put_u64(&w, "version", 1);
	nook_json_put_text(&w, "from", e->from);
	nook_json_put_text(&w, "to", e->to);
	nook_json_put_text(&w, "address",
			   e->address.family ? nook_net_text(&e->address, text) : NULL);
	nook_json_put_text(&w, "protocol", e->port ? protocol_of(e) : NULL);
	if (e->port)
		nook_json_put_u64(&w, "port", e->port);
	else
		nook_json_put_null(&w, "port");
	nook_json_put_text(&w, "verdict", verdicts[e->verdict]);
	nook_json_array(&w, "steps");
	for (size_t i = 0; i < e->n; i++) {
		const struct nook_explain_step *s = &e->steps[i];

		nook_json_object(&w, NULL);
		nook_json_put_text(&w, "result", results[s->result]);
		nook_json_put_text(&w, "what", s->what);
		nook_json_put_text(&w, "where", s->where);
		nook_json_put_text(&w, "text", s->text);
		nook_json_put_text(&w, "hint", s->hint);
		nook_json_end(&w);
	}
	nook_json_end(&w);
	nook_json_end(&w);

	int status = nook_cli_end_json(&w);

	return status ? status : status_of(e);
}

static size_t widest(struct nook_arena *a, const struct nook_explanation *e)
{
	size_t width = 0;

	for (size_t i = 0; i < e->n; i++) {
		size_t n = nook_cli_columns(nook_cli_safe(a, e->steps[i].where));

		width = n > width ? n : width;
	}
	return width;
}

static void show_end(struct nook_arena *a, const struct nook_explanation *e)
{
	const struct nook_explain_step *last = e->n ? &e->steps[e->n - 1] : NULL;
	size_t suspects = 0;

	for (size_t i = 0; i < e->n; i++)
		suspects += e->steps[i].result == NOOK_EXPLAIN_SUSPECT;
	if (e->verdict == NOOK_EXPLAIN_STUCK && last)
		printf("It stops in %s: %s.\n", nook_cli_safe(a, last->where),
		       nook_cli_safe(a, last->text));
	else if (e->verdict == NOOK_EXPLAIN_LEAVES)
		printf("Nothing stops it as far as can be seen from here.\n");
	else
		printf("Nothing stops it.%s\n",
		       e->port ? "" : " No port was named, so nobody was looked for who listens.");
	if (suspects)
		printf("%zu suspect%s: rules that are not nook's are not weighed.\n", suspects,
		       suspects == 1 ? "" : "s");
}

static int show(struct nook_arena *a, const struct nook_explanation *e)
{
	char text[NOOK_NET_TEXT];
	size_t width = widest(a, e);

	printf("from %s to %s", nook_cli_safe(a, e->from), nook_cli_safe(a, e->to));
	if (e->address.family)
		printf(", %s", nook_net_text(&e->address, text));
	if (e->port)
		printf(", %s port %u", protocol_of(e), e->port);
	puts("");
	for (size_t i = 0; i < e->n; i++) {
		const struct nook_explain_step *s = &e->steps[i];
		const char *where = nook_cli_safe(a, s->where);
		size_t columns = nook_cli_columns(where);

		printf("  %-8s %s%*s  %-8s  %s\n", results[s->result], where,
		       (int)(width - columns), "", s->what, nook_cli_safe(a, s->text));
		if (s->hint)
			printf("           try: %s\n", nook_cli_safe(a, s->hint));
	}
	show_end(a, e);
	return nook_cli_end(status_of(e));
}

int nook_cmd_net_explain(int argc, char **argv)
{
	auto_arena struct nook_arena a = { 0 };
	bool json = false;
	struct nook_option_words read;
	struct nook_explanation e;
	struct nook_error err = { 0 };
	const char *state_dir;
	int status = nook_cli_read(&a, &nook_net_explain_table, argv, &json, &read);

	(void)argc;
	if (status >= 0)
		return status;
	if (read.n_words != 2) {
		(void)nook_refuse(&err, EINVAL,
				  "two ends are needed: nook net explain FROM TO[:PORT]");
		return nook_cli_refused(&err);
	}
	if (nook_state_dir(&state_dir, &err) < 0 ||
	    nook_net_explain(state_dir, read.words[0], read.words[1], &a, &e, &err) < 0)
		return nook_cli_failed(&err, NULL, NOOK_EXIT_FAILURE);
	return json ? show_json(&e) : show(&a, &e);
}
