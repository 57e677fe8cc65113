/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of the outside's list that connect a container. */
#ifndef NOOK_RUN_NET_STEPS_H
#define NOOK_RUN_NET_STEPS_H

#include "create.h"

NOOK_CREATE_STEP(claim_addresses);
int leave_networks(void *ctx, struct nook_error *err);
NOOK_CREATE_STEP(claim_ports);
NOOK_CREATE_STEP(connect_links);
NOOK_CREATE_STEP(settle_ends);
NOOK_CREATE_STEP(publish_ports);
NOOK_CREATE_STEP(start_relay);
NOOK_CREATE_STEP(join_hosts);

/* When they are needed. */
bool nook_has_links(const struct nook_plan *plan);
bool nook_has_networks(const struct nook_plan *plan);
bool nook_has_ports(const struct nook_plan *plan);
bool nook_has_attached(const struct nook_plan *plan);
bool nook_serves_ports(const struct nook_plan *plan);

/* Removes all that a container has of networks, from what was written down of it. May be repeated;
 * costs one call when it has nothing. */
int nook_net_leave(const struct nook_state *state, struct nook_error *err);

#endif
