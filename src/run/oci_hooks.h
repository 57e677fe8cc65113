/* SPDX-License-Identifier: Apache-2.0 */
/* Hooks that run in the runtime's namespaces. */
#ifndef NOOK_RUN_OCI_HOOKS_H
#define NOOK_RUN_OCI_HOOKS_H

#include "nook/error.h"
#include "nook/plan.h"
#include "run/oci.h"

/**
 * nook_oci_hooks() - one kind's hooks, up to the first that fails
 * @state_prefix: of a record: record.hook_state
 * @pid:          the container's pid 1, as we see it; 0: it is gone
 * @status:       "running" for poststart
 * @bundle:       absolute; their working directory
 *
 * They find no signal blocked, whatever is so for us; SIGHUP, SIGINT, SIGQUIT and SIGTERM end the
 * wait. Return: as nook_hooks_run(); 0 for no hooks.
 *
 * For poststart: since runtime-spec 1.2.1 (runtime.md, "Lifecycle" 9) a failure is an error that
 * stops the container, as runc always did; 1.0.2 to 1.2 asked for a warning.
 */
int nook_oci_hooks(const struct nook_plan_hook *hooks, size_t n, const char *state_prefix, int pid,
		   const char *status, const char *bundle, struct nook_error *err);

/* All of them, whatever one does: poststop. A failure is a warning. A bundle that is gone (Buildah
 * deletes it) is no reason to leave one out: then they run in "/". */
void nook_oci_hooks_all(const struct nook_plan_hook *hooks, size_t n, const char *state_prefix,
			int pid, const char *status, const char *bundle, nook_oci_warn *warn,
			void *warn_data);

#endif
