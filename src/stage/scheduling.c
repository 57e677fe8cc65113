/* SPDX-License-Identifier: Apache-2.0 */
/* When, where and out of which memory the program runs: sched(7), ioprio_set(2), set_mempolicy(2),
 * personality(2). */
#include "stage.h"

#include "base/bits.h"
#include "base/own.h"
#include "sys/call.h"

#include <errno.h>
#include <linux/ioprio.h>
#include <string.h>
#include <sys/personality.h>

/* The kernel's, in its first size. Its header can't be had beside the C library's. */
struct sched_attr_v0 {
	uint32_t size;
	uint32_t policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
};

static int need_nice(int error, struct nook_error *err)
{
	if (error == EPERM)
		nook_cause(err, "missing-capability",
			   "this takes CAP_SYS_NICE over the machine, which is missing here");
	return error;
}

static int set_scheduler(const struct nook_plan_scheduler *s, struct nook_error *err)
{
	struct sched_attr_v0 attr = {
		.size = sizeof(attr),
		.policy = s->policy,
		.flags = s->flags,
		.nice = s->nice,
		.priority = s->priority,
		.runtime = s->runtime,
		.deadline = s->deadline,
		.period = s->period,
	};
	long rc = NOOK_CALL(SYS_sched_setattr, 0, &attr, 0);

	if (rc == 0)
		return 0;
	nook_where(err, "/process/scheduler");
	return nook_fail(err, need_nice((int)-rc, err),
			 "sched_setattr(policy %u, nice %d, priority %u)", s->policy, s->nice,
			 s->priority);
}

static int set_io_priority(int value, struct nook_error *err)
{
	long rc = NOOK_CALL(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, value);

	if (rc == 0)
		return 0;
	nook_where(err, "/process/ioPriority");
	return nook_fail(err, need_nice((int)-rc, err), "ioprio_set(class %d, priority %d)",
			 (int)IOPRIO_PRIO_CLASS(value), (int)IOPRIO_PRIO_DATA(value));
}

static int parse(const char *list, const char *what, struct nook_bits *ret, struct nook_error *err)
{
	int rc = nook_bits_parse(list, ret);

	return rc < 0 ? nook_refuse(err, -rc, "\"%.100s\" is no list of %s such as 0-3,7", list,
				    what)
		      : 0;
}

static int set_affinity(const char *list, struct nook_error *err)
{
	struct nook_bits bits;
	int rc = parse(list, "CPUs", &bits, err);

	if (rc < 0)
		return rc;
	rc = (int)NOOK_CALL(SYS_sched_setaffinity, 0, sizeof(bits.word), bits.word);
	if (rc >= 0)
		return 0;
	nook_where(err, "/process/execCPUAffinity");
	if (rc == -EINVAL)
		nook_hint(err, "name CPUs that this machine has and that the container's cpuset "
			       "allows");
	return nook_fail(err, -rc, "sched_setaffinity(%s)", list);
}

static int set_memory_policy(const struct nook_plan_memory_policy *m, struct nook_error *err)
{
	struct nook_bits bits = { .last = 0 };
	bool nodes = m->nodes && *m->nodes;
	int rc = nodes ? parse(m->nodes, "memory nodes", &bits, err) : 0;

	if (rc < 0)
		return rc;
	/* The kernel takes one from the number of bits that it is told. */
	rc = (int)NOOK_CALL(SYS_set_mempolicy, m->mode, nodes ? bits.word : NULL,
			    nodes ? bits.last + 2UL : 0UL);
	if (rc == 0)
		return 0;
	nook_where(err, "/linux/memoryPolicy");
	if (rc == -ENOSYS)
		nook_hint(err, "this kernel knows no memory policies (CONFIG_NUMA)");
	else if (rc == -EINVAL)
		nook_hint(err, "name memory nodes that this machine has and that the container's "
			       "cpuset allows");
	return nook_fail(err, -rc, "set_mempolicy(0x%x, %s)", (unsigned)m->mode,
			 nodes ? m->nodes : "none");
}

int set_scheduling(void *ctx, struct nook_error *err)
{
	const struct nook_plan_process *p = &((struct nook_stage *)ctx)->plan->process;
	int rc = 0;

	if (p->affinity_final)
		rc = set_affinity(p->affinity_final, err);
	if (rc == 0 && p->scheduler && p->scheduler->set)
		rc = set_scheduler(p->scheduler, err);
	if (rc == 0 && p->set_ioprio)
		rc = set_io_priority(p->ioprio, err);
	if (rc == 0 && p->memory_policy && p->memory_policy->set)
		rc = set_memory_policy(p->memory_policy, err);
	if (rc == 0 && p->set_personality && personality(p->personality) < 0)
		rc = nook_fail(err, errno, "personality(0x%lx)", p->personality);
	return rc;
}

void set_scheduling_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	const struct nook_plan_process *p = &plan->process;

	if (p->affinity_final)
		nook_show(rows, "the CPUs it runs on", "sched_setaffinity(%s)", p->affinity_final);
	if (p->scheduler && p->scheduler->set)
		nook_show(rows, "how it is scheduled",
			  "sched_setattr(policy %u, nice %d, priority %u)", p->scheduler->policy,
			  p->scheduler->nice, p->scheduler->priority);
	if (p->set_ioprio)
		nook_show(rows, "its turn at the disks", "ioprio_set(class %d, priority %d)",
			  (int)IOPRIO_PRIO_CLASS(p->ioprio), (int)IOPRIO_PRIO_DATA(p->ioprio));
	if (p->memory_policy && p->memory_policy->set)
		nook_show(rows, "the memory it gets", "set_mempolicy(0x%x, %s)",
			  (unsigned)p->memory_policy->mode,
			  p->memory_policy->nodes ? p->memory_policy->nodes : "none");
	if (p->set_personality)
		nook_show(rows, "what it takes the machine for", "personality(0x%lx)",
			  p->personality);
}
