/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The namespaces of the machine as a graph: nook_ns_discover() fills it, everything else reads it.
 *namespaces(7)
 *
 *	struct nook_ns_graph *graph;
 *	if (nook_ns_discover(0, &graph, &err) == 0)
 *		for (size_t i = 0; i < graph->n; i++)
 *			… graph->all[i]->inode …
 *	nook_ns_graph_free(graph);
 */
#ifndef NOOK_NS_H
#define NOOK_NS_H

#include "error.h"
#include "kinds.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What keeps a namespace there. */
enum nook_ns_how {
	NOOK_NS_HOW_PROCESS, /* a process is in it */
	NOOK_NS_HOW_THREAD,  /* a thread is in it whose process, or the first thread of it, isn't */
	NOOK_NS_HOW_CHILDREN, /* what a process forks would be born in it: pid_for_children */
	NOOK_NS_HOW_FD,       /* an open descriptor of it */
	NOOK_NS_HOW_SOCKET,   /* a socket, or a tun device's descriptor, of a process in another net
				 namespace */
	NOOK_NS_HOW_MOUNT,    /* its file is bind-mounted */
	NOOK_NS_HOW_NESTED,   /* it is the parent of another one (pid, user) */
	NOOK_NS_HOW_OWNER,    /* it owns another one (user) */
	NOOK_NS_HOW_KERNEL, /* listns(2) or the kernel's list of mount namespaces told, and none of
			       the above */
	NOOK_NS_HOW_COUNT,
};

/* One holder; of each namespace and @how at most NOOK_NS_HOLDERS are kept, and all are counted. For
 * PROCESS, NESTED and OWNER none is kept: the processes and namespaces themselves tell. */
#define NOOK_NS_HOLDERS 64u
struct nook_ns_holder {
	const struct nook_ns_holder *next; /* in the order found */
	enum nook_ns_how how;
	int pid; /* 0: of a mount */
	int tid; /* of THREAD, and of CHILDREN and FD where only that thread has it; else 0 */
	int fd;  /* of FD and SOCKET; else -1 */
	const char *path;               /* of MOUNT: where, from the root of @mount_ns */
	const struct nook_ns *mount_ns; /* of MOUNT: in which mount namespace */
};

/* What people call it: a name of nook's, or of `ip netns`. */
struct nook_ns_label {
	const struct nook_ns_label *next;
	const char *name;
};

struct nook_ns {
	enum nook_ns_kind kind;
	uint64_t inode; /* of its file: what "net:[4026531840]" shows. Is used again once it is gone
			 */
	uint64_t id; /* never used again while the machine runs; 0: this kernel (before 6.18; mnt:
			before 6.11) has none */
	bool asked;  /* the kernel was asked about owner, parent and creator; false: no way to open
			it was found */

	const struct nook_ns *owner; /* user namespace that owns it, of kind user: its parent; NULL:
					unknown, or none */
	const struct nook_ns *parent; /* of pid and user; NULL: unknown, or none */
	bool owner_hidden; /* it has an owner, but not within the caller's user namespace */
	bool parent_hidden;
	uint32_t creator; /* of user: uid that made it, in the caller's user namespace; 65534 when
			     that has no such uid */

	const struct nook_ns_process *first; /* with the lowest pid in it; NULL: none is */
	size_t held[NOOK_NS_HOW_COUNT];      /* how many of each */
	const struct nook_ns_holder *holders;
	const struct nook_ns_label *names;

	unsigned mark; /* the reader's, 0 at first */
};

/* A process that could be read. */
struct nook_ns_process {
	const struct nook_ns_process *next; /* by pid, upward */
	const struct nook_ns
		*in[NOOK_NS_COUNT]; /* NULL: none any more: it has ended, or its first thread has */
	const struct nook_ns *pid_for_children, *time_for_children;
	int pid;
	const char *command; /* NULL until nook_ns_command() has read it */
};

