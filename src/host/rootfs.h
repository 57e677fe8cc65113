/* SPDX-License-Identifier: Apache-2.0 */
/* The machine's own root file system as a container is to see it: copy-on-write, without its
 * secrets. */
#ifndef NOOK_HOST_ROOTFS_H
#define NOOK_HOST_ROOTFS_H

#include "prober.h"

/**
 * nook_rootfs_probe() - set host->mounts, secrets, dirs and shadow
 *
 * Only for a root that nook_wants_host_root(). Uses host->euid, home and state_dir. Nothing is
 * opened for reading but directories, /etc/passwd and /proc.
 *
 * Return: 0; -EINVAL or -ENOENT for a --hide or --expose that can't be, @err says which.
 */
int nook_rootfs_probe(struct nook_prober *p);

#endif
