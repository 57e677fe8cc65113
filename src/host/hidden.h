/* SPDX-License-Identifier: Apache-2.0 */
/* A set of places that a container is not to see, and taking places out of it. */
#ifndef NOOK_HOST_HIDDEN_H
#define NOOK_HOST_HIDDEN_H

#include "place.h"

/* Each becomes a node in the container's root. */
#define NOOK_HIDDEN_MAX 100000u

struct nook_hidden {
	const char *path; /* no symlink in it */
	const char *why;  /* static */
	bool is_dir;
};

struct nook_hidden_set {
	struct nook_hidden *items;
	size_t n;
};

/* Adds what @path leads to; a path that leads nowhere, or through what we may not search, adds
 * nothing: the container's root can't reach it either. Return: 0; others of openat2(2). */
int nook_hidden_add(struct nook_prober *p, struct nook_hidden_set *set, const char *path,
		    const char *why);

/* Leaves each path once and none below another, in the order of nook_path_compare(). */
void nook_hidden_sort(struct nook_hidden_set *set);

/* What @path is, or lies in; NULL. @set is sorted. */
const struct nook_hidden *nook_hidden_at(const struct nook_hidden_set *set, const char *path);

/**
 * nook_hidden_carve() - take places out of a set, so that they show
 * @set:   sorted before and after; a directory that has one of @open in it is replaced by its other
 *         entries, level by level
 * @open:  paths without symlinks
 * @below: what lies below one of @open shows too; else it stays hidden
 *
 * Return: 0; -E2BIG past NOOK_HIDDEN_MAX; others of reading a directory. @err says which.
 */
int nook_hidden_carve(struct nook_prober *p, struct nook_hidden_set *set, const char *const *open,
		      size_t n_open, bool below);

/**
 * nook_hidden_add_aliases() - add the other paths to the same files
 * @set: sorted before and after
 *
 * A file system may be mounted twice, or a part of it (a bind mount, a btrfs subvolume): then a
 * hidden place has a second name. Uses p->mounts.
 */
int nook_hidden_add_aliases(struct nook_prober *p, struct nook_hidden_set *set);

#endif
