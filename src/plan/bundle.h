/* SPDX-License-Identifier: Apache-2.0 */
/* From a bundle to the same plan that `nook run` carries out. Nothing that isn't said in the bundle
 * is added but what runc adds: engines were written against it. */
#ifndef NOOK_PLAN_BUNDLE_H
#define NOOK_PLAN_BUNDLE_H

#include "base/arena.h"
#include "host/host.h"
#include "nook/error.h"
#include "nook/plan.h"
#include "spec/bundle.h"

/* What the runtime's command line says about a container. */
struct nook_bundle_options {
	const char *id;
	const char *state_dir; /* --root */
	bool systemd_cgroup;
	bool no_cgroups; /* crun's --cgroup-manager=disabled */
	bool no_pivot, no_new_keyring;
	unsigned preserve_fds;
	bool start_later;          /* create, not run */
	const char *notify_socket; /* the engine's NOTIFY_SOCKET; NULL: none */
};

struct nook_bundle_planner {
	struct nook_arena *arena;
	const struct nook_bundle *bundle;
	const struct nook_bundle_options *options;
	const struct nook_host *host;
	struct nook_plan *plan;
	struct nook_error *err;
	size_t n_warnings;
};

/**
 * nook_plan_bundle() - decide
 * @a: for the plan, which borrows from @b, @o and @host
 *
 * Pure: no system call, no file. Return: 0; -EINVAL and others with @err->where the place in
 * config.json.
 */
int nook_plan_bundle(struct nook_arena *a, const struct nook_bundle *b,
		     const struct nook_bundle_options *o, const struct nook_host *host,
		     struct nook_plan *plan, struct nook_error *err);

/* The parts of it, each in a file of its own, in the order in which they need each other. */
#define NOOK_PLAN_BUNDLE_PARTS 5
extern int (*const nook_plan_bundle_parts[NOOK_PLAN_BUNDLE_PARTS])(struct nook_bundle_planner *p);

/**
 * nook_plan_bundle_program() - a process object, for exec too
 * @p: its bundle is NULL for exec, where the namespaces are there
 */
int nook_plan_bundle_program(struct nook_bundle_planner *p,
			     const struct nook_bundle_process *process);

/* Can its new network namespace be made beside the others, by who has CAP_SYS_ADMIN and
 * CAP_NET_ADMIN? See plan->net_beside. */
bool nook_bundle_net_beside(const struct nook_bundle *b);

/* A note for the log of what is left out. */
void nook_plan_bundle_warn(struct nook_bundle_planner *p, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* The limits alone, for `update`: what @r asks becomes writes into @cgroup->dirs, the container's.
 */
int nook_plan_bundle_limits(struct nook_arena *a, const struct nook_bundle_resources *r,
			    const struct nook_host *host, struct nook_plan_cgroup *cgroup,
			    struct nook_error *err);

#endif
