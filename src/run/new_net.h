/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A network namespace that is made beside the rest. The kernel takes as long for it as for
 * everything else that clone3(2) makes, and almost as long as the stage for its mounts, but holds
 * none of their locks: on a machine with a second CPU a child in our memory makes it meanwhile, and
 * the stage enters it when something first depends on it.
 */
#ifndef NOOK_RUN_NEW_NET_H
#define NOOK_RUN_NEW_NET_H

#include "create.h"

NOOK_CREATE_STEP(begin_network);
int end_network(void *ctx, struct nook_error *err);
/* Waits for it, and has the next message bring it. */
NOOK_CREATE_STEP(take_network);

/* As the plan has it. */
bool nook_new_net_beside(const struct nook_plan *plan);

struct nook_new_net;

/**
 * nook_new_net_begin() - before there is a plan, where it is clear that there will be one: the
 * sooner, the less it is waited for
 * @a: lasts until nook_new_net_end()
 *
 * What fails there is told by the step that takes it.
 */
int nook_new_net_begin(struct nook_arena *a, struct nook_new_net **ret, struct nook_error *err);
/* Waits for its maker, which is in our memory, and lets go of it. NULL is fine; may be repeated. */
void nook_new_net_end(struct nook_new_net *n);

#endif
