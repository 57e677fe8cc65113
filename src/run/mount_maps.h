/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NOOK_RUN_MOUNT_MAPS_H
#define NOOK_RUN_MOUNT_MAPS_H

#include "nook/error.h"
#include "nook/plan.h"

/**
 * nook_mount_maps_open() - a user namespace with these maps, for MOUNT_ATTR_IDMAP
 * @proc: see nook_procfs_open()
 *
 * Nobody is in it: it lives as long as it is open or a mount has it. Return: its descriptor, or a
 * negative errno.
 */
int nook_mount_maps_open(int proc, const struct nook_plan_maps *maps, struct nook_error *err);

#endif
