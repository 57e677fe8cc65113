/* SPDX-License-Identifier: Apache-2.0 */
/* Hears of changes of links, addresses and rules in our network namespace: netlink(7), multicast.
 */
#ifndef NOOK_RUN_NET_WATCH_H
#define NOOK_RUN_NET_WATCH_H

#include "nook/error.h"

struct nook_net_watch {
	int links, rules; /* sockets; rules NO_FD: this kernel has no nftables */
	int keeper;       /* pidfd of who keeps the namespace, borrowed; NO_FD: nobody has to */
};

/* Return: 0; a negative errno. nook_net_watch_close() in any case. */
int nook_net_watch_open(struct nook_net_watch *w, int keeper, struct nook_error *err);
void nook_net_watch_close(struct nook_net_watch *w);

/* Waits until something has changed, and forgets what it was: one look serves all that was told by
 * then. Return: 0; -ESRCH: the keeper has ended; others. */
int nook_net_watch_wait(const struct nook_net_watch *w, struct nook_error *err);

#endif
