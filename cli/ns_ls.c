/* SPDX-License-Identifier: Apache-2.0 */
/* `nook ns ls` */
#include "options.h"

#include "base/own.h"
#include "ns/kinds.h"
#include "ns_graph.h"
#include "ns_names.h"
#include "table.h"

#include <inttypes.h>
#include <string.h>

enum { KIND, INODE, ID, PROCESSES, PID, COMMAND, OWNER, UID, HELD, NAMES, COLUMNS };

#define COMMAND_WIDTH 28
#define HELD_WIDTH    60

struct ls_words {
	bool json, quiet;
	uint32_t kinds; /* bit N: this kind; 0: all */
};

static const struct nook_option rows[] = {
	NOOK_CLI_KIND_ROW(struct ls_words),
	{ .name = "json",
	  .set = nook_option_flag,
	  .at = offsetof(struct ls_words, json),
	  .help = "print them as JSON" },
	{ .name = "quiet",
	  .letter = 'q',
	  .set = nook_option_flag,
	  .at = offsetof(struct ls_words, quiet),
	  .help = "print names only, those that have one" },
	NOOK_OPTION_HELP_ROW,
};

static const struct nook_option_foreign foreign[] = {
	{ "-t", "The kind is said by --kind: nook ns ls --kind net." },
	{ "--type", "The kind is said by --kind: nook ns ls --kind net." },
	{ "-J", "JSON is printed with --json." },
	{ "-p", "nook ns show PID lists the namespaces of a process." },
	{ NULL, NULL },
};

const struct nook_option_table nook_ns_ls_table = {
	.command = "nook ns ls", .rows = rows, .n = ARRAY_SIZE(rows), .foreign = foreign
};

static bool wanted(const struct ls_words *words, const struct nook_ns *ns)
{
	return words->kinds == 0 || (words->kinds & (1u << ns->kind));
}

static const char *creator(struct nook_arena *a, const struct nook_ns *ns)
{
	const struct nook_ns *user = ns->kind == NOOK_NS_USER ? ns : ns->owner;

	return user && user->asked ? nook_printf(a, "%u", user->creator) : "-";
}

static void print_table(struct nook_arena *a, struct nook_ns_graph *g, const struct ls_words *words)
{
	static const char *const heads[COLUMNS] = { "KIND",    "INODE", "ID",  "PROCS",   "PID",
						    "COMMAND", "OWNER", "UID", "HELD BY", "NAMES" };
	const char *(*cells)[COLUMNS] = nook_alloc_array(a, g->n + 1, sizeof(*cells));
	size_t n = 1;

	memcpy(cells[0], heads, sizeof(heads));
	for (size_t i = 0; i < g->n; i++) {
		const struct nook_ns *ns = g->all[i];
		const char **row = cells[n];

		if (!wanted(words, ns))
			continue;
		n++;
		row[KIND] = nook_ns_kinds[ns->kind].name;
		row[INODE] = nook_printf(a, "%" PRIu64, ns->inode);
		row[ID] = ns->id ? nook_printf(a, "%" PRIu64, ns->id) : "-";
		row[PROCESSES] = nook_printf(a, "%zu", ns->held[NOOK_NS_HOW_PROCESS]);
		row[PID] = ns->first ? nook_printf(a, "%d", ns->first->pid) : "-";
		row[COMMAND] =
			ns->first ? nook_cli_cut(a, nook_cli_safe(a, nook_ns_command(g, ns->first)),
						 COMMAND_WIDTH)
				  : "-";
		row[OWNER] = ns->owner ? nook_printf(a, "%" PRIu64, ns->owner->inode) : "-";
		row[UID] = creator(a, ns);
		row[HELD] = nook_cli_cut(a, nook_cli_ns_held(a, ns, false), HELD_WIDTH);
		row[NAMES] = nook_cli_ns_names(a, ns);
		if (!row[HELD][0])
			row[HELD] = ns->first ? "processes" : "-";
	}
	nook_cli_table(cells[0], n, COLUMNS);
}

static int print_json(struct nook_ns_graph *g, const struct ls_words *words)
{
	struct nook_json_writer w;

	nook_json_to_file(&w, stdout, true);
	nook_json_object(&w, NULL);
	nook_json_put_u64(&w, "version", 1);
	nook_json_array(&w, "namespaces");
	for (size_t i = 0; i < g->n; i++) {
		if (wanted(words, g->all[i]))
			nook_cli_ns_json(&w, NULL, g, g->all[i]);
	}
	nook_json_end(&w);
	nook_cli_ns_json_unseen(&w, g);
	return nook_cli_ns_json_end(&w);
}

static void print_names(struct nook_arena *a, const struct nook_ns_graph *g,
			const struct ls_words *words)
{
	const char **printed = NULL;
	size_t n = 0;

	for (size_t i = 0; i < g->n; i++) {
		for (const struct nook_ns_label *l = g->all[i]->names; l; l = l->next) {
			size_t k = 0;

			while (k < n && strcmp(printed[k], l->name) != 0)
				k++;
			if (!wanted(words, g->all[i]) || k < n)
				continue;
			*nook_append(a, printed, n) = l->name;
			puts(nook_cli_safe(a, l->name));
		}
	}
}

int nook_cmd_ns_ls(int argc, char **argv)
{
	auto_arena struct nook_arena a = { 0 };
	struct ls_words words = { 0 };
	struct nook_option_words read;
	struct nook_ns_graph *graph = NULL;
	int status = nook_cli_read(&a, &nook_ns_ls_table, argv, &words, &read);

	(void)argc;
	if (status < 0)
		status = nook_cli_no_words(&nook_ns_ls_table, &read);
	if (status < 0)
		status = nook_cli_ns_graph(&a, words.quiet ? NOOK_NS_NO_FDS : 0, &graph);
	if (status >= 0)
		return status;

	if (words.json) {
		status = print_json(graph, &words);
	} else if (words.quiet) {
		print_names(&a, graph, &words);
		status = nook_cli_end(0);
	} else {
		print_table(&a, graph, &words);
		status = nook_cli_end(0);
		nook_cli_ns_unseen(graph);
	}
	nook_ns_graph_free(graph);
	return status;
}
