/* SPDX-License-Identifier: Apache-2.0 */
/* The pieces of the step mount_all, by file. All return 0 or a descriptor, or a negative errno. */
#ifndef NOOK_STAGE_MOUNTS_H
#define NOOK_STAGE_MOUNTS_H

#include "stage.h"

#include "sys/path.h"

/* ---- file_system.c ---- */

/* A new superblock as @m says, mounted with @attrs (MOUNT_ATTR_*), detached. */
int nook_new_file_system(const struct nook_plan_mount *m, uint64_t attrs, struct nook_error *err);

/* The same by mount(2), for m->by_page; attached on our scratch tmpfs, and without its attributes.
 * by_page.c */
int nook_mount_by_page(const struct nook_stage *s, const struct nook_plan_mount *m,
		       struct nook_error *err);

/* The options of @m for the superblock of the mount that @fd is the root of. */
int nook_reconfigure(int fd, const struct nook_plan_mount *m, struct nook_error *err);

/* ---- targets.c: where things go, reached so that nobody who writes to the root can lead us away
 * ---- */

/* An O_PATH descriptor of @m's target, made as @make says when it isn't there. */
int nook_open_target(struct nook_stage *s, const struct nook_plan_mount *m,
		     enum nook_path_make make, struct nook_error *err);

/* The name of a target that lies right in a tmpfs which is ours yet, the container's /dev or the
 * one that was mounted last; NULL: it lies elsewhere. *@ret_dir: that tmpfs, borrowed. */
const char *nook_name_in_tmpfs(const struct nook_stage *s, const char *target, int *ret_dir);

/* Before @m is mounted: one that goes elsewhere may lie over the tmpfs that was mounted last. */
void nook_leave_tmpfs(struct nook_stage *s, const struct nook_plan_mount *m);

/* The directory that the target lies in, made when it isn't there; *@ret_name: what of the target
 * is left. Return: a descriptor for the caller to close. */
int nook_open_target_parent(struct nook_stage *s, const struct nook_plan_mount *m,
			    const char **ret_name, struct nook_error *err);

/* What is mounted on /proc and /sys is reached by its own root: that, and the rest of @target;
 * else the container's root and the whole. */
int nook_target_root(const struct nook_stage *s, const char *target, const char **ret_below);

/* Types must agree, and nothing of a user's goes into /proc unasked. */
int nook_check_target(const struct nook_stage *s, const struct nook_plan_mount *m, int mount,
		      int target, struct nook_error *err);

/* @mount lies on @target now: places of which we keep a descriptor get this one. */
int nook_note_target(struct nook_stage *s, const struct nook_plan_mount *m, int mount, int target,
		     struct nook_error *err);

int nook_make_symlink(struct nook_stage *s, const struct nook_plan_mount *m,
		      struct nook_error *err);

/* ---- covers.c ---- */

/* NOOK_PLAN_MASK and NOOK_PLAN_READONLY: covers what is there, and nothing where nothing is. */
int nook_cover(struct nook_stage *s, const struct nook_plan_mount *m, struct nook_error *err);

/* ---- devices.c ---- */

/* NOOK_PLAN_DEVICE */
int nook_make_device(struct nook_stage *s, const struct nook_plan_mount *m, struct nook_error *err);

/* ---- copy_up.c ---- */

/**
 * nook_copy_up() - fill a new tmpfs with what the root has there
 * @from: the directory
 * @to:   the root of the new file system
 *
 * Files, directories, symlinks and special files with their modes, owners, times and extended
 * attributes; a file of several names becomes several files. Follows nothing, leaves @from's mount
 * nowhere, and takes nothing that is deeper than 128 directories.
 */
int nook_copy_up(int from, int to, struct nook_error *err);

#endif
