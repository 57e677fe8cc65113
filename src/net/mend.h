/* SPDX-License-Identifier: Apache-2.0 */
/* What somebody has removed of networks: looked for, and put back. For src/run/net_repair.c */
#ifndef NOOK_NET_MEND_H
#define NOOK_NET_MEND_H

#include "net.h"

/* ---- links_mend.c ---- */

enum nook_link_mended {
	NOOK_LINK_AS_IT_WAS,
	NOOK_LINK_MENDED, /* up again, and a port of its bridge */
	NOOK_LINK_NEW,    /* a new pair: nook_link_configure() is to be called inside */
};

/* Is the bridge there, up, of its MTU, and has it its addresses? Return: 1: yes; 0: no; a negative
 * errno. */
int nook_link_bridge_is_fine(const struct nook_network *network, struct nook_error *err);

/**
 * nook_link_mend() - a container's pair, as nook_link_connect() had made it
 * @netns: descriptor of the container's network namespace
 *
 * A macvlan is all inside, and not looked at. Return: enum nook_link_mended; -EEXIST: there is a
 * link of that name that is not nook's; others.
 */
int nook_link_mend(const struct nook_plan_link *link, const char *container, int netns,
		   struct nook_error *err);

/* ---- hosts_mend.c ---- */

/* The container's lines in the hosts file of its networks, written where they are missing. Return:
 * 1: some were; 0; a negative errno. */
int nook_hosts_mend(int base, const struct nook_attached *c, struct nook_arena *a,
		    struct nook_error *err);

#endif
