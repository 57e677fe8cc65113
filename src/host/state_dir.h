/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NOOK_HOST_STATE_DIR_H
#define NOOK_HOST_STATE_DIR_H

#include "nook/error.h"

#include <stdbool.h>

/**
 * nook_oci_state_dir() - where the records of engines' containers are, unless --root says it
 * @ret: static storage
 *
 * /run/nook-oci for root of the machine; else $XDG_RUNTIME_DIR/nook-oci, else /tmp/nook-oci-UID.
 * Root of a user namespace is an ordinary user here: rootless engines call us as such.
 */
int nook_oci_state_dir(const char **ret, struct nook_error *err);

/* From now on nook_state_dir() is @dir, which must stay: for who changes its user namespace. */
void nook_state_dir_stays(const char *dir);

/* Are we in the kernel's first user namespace? */
int nook_in_first_userns(bool *ret, struct nook_error *err);

#endif
