/* SPDX-License-Identifier: Apache-2.0 */
/* Networks as they were made, after somebody has flushed rules or removed links: `nook net repair`
 * and `nook net watch`. */
#ifndef NOOK_RUN_NET_REPAIR_H
#define NOOK_RUN_NET_REPAIR_H

#include "base/arena.h"
#include "nook/error.h"

#include <stdbool.h>

/* Told of each thing that was put back. @container: NULL: it is the network's own; without a
 * network, either, it is the rules'. @what: a noun with its article: "the bridge nk-blue" */
typedef void nook_mended_fn(void *data, const char *network, const char *container,
			    const char *what);

/**
 * nook_net_repair() - look at networks and their containers, and put back what is missing
 * @network: NULL: all of them
 *
 * Bridges with their addresses, rules, forwarding, links of containers that live, published ports,
 * hosts files. What is as it should be is not touched, and nothing is told of it. One that can't be
 * mended doesn't keep the others from it: the first error is returned then.
 *
 * Return: 0; -ENOENT: there is no such network; others.
 */
int nook_net_repair(const char *state_dir, const char *network, nook_mended_fn *fn, void *data,
		    struct nook_error *err);

/* ---- net_repair_records.c ---- */

struct nook_repair_records {
	const char *state_dir;
	int base;
	struct nook_arena *a;
	nook_mended_fn *fn;
	void *data;
	bool unsure; /* set: what some container has is not known, so what is nobody's isn't either
		      */
};

/* With the lock of all networks. Return: 0, or the first error. */
int nook_net_repair_records(struct nook_repair_records *r, struct nook_error *err);

#endif
