/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses that containers hold, from the inside: for networks.c and the host's probe. */
#ifndef NOOK_NET_LEASES_H
#define NOOK_NET_LEASES_H

#include "net.h"

/* Room for "NETWORK:ADDRESS" and a NUL: the name of its link in STATE_DIR/net/addresses. */
#define NOOK_LEASE_FILE (NOOK_NET_NAME_MAX + 1 + NOOK_NET_TEXT)

/* Has no living container this address of the network, which the user asked for? @from: the user's
 * words; NULL. Return: 0; -EADDRINUSE, @err says which has it. */
int nook_net_check_free(const char *state_dir, const char *network,
			const struct nook_net_addr *addr, const char *from, struct nook_error *err);

/* Does the container hold the address that the host's end of the link is named by: IPv4's, else
 * IPv6's? */
bool nook_lease_is_mine(const struct nook_state *state, const struct nook_plan_link *link);

#endif
