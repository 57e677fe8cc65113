/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses and subnets as text and as numbers: "10.88.0.2", "10.88.0.0/24",
 * "fd00::/64". */
#ifndef NOOK_NET_ADDRESS_H
#define NOOK_NET_ADDRESS_H

#include "nook/net.h"

/* Room for the text of any address with its prefix, and a NUL. */
#define NOOK_NET_TEXT 50

/* An address without a prefix; ret->prefix becomes 32 or 128. -EINVAL. */
int nook_net_parse_address(const char *text, struct nook_net_addr *ret, struct nook_error *err);
/* A subnet, "ADDRESS/PREFIX": bits behind the prefix must be zero, and it must have room for a
 * gateway and a container. -EINVAL. */
int nook_net_parse_subnet(const char *text, struct nook_net_addr *ret, struct nook_error *err);
/* An address with the prefix of the network that it is in, "10.88.0.2/24": nothing is zero. */
int nook_net_parse_interface(const char *text, struct nook_net_addr *ret, struct nook_error *err);

/* "10.88.0.2": without its prefix. @out: NOOK_NET_TEXT bytes. Return: @out. */
const char *nook_net_text(const struct nook_net_addr *addr, char *out);
/* "10.88.0.2/24" */
const char *nook_net_text_prefix(const struct nook_net_addr *addr, char *out);

unsigned nook_net_bytes(uint8_t family); /* 4 or 16 */
bool nook_net_equal(const struct nook_net_addr *a,
		    const struct nook_net_addr *b); /* not the prefix */
/* Is the address in the subnet? Of other families: no. */
bool nook_net_contains(const struct nook_net_addr *subnet, const struct nook_net_addr *addr);
bool nook_net_overlap(const struct nook_net_addr *a, const struct nook_net_addr *b);
/* The @n-th address of a subnet, counted from its first (all zero behind the prefix), with the
 * subnet's prefix. @n must be below nook_net_size(). */
struct nook_net_addr nook_net_nth(const struct nook_net_addr *subnet, uint64_t n);
/* How many addresses it has; UINT64_MAX: that many or more. */
uint64_t nook_net_size(const struct nook_net_addr *subnet);
/* The last of v4 is for broadcasts, the first for nobody. May a host have it? */
bool nook_net_usable(const struct nook_net_addr *subnet, const struct nook_net_addr *addr);

/* "02:42:0a:58:00:02", six pairs of hexadecimal digits, unicast. -EINVAL. */
int nook_net_parse_mac(const char *text, uint8_t ret[6], struct nook_error *err);
const char *nook_net_mac_text(const uint8_t mac[6], char out[18]);

#endif
