/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NOOK_HOST_ROOTFS_PARTS_H
#define NOOK_HOST_ROOTFS_PARTS_H

#include "prober.h"

/**
 * nook_rootfs_probe_parts() - set host->parts: the machine's root in pieces with no mount below
 *
 * The mounts that a new user namespace copies from its parent are locked together, so that nobody
 * sees what lies under one of them; and a directory with a locked mount below can be neither bound
 * alone nor be overlay's layer (mount_namespaces(7), "Restrictions on mount namespaces"). An
 * ordinary user's copy of the root is therefore one union a directory without mounts below;
 * directories above these are made anew, symlinks and files beside them too.
 *
 * After host->secrets. Return: 0; -E2BIG more pieces than a container should be made of; others of
 * reading a directory.
 */
int nook_rootfs_probe_parts(struct nook_prober *p);

#endif
