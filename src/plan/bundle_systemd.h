/* SPDX-License-Identifier: Apache-2.0 */
/* A container's cgroup as a unit of systemd: a scope in a slice. */
#ifndef NOOK_PLAN_BUNDLE_SYSTEMD_H
#define NOOK_PLAN_BUNDLE_SYSTEMD_H

#include "bundle.h"

/**
 * nook_bundle_systemd() - "slice:prefix:name" to cgroup.unit and cgroup.slice
 * @ret_path: receives where systemd will make it, below each hierarchy
 *
 * Not said: the scope "nook-ID" of system.slice, or of user.slice for who isn't root of the
 * machine.
 */
int nook_bundle_systemd(struct nook_bundle_planner *p, const char **ret_path);

/* Properties of the unit: what it has to be, the limits once more (systemd writes its own values
 * when it reloads), and those of annotations "org.systemd.property.NAME". */
int nook_bundle_systemd_properties(struct nook_bundle_planner *p);

/* The limits alone, for `update`. @unified: systemd manages cgroup v2 */
void nook_bundle_systemd_limits(struct nook_arena *a, const struct nook_bundle_resources *r,
				bool unified, struct nook_plan_cgroup *cg);

/* "a-b.slice" to "/a.slice/a-b.slice"; "-.slice" to "". NULL: it is no name of a slice. */
const char *nook_slice_path(struct nook_arena *a, const char *slice);

/* A property from an annotation's value, as GVariant writes it: 'text', true, 7, uint64 7,
 * ['a', 'b']. -EINVAL. */
int nook_systemd_property(struct nook_arena *a, const char *name, const char *value,
			  struct nook_plan_property *ret);

#endif
