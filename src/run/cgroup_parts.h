/* SPDX-License-Identifier: Apache-2.0 */
/* What the files src/run/cgroup*.c share. */
#ifndef NOOK_RUN_CGROUP_PARTS_H
#define NOOK_RUN_CGROUP_PARTS_H

#include "base/arena.h"
#include "nook/error.h"
#include "nook/plan.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

/* A planned path taken apart: "/a/b/nook/blue" is made in the cgroup "/a/b" as "nook" and "blue".
 */
struct nook_cgroup_path {
	char place[PATH_MAX]; /* "/a/b", "/" */
	char parent[NAME_MAX + 1];
	char leaf[NAME_MAX + 1];
};

/* -EINVAL when it is no such path: two names below an absolute one. */
int nook_cgroup_split(const char *path, struct nook_cgroup_path *ret, struct nook_error *err);

/* The same for a path of any depth: "/a/b" is "b" in "/a", "/b" is "b" in "/". */
struct nook_cgroup_leaf {
	char parent[PATH_MAX];
	char leaf[NAME_MAX + 1];
};
int nook_cgroup_split_leaf(const char *path, struct nook_cgroup_leaf *ret, struct nook_error *err);

/* Makes an engine's cgroup with all above it, or takes an empty one over. Return: an O_RDONLY
 * descriptor of it. cgroup_bundle.c */
int nook_cgroup_make_path(const struct nook_plan_cgroup_dir *dir, struct nook_error *err);

/* Descriptor of the first of @dirs that is of v2, or that has the file @v1_file; -ENOENT. */
int nook_cgroup_find(const struct nook_plan_cgroup_dir *dirs, size_t n, const char *v1_file,
		     bool *ret_v2);

/* O_RDONLY descriptor of a cgroup that exists. */
int nook_cgroup_open_dir(const struct nook_plan_cgroup_dir *dir);

/* What v1's freezer has frozen can't die: it gets its signal, then thaws. cgroup_freeze.c */
void nook_cgroup_kill_frozen(const struct nook_plan_cgroup_dir *dirs, size_t n);

/* Writes those of @plan's limits that belong to dirs[@dir] into the cgroup @fd, and reads each
 * back. */
int nook_cgroup_write_limits(const struct nook_plan_cgroup *plan, unsigned dir, int fd,
			     struct nook_error *err);

/* Writes one of @dir's, and reads it back unless it is loose. */
int nook_cgroup_write_one(const struct nook_plan_cgroup_dir *dir,
			  const struct nook_plan_cgroup_write *w, int fd, struct nook_error *err);

/* What was there before nook_cgroup_write_patiently(); NULL: nothing to go back to. */
struct nook_cgroup_old {
	struct nook_arena *arena;
	const char **values; /* of plan->writes */
};

/**
 * nook_cgroup_write_patiently() - the same as nook_cgroup_write_limits(), in the order that works
 * @old: receives what to go back to; NULL: nobody will
 *
 * Limits of v1 depend on each other (memory below memory and swap, a quota below the one above):
 * what the kernel refuses is tried again after the others.
 */
int nook_cgroup_write_patiently(const struct nook_plan_cgroup *plan, unsigned dir, int fd,
				const struct nook_cgroup_old *old, struct nook_error *err);

/* Is @got, read from a limit's file, what @want, written there, means to the kernel? */
bool nook_cgroup_same_value(const char *file, const char *want, const char *got, long page);

/* Enables the controllers of @enable for the children of the cgroup @fd. @name: for errors;
 * @dir: of @plan, to tell whose words need one. */
int nook_cgroup_enable(const struct nook_plan_cgroup *plan, unsigned dir, int fd, const char *name,
		       struct nook_error *err);

/* Moves this process from the place of @dir to the leaf plan->supervisor, and back. */
int nook_cgroup_step_aside(const struct nook_plan_cgroup *plan, struct nook_error *err);
int nook_cgroup_step_back(const struct nook_plan_cgroup_dir *dir, struct nook_error *err);

/* Removes what containers of @dir's place share, once there is none: PLACE/nook where PLACE is not
 * the root, and with it the supervisor's leaf. */
int nook_cgroup_tidy(const struct nook_plan_cgroup_dir *dir, struct nook_error *err);

/* Longer than any process needs to die that is not stuck in a driver or a dead network mount. */
#define NOOK_CGROUP_PATIENCE_MS 10000
void nook_cgroup_hint_stuck(struct nook_error *err);

/* Does it once, and again when it fails: a lack of memory or of a descriptor may have passed. */
int nook_cgroup_twice(int (*fn)(const struct nook_plan_cgroup_dir *dir, struct nook_error *err),
		      const struct nook_plan_cgroup_dir *dir, struct nook_error *err);

/* Waits until no process is in the cgroup @fd, nor below it on v2, to the time @deadline. */
int nook_cgroup_wait_empty(int fd, bool v2, int64_t deadline);

#endif
