/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NOOK_HOST_PROBE_NET_H
#define NOOK_HOST_PROBE_NET_H

#include "prober.h"

/* Fills in the networks of the spec, makes the default one when it is asked for and missing, and
 * brings back one that has lost its bridge. */
int nook_net_probe(struct nook_prober *p);

#endif
