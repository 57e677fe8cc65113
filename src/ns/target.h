/* SPDX-License-Identifier: Apache-2.0 */
/* What people name to be entered: a kept name, a running container, a pid, a path. */
#ifndef NOOK_NS_TARGET_H
#define NOOK_NS_TARGET_H

#include "base/arena.h"
#include "nook/error.h"
#include "nook/ns_names.h"

#include <stdbool.h>

struct nook_ns_target_item {
	enum nook_ns_kind kind;
	const char *path;
	uint64_t dev, ino; /* 0: it could not be looked at, for @errnum */
	int errnum;
	bool own; /* we are in it */
};

struct nook_ns_target {
	const char *words; /* as it was named */
	int pid;           /* of the process that it is, or the container's pid 1; 0: neither */
	struct nook_ns_target_item item[NOOK_NS_COUNT]; /* in the order of the kinds */
	size_t n;
};

/**
 * nook_ns_target_find() - look a target up
 * @target: with a slash: a path; a number: a pid; else a name that is kept, else a container's
 *
 * Return: 0; -ENOENT, -ESRCH, -EINVAL and others.
 */
int nook_ns_target_find(const char *state_dir, const char *target, struct nook_arena *a,
			struct nook_ns_target *ret, struct nook_error *err);

#endif
