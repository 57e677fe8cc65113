/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Net namespaces that a packet passes, and what the kernel says of them: links, routes, who
 * listens, what filters. rtnetlink(7), sock_diag(7). Nothing is changed anywhere.
 */
#ifndef NOOK_RUN_NET_PLACE_H
#define NOOK_RUN_NET_PLACE_H

#include "base/arena.h"
#include "nook/error.h"
#include "nook/net_addr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct nook_place_link {
	int index, master; /* master 0: it is no port */
	int peer;          /* number of the link at its other end, or that it stands on; 0: none */
	int peer_nsid;     /* of the namespace where that is, as this one numbers them; -1: here */
	bool up, carrier;
	bool forwards;           /* of a bridge's port: it is in that state */
	const char *name, *kind; /* kind "": hardware, and lo */
};

struct nook_place_address {
	int link;
	struct nook_net_addr addr;
};

struct nook_place {
	const char *name; /* as people named it: "blue", "host", "process 12" */
	uint64_t ino;
	int user, net; /* descriptors; user NO_FD: need not be entered */
	bool own;      /* the caller's: nothing is entered */
	bool forwards[NOOK_NET_FAMILIES];
	struct nook_place_link *links;
	size_t n_links;
	struct nook_place_address *addresses; /* but link-local ones */
	size_t n_addresses;
};

/**
 * nook_place_open() - open a net namespace, and look at its links and addresses
 * @target: as nook_ns_target_find() takes it; NULL: the caller's own
 * @name:   for people
 *
 * Return: 0; what nook_ns_target_find(), open(2) and setns(2) give. nook_place_close() in any case.
 */
int nook_place_open(const char *state_dir, const char *target, const char *name,
		    struct nook_arena *a, struct nook_place *ret, struct nook_error *err);
void nook_place_close(struct nook_place *place);

/* Runs @fn in the namespace: a child in our memory, while we wait. What it fills stays. Return:
 * what
 * @fn returned; else what setns(2) said. */
int nook_place_call(const struct nook_place *place, int (*fn)(void *), void *arg,
		    struct nook_error *err);

const struct nook_place_link *nook_place_link(const struct nook_place *place, int index);
const struct nook_place_link *nook_place_link_named(const struct nook_place *place,
						    const char *name);
/* Has it the address? */
bool nook_place_has(const struct nook_place *place, const struct nook_net_addr *addr);

/* By what number @place knows the namespace of @other. @ret: -1: by none. */
int nook_place_nsid(const struct nook_place *place, const struct nook_place *other, int *ret,
		    struct nook_error *err);

struct nook_place_route {
	int errnum; /* why there is none: ENETUNREACH, EHOSTUNREACH, EACCES, EINVAL (blackhole) */
	bool local; /* the address is its own */
	int link;
	struct nook_net_addr gateway, source; /* family 0: none */
};
/* The way to @to. That there is none is no failure. */
int nook_place_route(const struct nook_place *place, const struct nook_net_addr *to,
		     struct nook_place_route *ret, struct nook_error *err);

struct nook_place_listener {
	struct nook_net_addr addr; /* all zero bytes: every address of this family */
	bool v4_too;               /* of v6, and every address: v4 as well */
};
/* Sockets that wait for TCP's connections, or UDP's packets, on this port. */
int nook_place_listeners(const struct nook_place *place, uint8_t protocol, uint16_t port,
			 struct nook_arena *a, struct nook_place_listener **ret, size_t *ret_n,
			 struct nook_error *err);

/* Where packets are filtered: the numbers of nf_inet_hooks. */
enum nook_place_hook { NOOK_HOOK_IN = 1, NOOK_HOOK_FORWARD = 2, NOOK_HOOK_OUT = 3 };

struct nook_place_chain {
	const char *family, *table, *chain;
	enum nook_place_hook hook;
	bool v4, v6;
	bool drops_rest; /* its policy: what no rule accepts */
	bool drops;      /* a rule of the table drops or rejects something */
};
/* Base chains for filters of tables that are not nook's, which may drop something. */
int nook_place_chains(const struct nook_place *place, struct nook_arena *a,
		      struct nook_place_chain **ret, size_t *ret_n, struct nook_error *err);

#endif
