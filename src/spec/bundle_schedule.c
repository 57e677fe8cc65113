/* SPDX-License-Identifier: Apache-2.0 */
/* When and where a process runs: process.scheduler, process.ioPriority, linux.memoryPolicy. */
#include "bundle_reader.h"

#include "base/own.h"

#include <linux/ioprio.h>
#include <linux/mempolicy.h>
#include <linux/sched.h>

#define PRIORITY_LAST 99 /* of SCHED_FIFO and SCHED_RR, sched(7) */

/* An enumerator of <linux/mempolicy.h> since Linux 6.9. */
#define WEIGHTED_INTERLEAVE 6

static int refuse_member(struct nook_bundle_reader *r, const struct nook_json_value *v,
			 const char *key, const char *why)
{
	return nook_json_refuse(&(struct nook_json_value){ .up = v, .key = key }, r->err, "%s",
				why);
}

/* ---- scheduler, sched_setattr(2) ---- */

static int read_policy(struct nook_bundle_reader *r, const struct nook_json_value *v, void *into)
{
	/* SCHED_ISO stands in the specification too, but Linux has no such policy. */
	static const struct nook_bundle_word policies[] = {
		{ "SCHED_OTHER", SCHED_NORMAL }, { "SCHED_FIFO", SCHED_FIFO },
		{ "SCHED_RR", SCHED_RR },        { "SCHED_BATCH", SCHED_BATCH },
		{ "SCHED_IDLE", SCHED_IDLE },    { "SCHED_DEADLINE", SCHED_DEADLINE },
	};
	int64_t policy = 0;
	int rc = nook_bundle_word(r, v, "scheduling policy", policies, &policy);

	*(uint32_t *)into = (uint32_t)policy;
	return rc;
}

static int read_scheduler_flags(struct nook_bundle_reader *r, const struct nook_json_value *v,
				void *into)
{
	static const struct nook_bundle_word flags[] = {
		{ "SCHED_FLAG_RESET_ON_FORK", SCHED_FLAG_RESET_ON_FORK },
		{ "SCHED_FLAG_RECLAIM", SCHED_FLAG_RECLAIM },
		{ "SCHED_FLAG_DL_OVERRUN", SCHED_FLAG_DL_OVERRUN },
		{ "SCHED_FLAG_KEEP_POLICY", SCHED_FLAG_KEEP_POLICY },
		{ "SCHED_FLAG_KEEP_PARAMS", SCHED_FLAG_KEEP_PARAMS },
		{ "SCHED_FLAG_UTIL_CLAMP_MIN", SCHED_FLAG_UTIL_CLAMP_MIN },
		{ "SCHED_FLAG_UTIL_CLAMP_MAX", SCHED_FLAG_UTIL_CLAMP_MAX },
	};

	return nook_bundle_flags(r, v, "scheduling flag", flags, into);
}

static int read_nice(struct nook_bundle_reader *r, const struct nook_json_value *v, void *into)
{
	int64_t nice = 0;
	int rc = nook_json_as_i64(v, -20, 19, &nice, r->err);

	*(int32_t *)into = (int32_t)nice;
	return rc;
}

/* What the kernel would refuse with a mere EINVAL once the container is half made. */
static int check_scheduler(struct nook_bundle_reader *r, const struct nook_json_value *v,
			   const struct nook_plan_scheduler *s)
{
	bool real_time = s->policy == SCHED_FIFO || s->policy == SCHED_RR;
	bool deadline = s->policy == SCHED_DEADLINE;

	if (real_time && s->priority == 0)
		return refuse_member(r, v, "priority", "SCHED_FIFO and SCHED_RR take 1 to 99");
	if (!real_time && s->priority != 0)
		return refuse_member(r, v, "priority", "only SCHED_FIFO and SCHED_RR have one");
	if (!deadline && (s->runtime || s->deadline || s->period))
		return nook_json_refuse(v, r->err,
					"only SCHED_DEADLINE has a runtime, deadline or period");
	if (deadline && s->runtime == 0)
		return refuse_member(r, v, "runtime", "SCHED_DEADLINE needs one");
	if (deadline && s->runtime > s->deadline)
		return refuse_member(r, v, "deadline", "it is shorter than the runtime");
	if (deadline && s->period && s->deadline > s->period)
		return refuse_member(r, v, "period", "it is shorter than the deadline");
	return 0;
}

#define STRUCT struct nook_plan_scheduler
int nook_bundle_read_scheduler(struct nook_bundle_reader *r, const struct nook_json_value *v,
			       void *into)
{
	static const struct nook_bundle_member rows[] = {
		ROW_NEED_PART("policy", policy, NOOK_JSON_TEXT, read_policy),
		ROW_PART("nice", nice, NOOK_JSON_NUMBER, read_nice),
		ROW_U32("priority", priority, PRIORITY_LAST, 0),
		ROW_PART("flags", flags, NOOK_JSON_ARRAY, read_scheduler_flags),
		ROW_U64("runtime", runtime, UINT64_MAX, 0),
		ROW_U64("deadline", deadline, UINT64_MAX, 0),
		ROW_U64("period", period, UINT64_MAX, 0),
	};
	struct nook_plan_scheduler *scheduler = into;
	int rc = nook_bundle_members(r, v, scheduler, rows);

	scheduler->set = true;
	return rc < 0 ? rc : check_scheduler(r, v, scheduler);
}
#undef STRUCT

