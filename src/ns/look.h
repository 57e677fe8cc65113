/* SPDX-License-Identifier: Apache-2.0 */
/* What is in a namespace, read from inside of it. */
#ifndef NOOK_NS_LOOK_H
#define NOOK_NS_LOOK_H

#include "base/arena.h"
#include "nook/ns.h"

/**
 * nook_look_inside() - run a function in a namespace, see nook_inside_call()
 *
 * When the caller may enter only from the user namespace that owns it, that one is entered first.
 * In the caller's own nothing is entered.
 */
int nook_look_inside(const struct nook_ns_graph *g, const struct nook_ns *ns,
		     int (*fn)(int out, void *arg), void *arg, size_t max, struct nook_arena *a,
		     char **ret, size_t *ret_len, struct nook_error *err);

struct nook_look_address {
	unsigned link;    /* index of its link */
	const char *text; /* "127.0.0.1/8" */
};

struct nook_look_link {
	unsigned index, mtu;
	bool up;
	const char *name;    /* hostile text */
	const char *kind;    /* "veth"; "" for hardware and lo */
	const char *address; /* "02:42:ac:11:00:02"; "" */
};

struct nook_look_net {
	struct nook_look_link *links;
	size_t n_links;
	struct nook_look_address *addresses;
	size_t n_addresses;
};

/* Links and addresses of a net namespace, by rtnetlink(7). */
int nook_look_net(const struct nook_ns_graph *g, const struct nook_ns *ns, struct nook_arena *a,
		  struct nook_look_net *ret, struct nook_error *err);

/* Host name and domain name of a uts namespace; hostile texts. */
int nook_look_uts(const struct nook_ns_graph *g, const struct nook_ns *ns, struct nook_arena *a,
		  const char **host, const char **domain, struct nook_error *err);

/* What a user namespace allows: the files of /proc/sys/user as they read there. */
struct nook_look_limits {
	uint64_t max[NOOK_NS_COUNT];
	bool known[NOOK_NS_COUNT];
	size_t seen[NOOK_NS_COUNT]; /* namespaces of the graph that it or one below it owns */
};
int nook_look_limits(const struct nook_ns_graph *g, const struct nook_ns *ns,
		     struct nook_look_limits *ret, struct nook_error *err);

/* A file of /proc/PID of the first process in it that can be read: "uid_map". @max: bytes. -ENOENT:
 * nobody is in it. */
int nook_look_file(const struct nook_ns_graph *g, const struct nook_ns *ns, const char *file,
		   size_t max, struct nook_arena *a, char **ret, struct nook_error *err);

/* The mount table of a mount namespace, as proc_pid_mountinfo(5). */
int nook_look_mounts(const struct nook_ns_graph *g, const struct nook_ns *ns, struct nook_arena *a,
		     char **ret, struct nook_error *err);

/* The pid that a process has in the innermost namespace it is in; 0: it has ended. */
unsigned nook_look_inner_pid(int pid);

#endif
