/* SPDX-License-Identifier: Apache-2.0 */
/* Networks from the inside: what makes, restores and removes them. The lock of all networks
 * (nook_net_lock) must be held where it says so. */
#ifndef NOOK_NET_NETWORKS_H
#define NOOK_NET_NETWORKS_H

#include "net.h"

/* The bridge and the rules, made or brought to what the record says. What is there stays. */
int nook_net_restore(const struct nook_network *network, struct nook_error *err);

/* Is there a link of its bridge's name in our network namespace? */
bool nook_net_is_there(const struct nook_network *network);

/* What it would be, of a spec that was checked; reads only. @base: may be none. */
int nook_net_draft(int base, const struct nook_network_spec *spec, struct nook_arena *a,
		   struct nook_network *ret, struct nook_error *err);

/* Makes one, of a spec that was checked. The lock is held, and nothing is settled or there. On
 * failure nothing is left, or a record that says so. */
int nook_net_make(int base, const struct nook_network_spec *spec, struct nook_arena *a,
		  struct nook_network *ret, struct nook_error *err);

/* Removes rules, bridge, hosts files, leases and the record, in this order. The lock is held. May
 * be repeated. */
int nook_net_take_apart(int base, const struct nook_network *network, struct nook_error *err);

/* Takes apart what somebody who was killed has half made or half removed; what is used stays. The
 * lock is held. */
int nook_net_settle(int base, struct nook_error *err);

/* Has a container that lives an address of it? */
int nook_net_is_used(int base, const char *name, bool *ret, struct nook_error *err);

/* Fails with the names there are. @base: may be none. */
int nook_net_no_such(int base, const char *name, struct nook_error *err);

/* A record that is there. -ENOENT, nothing noted: none, or it is half made or half removed. */
int nook_net_read_there(int base, const char *name, struct nook_arena *a, struct nook_network *ret,
			struct nook_error *err);

#endif
