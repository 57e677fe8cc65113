/* SPDX-License-Identifier: Apache-2.0 */
/* What the files src/run/cgroup*.c share. */
#ifndef NOOK_RUN_CGROUP_PARTS_H
#define NOOK_RUN_CGROUP_PARTS_H

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

/* Writes those of @plan's limits that belong to dirs[@dir] into the cgroup @fd, and reads each
 * back. */
int nook_cgroup_write_limits(const struct nook_plan_cgroup *plan, unsigned dir, int fd,
			     struct nook_error *err);

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

/* Milliseconds of CLOCK_MONOTONIC. */
int64_t nook_cgroup_now(void);

/* Waits until no process is in the cgroup @fd, nor below it on v2, to the time @deadline. */
int nook_cgroup_wait_empty(int fd, bool v2, int64_t deadline);

#endif
