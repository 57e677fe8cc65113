/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mount calls of Linux 5.2 and later: a mount is built detached, by descriptor, and moved in
 * when it is finished. All return 0 or a descriptor, or a negative errno. fsopen(2), fsmount(2),
 * open_tree(2), move_mount(2), mount_setattr(2).
 */
#ifndef NOOK_SYS_MOUNT_H
#define NOOK_SYS_MOUNT_H

#include <linux/mount.h>
#include <stdbool.h>
#include <stdint.h>

#ifndef MOUNT_ATTR_NOSYMFOLLOW
#define MOUNT_ATTR_NOSYMFOLLOW 0x00200000 /* Linux 5.14 */
#endif

/* A new superblock's context, CLOEXEC. */
int nook_fsopen(const char *fstype);
int nook_fsconfig_string(int fs, const char *key, const char *value);
int nook_fsconfig_flag(int fs, const char *key);
int nook_fsconfig_create(int fs);
int nook_fsconfig_reconfigure(int fs);
/* The context of a superblock that is there, by the root of a mount of it: to be given other
 * options. fspick(2) */
int nook_fspick(int mount);
/* The context becomes a detached mount, CLOEXEC. @attrs: MOUNT_ATTR_* */
int nook_fsmount(int fs, uint64_t attrs);

/* What the kernel says about a failed fsconfig: "overlay: …", at most one line. Empty when it has
 * said nothing. */
void nook_fs_message(int fs, char *out, unsigned size);

/* A detached copy of the mount at @dir/@path ("": of @dir itself), with those below when
 * @recursive. CLOEXEC */
int nook_open_tree(int dir, const char *path, bool recursive, bool follow);

/* Attaches @mount (detached, or a mount to be moved) at @target, an O_PATH descriptor. */
int nook_move_mount(int mount, int target);
/* The same at a path below @dir. */
int nook_move_mount_at(int mount, int dir, const char *path);

/* @set and @clear: MOUNT_ATTR_*; @propagation: 0 or MS_PRIVATE…; @userns: NO_FD or the map to give.
 */
int nook_mount_setattr(int mount, bool recursive, uint64_t set, uint64_t clear,
		       uint64_t propagation, int userns);

/* Is @fd the root of a mount? 1, 0 or a negative errno. */
int nook_is_mount_root(int fd);

int nook_pivot_root(const char *new_root, const char *put_old);
int nook_umount_detach(const char *path);
/* mount(2), for what the new calls could not say before @retired_by. */
int nook_mount_old(const char *source, const char *target, const char *fstype, unsigned long flags,
		   const char *options);

#endif
