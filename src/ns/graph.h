/* SPDX-License-Identifier: Apache-2.0 */
/* The graph while it is filled. */
#ifndef NOOK_NS_GRAPH_H
#define NOOK_NS_GRAPH_H

#include "base/arena.h"
#include "nook/ns.h"

struct nook_ns_node {
	struct nook_ns ns; /* first: what readers see */
	struct nook_ns_holder *last_holder;
	size_t kept[NOOK_NS_HOW_COUNT];
	int inside;  /* of mnt: a process in it whose root is the namespace's; 0: none was found */
	bool looked; /* of mnt: its mounts were read, or could not be */
	unsigned listed; /* bit N: the kernel's N-th list had it */
};

struct nook_ns_member {
	struct nook_ns_process process; /* first */
	struct nook_ns_member *next;
	unsigned threads;
};

struct nook_ns_store {
	struct nook_arena arena;
	struct nook_ns_node **slots; /* hash of inodes, open addressing */
	size_t n_slots;
	struct nook_ns_member *members, *last_member;
};

/* -ENOMEM. */
int nook_ns_graph_new(struct nook_ns_graph **ret, struct nook_error *err);

/* NULL: not there. Inodes of all kinds are of one sequence, so an inode of another kind is a
 * namespace that has gone. */
struct nook_ns_node *nook_ns_node_find(const struct nook_ns_graph *g, enum nook_ns_kind kind,
				       uint64_t inode);
struct nook_ns_node *nook_ns_node_add(struct nook_ns_graph *g, enum nook_ns_kind kind,
				      uint64_t inode);

/* Counts the holder, and keeps it while there are less than NOOK_NS_HOLDERS. @path is copied. */
void nook_ns_node_hold(struct nook_ns_graph *g, struct nook_ns_node *node,
		       const struct nook_ns_holder *holder);

/* Was a holder found, or a namespace that it is the owner or parent of? */
bool nook_ns_node_is_held(const struct nook_ns_node *node);

/* Drops what nobody holds any more, counts who is held by others of the graph, and sorts. @rounds:
 * the kernel's lists, as bits, that have a namespace which nobody was found to hold. */
void nook_ns_graph_finish(struct nook_ns_graph *g, unsigned rounds);

#endif
