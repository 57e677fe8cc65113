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

/* The parts, each in a file of its own: cgroup comes before mounts, the rest in this order. */
int nook_plan_bundle_namespaces(
	struct nook_bundle_planner *p); /* clone_flags, joins, userns, hostname… */
int nook_plan_bundle_root(struct nook_bundle_planner *p);   /* root source, propagation */
int nook_plan_bundle_mounts(struct nook_bundle_planner *p); /* mounts, devices, masks, links */
int nook_plan_bundle_process(struct nook_bundle_planner *p); /* process, sysctls, hooks, netdevs… */
int nook_plan_bundle_cgroup(struct nook_bundle_planner *p); /* cgroup: paths, limits, devices */

/**
 * nook_plan_bundle_program() - a process object, for exec too
 * @b: of `create`; NULL for exec, where the namespaces are there
 */
int nook_plan_bundle_program(struct nook_bundle_planner *p,
			     const struct nook_bundle_process *process);

/* A note for the log of what is left out. */
void nook_plan_bundle_warn(struct nook_bundle_planner *p, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* The cgroup part alone, for `update`: what to write for @r into the container's cgroups @dirs. */
int nook_plan_bundle_limits(struct nook_arena *a, const struct nook_bundle_resources *r,
			    const struct nook_host *host, struct nook_plan_cgroup *cgroup,
			    struct nook_error *err);

#endif
