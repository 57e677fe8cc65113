/* SPDX-License-Identifier: Apache-2.0 */
/* The table of causes in five files, by what a reader looks for. Only causes.c puts them together.
 */
#ifndef NOOK_HOST_CAUSES_TABLES_H
#define NOOK_HOST_CAUSES_TABLES_H

#include "causes.h"

struct nook_cause_table {
	const struct nook_known_cause *rows;
	size_t n;
};

extern const struct nook_cause_table nook_causes_namespaces; /* and ids and privilege */
extern const struct nook_cause_table nook_causes_mounts;
extern const struct nook_cause_table nook_causes_program; /* exec and seccomp */
extern const struct nook_cause_table nook_causes_limits;  /* cgroups, space, names */
extern const struct nook_cause_table nook_causes_network; /* links, addresses, ports */

#endif
