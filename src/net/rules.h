/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the rules*.c files share. The table's chains and rules never change: networks and ports are
 * elements of its sets and maps, so that one more costs the same whether it is the second or the
 * two hundredth. rules_table.c has the table, rules_elements.c what goes into it.
 */
#ifndef NOOK_NET_RULES_H
#define NOOK_NET_RULES_H

#include "net.h"

#include "sys/nft.h"

#define NOOK_RULES_TABLE "nook"
#define NOOK_RULES_COMMENT                                                                         \
	"nook, layout 1" /* a table with another one is not what this nook made */

#define NOOK_SET_NETWORKS "networks" /* bridges */
#define NOOK_SET_SAME     "same"     /* a bridge twice: from it to itself */
#define NOOK_SET_INTERNAL "internal" /* bridges without a way out */
#define NOOK_SET_NATTED   "natted"   /* bridges whose addresses are not seen outside */
#define NOOK_SET_ROUTED   "routed"   /* bridges whose addresses are, and are reached from there */
#define NOOK_SET_SUBNETS4 "subnets4" /* a subnet and its bridge */
#define NOOK_SET_SUBNETS6 "subnets6"
#define NOOK_SET_GUARDED  "guarded" /* families that nook has switched forwarding on for */
#define NOOK_MAP_ANY4     "any4"    /* protocol, port → address, port: on all of the host's */
#define NOOK_MAP_ANY6     "any6"
#define NOOK_MAP_ONE4     "one4" /* address, protocol, port → address, port */
#define NOOK_MAP_ONE6     "one6"

/* Families of IP, as bits. */
enum { NOOK_FAMILY_V4 = 1, NOOK_FAMILY_V6 = 2 };

/* Room for the messages of a table, of a network and of ports. */
#define NOOK_RULES_TABLE_BYTES   16384
#define NOOK_RULES_NETWORK_BYTES 4096
size_t nook_rules_ports_bytes(const struct nook_plan_port *ports, size_t n);

/* Adds what makes the table, where it is missing, and its rules anew. */
void nook_rules_put_table(struct nook_nft *t);
/* Adds a network's elements, or takes them away. */
void nook_rules_put_network(struct nook_nft *t, const struct nook_network *network, bool remove);
/* The same of ports, of @count from the @first of them on. */
void nook_rules_put_port(struct nook_nft *t, const struct nook_plan_port *port, unsigned first,
			 unsigned count, bool remove);
/* Is it on all of the host's addresses, of a family or of both? */
bool nook_port_everywhere(const struct nook_net_addr *host);
/* @families: NOOK_FAMILY_* */
void nook_rules_put_guard(struct nook_nft *t, unsigned families);

/* Has the kernel forget connections to the ports that go elsewhere than the rules say by now.
 * @published: those that were led to the container, which is ending; else those that were not */
void nook_rules_forget(const struct nook_plan_port *ports, size_t n, bool published);

/* Notes why a transaction failed that was to do @what. */
int nook_rules_fail(int rc, const struct nook_nl_refusal *refusal, struct nook_error *err,
		    const char *what, ...) __attribute__((format(printf, 4, 5)));

/* Opens the socket. */
int nook_rules_open(struct nook_error *err);
/* Is there a table inet nook? 1, 0, or a negative errno. Without nf_tables there is none. */
int nook_rules_have_table(int fd);
/* The same of a socket that it opens, for who takes something out of the table, or reads it. Not
 * set when there is no netfilter at all. */
int nook_rules_open_table(int *ret_fd, struct nook_error *err);
/* For nook_nft_filter(), with a pointer to the socket: elements that are there. */
nook_nft_wanted nook_rules_is_there;

/* ---- forwarding.c: the machine's settings, of our own network namespace ---- */

/* Families whose packets are forwarded only because nook has switched that on, or will for this
 * network: the rules must guard them. NOOK_FAMILY_*. @network: NULL: only what is on already */
int nook_forwarding_ours(const struct nook_network *network, unsigned *ret, struct nook_error *err);
/* Switches on what the network needs, once its bridge and the rules are there. */
int nook_forwarding_on(const struct nook_network *network, struct nook_error *err);
/* What of it is off: forwarding of these families, NOOK_FAMILY_*; the way from 127.0.0.1. */
int nook_forwarding_check(const struct nook_network *network, unsigned *ret_families,
			  bool *ret_localnet, struct nook_error *err);
/* Switches off what nook has switched on, once no network is left. */
int nook_forwarding_off(struct nook_error *err);

#endif
