/* SPDX-License-Identifier: Apache-2.0 */
/* The mounts of our mount namespace, /proc/self/mountinfo: proc_pid_mountinfo(5). */
#ifndef NOOK_HOST_MOUNTINFO_H
#define NOOK_HOST_MOUNTINFO_H

#include "base/arena.h"
#include "nook/error.h"

#include <stdbool.h>
#include <stddef.h>

/* The kernel's default limit is 100,000 mounts of a few hundred bytes each. */
#define NOOK_MOUNTINFO_MAX ((size_t)32 << 20)

struct nook_mount {
	unsigned id, parent;
	unsigned major, minor; /* of the file system */
	const char *root;      /* what of the file system is mounted: "/" is all */
	const char *point;     /* where, from our root */
	const char *options;   /* of this mount: "rw,relatime" */
	const char *fstype;
	const char *super; /* options of the file system */
	bool visible; /* a path leads into it: no later mount lies over it or on the way to it */
};

struct nook_mounts {
	struct nook_mount *all; /* in the kernel's order */
	size_t n;
	const struct nook_mount **visible; /* by path, parents first; each path once */
	size_t n_visible;
};

/**
 * nook_mountinfo_parse() - read the table and find out which mounts can be seen
 * @text: is written into and lives on in @ret
 *
 * Takes n log n. Return: 0; -EINVAL for a line that the kernel does not write, @err names it.
 */
int nook_mountinfo_parse(struct nook_arena *a, char *text, struct nook_mounts *ret,
			 struct nook_error *err);

/* The visible mount that a path without symlinks lies in; NULL when there is none. */
const struct nook_mount *nook_mounts_at(const struct nook_mounts *mounts, const char *path);

#endif
