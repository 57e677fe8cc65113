/* SPDX-License-Identifier: Apache-2.0 */
/* Hooks that run in the runtime's namespaces. */
#ifndef NOOK_RUN_OCI_HOOKS_H
#define NOOK_RUN_OCI_HOOKS_H

#include "nook/error.h"
#include "nook/plan.h"
#include "oci.h"

/**
 * nook_oci_hooks() - one kind's hooks, up to the first that fails
 * @hooks:  of a plan, or nook_oci_hooks_of() a record; NULL: none
 * @pid:    the container's pid 1, as we see it
 * @status: "creating", or "running" for poststart
 * @bundle: absolute; their working directory
 *
 * They find no signal blocked, whatever is so for us; SIGHUP, SIGINT, SIGQUIT and SIGTERM end the
 * wait. Return: as nook_hooks_run(); 0 for no hooks.
 *
 * For poststart: since runtime-spec 1.2.1 (runtime.md, "Lifecycle" 9) a failure is an error that
 * stops the container, as runc always did; 1.0.2 to 1.2 asked for a warning.
 */
int nook_oci_hooks(const struct nook_plan_hooks *hooks, enum nook_hook_kind kind, int pid,
		   const char *status, const char *bundle, struct nook_error *err);

/* The poststop hooks, all of them, whatever one does. A failure is a warning. A bundle that is gone
 * (Buildah deletes it) is no reason to leave one out: then they run in "/". */
void nook_oci_poststop(const struct nook_plan_hooks *hooks, const char *bundle,
		       const struct nook_oci_log *log);

/* A record's, read again. None: all zero. */
int nook_oci_hooks_of(struct nook_arena *a, const struct nook_record *r,
		      struct nook_plan_hooks *ret, struct nook_error *err);

#endif
