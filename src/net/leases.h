/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses that containers hold, from the inside: for networks.c and the host's probe. */
#ifndef NOOK_NET_LEASES_H
#define NOOK_NET_LEASES_H

#include "net.h"

/* Room for "NETWORK:ADDRESS" and a NUL: the name of its link in STATE_DIR/net/addresses. */
#define NOOK_LEASE_FILE (NOOK_NET_NAME_MAX + 1 + NOOK_NET_TEXT)

/**
 * nook_net_check_address() - may a container have this address, which the user asked for?
 * @from: the user's words; NULL
 *
 * Return: 0; -EINVAL: the network has no such address, or it is no container's; -EEXIST: a living
 * container has it, @err says which.
 */
int nook_net_check_address(const char *state_dir, const struct nook_network *network,
			   const struct nook_net_addr *addr, const char *from,
			   struct nook_error *err);

#endif
