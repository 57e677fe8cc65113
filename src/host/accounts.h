/* SPDX-License-Identifier: Apache-2.0 */
/* Whom the container's program runs as, in the words of the container's own root. */
#ifndef NOOK_HOST_ACCOUNTS_H
#define NOOK_HOST_ACCOUNTS_H

#include "prober.h"

/**
 * nook_account_resolve() - --user and --group, looked up
 * @spec:   user: NAME, UID, either with :GROUP; group: NAME or GID; both NULL: uid 0
 * @passwd: of the container's root
 * @group:  likewise
 *
 * What is all digits is a number, and never a name; 4294967295 is none. A number without an entry
 * is fine: known is false, gid 0 unless said, home "/" and shell "/bin/sh". A group that was said
 * is the only one; without, the account has those that list it.
 *
 * Return: 0; -EINVAL no such name or number, @err says which and what to do.
 */
int nook_account_resolve(struct nook_arena *a, const struct nook_spec *spec,
			 const struct nook_passwd *passwd, const struct nook_group *group,
			 struct nook_account *ret, struct nook_error *err);

/**
 * nook_accounts_probe() - set host->account
 *
 * Reads etc/passwd and etc/group of the container's root, when something asks for them: of the
 * host, of the directory, or of the uppermost layer that has the file, the writable one
 * (CHANGES/upper-0) first. A file that isn't a regular one of at most 4 MiB is an error only when a
 * name must be found in it.
 */
int nook_accounts_probe(struct nook_prober *p);

/**
 * nook_account_in() - the same in a root that is there: a running container's
 * @root: O_PATH descriptor of its root directory
 * @spec: user and group are read
 */
int nook_account_in(struct nook_arena *a, int root, const struct nook_spec *spec,
		    struct nook_account *ret, struct nook_error *err);

#endif
