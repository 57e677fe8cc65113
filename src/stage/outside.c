/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When the stage has to wait for the outside. A message costs the one who waits for it ten
 * microseconds and more, as it wakes up on another processor: where there is nothing to wait for,
 * none is sent.
 */
#include "stage.h"

bool nook_enters_v1(const struct nook_plan *p)
{
	for (size_t i = 0; i < p->cgroup.n_dirs; i++) {
		if (!p->cgroup.dirs[i].v2)
			return true;
	}
	return false;
}

bool nook_idmaps(const struct nook_plan *p)
{
	for (size_t i = 0; i < p->n_sources; i++) {
		if (p->sources[i].idmap || p->sources[i].own_maps)
			return true;
	}
	return false;
}

bool nook_has_rdt(const struct nook_plan *p)
{
	return p->rdt && p->rdt->set;
}

bool nook_has_labels(const struct nook_plan *p)
{
	return p->process.apparmor || p->process.selinux;
}

bool nook_writes_proc(const struct nook_plan *p)
{
	return p->userns.writer != NOOK_IDMAP_NONE || nook_idmaps(p) ||
	       p->process.set_oom_score_adj || p->n_netdevs || p->n_links || p->pasta;
}

bool nook_set_up_outside(const struct nook_plan *p)
{
	return nook_writes_proc(p) || nook_enters_v1(p) || p->cgroup.unit || nook_has_rdt(p);
}

bool nook_entered_outside(const struct nook_plan *p)
{
	return nook_enters_v1(p) || p->process.set_oom_score_adj || nook_has_rdt(p) ||
	       nook_has_labels(p);
}

bool nook_kept_outside(const struct nook_plan *p)
{
	return p->bundle && p->start_later;
}

bool nook_told_outside(const struct nook_plan *p)
{
	return p->bundle && (p->announced || p->process.terminal || nook_seccomp_told(p));
}
