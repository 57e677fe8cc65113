/* SPDX-License-Identifier: Apache-2.0 */
#include "probe.h"
#include "base/own.h"
#include "base/text.h"
#include "cgroup.h"

#include <unistd.h>

#define GROUP "cgroups"

static const char *const layouts[] = {
	[NOOK_CGROUP_NONE] = "no cgroup file system is mounted",
	[NOOK_CGROUP_UNIFIED] = "v2 (unified)",
	[NOOK_CGROUP_HYBRID] = "v1 controllers beside v2 (hybrid)",
	[NOOK_CGROUP_V1] = "v1",
};

/* Which option a controller serves. */
static const char *const options[NOOK_CTL_COUNT] = {
	[NOOK_CTL_MEMORY] = "--memory, --memory-swap",
	[NOOK_CTL_CPU] = "--cpus, --cpu-weight",
	[NOOK_CTL_PIDS] = "--pids",
	[NOOK_CTL_IO] = "--io-weight",

};

static void add_place(struct nook_probes *p, const char *id, const char *title,
		      const struct nook_cgroup_mount *m)
{
	struct nook_probe *row;

	if (!m->mount)
		return;
	if (m->delegated) {
		row = nook_probe_add(p, GROUP, id, title, NOOK_VERDICT_YES);
		row->detail = nook_printf(p->arena, "%s%s", m->mount, m->place ? m->place : "");
		return;
	}
	/* Containers run without it; only limits are refused. */
	row = nook_probe_cause(p, GROUP, id, title, NOOK_VERDICT_PARTLY, "no-delegated-cgroup");
	row->detail = nook_printf(p->arena, "no limits there: %s",
				  m->why_not ? m->why_not : "this user may make no cgroup");
}

static void add_controller(struct nook_probes *p, const struct nook_host_cgroup *cg,
			   enum nook_controller c)
{
	const char *name = nook_controller_name(c);
	const char *id = nook_printf(p->arena, "cgroup.%s", name);
	bool v2 = cg->v2_controllers & 1u << c && cg->v2.delegated;
	bool v1 = cg->v1[c].mount && cg->v1[c].delegated;

	if (v1 || v2) {
		nook_probe_add(p, GROUP, id, name, NOOK_VERDICT_YES)->detail =
			nook_printf(p->arena, "%s: %s", v1 ? "v1" : "v2", options[c]);
		return;
	}

	/* Somewhere on the machine, but not ours, is a question of rights; else of the kernel. */
	bool there = cg->v1[c].mount || cg->v2_controllers & 1u << c;
	struct nook_probe *row =
		nook_probe_cause(p, GROUP, id, name, NOOK_VERDICT_PARTLY,
				 there ? "no-delegated-cgroup" : "controller-unavailable");

	row->detail = nook_printf(p->arena, "%s: no %s", there ? "not delegated" : "not available",
				  options[c]);
}

/* cgroup.kill is in every v2 cgroup but the root. */
static void add_kill(struct nook_probes *p, const struct nook_host *host)
{
	if (!host->cgroup.v2.mount)
		return;

	bool has = host->feature[NOOK_FEATURE_CGROUP_KILL];

	nook_probe_add(p, GROUP, "cgroup.kill", "cgroup.kill",
		       has ? NOOK_VERDICT_YES : NOOK_VERDICT_PARTLY)
		->detail = has ? "all processes of a container end at once"
			       : "Linux 5.14 brings it; processes are ended one by one";
}

void nook_probe_cgroups(struct nook_probes *p, const struct nook_host *host)
{
	if (!host)
		return;

	const struct nook_host_cgroup *cg = &host->cgroup;

	nook_probe_add(p, GROUP, "cgroup.layout", "layout", NOOK_VERDICT_FACT)->detail =
		layouts[cg->layout];
	if (cg->layout == NOOK_CGROUP_NONE)
		return;
	add_place(p, "cgroup.v2", "own cgroups on v2", &cg->v2);
	for (int c = 0; c < NOOK_CTL_COUNT; c++) {
		if (options[c]) /* else no limit of nook's needs it */
			add_controller(p, cg, (enum nook_controller)c);
	}
	add_kill(p, host);
}
