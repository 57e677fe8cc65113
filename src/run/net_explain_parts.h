/* SPDX-License-Identifier: Apache-2.0 */
/* What the net_explain*.c files share: the packet on its way. */
#ifndef NOOK_RUN_NET_EXPLAIN_PARTS_H
#define NOOK_RUN_NET_EXPLAIN_PARTS_H

#include "net/net.h"
#include "net_explain.h"
#include "net_place.h"

struct nook_walk {
	const char *state_dir;
	struct nook_arena *a;
	struct nook_error *err;
	struct nook_explanation *out;

	struct nook_place host;
	struct nook_place **others; /* those named, and who a published port leads to */
	size_t n_others;
	struct nook_network *networks;
	size_t n_networks;
	struct nook_attached *attached;
	size_t n_attached;

	/* the packet */
	const struct nook_place *from, *to; /* NULL: outside of this machine, or not known */
	struct nook_net_addr dst, src;      /* as they are by now; src family 0: not known */
	uint16_t port;
	bool translated;               /* it came by a published port */
	const struct nook_network *by; /* the network that it came by; NULL: by none of nook's */
	unsigned hops;
};

/* Adds a step; @fmt as nook_printf(). Return: 0; of STOPS and UNKNOWN 1: the walk ends. */
int nook_walk_step(struct nook_walk *w, enum nook_explain_result result, const char *what,
		   const struct nook_place *where, const char *hint, const char *fmt, ...)
	__attribute__((format(printf, 6, 7)));

/* ---- net_explain.c ---- */

/* It comes in by a link, and is looked at there. As for all steps: 1: the walk has ended. */
int nook_walk_arrive(struct nook_walk *w, const struct nook_place *place,
		     const struct nook_place_link *in);

/* ---- net_explain_links.c ---- */

/* It goes out by a link, to @next: the gateway, or where it is for. */
int nook_walk_by_link(struct nook_walk *w, const struct nook_place *place,
		      const struct nook_place_link *link, const struct nook_net_addr *next);

/* ---- net_explain_ends.c ---- */

/* Finds both ends, and the address to go to. Return: 0; 1: it ends here already, a step says why; a
 * negative errno. */
int nook_walk_ends(struct nook_walk *w, const char *from, const char *to);
/* A place by what nook_ns_target_find() takes, opened once. */
int nook_walk_place(struct nook_walk *w, const char *target, const struct nook_place **ret);
/* The container that has the address, living or dead; NULL. */
const struct nook_attached *nook_walk_owner(const struct nook_walk *w,
					    const struct nook_net_addr *addr);

/* ---- net_explain_rules.c ---- */

/* Published ports, on the host: changes where the packet goes. */
int nook_walk_prerouting(struct nook_walk *w);
/* From one link of the host to another. */
int nook_walk_forward(struct nook_walk *w, const struct nook_place *place,
		      const struct nook_place_link *out);
/* Leaving the host by a link: which address it has from there on. */
int nook_walk_masquerade(struct nook_walk *w, const struct nook_place_route *route,
			 const struct nook_place_link *out);
/* Foreign tables that may drop it. */
int nook_walk_suspects(struct nook_walk *w, const struct nook_place *place,
		       enum nook_place_hook hook);
/* Where it arrives: who listens, and does the answer find back? */
int nook_walk_deliver(struct nook_walk *w, const struct nook_place *place);

/* The network that a link of the host is the bridge of; NULL. */
const struct nook_network *nook_walk_network(const struct nook_walk *w,
					     const struct nook_place *place,
					     const struct nook_place_link *link);

#endif
