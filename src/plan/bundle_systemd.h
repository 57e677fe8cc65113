/* SPDX-License-Identifier: Apache-2.0 */
/* A container's cgroup as a unit of systemd: a scope in a slice. */
#ifndef NOOK_PLAN_BUNDLE_SYSTEMD_H
#define NOOK_PLAN_BUNDLE_SYSTEMD_H

#include "bundle.h"

/**
 * nook_bundle_systemd() - "slice:prefix:name" to cgroup.unit and cgroup.slice
 * @ret_path: receives where systemd will make it, below each hierarchy
 *
 * Not said: runc's "system.slice:runc:ID", or user.slice's for who isn't root.
 */
int nook_bundle_systemd(struct nook_bundle_planner *p, const char **ret_path);

/* The limits once more, as properties: systemd writes its own values when it reloads. */
int nook_bundle_systemd_properties(struct nook_bundle_planner *p);

/* "a-b.slice" to "/a.slice/a-b.slice"; "-.slice" to "". NULL: it is no name of a slice. */
const char *nook_slice_path(struct nook_arena *a, const char *slice);

#endif
