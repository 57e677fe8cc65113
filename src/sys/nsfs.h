/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel says about a namespace by its descriptor, ioctl_nsfs(2), and namespaces by their
 * 64-bit ids. All return a negative errno on failure; -ENOTTY where the kernel is older than the
 * question. */
#ifndef NOOK_SYS_NSFS_H
#define NOOK_SYS_NSFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define NOOK_NSFS_MAGIC 0x6e736673 /* statfs(2) */

/* Descriptors, CLOEXEC, of the user namespace that owns it, and of its parent (pid and user only).
 * -EPERM: there is none, or it is outside of the caller's. */
int nook_nsfs_owner(int fd);
int nook_nsfs_parent(int fd);
/* CLONE_NEW* of its kind. */
int nook_nsfs_type(int fd);
/* Of a user namespace: the uid that made it. */
int nook_nsfs_creator(int fd, uint32_t *ret);
/* Linux 6.18; of a mount namespace 6.11. */
int nook_nsfs_id(int fd, uint64_t *ret);

/* Of a mount namespace, Linux 6.12: how many mounts it has. */
int nook_nsfs_mounts(int fd, uint32_t *ret);
/* The mount namespace with the next higher id, or the next lower one, that the caller has power
 * over; -ENOENT after the last. Linux 6.12. */
int nook_nsfs_next_mnt(int fd, bool back);

/* The namespace with this id, Linux 6.18. @type: CLONE_NEW*; 6.19 takes 0 for it and for @inode. */
int nook_nsfs_by_id(uint64_t id, uint32_t type, uint32_t inode);

/* Ids above @after of the namespaces that the caller may see, Linux 6.19. Return: how many;
 * -ENOSYS. */
ssize_t nook_listns(uint64_t after, uint64_t *ids, size_t n);

/* The net namespace of a socket, or of a tun device's descriptor (@tun). Needs CAP_NET_ADMIN over
 * it. */
int nook_socket_netns(int fd, bool tun);

#endif
