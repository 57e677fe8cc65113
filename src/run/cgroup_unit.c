/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A container whose cgroup is a unit of systemd. A scope is born with its first process, so it is
 * asked for when the stage is there, which waits: before it looks at its cgroup, or makes a
 * namespace of it. What systemd made is then filled as any other.
 */
#include "base/own.h"
#include "base/text.h"
#include "cgroup.h"
#include "cgroup_parts.h"
#include "create.h"
#include "host/read.h"
#include "systemd.h"

#include <errno.h>
#include <string.h>

/* Where systemd has put it: for a user's manager only it knows what is above. */
static const char *unit_path(struct nook_arena *a, int pid, const char *unit)
{
	char file[32];
	char *text;

	(void)nook_format(file, sizeof(file), "/proc/%d/cgroup", pid);
	if (nook_read_proc(a, file, (size_t)64 << 10, &text) < 0)
		return NULL;
	for (char *line; (line = nook_next_line(&text));) {
		const char *path = nook_after(line, "0::");
		const char *name = path ? strrchr(path, '/') : NULL;

		if (name && strcmp(name + 1, unit) == 0)
			return path;
	}
	return NULL;
}

static int fill(struct nook_create *c, struct nook_error *err)
{
	const struct nook_plan_cgroup *cg = &c->plan->cgroup;
	struct nook_plan_cgroup_dir *dirs =
		nook_alloc_array(c->stage.arena, cg->n_dirs, sizeof(*dirs));
	struct nook_plan_cgroup placed = *cg;

	if (!cg->n_dirs)
		return 0;
	memcpy(dirs, cg->dirs, cg->n_dirs * sizeof(*dirs));
	placed.dirs = dirs;
	c->record.cgroups = dirs;
	c->record.n_cgroups = c->cgroups_made = cg->n_dirs;
	if (!dirs[0].v2)
		return 0; /* those of v1 were filled before systemd had a look at them */

	dirs[0].path = unit_path(c->stage.arena, c->pid, cg->unit);
	if (!dirs[0].path) {
		dirs[0].path = cg->dirs[0].path;
		return nook_refuse(err, ESRCH, "systemd did not put process %d into %s", c->pid,
				   cg->unit);
	}

	auto_close int fd = nook_cgroup_open_dir(&dirs[0]);

	if (fd < 0)
		return nook_fail(err, -fd, "open %s%s", dirs[0].mount, dirs[0].path);

	int rc = nook_cgroup_write_patiently(&placed, 0, fd, NULL, err);

	return rc < 0 ? rc : nook_cgroup_attach_devices(&placed, fd, err);
}

int stop_unit(void *ctx, struct nook_error *err)
{
	struct nook_create *c = ctx;
	int rc;

	if (!c->unit_started)
		return 0;
	rc = nook_cgroup_kill(c->record.cgroups, c->cgroups_made, err);
	if (rc == 0)
		rc = nook_systemd_stop(c->plan->cgroup.unit, c->plan->name, err);
	if (rc == 0)
		rc = nook_cgroup_remove(c->record.cgroups, c->cgroups_made, err);
	if (rc == 0) {
		c->unit_started = false;
		c->cgroups_made = 0;
	}
	return rc;
}

int start_unit(void *ctx, struct nook_error *err)
{
	struct nook_create *c = ctx;
	int rc = nook_systemd_start(&c->plan->cgroup, c->plan->name, c->pid, err);

	if (rc < 0) {
		/* It may come yet; one that is another's is left alone. */
		(void)nook_systemd_stop(c->plan->cgroup.unit, c->plan->name, NULL);
		return rc;
	}
	c->unit_started = true;
	rc = fill(c, err);
	if (rc < 0)
		(void)stop_unit(c, NULL); /* the first failure is told */
	return rc;
}

void start_unit_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	nook_show(rows, "its cgroup is a unit of systemd",
		  "StartTransientUnit(\"%s\", Slice=%s, PIDs=PID)", plan->cgroup.unit,
		  plan->cgroup.slice);
	for (size_t i = 0; i < plan->cgroup.n_properties; i++) {
		const struct nook_plan_property *p = &plan->cgroup.properties[i];

		if (p->text)
			nook_show(rows, "", "%s=%s", p->name, p->text);
		else
			nook_show(rows, "", "%s=%llu", p->name, (unsigned long long)p->number);
	}
}
