/* SPDX-License-Identifier: Apache-2.0 */
/* Which of the host's mounts the copy of its root takes over. */
#ifndef NOOK_HOST_ROOTFS_MOUNTS_H
#define NOOK_HOST_ROOTFS_MOUNTS_H

#include "hidden.h"

enum nook_mount_use {
	NOOK_MOUNT_TAKE,    /* files of the machine: the copy has them too */
	NOOK_MOUNT_REPLACE, /* in /proc, /sys, /dev, /run or /tmp: the container's own */
	NOOK_MOUNT_HIDE, /* an interface of the kernel elsewhere: the copy has neither it nor what
			    is under it */
};

enum nook_mount_use nook_mount_use(const struct nook_mount *m);

/* Adds the mounts that are not taken over, so that what they cover stays covered. */
void nook_rootfs_hide_mounts(struct nook_prober *p, struct nook_hidden_set *set);

/* Sets host->mounts: those to take over that are not in a secret. Parents first. */
void nook_rootfs_probe_mounts(struct nook_prober *p);

/* @path is one of host->secrets, or in one. */
bool nook_host_hides(const struct nook_host *host, const char *path);

#endif
