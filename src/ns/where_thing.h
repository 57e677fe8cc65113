/* SPDX-License-Identifier: Apache-2.0 */
/* The host and a container side by side, and what was opened on either: for where_path.c. */
#ifndef NOOK_NS_WHERE_THING_H
#define NOOK_NS_WHERE_THING_H

#include "base/arena.h"
#include "host/mountinfo.h"
#include "nook/ns_where.h"

#include <stdbool.h>
#include <sys/stat.h>

/* One side of the question: the host, or a container. */
struct nook_where_side {
	int root; /* O_PATH */
	struct nook_mounts mounts;
};

struct nook_where_work {
	struct nook_arena *a;
	struct nook_where_side host, inside;
	struct nook_ns_where_path *out;
	struct nook_error *err;
};

/* A thing that was opened. */
struct nook_where_thing {
	int fd;
	struct statx st;
	const char *path; /* from the root of its side, no symlink in it */
	const struct nook_mount *mount;
	const char *fs_path; /* from the root of the file system */
};

/* Opens the roots of both, and reads their mount tables. @w's roots are the caller's to close in
 * any case. */
int nook_where_open_sides(struct nook_where_work *w, const char *state_dir, const char *target);

/* Opens what @path leads to from the root of @side, and finds out where it lies; the descriptor is
 * the caller's. With @err NULL nothing is noted. */
int nook_where_open_thing(struct nook_where_work *w, const struct nook_where_side *side,
			  const char *path, struct nook_where_thing *ret, struct nook_error *err);

/* @dir/@below; and @path without @dir, which it is within. */
const char *nook_where_join(struct nook_arena *a, const char *dir, const char *below);
const char *nook_where_below(const char *path, const char *dir);

bool nook_where_same(const struct nook_where_thing *a, const struct nook_where_thing *b);

/* Overlay shows a file under a device number of its own, but with all else of the layer's file. */
bool nook_where_same_through_overlay(const struct nook_where_thing *a,
				     const struct nook_where_thing *b);

#endif
