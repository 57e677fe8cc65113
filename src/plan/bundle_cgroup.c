/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which cgroups an engine's container gets, and what is written there.
 *
 * A path that was said is the container's in every hierarchy that is mounted: engines find the
 * container's figures by /proc/PID/cgroup. One that was not said is nobody's business: then it is
 * the v2 one, and of v1 those that hold what was asked, since to enter a cgroup of v1 may cost a
 * grace period.
 */
#include "bundle_parts.h"

#include "base/own.h"
#include "base/text.h"
#include "bundle_limits.h"
#include "bundle_systemd.h"

#include <linux/capability.h>
#include <stdint.h>
#include <string.h>

/* What engines look at, where it can be had: their figures of a container come from these. */
static const char *const wanted[] = { "cpuset", "cpu", "io", "memory", "pids" };

/* The container's cgroup in a hierarchy; NULL: it can have none there. */
static const char *path_in(const struct nook_bundle_planner *p, const struct nook_hierarchy *h)
{
	const char *said = p->bundle->cgroups_path;
	bool any = said && said[0];
	const char *above;

	if (any && said[0] == '/')
		return nook_bundle_clean_path(p->arena, said);

	above = h->place;
	if (!above || (!any && !h->delegated))
		return NULL;
	return nook_printf(p->arena, "%s%s", strcmp(above, "/") ? above : "",
			   any ? nook_bundle_clean_path(p->arena, said)
			       : nook_printf(p->arena, "/%s", p->options->id));
}

static int check_path(struct nook_bundle_planner *p)
{
	const char *said = p->bundle->cgroups_path;
	bool any = false;

	if (!said || !said[0])
		return 0;
	if (!strcmp(nook_bundle_clean_path(p->arena, said), "/"))
		return nook_bundle_refuse(p, "/linux/cgroupsPath", EINVAL,
					  "\"%s\" is the root of the cgroups, which is everybody's",
					  said);
	for (size_t i = 0; i < p->host->n_hierarchies; i++)
		any |= p->host->hierarchies[i].mount != NULL;
	if (!any)
		return nook_bundle_refuse(p, "/linux/cgroupsPath", EOPNOTSUPP,
					  "no cgroup file system is mounted here");
	return 0;
}

static void add_dirs(struct nook_bundle_planner *p, const char *path)
{
	struct nook_plan_cgroup *cg = &p->plan->cgroup;

	for (size_t i = 0; i < p->host->n_hierarchies; i++) {
		const struct nook_hierarchy *h = &p->host->hierarchies[i];
		const char *here = !h->mount ? NULL : path ? path : path_in(p, h);

		/* A user's manager has nothing to say on v1. */
		if (path && !h->v2 && !(p->host->initial_userns && p->host->euid == 0))
			continue;
		if (!here)
			continue;

		struct nook_plan_cgroup_dir *dir = nook_append(p->arena, cg->dirs, cg->n_dirs);

		dir->mount = h->mount;
		dir->path = here;
		dir->v2 = h->v2;
		dir->by_path = true;
		dir->cpuset = !h->v2 && nook_controllers_have(h->controllers, "cpuset");
	}
	cg->by_path = cg->n_dirs > 0;
}

static const struct nook_hierarchy *device_hierarchy(const struct nook_bundle_planner *p,
						     const struct nook_plan_cgroup_dir *dir)
{
	const struct nook_hierarchy *h = nook_hierarchy_at(p->host, dir->mount);

	if (dir->v2)
		return h->device_bpf ? h : NULL;
	/* The kernel lets nobody in a user namespace change these. */
	return p->host->initial_userns && nook_controllers_have(h->controllers, "devices") ? h
											   : NULL;
}

