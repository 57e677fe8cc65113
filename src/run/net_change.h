/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A running container's networks, changed. Its keeper knows nothing of it: what is added is written
 * down, and the keeper's undo reads that. All is done under the container's lock for this, which
 * the keeper's undo takes too, so that nobody connects what is just ending.
 */
#ifndef NOOK_RUN_NET_CHANGE_H
#define NOOK_RUN_NET_CHANGE_H

#include "net/net.h"
#include "state/state.h"

struct nook_net_change {
	const char *state_dir;
	struct nook_arena arena;
	struct nook_state state; /* base and name; its lock is the keeper's */
	int lock;
	struct nook_record record;
	int pidfd;       /* of its pid 1 */
	int home, netns; /* network namespaces: ours, and the container's */
	struct nook_attached at;
};

/**
 * nook_net_change_begin() - find the container, and take its lock
 * @network: one that is going to be used; NULL: none. It is made, or mended, before the lock
 *
 * In any case nook_net_change_end() follows. Return: 0; -ENOENT, -ESRCH and others.
 */
int nook_net_change_begin(struct nook_net_change *c, const char *state_dir, const char *container,
			  const char *network, struct nook_error *err);
void nook_net_change_end(struct nook_net_change *c);

/* Has the relay serve the ports of @at: an undo of a part has ended that of all. */
int nook_net_change_relay(const struct nook_net_change *c, const struct nook_attached *at,
			  struct nook_error *err);

#endif
