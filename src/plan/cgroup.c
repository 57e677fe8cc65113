/* SPDX-License-Identifier: Apache-2.0 */
/* Which cgroups to make and what to write there: the limits on the hierarchies that this host has,
 * and the v2 directory even without one, since to be born in it costs nothing, and it can be
 * killed whole. */
#include "base/own.h"
#include "host/cgroup.h"
#include "limits.h"

#include <string.h>

/*
 * A directory with a dot in its name could meet a file of the kernel ("memory.max"); without a dot
 * v1 has three files. Such names get a '_' in front, and so do those that have one already, so that
 * two containers never share a cgroup.
 */
static const char *leaf_name(const struct nook_planner *p)
{
	static const char *const kernels[] = { "tasks", "notify_on_release", "release_agent" };
	const char *name = p->plan->name;
	bool escape = name[0] == '_' || strchr(name, '.');

	for (size_t i = 0; i < ARRAY_SIZE(kernels); i++)
		escape |= !strcmp(name, kernels[i]);
	return escape ? nook_printf(p->arena, "_%s", name) : name;
}

static const char *below(const struct nook_planner *p, const char *place, const char *rest)
{
	return nook_printf(p->arena, "%s/%s", strcmp(place, "/") ? place : "", rest);
}

static unsigned add_dir(struct nook_planner *p, const struct nook_cgroup_mount *m, bool v2)
{
	struct nook_plan_cgroup *cg = &p->plan->cgroup;

	/* Controllers of one hierarchy ("cpu,cpuacct") share the directory. */
	for (size_t i = 0; i < cg->n_dirs; i++)
		if (!strcmp(cg->dirs[i].mount, m->mount))
			return (unsigned)i;

	struct nook_plan_cgroup_dir *dir = nook_append(p->arena, cg->dirs, cg->n_dirs);

	dir->mount = m->mount;
	dir->path = below(p, m->place, nook_printf(p->arena, "nook/%s", leaf_name(p)));
	dir->v2 = v2;
	return (unsigned)(cg->n_dirs - 1);
}

static void blame(struct nook_planner *p, const struct nook_limit *limit)
{
	if (limit->from)
		nook_where(p->err, "%s", limit->from);
}

static int refuse_undelegated(struct nook_planner *p, const struct nook_limit *limit,
			      const struct nook_cgroup_mount *m, bool v2)
{
	blame(p, limit);
	nook_cause(p->err, "no-delegated-cgroup", "%s", m->why_not ? m->why_not : "");
	if (v2)
		nook_hint(p->err,
			  "start it in a cgroup of its own: systemd-run %s--scope "
			  "-p Delegate=yes nook run …",
			  p->host->euid ? "--user " : "");
	else
		nook_hint(p->err, "on cgroup v1 run it as root, or boot with "
				  "systemd.unified_cgroup_hierarchy=1");
	return nook_refuse(p->err, EACCES,
			   "no cgroup was delegated to us where %s could be limited",
			   nook_controller_name(limit->controller));
}

static int refuse_unavailable(struct nook_planner *p, const struct nook_limit *limit)
{
	const char *name = nook_controller_name(limit->controller);

	blame(p, limit);
	nook_cause(p->err, "controller-unavailable",
		   "no mounted cgroup hierarchy has the controller %s: the kernel lacks it, it was "
		   "turned off by cgroup_disable=, or it isn't mounted",
		   name);
	nook_hint(p->err, "see /proc/cgroups, and `nook check`");
	return nook_refuse(p->err, EOPNOTSUPP,
			   "this machine has no %s controller to hold the limit", name);
}

static void add_write(struct nook_planner *p, unsigned dir, const struct nook_limit *limit)
{
	struct nook_plan_cgroup *cg = &p->plan->cgroup;
	bool v2 = cg->dirs[dir].v2;

	if (!(v2 ? limit->v2_file : limit->v1_file))
		return;

	struct nook_plan_cgroup_write *w = nook_append(p->arena, cg->writes, cg->n_writes);

	w->dir = dir;
	w->file = v2 ? limit->v2_file : limit->v1_file;
	w->value = v2 ? limit->v2_value : limit->v1_value;
	w->optional = limit->optional;
	w->from = limit->from;
}

static int place_limit(struct nook_planner *p, const struct nook_limit *limit)
{
	const struct nook_host_cgroup *host = &p->host->cgroup;
	uint32_t bit = 1u << limit->controller;
	bool v2 = host->v2_present & bit;
	const struct nook_cgroup_mount *m = v2 ? &host->v2 : &host->v1[limit->controller];

	if (!m->mount)
		return refuse_unavailable(p, limit);
	if (!m->delegated || (v2 && !(host->v2_controllers & bit)))
		return refuse_undelegated(p, limit, m, v2);

	unsigned dir = add_dir(p, m, v2);

	if (v2)
		p->plan->cgroup.dirs[dir].enable |= bit;
	add_write(p, dir, limit);
	return 0;
}

int nook_plan_cgroup(struct nook_planner *p)
{
	const struct nook_host_cgroup *host = &p->host->cgroup;
	struct nook_plan_cgroup *cg = &p->plan->cgroup;
	struct nook_limit limits[NOOK_LIMIT_ROWS];
	size_t n;
	int r = nook_plan_limits(p, limits, &n);

	if (r < 0)
		return r;

	cg->optional = n == 0;
	if (host->v2.delegated)
		(void)add_dir(p, &host->v2, true);
	for (size_t i = 0; i < n; i++) {
		r = place_limit(p, &limits[i]);
		if (r < 0)
			return r;
	}

	if (cg->n_dirs && cg->dirs[0].enable && host->v2_alone)
		cg->supervisor = below(p, host->v2.place, NOOK_CGROUP_SUPERVISOR);
	return 0;
}
