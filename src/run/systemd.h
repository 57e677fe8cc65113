/* SPDX-License-Identifier: Apache-2.0 */
/* A container as a unit of systemd: the machine's manager for root, the user's own otherwise. */
#ifndef NOOK_RUN_SYSTEMD_H
#define NOOK_RUN_SYSTEMD_H

#include "nook/error.h"
#include "nook/plan.h"

/**
 * nook_systemd_start() - StartTransientUnit, and wait for it
 * @cg:  unit, slice and properties
 * @id:  the container's, for the description by which the unit is known as its own
 * @pid: of the process that goes into it
 *
 * A unit of that name that has failed is cleared away first. Return: 0; -EEXIST: there is a living
 * one; others with what systemd says.
 */
int nook_systemd_start(const struct nook_plan_cgroup *cg, const char *id, int pid,
		       struct nook_error *err);

/* SetUnitProperties, till the unit's end. */
int nook_systemd_update(const char *unit, const struct nook_plan_property *properties, size_t n,
			struct nook_error *err);

/* StopUnit, and wait for it; then nothing is left of a failed one. 0 when there is none, or when it
 * is not that container's. */
int nook_systemd_stop(const char *unit, const char *id, struct nook_error *err);

#endif