static int no_devices(struct nook_bundle_planner *p)
{
	if (p->host->initial_userns && nook_bundle_may(p, CAP_SYS_ADMIN) &&
	    p->host->cgroup.layout != NOOK_CGROUP_NONE) {
		nook_hint(p->err, "the kernel needs CONFIG_CGROUP_BPF, or the v1 hierarchy "
				  "\"devices\" mounted");
		return nook_bundle_refuse(p, "/linux/resources/devices", EOPNOTSUPP,
					  "nothing here can hold rules for devices");
	}
	/* Nobody without rights over the machine can make a node, nor is given one that matters. */
	if (p->bundle->resources.n_devices)
		nook_plan_bundle_warn(p, "rules for devices are left out: they take root's rights "
					 "over the machine");
	return 0;
}

/* By a program on v2 where that works, in hybrid layouts too: it is exact, and saves an entry. */
static int add_devices(struct nook_bundle_planner *p, struct nook_limiter *l)
{
	struct nook_plan_cgroup *cg = &p->plan->cgroup;
	size_t n;
	const struct nook_bundle_device_rule *rules =
		nook_device_rules(p->arena, &p->bundle->resources, &n);

	for (unsigned i = 0; i < cg->n_dirs; i++) {
		if (!device_hierarchy(p, &cg->dirs[i]))
			continue;
		if (!cg->dirs[i].v2)
			return nook_limit_devices_v1(l, i, rules, n);
		if (!nook_device_rules_allow_all(rules, n))
			cg->device_program =
				nook_device_program(p->arena, rules, n, &cg->n_device_program);
		return 0;
	}
	return nook_device_rules_allow_all(rules, n) ? 0 : no_devices(p);
}

/* Of v1 only what holds a limit. */
static void drop_unused(struct nook_plan_cgroup *cg)
{
	size_t kept = 0;

	for (unsigned i = 0; i < cg->n_dirs; i++) {
		bool used = cg->dirs[i].v2;

		for (size_t k = 0; k < cg->n_writes; k++)
			used |= cg->writes[k].dir == i;
		if (!used)
			continue;
		for (size_t k = 0; k < cg->n_writes; k++)
			if (cg->writes[k].dir == i)
				cg->writes[k].dir = (unsigned)kept;
		cg->dirs[kept++] = cg->dirs[i];
	}
	cg->n_dirs = kept;
}

static void want_controllers(struct nook_bundle_planner *p, struct nook_plan_cgroup_dir *dir)
{
	const struct nook_hierarchy *h = nook_hierarchy_at(p->host, dir->mount);

	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		if (!nook_controllers_have(h->controllers, wanted[i]))
			continue;
		if (!dir->controllers)
			dir->controllers = wanted[i];
		else if (!nook_controllers_have(dir->controllers, wanted[i]))
			dir->controllers =
				nook_printf(p->arena, "%s %s", dir->controllers, wanted[i]);
	}
}

int nook_plan_bundle_cgroup(struct nook_bundle_planner *p)
{
	struct nook_plan_cgroup *cg = &p->plan->cgroup;
	struct nook_limiter l = {
		.arena = p->arena,
		.r = &p->bundle->resources,
		.host = p->host,
		.cg = cg,
		.err = p->err,
	};
	bool said = p->bundle->cgroups_path && p->bundle->cgroups_path[0];
	const char *path = NULL;
	int r = 0;

	if (p->options->no_cgroups)
		return 0;
	r = p->options->systemd_cgroup ? nook_bundle_systemd(p, &path) : check_path(p);
	if (r < 0)
		return r;

	add_dirs(p, path);
	r = nook_plan_bundle_limits(p->arena, l.r, p->host, cg, p->err);
	if (r < 0)
		return r;
	cg->optional = !said && !path && cg->n_writes == 0 && !p->host->initial_userns;
	r = add_devices(p, &l);
	if (r < 0)
		return r;

	if (!said && !path && p->host->cgroup.layout == NOOK_CGROUP_HYBRID && cg->n_dirs &&
	    cg->dirs[0].v2)
		drop_unused(cg);
	else if (cg->n_dirs && cg->dirs[0].v2)
		want_controllers(p, &cg->dirs[0]);
	cg->by_path = cg->n_dirs > 0;
	return cg->unit ? nook_bundle_systemd_properties(p) : 0;
}
