/* SPDX-License-Identifier: Apache-2.0 */
#include "cgroup.h"

#include "host/cgroup.h"

#include <string.h>

/* PLACE of PLACE/nook/NAME. */
static const char *place_of(const struct nook_plan_cgroup_dir *dir, const char *below,
			    struct nook_rows *rows)
{
	const char *end = strrchr(dir->path, '/');
	const char *nook = memrchr(dir->path, '/', (size_t)(end - dir->path));

	return nook_printf(rows->arena, "%s%.*s%s", dir->mount, (int)(nook - dir->path), dir->path,
			   below);
}

static void show_enable(const struct nook_plan_cgroup_dir *dir, struct nook_rows *rows)
{
	const char *words = "";

	for (unsigned c = 0; c < NOOK_CTL_COUNT; c++) {
		if (dir->enable & 1u << c)
			words = nook_printf(rows->arena, "%s%s+%s", words, *words ? " " : "",
					    nook_controller_name(c));
	}
	if (!*words)
		return;
	nook_show(rows, "controllers for what is below", "write(\"%s\", \"%s\")",
		  place_of(dir, "/cgroup.subtree_control", rows), words);
	nook_show(rows, "and one further down", "write(\"%s\", \"%s\")",
		  place_of(dir, "/nook/cgroup.subtree_control", rows), words);
}

void nook_cgroup_show(const struct nook_plan_cgroup *plan, struct nook_rows *rows)
{
	if (plan->supervisor)
		nook_show(rows, "nook steps aside, so that controllers can be enabled",
			  "mkdir(\"%s%s\"), write(cgroup.procs)", plan->dirs[0].mount,
			  plan->supervisor);
	for (size_t i = 0; i < plan->n_dirs; i++) {
		const struct nook_plan_cgroup_dir *dir = &plan->dirs[i];

		show_enable(dir, rows);
		if (dir->controllers)
			nook_show(rows, "on the way, where they can be had",
				  "write(cgroup.subtree_control, \"%s\")", dir->controllers);
		nook_show(rows, plan->optional ? "its cgroup, if we may" : "its cgroup",
			  "mkdir(\"%s%s\")", dir->mount, dir->path);
		for (size_t k = 0; k < plan->n_writes; k++) {
			const struct nook_plan_cgroup_write *w = &plan->writes[k];

			if (w->dir == i)
				nook_show(
					rows,
					w->from ? nook_printf(rows->arena, "for %s%s", w->from,
							      w->optional ? ", if it is there" : "")
						: "a limit",
					"write(\"%s%s/%s\", \"%s\")", dir->mount, dir->path,
					w->file, w->value);
		}
	}
	if (!nook_cgroup_devices_later(plan))
		nook_cgroup_devices_show(plan, rows);
}

void nook_cgroup_devices_show(const struct nook_plan_cgroup *plan, struct nook_rows *rows)
{
	if (plan->device_program)
		nook_show(rows, "which devices may be used",
			  "bpf(PROG_LOAD, %zu instructions), bpf(PROG_ATTACH)",
			  plan->n_device_program);
}
