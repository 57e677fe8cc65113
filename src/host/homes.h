/* SPDX-License-Identifier: Apache-2.0 */
/* Homes of the machine's people, but the caller's own. */
#ifndef NOOK_HOST_HOMES_H
#define NOOK_HOST_HOMES_H

#include "hidden.h"

/**
 * nook_homes_add() - every directory in /home, and homes elsewhere of accounts from uid 1000 on
 * @set: added to, not sorted
 *
 * A home that is a directory of the system ("/", "/var", "/usr/sbin") is none. Where the caller's
 * own lies in another's (/home/team/me), the other's remaining entries are added. Uses p->passwd
 * and host->home.
 */
int nook_homes_add(struct nook_prober *p, struct nook_hidden_set *set);

#endif
