/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of a plan, each decided in a file of its own. All read spec and host, write only their
 * members of plan. */
#ifndef NOOK_PLAN_PARTS_H
#define NOOK_PLAN_PARTS_H

#include "base/arena.h"
#include "host/host.h"
#include "nook/error.h"
#include "nook/plan.h"
#include "nook/spec.h"

struct nook_planner {
	struct nook_arena *arena;
	const struct nook_spec *spec;
	const struct nook_host *host;
	struct nook_plan *plan;
	struct nook_error *err;

	/* Noted by nook_plan_idmap() for the parts after it; 0 lines: no new user namespace. */
	const struct nook_idmap *gid_map;
	size_t n_gid_map;
};

/* Mounts can be mapped into the container's ids, and are: root's rights over the machine's file
 * systems are needed. */
bool nook_plan_idmaps_mounts(const struct nook_planner *p);
/* The program gets a pty: as was said, else when we have a terminal. */
bool nook_plan_wants_terminal(const struct nook_planner *p);
bool nook_plan_is_new(const struct nook_planner *p, enum nook_ns_kind kind);

int nook_plan_namespaces(
	struct nook_planner *p);             /* clone_flags, joins, late_time, hostname, loopback */
int nook_plan_links(struct nook_planner *p); /* links, ports */
void nook_plan_ping(struct nook_planner *p); /* sysctls; after idmap */
int nook_plan_idmap(struct nook_planner *p); /* userns */
int nook_plan_root(struct nook_planner *p);  /* sources of layers, overlays, shades */
int nook_plan_pasta(struct nook_planner *p); /* pasta, resolv */
int nook_plan_names(struct nook_planner *p); /* resolv, /etc/hosts: of nook_plan_mounts() */
int nook_plan_mounts(struct nook_planner *p);  /* /proc, /sys, /dev, volumes, masks */
int nook_plan_process(struct nook_planner *p); /* argv, env, cwd, ids, rlimits, init, terminal */
int nook_plan_caps(struct nook_planner *p);    /* process.caps */
int nook_plan_cgroup(struct nook_planner *p);  /* cgroup */
int nook_plan_seccomp(struct nook_planner *p); /* process.seccomp */

/* Sorted by kind as they are, puts the user namespace where it belongs. @privileged: we have
 * CAP_SYS_ADMIN now. */
void nook_plan_order_joins(struct nook_plan_join *joins, size_t n, bool privileged);

/* Number of the source that was added. */
unsigned nook_plan_add_source(struct nook_planner *p, struct nook_plan_source source);

/* Where pasta answers for a name server on the host's loopback: an address of no network. */
#define NOOK_PLAN_DNS_INSIDE "169.254.1.1"
#define NOOK_PLAN_PASTA_DNS  "nameserver " NOOK_PLAN_DNS_INSIDE "\n"

#endif