/* ---- ioPriority, ioprio_set(2) ---- */

int nook_bundle_read_ioprio(struct nook_bundle_reader *r, const struct nook_json_value *v,
			    void *into)
{
	static const struct nook_bundle_word classes[] = {
		{ "IOPRIO_CLASS_RT", IOPRIO_CLASS_RT },
		{ "IOPRIO_CLASS_BE", IOPRIO_CLASS_BE },
		{ "IOPRIO_CLASS_IDLE", IOPRIO_CLASS_IDLE },
	};
	struct nook_bundle_process *p = into;
	struct nook_json_value member;
	int64_t class = 0;
	uint32_t level = 0;
	int rc;

	if ((rc = nook_json_member(v, "class", NOOK_JSON_REQUIRED, NOOK_JSON_TEXT, &member,
				   r->err)) < 0 ||
	    (rc = nook_bundle_word(r, &member, "class", classes, &class)) < 0 ||
	    (rc = nook_json_get_u32(v, "priority", NOOK_JSON_REQUIRED, IOPRIO_NR_LEVELS - 1, &level,
				    r->err)) < 0)
		return rc;

	p->has_ioprio = true;
	p->ioprio = (int)IOPRIO_PRIO_VALUE((uint32_t) class, level);
	return 0;
}

/* ---- memoryPolicy, set_mempolicy(2) ---- */

static int read_mode(struct nook_bundle_reader *r, const struct nook_json_value *v, void *into)
{
	static const struct nook_bundle_word modes[] = {
		{ "MPOL_DEFAULT", MPOL_DEFAULT },
		{ "MPOL_PREFERRED", MPOL_PREFERRED },
		{ "MPOL_BIND", MPOL_BIND },
		{ "MPOL_INTERLEAVE", MPOL_INTERLEAVE },
		{ "MPOL_LOCAL", MPOL_LOCAL },
		{ "MPOL_PREFERRED_MANY", MPOL_PREFERRED_MANY },
		{ "MPOL_WEIGHTED_INTERLEAVE", WEIGHTED_INTERLEAVE },
	};
	int64_t mode = 0;
	int rc = nook_bundle_word(r, v, "memory policy", modes, &mode);

	*(int *)into = (int)mode;
	return rc;
}

static int read_mode_flags(struct nook_bundle_reader *r, const struct nook_json_value *v,
			   void *into)
{
	static const struct nook_bundle_word words[] = {
		{ "MPOL_F_STATIC_NODES", MPOL_F_STATIC_NODES },
		{ "MPOL_F_RELATIVE_NODES", MPOL_F_RELATIVE_NODES },
		{ "MPOL_F_NUMA_BALANCING", MPOL_F_NUMA_BALANCING },
	};
	struct nook_plan_memory_policy *policy = into;
	const uint64_t both = MPOL_F_STATIC_NODES | MPOL_F_RELATIVE_NODES;
	uint64_t flags = 0;
	int rc = nook_bundle_flags(r, v, "flag of a memory policy", words, &flags);

	if (rc == 0 && (flags & both) == both)
		return nook_json_refuse(v, r->err,
					"MPOL_F_STATIC_NODES and MPOL_F_RELATIVE_NODES exclude "
					"each other");
	if (rc == 0 && (flags & MPOL_F_NUMA_BALANCING) && policy->mode != MPOL_BIND &&
	    policy->mode != MPOL_PREFERRED_MANY)
		return nook_json_refuse(v, r->err,
					"MPOL_F_NUMA_BALANCING goes with MPOL_BIND and "
					"MPOL_PREFERRED_MANY only");
	policy->mode |= (int)flags;
	return rc;
}

#define STRUCT struct nook_plan_memory_policy
int nook_bundle_read_memory_policy(struct nook_bundle_reader *r, const struct nook_json_value *v,
				   void *into)
{
	static const struct nook_bundle_member rows[] = {
		ROW_NEED_PART("mode", mode, NOOK_JSON_TEXT, read_mode),
		ROW_TEXT("nodes", nodes, NOOK_BUNDLE_TEXT, nook_bundle_check_list),
	};
	static const struct nook_bundle_member late[] = {
		ROW_WHOLE("flags", NOOK_JSON_ARRAY, read_mode_flags),
	};
	struct nook_plan_memory_policy *policy = into;
	int rc = nook_bundle_members(r, v, policy, rows);
	int mode = policy->mode;

	policy->set = true;
	if (rc < 0 || (rc = nook_bundle_members(r, v, policy, late)) < 0)
		return rc;
	if ((mode == MPOL_DEFAULT || mode == MPOL_LOCAL) && policy->nodes)
		return refuse_member(r, v, "nodes", "MPOL_DEFAULT and MPOL_LOCAL take none");
	if (mode != MPOL_DEFAULT && mode != MPOL_LOCAL && mode != MPOL_PREFERRED && !policy->nodes)
		return refuse_member(r, v, "nodes", "this policy needs some");
	if (mode != MPOL_DEFAULT && !policy->nodes &&
	    policy->mode & (MPOL_F_STATIC_NODES | MPOL_F_RELATIVE_NODES))
		return refuse_member(r, v, "flags", "these need nodes");
	return 0;
}
#undef STRUCT
