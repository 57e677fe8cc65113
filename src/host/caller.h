/* SPDX-License-Identifier: Apache-2.0 */
/* Who asks: ids, capabilities, working directory, terminal. */
#ifndef NOOK_HOST_CALLER_H
#define NOOK_HOST_CALLER_H

#include "prober.h"

/* Sets euid, egid, caps, bounding, last_cap, initial_userns, cwd, env and the terminals of
 * host. */
int nook_caller_probe(struct nook_prober *p);

#endif
