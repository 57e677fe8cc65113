/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the networks of an ordinary user are. Nobody may make a bridge in the machine's own network
 * namespace who is not its root; so the first network makes a home for all of them: a user
 * namespace with the user's ids, and a network namespace that belongs to it, kept by nook-hold as
 * the name NOOK_NET_HOME of `nook ns`. pasta(1) is its way out. Who makes or uses a network enters
 * these two first, is root there, and then does what root does on the machine; containers get user
 * namespaces of their own, below.
 *
 * Mounts, processes and files are those of the machine all the time, with the user's rights over
 * them.
 */
#ifndef NOOK_KEEP_NET_HOME_H
#define NOOK_KEEP_NET_HOME_H

#include "base/arena.h"
#include "nook/error.h"

#include <stdbool.h>

#define NOOK_NET_HOME "networks"

/**
 * nook_net_home_enter() - go where the caller's networks are
 * @make: make it when there is none; else nothing is done then
 *
 * Changes the calling process, which must have one thread: it is root in another user namespace
 * afterwards, and nook_state_dir() still @state_dir. For root, and when repeated: nothing. Return:
 * 0 or a negative errno.
 */
int nook_net_home_enter(const char *state_dir, bool make, struct nook_error *err);

/* A pidfd of the process that keeps the home which we have entered: readable when it has gone, and
 * all networks with it. NO_FD, and 0: we are in none. */
int nook_net_home_keeper(const char *state_dir, int *ret_pidfd, struct nook_error *err);

/* After a network was removed: gives the home up when it was the last, and we are in it. */
int nook_net_home_tidy(const char *state_dir, struct nook_error *err);

/* ---- net_home_pasta.c ---- */

struct nook_ns_name;

/* Starts its pasta, in its pid namespace: so that it ends with it. */
int nook_net_home_connect(const struct nook_ns_name *home, struct nook_arena *a,
			  struct nook_error *err);

/* Opens one of its namespaces. */
int nook_net_home_open(const struct nook_ns_name *home, int kind, struct nook_error *err);

#endif
