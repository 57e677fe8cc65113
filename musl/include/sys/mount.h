/* SPDX-License-Identifier: Apache-2.0 */
/* What glibc has besides: musl/calls.c. */
#ifndef NOOK_MUSL_SYS_MOUNT_H
#define NOOK_MUSL_SYS_MOUNT_H

#include_next <sys/mount.h>
#include <linux/mount.h>
#include <stddef.h>

int fsopen(const char *type, unsigned flags);
int fsconfig(int fs, unsigned command, const char *key, const void *value, int aux);
int fsmount(int fs, unsigned flags, unsigned attributes);
int open_tree(int dir, const char *path, unsigned flags);
int move_mount(int from, const char *old, int to, const char *name, unsigned flags);
int mount_setattr(int dir, const char *path, unsigned flags, struct mount_attr *attr, size_t size);

#endif
