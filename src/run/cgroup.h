/* SPDX-License-Identifier: Apache-2.0 */
/* The plan's cgroups, made, filled and removed. Paths are walked from the hierarchy's mount by
 * openat2. */
#ifndef NOOK_RUN_CGROUP_H
#define NOOK_RUN_CGROUP_H

#include "nook/error.h"
#include "nook/plan.h"

/**
 * nook_cgroup_make() - make every directory of the plan and write the limits
 * @ret_into: receives an O_PATH descriptor of the v2 cgroup for CLONE_INTO_CGROUP; NO_FD when there
 * is none
 *
 * Parents that nook shares between containers ("/nook") are made when missing and left. Controllers
 * are enabled down the way. Each written limit is read back. On failure what was made is removed.
 * @err->where is the limit's option.
 */
int nook_cgroup_make(const struct nook_plan_cgroup *plan, int *ret_into, struct nook_error *err);

/* Puts a process into the plan's v1 cgroups (the v2 one is entered by the clone). */
int nook_cgroup_enter_v1(const struct nook_plan_cgroup_dir *dirs, size_t n, int pid,
			 struct nook_error *err);

/* Kills whatever is in them (cgroup.kill where the kernel has it, else signals until empty), waits
 * until they are empty. */
int nook_cgroup_kill(const struct nook_plan_cgroup_dir *dirs, size_t n, struct nook_error *err);

/* Removes them, with cgroups that were made below; one that isn't there is no error. Parents stay.
 */
int nook_cgroup_remove(const struct nook_plan_cgroup_dir *dirs, size_t n, struct nook_error *err);

/* O_PATH descriptor of a v2 cgroup that exists, for exec. */
int nook_cgroup_open(const struct nook_plan_cgroup_dir *dirs, size_t n, int *ret_into,
		     struct nook_error *err);

#endif
