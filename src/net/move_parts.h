/* SPDX-License-Identifier: Apache-2.0 */
/* What the move*.c files share: the addresses that a link loses on its way. */
#ifndef NOOK_NET_MOVE_PARTS_H
#define NOOK_NET_MOVE_PARTS_H

#include "base/arena.h"
#include "sys/netlink.h"

#include <stdbool.h>

/* As the kernel told it, to be told the kernel again. */
struct nook_link_address {
	struct ifaddrmsg head;
	uint32_t flags;
	unsigned char local[16], peer[16], broadcast[4];
	unsigned local_len, peer_len, broadcast_len;
	uint32_t metric;
};

/* Its permanent addresses that are not of the link alone. To be read before it goes down, when IPv6
 * forgets its own. Return: 0; a negative errno, with @refusal. */
int nook_link_addresses(int socket, int index, struct nook_arena *a, struct nook_link_address **ret,
			size_t *ret_n, struct nook_nl_refusal *refusal);

/* Gives it these, and sets it up where it is to be. Return: 0; a negative errno, with what could
 * not be done in @ret_what, and @refusal (may be NULL). */
int nook_link_give(int socket, int index, const struct nook_link_address *addresses, size_t n,
		   bool up, const char **ret_what, struct nook_nl_refusal *refusal);

#endif
