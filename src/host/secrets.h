/* SPDX-License-Identifier: Apache-2.0 */
/* What of the machine's root a container is not to see. */
#ifndef NOOK_HOST_SECRETS_H
#define NOOK_HOST_SECRETS_H

#include "prober.h"

/**
 * nook_secrets_probe() - set host->secrets
 *
 * The table in secrets.c, where it exists, with the other names of the same files; then the user's
 * wishes: --expose PATH shows PATH and all that is below it, --hide PATH hides it, below an exposed
 * one too. Uses p->passwd, p->mounts and host->home.
 *
 * Return: 0; -EINVAL or -ENOENT when a wish can't be met, @err says which.
 */
int nook_secrets_probe(struct nook_prober *p);

#endif