/* What could not be seen. */
struct nook_ns_unseen {
	size_t processes; /* that the caller may not look into: all about them */
	size_t fds;       /* processes or threads whose descriptors could not be listed */
	size_t mounts;    /* mount namespaces whose mounts could not be listed */
	size_t sockets;   /* whose net namespace could not be asked */
	size_t parents;   /* owners and parents outside of the caller's user namespace */
	bool hidden; /* /proc is mounted with hidepid: there may be processes that nobody counted */
	const char *skipped; /* why no socket was asked at all, a sentence; NULL */
};

struct nook_ns_graph {
	struct nook_ns **all; /* by kind, then by inode */
	size_t n;
	const struct nook_ns_process *processes;
	size_t n_processes;
	struct nook_ns_unseen unseen;
	bool listns; /* the kernel's own list was read: nothing is missing but what the caller may
			not see */
	const struct nook_ns
		*own[NOOK_NS_COUNT]; /* the caller's; NULL where the kernel has none of this kind */
	struct nook_ns_store *store; /* memory, and tables for discovery */
};

enum {
	NOOK_NS_NO_FDS = 1,     /* spare the descriptors of all processes: the most costly part */
	NOOK_NS_NO_SOCKETS = 2, /* spare the sockets among them */
	NOOK_NS_NO_MOUNTS = 4,  /* spare the mount tables */
};

/**
 * nook_ns_discover() - look for every namespace of the machine
 * @flags: NOOK_NS_NO_*: what to leave out
 * @ret:   receives the graph: nook_ns_graph_free()
 *
 * Reads /proc of the caller's pid namespace. Processes that come and go meanwhile may be in it or
 * not. Takes time in proportion to processes, threads, descriptors and mounts.
 *
 * Return: 0; -ENOMEM; what opening /proc gives.
 */
int nook_ns_discover(unsigned flags, struct nook_ns_graph **ret, struct nook_error *err);
void nook_ns_graph_free(struct nook_ns_graph *graph); /* NULL is fine */

/* The namespace of this kind and inode; NULL: it isn't in the graph. */
struct nook_ns *nook_ns_graph_find(const struct nook_ns_graph *graph, enum nook_ns_kind kind,
				   uint64_t inode);

/* Gives a namespace of the graph a name, unless it has it. Return: 0; -ENOENT: there is no such
 * namespace. */
int nook_ns_graph_name(struct nook_ns_graph *graph, uint64_t inode, enum nook_ns_kind kind,
		       const char *name);

/* The namespace that has this name and, unless @kind is NOOK_NS_COUNT, is of this kind. NULL: none
 * has. */
struct nook_ns *nook_ns_graph_named(const struct nook_ns_graph *graph, const char *name,
				    enum nook_ns_kind kind);

/* The namespace that a path leads to: "/proc/1/ns/net". Return: 0; -EINVAL: it leads to none;
 * -ENOENT and others. */
int nook_ns_graph_at(const struct nook_ns_graph *graph, const char *path,
		     const struct nook_ns **ret, struct nook_error *err);

/* NULL: it is not in the graph. */
const struct nook_ns_process *nook_ns_graph_process(const struct nook_ns_graph *graph, int pid);

/* What a process was executed with, cut at 200 bytes, or "[name]"; "" when it has ended. Hostile
 * text: it may hold control characters. Belongs to the graph. */
const char *nook_ns_command(struct nook_ns_graph *graph, const struct nook_ns_process *process);

/**
 * nook_ns_open() - open a namespace of the graph
 *
 * By its 64-bit id where the kernel can (6.18), else through who holds it; then it is checked to be
 * this one still.
 *
 * Return: a descriptor, or a negative errno; -ENOENT: it is gone, or nobody holds it who can be
 * reached.
 */
int nook_ns_open(const struct nook_ns_graph *graph, const struct nook_ns *ns,
		 struct nook_error *err);

/* "process", "thread", "children", "fd", "socket", "mount", "nested", "owner", "kernel" */
const char *nook_ns_how_word(enum nook_ns_how how);

#ifdef __cplusplus
}
#endif

#endif
