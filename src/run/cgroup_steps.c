/* SPDX-License-Identifier: Apache-2.0 */
/* The steps by which a container gets its cgroups, or an exec enters them. */
#include "create.h"

#include "base/own.h"
#include "cgroup.h"
#include "sys/process.h"

int make_cgroup(void *ctx, struct nook_error *err)
{
	struct nook_create *c = ctx;

	return nook_cgroup_make(&c->plan->cgroup, &c->cgroup, &c->cgroups_made, err);
}

int limit_devices(void *ctx, struct nook_error *err)
{
	struct nook_create *c = ctx;

	return nook_cgroup_attach_devices(&c->plan->cgroup, c->cgroup, err);
}

void limit_devices_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	nook_cgroup_devices_show(&plan->cgroup, rows);
}

/* Those of v1 that were made for a unit that did not come. */
static int remove_beside_unit(struct nook_create *c, struct nook_error *err)
{
	const struct nook_plan_cgroup *cg = &c->plan->cgroup;
	size_t first = cg->n_dirs == 1 && cg->dirs[0].v2;
	int rc = c->cgroups_made > first
			 ? nook_cgroup_remove(cg->dirs + first, c->cgroups_made - first, err)
			 : 0;

	if (rc == 0)
		c->cgroups_made = 0;
	return rc;
}

int remove_cgroup(void *ctx, struct nook_error *err)
{
	struct nook_create *c = ctx;
	const struct nook_plan_cgroup *cg = &c->plan->cgroup;

	if (!c->cgroups_made)
		return 0;
	close_fd(&c->cgroup);
	/* systemd's own has never begun. */
	if (cg->unit)
		return remove_beside_unit(c, err);

	/* With a pid namespace shared, what the program has left running is still in there. */
	int rc = c->plan->clone_flags & CLONE_NEWPID
			 ? 0
			 : nook_cgroup_kill(cg->dirs, c->cgroups_made, err);

	if (rc == 0)
		rc = nook_cgroup_remove(cg->dirs, c->cgroups_made, err);
	if (rc == 0)
		c->cgroups_made = 0;
	return rc;
}

void make_cgroup_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	nook_cgroup_show(&plan->cgroup, rows);
}

int enter_cgroups(void *ctx, struct nook_error *err)
{
	struct nook_create *c = ctx;

	return nook_cgroup_enter_v1(c->plan->cgroup.dirs, c->cgroups_made, c->pid, err);
}

void enter_cgroups_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	for (size_t i = 0; i < plan->cgroup.n_dirs; i++) {
		if (!plan->cgroup.dirs[i].v2)
			nook_show(rows, "into its cgroup", "write(\"%s%s/cgroup.procs\", PID)",
				  plan->cgroup.dirs[i].mount, plan->cgroup.dirs[i].path);
	}
}

int open_cgroup(void *ctx, struct nook_error *err)
{
	struct nook_create *c = ctx;

	c->cgroups_made = 0; /* they are the container's: nothing to undo here */
	return nook_cgroup_open(c->plan->cgroup.dirs, c->plan->cgroup.n_dirs, &c->cgroup, err);
}

void open_cgroup_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	nook_show(rows, "the container's cgroup", "openat2(\"%s%s\")", plan->cgroup.dirs[0].mount,
		  plan->cgroup.dirs[0].path);
}

int enter_its_cgroups(void *ctx, struct nook_error *err)
{
	struct nook_create *c = ctx;

	return nook_cgroup_enter_v1(c->plan->cgroup.dirs, c->plan->cgroup.n_dirs, c->pid, err);
}

void enter_its_cgroups_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	enter_cgroups_show(plan, rows);
}
