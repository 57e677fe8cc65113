/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The networks of an ordinary user are not in the machine's network namespace but in one of their
 * own, where the user is root: src/keep/net_home.h. Who works on them is in there.
 */
#ifndef NOOK_NET_OUTSIDE_H
#define NOOK_NET_OUTSIDE_H

#include <stdbool.h>

/* Are we an ordinary user who is not in there? Then no link, rule or setting that could be seen
 * here is ours: it is root's, or it went with the namespace that it was in. */
bool nook_net_homeless(void);

#endif
