/* SPDX-License-Identifier: Apache-2.0 */
/* Between a plan and the record of its container: what is written down of the one, and what a
 * program that enters the other takes from it. */
#include "create.h"

#include "ns/kinds.h"
#include "sys/process.h"

#include <time.h>
#include <unistd.h>

static uint64_t namespaces_of(const struct nook_plan *plan)
{
	uint64_t bits = plan->clone_flags | (plan->late_time ? (uint64_t)CLONE_NEWTIME : 0) |
			(plan->late_cgroup ? (uint64_t)CLONE_NEWCGROUP : 0) |
			(plan->net_beside ? (uint64_t)CLONE_NEWNET : 0);

	for (size_t i = 0; i < plan->n_joins; i++)
		bits |= nook_ns_kinds[plan->joins[i].kind].clone_flag;
	return bits;
}

int nook_record_of_plan(struct nook_arena *a, const struct nook_plan *plan, struct nook_record *ret,
			struct nook_error *err)
{
	const struct nook_plan_process *p = &plan->process;
	char *boot_id = nook_alloc(a, 37);
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now); /* can't fail */
	*ret = (struct nook_record){
		.name = plan->name,
		.phase = NOOK_PHASE_CREATING,
		.boot_id = boot_id,
		.keeper = getpid(),
		.created = now.tv_sec,
		.created_nsec = (int32_t)now.tv_nsec,
		.cgroups = plan->cgroup.dirs,
		.n_cgroups = plan->cgroup.n_dirs,
		.namespaces = namespaces_of(plan),
		.uid = p->uid,
		.gid = p->gid,
		.keep_groups = p->keep_groups || plan->userns.deny_setgroups,
		.caps = p->caps,
		.no_new_privs = p->no_new_privs,
		.seccomp_name = p->seccomp ? p->seccomp_name : NULL,
		.seccomp = p->seccomp,
		.n_seccomp = p->n_seccomp,
		.seccomp_flags = p->seccomp_flags,
		.set_oom_score_adj = p->set_oom_score_adj,
		.oom_score_adj = p->oom_score_adj,
	};
	return nook_boot_id(boot_id, err);
}

void nook_plan_of_record(struct nook_arena *a, const struct nook_record *r, struct nook_plan *ret)
{
	*ret = (struct nook_plan){
		.name = r->name,
		.root_how = NOOK_PLAN_ROOT_KEEP,
		.own_userns = r->namespaces & CLONE_NEWUSER,
		.userns = { .deny_setgroups = r->keep_groups },
		.process = {
			.seccomp = r->seccomp,
			.n_seccomp = r->n_seccomp,
			.seccomp_flags = r->seccomp_flags,
			.seccomp_name = r->seccomp_name,
		},
	};
	/* All in one call, by the pidfd of its pid 1. */
	for (int k = 0; k < NOOK_NS_COUNT; k++) {
		if (r->namespaces & nook_ns_kinds[k].clone_flag)
			*nook_append(a, ret->joins, ret->n_joins) =
				(struct nook_plan_join){ .kind = (enum nook_ns_kind)k,
							 .pid = r->pid,
							 .start_time = r->start_time };
	}
}
