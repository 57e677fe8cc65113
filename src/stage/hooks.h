/* SPDX-License-Identifier: Apache-2.0 */
/* Programs of the bundle's that are started at points of a container's life: config.md,
 * "POSIX-platform Hooks". Here because the stage runs some; the outside runs the others by the same
 * function. */
#ifndef NOOK_STAGE_HOOKS_H
#define NOOK_STAGE_HOOKS_H

#include "nook/error.h"
#include "nook/plan.h"

#include <signal.h>

/**
 * nook_hooks_run() - one kind's hooks, one after the other
 * @state: the whole JSON text that each reads from its stdin
 * @dir:   its working directory; NULL: where we are
 * @mask:  the signal mask that they get
 *
 * No shell: exactly @path with @args; only its own @env; stdin a pipe or sealed memory with @state,
 * stdout and stderr ours, no other descriptor. Waited for by pidfd within its timeout, then killed
 * with what it started. A hook that doesn't read its stdin is no error. No allocation. Return: 0;
 * -EIO when one ended otherwise than with 0 (@err says how, with the hook's place and path),
 * -ETIMEDOUT, or why it could not be started.
 */
int nook_hooks_run(const struct nook_plan_hook *hooks, size_t n, const char *state, const char *dir,
		   const sigset_t *mask, struct nook_error *err);

/* Composes the state for a hook: plan->hooks->state, which ends in a comma, then
 * `"pid":N,"status":"S"}`.
 * @pid: as the reader of it sees the container's first process; 0: no "pid". Return: its length;
 * -E2BIG. */
int nook_hooks_state(char *out, size_t size, const char *state, int pid, const char *status);

#endif
