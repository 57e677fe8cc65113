/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NOOK_RUN_NETDEVS_HOME_H
#define NOOK_RUN_NETDEVS_HOME_H

#include "state/state.h"

/*
 * Brings home the network devices that a container which was never started has in a namespace that
 * lives on: its `create` was killed, or nobody came to start it. May be repeated; those that are
 * home, or gone with the namespace, are done. @starts: the folder start/. Return: 0; a negative
 * errno: one is there that can't come home.
 */
int nook_netdevs_bring_home(const struct nook_record *r, int starts, struct nook_error *err);

#endif
