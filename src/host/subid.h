/* SPDX-License-Identifier: Apache-2.0 */
/* Ranges of ids that the machine's administrator lets an ordinary user have. subuid(5), subgid(5)
 */
#ifndef NOOK_HOST_SUBID_H
#define NOOK_HOST_SUBID_H

#include "prober.h"

/**
 * nook_subid_parse() - the lines of one user
 * @text: of the file; is written into
 * @name: the user's; NULL when the uid has no account
 * @uid:  lines may name the user by number too
 *
 * A line counts when it is OWNER:FIRST:COUNT with strict numbers, COUNT at least 1, and no id past
 * 4294967294; any other line is nobody's, as for newuidmap(1). In the file's order.
 */
void nook_subid_parse(struct nook_arena *a, char *text, const char *name, uint32_t uid,
		      struct nook_id_range **ret, size_t *ret_n);

/* Sets host->subuid and subgid. No such file is no error. */
int nook_subid_probe(struct nook_prober *p);

/* Sets host->newuidmap and newgidmap: an executable file in one of the system's directories. PATH
 * is not asked: what is started here changes ids with the rights of root. */
void nook_subid_find_helpers(struct nook_prober *p);

#endif
