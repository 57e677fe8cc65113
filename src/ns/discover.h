/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of nook_ns_discover(). Each adds what it finds to the graph, and who holds it; what has
 * gone meanwhile is passed over, and what may not be looked at is counted in graph->unseen. */
#ifndef NOOK_NS_DISCOVER_H
#define NOOK_NS_DISCOVER_H

#include "graph.h"

#include <sys/types.h>

/* The links in /proc/PID/ns: the kinds, then these two. */
enum { NOOK_LINK_PID_CHILDREN = NOOK_NS_COUNT, NOOK_LINK_TIME_CHILDREN, NOOK_LINK_COUNT };

struct nook_discover {
	struct nook_ns_graph *graph;
	unsigned flags;
	int proc;      /* /proc */
	int self;      /* our pid there; 0: it is another pid namespace's */
	uint64_t nsfs; /* device of namespaces' files; 0: not known yet */
	struct nook_ns_node
		*last[NOOK_LINK_COUNT]; /* of the process before: mostly the next one's too */
	uint64_t *sockets; /* pairs, hashed: a socket's inode and its net namespace's */
	size_t n_sockets, n_socket_slots;
	uint64_t *paths; /* hashes of paths at which namespaces are mounted */
	size_t n_paths, n_path_slots;
	char *text; /* for files of /proc */
	size_t text_size;
};

/* ---- ids.c: what the kernel says of one ---- */

/* The node of an open namespace; added, and asked about, when it is new. NULL: @fd is none. */
struct nook_ns_node *nook_discover_fd(struct nook_discover *d, int fd);

/* As nook_discover_fd(), by its path, which must lead to a namespace and nothing else. @resolve:
 * RESOLVE_*. *@ret_errno says why it is NULL. */
struct nook_ns_node *nook_discover_path(struct nook_discover *d, int dir, const char *path,
					uint64_t resolve, int *ret_errno);

/* "net:[4026531840]". Return: the kind, or -1. */
int nook_ns_link_parse(const char *text, uint64_t *inode);

/* The kernel's own lists, where it has them: all namespaces (6.19), or mount namespaces (6.12).
 * @round: 0, 1 or 2 */
void nook_discover_kernel(struct nook_discover *d, unsigned round);

/* ---- processes.c ---- */
int nook_discover_processes(struct nook_discover *d, struct nook_error *err);

/* ---- fds.c ---- */
void nook_discover_fds(struct nook_discover *d);

/* ---- mounts.c ---- */

/* Mount tables of the mount namespaces that were not looked at yet. */
void nook_discover_mounts(struct nook_discover *d);

/* Notes that a namespace is mounted at a path; and: may one be? */
void nook_discover_note_path(struct nook_discover *d, const char *path);
bool nook_discover_knows_path(const struct nook_discover *d, const char *path);

/* ---- small things ---- */

/* Calls @fn for each number among the names in @dir, in the kernel's order, until it returns other
 * than 0. Return: that; a negative errno when @dir can't be read. */
int nook_each_number(int dir, int (*fn)(void *arg, const char *name, int number), void *arg);

#endif
