/* SPDX-License-Identifier: Apache-2.0 */
#include "graph.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *const how_words[NOOK_NS_HOW_COUNT] = {
	"process", "thread", "children", "fd", "socket", "mount", "nested", "owner", "kernel",
};

const char *nook_ns_how_word(enum nook_ns_how how)
{
	return how_words[how];
}

int nook_ns_graph_new(struct nook_ns_graph **ret, struct nook_error *err)
{
	struct nook_arena arena = { 0 };
	int rc = nook_arena_open(&arena, err);

	if (rc < 0)
		return rc;

	struct nook_ns_graph *g = nook_alloc(&arena, sizeof(*g));

	g->store = nook_alloc(&arena, sizeof(*g->store));
	g->store->n_slots = 1024;
	g->store->slots = nook_alloc_array(&arena, g->store->n_slots, sizeof(void *));
	g->store->arena = arena; /* the graph lies in the memory that it owns */
	*ret = g;
	return 0;
}

void nook_ns_graph_free(struct nook_ns_graph *graph)
{
	if (!graph)
		return;

	struct nook_arena arena = graph->store->arena;

	nook_arena_free(&arena);
}

/* The slot of the inode, or the empty one where it belongs. */
static struct nook_ns_node **slot(const struct nook_ns_store *s, uint64_t inode)
{
	size_t at = (size_t)((inode * 0x9e3779b97f4a7c15u) >> 32) & (s->n_slots - 1);

	while (s->slots[at] && s->slots[at]->ns.inode != inode)
		at = (at + 1) & (s->n_slots - 1);
	return &s->slots[at];
}

struct nook_ns_node *nook_ns_node_find(const struct nook_ns_graph *g, enum nook_ns_kind kind,
				       uint64_t inode)
{
	struct nook_ns_node *node = *slot(g->store, inode);

	return node && node->ns.kind == kind ? node : NULL;
}

static void grow(struct nook_ns_graph *g)
{
	struct nook_ns_store *s = g->store;

	s->n_slots *= 2;
	s->slots = nook_alloc_array(&s->arena, s->n_slots, sizeof(void *));
	for (size_t i = 0; i < g->n; i++)
		*slot(s, g->all[i]->inode) = (struct nook_ns_node *)g->all[i];
}

struct nook_ns_node *nook_ns_node_add(struct nook_ns_graph *g, enum nook_ns_kind kind,
				      uint64_t inode)
{
	if (g->n * 2 >= g->store->n_slots)
		grow(g);

	struct nook_ns_node *node = nook_alloc(&g->store->arena, sizeof(*node));

	node->ns.kind = kind;
	node->ns.inode = inode;
	*slot(g->store, inode) = node; /* also in place of one that had the inode before */
	*nook_append(&g->store->arena, g->all, g->n) = &node->ns;
	return node;
}

void nook_ns_node_hold(struct nook_ns_graph *g, struct nook_ns_node *node,
		       const struct nook_ns_holder *holder)
{
	node->ns.held[holder->how]++;
	if (node->kept[holder->how]++ >= NOOK_NS_HOLDERS)
		return;

	struct nook_ns_holder *kept = nook_alloc(&g->store->arena, sizeof(*kept));

	*kept = *holder;
	kept->path = nook_strdup(&g->store->arena, holder->path);
	if (node->last_holder)
		node->last_holder->next = kept;
	else
		node->ns.holders = kept;
	node->last_holder = kept;
}

int nook_ns_graph_name(struct nook_ns_graph *graph, uint64_t inode, enum nook_ns_kind kind,
		       const char *name)
{
	struct nook_ns *ns = nook_ns_graph_find(graph, kind, inode);
	const struct nook_ns_label **at;

	if (!ns)
		return -ENOENT;
	for (at = &ns->names; *at; at = (const struct nook_ns_label **)&(*at)->next) {
		if (strcmp((*at)->name, name) == 0)
			return 0;
	}

	struct nook_ns_label *label = nook_alloc(&graph->store->arena, sizeof(*label));

	label->name = nook_strdup(&graph->store->arena, name);
	*at = label;
	return 0;
}

struct nook_ns *nook_ns_graph_find(const struct nook_ns_graph *graph, enum nook_ns_kind kind,
				   uint64_t inode)
{
	struct nook_ns_node *node = nook_ns_node_find(graph, kind, inode);

	return node ? &node->ns : NULL;
}

struct nook_ns *nook_ns_graph_named(const struct nook_ns_graph *graph, const char *name,
				    enum nook_ns_kind kind)
{
	for (size_t i = 0; i < graph->n; i++) {
		if (kind != NOOK_NS_COUNT && graph->all[i]->kind != kind)
			continue;
		for (const struct nook_ns_label *l = graph->all[i]->names; l; l = l->next) {
			if (strcmp(l->name, name) == 0)
				return graph->all[i];
		}
	}
	return NULL;
}

const struct nook_ns_process *nook_ns_graph_process(const struct nook_ns_graph *graph, int pid)
{
	const struct nook_ns_process *p = graph->processes;

	while (p && p->pid != pid)
		p = p->next;
	return p;
}

bool nook_ns_node_is_held(const struct nook_ns_node *node)
{
	for (int how = 0; how < NOOK_NS_HOW_COUNT; how++) {
		if (node->ns.held[how])
			return true;
	}
	return false;
}

/* A namespace keeps its owner and its parent. */
static void keep(struct nook_ns *ns)
{
	if (ns->mark)
		return;
	ns->mark = 1;

	struct nook_ns *owner = (struct nook_ns *)ns->owner;
	struct nook_ns *parent = (struct nook_ns *)ns->parent;

	if (owner && owner != parent) {
		keep(owner);
		owner->held[NOOK_NS_HOW_OWNER]++;
	}
	if (parent) {
		keep(parent);
		parent->held[NOOK_NS_HOW_NESTED]++;
	}
}

static int by_kind_and_inode(const void *a, const void *b)
{
	const struct nook_ns *x = *(struct nook_ns *const *)a, *y = *(struct nook_ns *const *)b;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return x->inode < y->inode ? -1 : x->inode > y->inode;
}

void nook_ns_graph_finish(struct nook_ns_graph *g, unsigned rounds)
{
	size_t n = 0;

	for (size_t i = 0; i < g->n; i++) {
		struct nook_ns_node *node = (struct nook_ns_node *)g->all[i];

		if (nook_ns_node_is_held(node) || (node->listed & rounds) == rounds)
			keep(&node->ns);
	}
	for (size_t i = 0; i < g->n; i++) {
		struct nook_ns_node *node = (struct nook_ns_node *)g->all[i];

		if (!node->ns.mark)
			continue;
		if (!nook_ns_node_is_held(node))
			node->ns.held[NOOK_NS_HOW_KERNEL] = 1;
		node->ns.mark = 0;
		g->all[n++] = &node->ns;
	}
	g->n = n;
	if (n)
		qsort(g->all, n, sizeof(*g->all), by_kind_and_inode);

	/* Those that were dropped must not be found. */
	memset(g->store->slots, 0, g->store->n_slots * sizeof(*g->store->slots));
	for (size_t i = 0; i < n; i++)
		*slot(g->store, g->all[i]->inode) = (struct nook_ns_node *)g->all[i];
}
