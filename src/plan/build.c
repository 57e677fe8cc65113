/* SPDX-License-Identifier: Apache-2.0 */
#include "parts.h"

#include <string.h>
#include <sys/mount.h>

unsigned nook_plan_add_source(struct nook_planner *p, struct nook_plan_source source)
{
	if (!source.propagation)
		source.propagation = MS_PRIVATE;
	*nook_append(p->arena, p->plan->sources, p->plan->n_sources) = source;
	return (unsigned)p->plan->n_sources - 1;
}

int nook_plan_build(struct nook_arena *a, const struct nook_spec *spec,
		    const struct nook_host *host, struct nook_plan *plan, struct nook_error *err)
{
	/* Later parts read what earlier ones have decided: the kinds of namespace first, then who
	 * is who in them. */
	static int (*const parts[])(struct nook_planner *) = {
		nook_plan_namespaces, nook_plan_links,   nook_plan_pasta,   nook_plan_idmap,
		nook_plan_root,       nook_plan_mounts,  nook_plan_process, nook_plan_caps,
		nook_plan_cgroup,     nook_plan_seccomp,
	};
	struct nook_planner p = { a, spec, host, plan, err };

	memset(plan, 0, sizeof(*plan));
	plan->name = spec->name;
	plan->state_dir = host->state_dir;

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		int rc = parts[i](&p);

		if (rc < 0)
			return rc;
	}
	nook_plan_ping(&p);
	return 0;
}
