/* SPDX-License-Identifier: Apache-2.0 */
#include "bundle_parts.h"

#include "seccomp.h"

int nook_bundle_seccomp(struct nook_bundle_planner *p)
{
	struct nook_plan_process *process = &p->plan->process;
	struct nook_bundle_filter f;

	if (!p->bundle->seccomp)
		return 0;

	int rc = nook_seccomp_read_oci(p->arena, p->bundle->seccomp, "/linux/seccomp", &f, p->err);

	if (rc < 0 || !f.filter.n)
		return rc;
	process->seccomp = f.filter.code;
	process->n_seccomp = f.filter.n;
	process->seccomp_flags = f.filter.flags;
	process->seccomp_name = "linux.seccomp";
	process->seccomp_listener = f.listener;
	process->seccomp_listener_data = f.listener_data;
	return 0;
}
