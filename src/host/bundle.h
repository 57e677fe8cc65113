/* SPDX-License-Identifier: Apache-2.0 */
/* The host's facts that the plan of a bundle needs: fewer than nook_host_probe() finds out, and
 * every hierarchy of cgroups. */
#ifndef NOOK_HOST_BUNDLE_H
#define NOOK_HOST_BUNDLE_H

#include "host.h"

/* What of a bundle makes the machine worth looking at: this room knows of no bundle. */
struct nook_bundle_wants {
	bool new_user_namespace;
	bool cgroups; /* a cgroup is made, or mounted */
	const char *state_dir;
};

/**
 * nook_host_probe_bundle() - learn what a plan for a bundle needs to know
 * @host: receives caller, kernel, security modules, hierarchies, newuidmap; no accounts, no root
 *
 * Reads only. Of host->cgroup: layout, mount and own; no place. Return: 0 or a negative errno.
 */
int nook_host_probe_bundle(struct nook_arena *a, const struct nook_bundle_wants *wants,
			   struct nook_host *host, struct nook_error *err);

#endif
