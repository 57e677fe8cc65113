/* SPDX-License-Identifier: Apache-2.0 */
/* Pairs of links between two network namespaces, with no bridge. */
#ifndef NOOK_NET_VETH_H
#define NOOK_NET_VETH_H

#include "nook/net.h"

struct nook_veth_end {
	const struct nook_net_end *end;
	int netns;  /* its network namespace */
	int socket; /* of it */
};

/* Makes the pair, both ends born where they belong, up and with their addresses. Nothing is left on
 * failure. */
int nook_veth_make(const struct nook_veth_end ends[2], struct nook_error *err);

#endif
