/* SPDX-License-Identifier: Apache-2.0 */
/* The plan's cgroups, made, filled and removed. Paths are walked from the hierarchy's mount by
 * openat2. */
#ifndef NOOK_RUN_CGROUP_H
#define NOOK_RUN_CGROUP_H

#include "nook/error.h"
#include "nook/plan.h"
#include "stage/step.h"

/**
 * nook_cgroup_make() - make every directory of the plan and write the limits
 * @ret_into: receives an O_PATH descriptor of the v2 cgroup for CLONE_INTO_CGROUP; NO_FD when there
 * is none
 * @ret_made: receives how many of plan->dirs exist now: all; or 0 when the host refused an optional
 * one. Only these may be killed or removed later, and stand in the record
 *
 * First moves us to plan->supervisor, when there is one. "PLACE/nook", shared by containers, is
 * made when missing. Controllers are enabled down the way. Each written limit is read back. On
 * failure what was made is removed. A cgroup of that name that exists is never taken over: -EEXIST,
 * whether processes live in it or not. @err->where is the limit's option.
 */
int nook_cgroup_make(const struct nook_plan_cgroup *plan, int *ret_into, size_t *ret_made,
		     struct nook_error *err);

/* Puts a process into the plan's v1 cgroups (the v2 one is entered by the clone). */
int nook_cgroup_enter_v1(const struct nook_plan_cgroup_dir *dirs, size_t n, int pid,
			 struct nook_error *err);

/**
 * nook_cgroup_kill() - kill whatever is in them, and below, and wait until they are empty
 *
 * cgroup.kill on v2; on v1 signals until nobody is left. One that isn't there is no error. Return:
 * 0; -ETIMEDOUT when processes are still there after 10 s (an uninterruptible sleep).
 */
int nook_cgroup_kill(const struct nook_plan_cgroup_dir *dirs, size_t n, struct nook_error *err);

/**
 * nook_cgroup_remove() - remove them, with cgroups that were made below
 *
 * Waits up to 10 s for processes that are just ending. One that isn't there is no error. "/nook" of
 * a hierarchy's root stays; below a cgroup that somebody else manages PLACE/nook goes with its last
 * container, and we go back from plan->supervisor to PLACE. Return: 0; -ETIMEDOUT processes live
 * in it.
 */
int nook_cgroup_remove(const struct nook_plan_cgroup_dir *dirs, size_t n, struct nook_error *err);

/* The same for cgroups of which it is not known whether they were made at all: one in which
 * processes live after 2 s is another's, and stays. */
int nook_cgroup_remove_intended(const struct nook_plan_cgroup_dir *dirs, size_t n,
				struct nook_error *err);

/* O_PATH descriptor of a v2 cgroup that exists, for exec; NO_FD when @dirs has none on v2. */
int nook_cgroup_open(const struct nook_plan_cgroup_dir *dirs, size_t n, int *ret_into,
		     struct nook_error *err);

struct nook_arena;
struct nook_record;

/**
 * nook_cgroup_of_exec() - the cgroups that a further program of an engine's container enters
 * @sub: --cgroup, below the container's: "sub/deeper", or for one v1 hierarchy "cpu,memory:sub";
 * NULL: the container's
 *
 * On v2 a cgroup whose children have controllers takes no process: then it is the one that the
 * container's first process lives in. @ret lives in @a.
 */
int nook_cgroup_of_exec(struct nook_arena *a, const struct nook_record *record, const char *sub,
			struct nook_plan_cgroup_dir **ret, size_t *ret_n, struct nook_error *err);

/* For who was killed while frozen: v1 lets it die only once it is thawed. */
void nook_cgroup_thaw_v1(const struct nook_plan_cgroup_dir *dirs, size_t n);

/* Sends @signal to every process of @dirs and below. Return: how many there were, or a negative
 * errno. */
int nook_cgroup_signal(const struct nook_plan_cgroup_dir *dirs, size_t n, int signal,
		       struct nook_error *err);

/* Rows of --plan for nook_cgroup_make(). */
void nook_cgroup_show(const struct nook_plan_cgroup *plan, struct nook_rows *rows);

/* Are the rules for devices attached after nook_cgroup_make(), by a step of their own? As long as
 * nothing of the container's runs they hold nobody. */
bool nook_cgroup_devices_later(const struct nook_plan_cgroup *plan);
/* To the v2 cgroup @fd, in place of those that are there. */
int nook_cgroup_attach_devices(const struct nook_plan_cgroup *plan, int fd, struct nook_error *err);
void nook_cgroup_devices_show(const struct nook_plan_cgroup *plan, struct nook_rows *rows);

#endif
