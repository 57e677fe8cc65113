/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What only one container can have of networks, an address or a port: state/held.h, in a folder of
 * STATE_DIR/net.
 */
#ifndef NOOK_NET_CLAIMS_H
#define NOOK_NET_CLAIMS_H

#include "state/held.h"

/* Folders. */
#define NOOK_CLAIM_ADDRESSES "addresses"
#define NOOK_CLAIM_PORTS     "ports"

/* Who holds it, dead or alive. Return: 0; -ENOENT, nothing noted: nobody; others. */
int nook_claim_holder(int base, const char *folder, const char *file, char out[NOOK_HOLDER_SIZE],
		      struct nook_error *err);

/* Does this container hold it? */
bool nook_claim_is_mine(const struct nook_state *state, const char *folder, const char *file);

/* Has it a holder that is dead? What can't be read is taken. */
bool nook_claim_is_dead(int base, const char *folder, const char *file);

/**
 * nook_claim_take() - take it for the container
 * @holder: receives the name of the container that has it, with -EEXIST
 *
 * A dead container that still holds it is undone first. Return: 0, also when it is ours already;
 * -EEXIST, nothing noted; others.
 */
int nook_claim_take(const struct nook_state *state, const char *folder, const char *file,
		    char holder[NOOK_HOLDER_SIZE], struct nook_error *err);

/* Gives it back; 0 when another name holds it or nobody. Takes no descriptor. */
int nook_claim_release(const struct nook_state *state, const char *folder, const char *file,
		       struct nook_error *err);

/* All of the folder that the container holds. */
int nook_claim_release_all(const struct nook_state *state, const char *folder,
			   struct nook_error *err);

#endif
