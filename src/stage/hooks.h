/* SPDX-License-Identifier: Apache-2.0 */
/* Programs of the bundle's that are started at points of a container's life: config.md,
 * "POSIX-platform Hooks". Here because the stage runs some; the outside runs the others by the same
 * function. */
#ifndef NOOK_STAGE_HOOKS_H
#define NOOK_STAGE_HOOKS_H

#include "nook/error.h"
#include "nook/plan.h"

#include <signal.h>

/* What the hooks of one point have in common. */
struct nook_hooks_about {
	const char *state;  /* plan->hooks->state: what they read, up to pid and status */
	int pid;            /* of the container's first process, as a hook sees it; 0: none */
	const char *status; /* "creating", "created", "running", "stopped" */
	const char *dir;    /* their working directory; NULL: ours */
	sigset_t mask;      /* the signals that they find blocked */
	int interrupt;      /* signalfd of what ends us while we wait; NO_FD: nothing does */
};

/**
 * nook_hooks_run() - one kind's hooks, one after the other, up to the first that fails
 *
 * No shell: exactly @path with @args; only its own @env; stdin a pipe or sealed memory with the
 * state; stdout and stderr ours, no other descriptor; a session of its own, default dispositions.
 * Waited for by pidfd within its timeout, then killed with its process group; it ends with us. A
 * hook that doesn't read its stdin is no error, and one that leaves something running behind is not
 * waited for longer. No allocation; the umask is the caller's.
 *
 * Return: 0; -EIO when one ended otherwise than with 0 (@err says how, with the hook's place and
 * path), -ETIMEDOUT, -EINTR for @interrupt, or why it could not be started.
 */
int nook_hooks_run(const struct nook_plan_hook *hooks, size_t n,
		   const struct nook_hooks_about *about, struct nook_error *err);

/* Composes the whole state: @state, which ends in a comma, then `"pid":N,"status":"S"}`. @pid 0: no
 * "pid". Return: its length; -E2BIG: past @size. */
int nook_hooks_state(char *out, size_t size, const char *state, int pid, const char *status);

/* A row of --plan for each. */
struct nook_rows;
void nook_hooks_show(const struct nook_plan *plan, enum nook_hook_kind kind, const char *what,
		     struct nook_rows *rows);

#endif
