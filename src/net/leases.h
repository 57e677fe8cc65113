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

/* Told of each address of a network that somebody holds, dead or alive. @file: its name in
 * STATE_DIR/net/addresses. Return: 0; what ends it. */
typedef int nook_lease_each(void *data, const char *file, const struct nook_net_addr *addr,
			    struct nook_error *err);

/* No file is looked at, only their names: thousands cost little. What names no address is left out,
 * unless @any: then @addr is NULL for it. Return: 0, also without the folder; what @each returned.
 */
int nook_leases_each(int base, const char *network, bool any, nook_lease_each *each, void *data,
		     struct nook_error *err);

/* Does the container hold the address that the host's end of the link is named by: IPv4's, else
 * IPv6's? */
bool nook_lease_is_mine(const struct nook_state *state, const struct nook_plan_link *link);

#endif
