/* SPDX-License-Identifier: Apache-2.0 */
/* The hosts file of a running container. */
#ifndef NOOK_RUN_NET_HOSTS_H
#define NOOK_RUN_NET_HOSTS_H

#include "net/net.h"
#include "state/state.h"

/* Lays the hosts file of these links' networks over its /etc/hosts. One that has none, that shares
 * our mounts, or whose links are on no network, is left as it is. @base: STATE_DIR. */
int nook_hosts_show(const char *state_dir, int base, const struct nook_record *record,
		    const struct nook_plan_link *links, size_t n, struct nook_error *err);

#endif
