/* SPDX-License-Identifier: Apache-2.0 */
/* `nook ns tree` */
#include "options.h"

#include "base/own.h"
#include "ns/kinds.h"
#include "ns_graph.h"
#include "table.h"

#define COMMAND_WIDTH 60

static const struct nook_option rows[] = {
	{ .name = "json", .set = nook_option_flag, .help = "print it as JSON" },
	NOOK_OPTION_HELP_ROW,
};

const struct nook_option_table nook_ns_tree_table = { .command = "nook ns tree",
						      .rows = rows,
						      .n = ARRAY_SIZE(rows) };

struct tree {
	struct nook_arena *a;
	struct nook_ns_graph *g;
	struct nook_json_writer *w;
};

/* Its parent isn't in the graph: there is none, or it may not be seen. */
static bool is_top(const struct nook_ns *ns, enum nook_ns_kind kind)
{
	return ns->kind == kind && !ns->parent;
}

/* ---- for people ---- */

static void print_user(const struct tree *t, const struct nook_ns *user, int depth)
{
	printf("%*s%s  uid %u  %s\n", depth * 2, "", nook_cli_ns_ref(t->a, user), user->creator,
	       nook_cli_ns_held(t->a, user, true));
	for (size_t i = 0; i < t->g->n; i++) {
		const struct nook_ns *ns = t->g->all[i];

		if (ns->owner == user && ns->kind != NOOK_NS_USER)
			printf("%*s%s  %s\n", depth * 2 + 2, "", nook_cli_ns_ref(t->a, ns),
			       nook_cli_ns_held(t->a, ns, true));
	}
	/* The kernel allows 32 levels. */
	for (size_t i = 0; i < t->g->n; i++) {
		if (t->g->all[i]->kind == NOOK_NS_USER && t->g->all[i]->parent == user)
			print_user(t, t->g->all[i], depth + 1);
	}
}

static void print_pid(const struct tree *t, const struct nook_ns *pid, int depth)
{
	printf("%*s%s  %s\n", depth * 2, "", nook_cli_ns_ref(t->a, pid),
	       nook_cli_ns_held(t->a, pid, true));
	for (const struct nook_ns_process *p = t->g->processes; p; p = p->next) {
		const char *command;

		if (p->in[NOOK_NS_PID] != pid)
			continue;
		command = nook_cli_safe(t->a, nook_ns_command(t->g, p));
		printf("%*s%d  %s\n", depth * 2 + 2, "", p->pid,
		       nook_cli_cut(t->a, command, COMMAND_WIDTH));
	}
	for (size_t i = 0; i < t->g->n; i++) {
		if (t->g->all[i]->kind == NOOK_NS_PID && t->g->all[i]->parent == pid)
			print_pid(t, t->g->all[i], depth + 1);
	}
}

static int print_text(const struct tree *t)
{
	size_t lost = 0;

	for (size_t i = 0; i < t->g->n; i++) {
		if (is_top(t->g->all[i], NOOK_NS_USER))
			print_user(t, t->g->all[i], 0);
	}
	for (size_t i = 0; i < t->g->n; i++) {
		const struct nook_ns *ns = t->g->all[i];

		if (ns->kind == NOOK_NS_USER || ns->owner)
			continue;
		if (lost++ == 0)
			puts("of owners that can't be seen");
		printf("  %s  %s\n", nook_cli_ns_ref(t->a, ns), nook_cli_ns_held(t->a, ns, true));
	}
	putchar('\n');
	for (size_t i = 0; i < t->g->n; i++) {
		if (is_top(t->g->all[i], NOOK_NS_PID))
			print_pid(t, t->g->all[i], 0);
	}
	return nook_cli_end(0);
}

/* ---- JSON ---- */

static void put_refs(const struct tree *t, const struct nook_ns *user)
{
	nook_json_array(t->w, "owns");
	for (size_t i = 0; i < t->g->n; i++) {
		if (t->g->all[i]->owner == user && t->g->all[i]->kind != NOOK_NS_USER)
			nook_cli_ns_json_ref(t->w, NULL, t->g->all[i]);
	}
	nook_json_end(t->w);
}

static void put_processes(const struct tree *t, const struct nook_ns *pid)
{
	nook_json_array(t->w, "processes");
	for (const struct nook_ns_process *p = t->g->processes; p; p = p->next) {
		if (p->in[NOOK_NS_PID] != pid)
			continue;
		nook_json_object(t->w, NULL);
		nook_json_put_i64(t->w, "pid", p->pid);
		nook_json_put_text(t->w, "command", nook_ns_command(t->g, p));
		nook_json_end(t->w);
	}
	nook_json_end(t->w);
}

/* 33 levels of an object and an array each would be deeper than the writer goes: the levels are a
 * list, each with its parent. */
static void put_level(const struct tree *t, const struct nook_ns *ns)
{
	nook_json_object(t->w, NULL);
	nook_json_put_text(t->w, "kind", nook_ns_kinds[ns->kind].name);
	nook_json_put_u64(t->w, "inode", ns->inode);
	nook_cli_ns_json_ref(t->w, "parent", ns->parent);
	if (ns->kind == NOOK_NS_USER) {
		nook_json_put_u64(t->w, "creator", ns->creator);
		put_refs(t, ns);
	} else {
		put_processes(t, ns);
	}
	nook_json_end(t->w);
}

static void put_below(const struct tree *t, enum nook_ns_kind kind, const struct nook_ns *above)
{
	for (size_t i = 0; i < t->g->n; i++) {
		if (t->g->all[i]->kind != kind || t->g->all[i]->parent != above)
			continue;
		put_level(t, t->g->all[i]);
		put_below(t, kind, t->g->all[i]);
	}
}

static int print_json(struct tree *t)
{
	struct nook_json_writer w;

	t->w = &w;
	nook_json_to_file(&w, stdout, true);
	nook_json_object(&w, NULL);
	nook_json_put_u64(&w, "version", 1);
	nook_json_array(&w, "user");
	put_below(t, NOOK_NS_USER, NULL);
	nook_json_end(&w);
	nook_json_array(&w, "pid");
	put_below(t, NOOK_NS_PID, NULL);
	nook_json_end(&w);
	nook_cli_ns_json_unseen(&w, t->g);
	return nook_cli_ns_json_end(&w);
}

int nook_cmd_ns_tree(int argc, char **argv)
{
	auto_arena struct nook_arena a = { 0 };
	bool json = false;
	struct nook_option_words read;
	struct tree t = { .a = &a };
	int status = nook_cli_read(&a, &nook_ns_tree_table, argv, &json, &read);

	(void)argc;
	if (status < 0)
		status = nook_cli_no_words(&nook_ns_tree_table, &read);
	if (status < 0)
		status = nook_cli_ns_graph(&a, 0, &t.g);
	if (status >= 0)
		return status;

	status = json ? print_json(&t) : print_text(&t);
	if (!json)
		nook_cli_ns_unseen(t.g);
	nook_ns_graph_free(t.g);
	return status;
}
