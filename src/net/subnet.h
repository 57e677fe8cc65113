/* SPDX-License-Identifier: Apache-2.0 */
/* Subnets for networks: what the host has already, and what is free. */
#ifndef NOOK_NET_SUBNET_H
#define NOOK_NET_SUBNET_H

#include "net.h"

/* Where a free IPv4 subnet is looked for: /24s of these, in this order. */
#define NOOK_SUBNET_SLOTS 47360u

/* One bit a /24: taken. */
struct nook_subnet_pool {
	uint64_t taken[NOOK_SUBNET_SLOTS / 64];
};

/* Marks every slot that @subnet has part of. Defaults, and routes of half the world as VPNs set
 * them, take nothing. */
void nook_subnet_mark(struct nook_subnet_pool *pool, const struct nook_net_addr *subnet);

/* The first free one. -EADDRNOTAVAIL. */
int nook_subnet_pick(const struct nook_subnet_pool *pool, struct nook_net_addr *ret);

/* Something that has addresses already. */
struct nook_subnet_other {
	struct nook_net_addr subnet;
	bool on_link; /* of a link's own address, or a route without a gateway */
	int link;     /* its number; 0: none */
};

/* Does @other stand in the way of @wanted, which the user asked for? What the host reaches by a
 * gateway does so only when none of it would be left: within a larger routed range a network is
 * what the user said. */
bool nook_subnet_clash(const struct nook_net_addr *wanted, const struct nook_subnet_other *other);

/**
 * nook_subnet_check() - may a network have this subnet?
 * @from:   the user's words, for err->where; NULL
 * @others: the other networks
 *
 * Return: 0; -EADDRINUSE, @err says what has it, a link or a network; others.
 */
int nook_subnet_check(const struct nook_net_addr *wanted, const char *from,
		      const struct nook_network *others, size_t n, struct nook_error *err);

/* A /24 that neither the host's addresses and routes nor other networks have. -EADDRNOTAVAIL. */
int nook_subnet_choose(const struct nook_network *others, size_t n, struct nook_net_addr *ret,
		       struct nook_error *err);

/* A random fd…::/64: RFC 4193, 3.2.2. Nobody else has it. */
int nook_subnet_choose_v6(struct nook_net_addr *ret, struct nook_error *err);

/* Can links of this network namespace have IPv6 addresses? */
bool nook_subnet_have_v6(void);

#endif
