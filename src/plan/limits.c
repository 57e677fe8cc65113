/* SPDX-License-Identifier: Apache-2.0 */
#include "limits.h"
#include "base/own.h"
#include "base/text.h"

#include <stddef.h>

/* The least that the kernel's counters can hold: one page, of 4 KiB at least. */
#define MEMORY_MIN 4096

/* A container's cpu.max counts in periods of 0.1 s, the kernel's default. A quota has at least
 * 1 ms, so less than 0.01 CPU needs the longest period, 1 s. kernel/sched/core.c */
#define PERIOD_US      100000u
#define LONG_PERIOD_US 1000000u
#define SMALL_MILLI    10u
/* A million CPUs: far below where the kernel's arithmetic on quotas ends. */
#define CPUS_MILLI_MAX 1000000000u

/* PID_MAX_LIMIT of 64-bit machines; the kernel refuses a greater pids.max. */
#define PIDS_MAX 4194304

#define WEIGHT_MAX 10000u

static int refuse(struct nook_planner *p, const char *from, const char *why)
{
	if (from)
		nook_where(p->err, "%s", from);
	return nook_refuse(p->err, EINVAL, "%s", why);
}

static int check_memory(struct nook_planner *p)
{
	const struct nook_limits_spec *l = &p->spec->limits;

	if (l->memory.set && l->memory.value < MEMORY_MIN)
		return refuse(p, l->memory.from, "a memory limit is at least one page, 4096 bytes");
	if (!l->memory_swap.set || l->memory_swap.value == -1)
		return 0;
	if (!l->memory.set)
		return refuse(p, l->memory_swap.from,
			      "memory and swap together are limited only beside a limit of "
			      "memory: add --memory");
	if (l->memory_swap.value < l->memory.value)
		return refuse(p, l->memory_swap.from,
			      "the limit of memory and swap together is below that of memory "
			      "alone; -1 is unlimited swap");
	return 0;
}

static int check_cpu_and_pids(struct nook_planner *p)
{
	const struct nook_limits_spec *l = &p->spec->limits;

	if (l->cpus_milli.set && (!l->cpus_milli.value || l->cpus_milli.value > CPUS_MILLI_MAX))
		return refuse(p, l->cpus_milli.from,
			      "a limit of CPU time is 0.001 to 1000000 CPUs");
	if (l->cpu_weight.set && (!l->cpu_weight.value || l->cpu_weight.value > WEIGHT_MAX))
		return refuse(p, l->cpu_weight.from, "a weight is 1 to 10000; 100 is normal");
	if (l->pids.set && l->pids.value != -1 && (l->pids.value < 1 || l->pids.value > PIDS_MAX))
		return refuse(p, l->pids.from,
			      "a limit of processes is 1 to 4194304; -1 is unlimited");
	return 0;
}

static int check_io(struct nook_planner *p)
{
	const struct nook_opt_u64 *io = &p->spec->limits.io_weight;
	const struct nook_host_cgroup *cg = &p->host->cgroup;
	bool v2 = cg->v2_present & 1u << NOOK_CTL_IO;

	if (!io->set)
		return 0;
	if (!io->value || io->value > WEIGHT_MAX)
		return refuse(p, io->from, "a weight is 1 to 10000; 100 is normal");
	if (cg->io_bfq || (v2 && cg->io_cost))
		return 0;

	/* The files may be there all the same: the kernel takes a weight that nobody reads. */
	if (io->from)
		nook_where(p->err, "%s", io->from);
	nook_cause(p->err, "controller-unavailable",
		   "an I/O weight works only on devices with the scheduler bfq or with io.cost, "
		   "and no device here has either");
	nook_hint(
		p->err,
		"as root: echo bfq > /sys/block/DEVICE/queue/scheduler; or leave --io-weight out");
	return nook_refuse(p->err, EOPNOTSUPP, "no block device here would honour the weight");
}

/* ---- values; NULL: not asked ---- */

typedef const char *value_fn(const struct nook_planner *p);

static const char *number(const struct nook_planner *p, uint64_t value)
{
	return nook_printf(p->arena, "%llu", (unsigned long long)value);
}

static const char *memory(const struct nook_planner *p)
{
	const struct nook_opt_i64 *m = &p->spec->limits.memory;

	return m->set ? number(p, (uint64_t)m->value) : NULL;
}

/* v2 counts swap by itself, v1 together with memory. */
static const char *swap(const struct nook_planner *p)
{
	const struct nook_limits_spec *l = &p->spec->limits;

	if (l->memory_swap.set && l->memory_swap.value == -1)
		return "max";
	if (l->memory_swap.set)
		return number(p, (uint64_t)(l->memory_swap.value - l->memory.value));
	return l->memory.set ? "0" : NULL;
}

static const char *memory_and_swap(const struct nook_planner *p)
{
	const struct nook_limits_spec *l = &p->spec->limits;

	if (l->memory_swap.set && l->memory_swap.value == -1)
		return "-1";
	return l->memory_swap.set ? number(p, (uint64_t)l->memory_swap.value) : memory(p);
}

static uint64_t period_us(const struct nook_planner *p)
{
	return p->spec->limits.cpus_milli.value < SMALL_MILLI ? LONG_PERIOD_US : PERIOD_US;
}

static uint64_t quota_us(const struct nook_planner *p)
{
	return p->spec->limits.cpus_milli.value * (period_us(p) / 1000);
}

static const char *cpu_max(const struct nook_planner *p)
{
	if (!p->spec->limits.cpus_milli.set)
		return NULL;
	return nook_printf(p->arena, "%llu %llu", (unsigned long long)quota_us(p),
			   (unsigned long long)period_us(p));
}

static const char *cfs_period(const struct nook_planner *p)
{
	return p->spec->limits.cpus_milli.set ? number(p, period_us(p)) : NULL;
}

static const char *cfs_quota(const struct nook_planner *p)
{
	return p->spec->limits.cpus_milli.set ? number(p, quota_us(p)) : NULL;
}

static const char *cpu_weight(const struct nook_planner *p)
{
	const struct nook_opt_u64 *w = &p->spec->limits.cpu_weight;

	return w->set ? number(p, w->value) : NULL;
}

/*
 * The scheduler knows only shares: it reads cpu.weight as weight × 1024 / 100, to the nearest
 * (sched_weight_from_cgroup()), so this is the same limit and not only a like one; 100 is the
 * normal 1024. The formulas by which OCI runtimes turn the shares of a config into a weight (the
 * line 2…262144 to 1…10000, since 2025 a curve through 1024 → 100) go the other way, and stretch
 * the scale.
 */
static const char *cpu_shares(const struct nook_planner *p)
{
	const struct nook_opt_u64 *w = &p->spec->limits.cpu_weight;

	return w->set ? number(p, (w->value * 1024 + 50) / 100) : NULL;
}

static const char *pids(const struct nook_planner *p)
{
	const struct nook_opt_i64 *n = &p->spec->limits.pids;

	if (!n->set)
		return NULL;
	return n->value == -1 ? "max" : number(p, (uint64_t)n->value);
}

static const char *io_weight(const struct nook_planner *p)
{
	const struct nook_opt_u64 *w = &p->spec->limits.io_weight;

	return w->set && p->host->cgroup.io_cost ? number(p, w->value) : NULL;
}

/* bfq's scale is 1 to 1000, 100 normal: what is below normal stays, 100…10000 shrinks to
 * 100…1000. */
static const char *bfq_weight(const struct nook_planner *p)
{
	const struct nook_opt_u64 *w = &p->spec->limits.io_weight;

	if (!w->set || !p->host->cgroup.io_bfq)
		return NULL;
	return number(p, w->value <= 100 ? w->value : 100 + (w->value - 100) * 900 / 9900);
}

/* ---- the table, in the order to write: v1 wants memory below memory and swap together at every
 * moment, and a period before the quota that is counted in it ---- */

#define OPTION(member) offsetof(struct nook_limits_spec, member.from)

static const struct {
	enum nook_controller controller;
	const char *v2_file;
	value_fn *v2_value;
	const char *v1_file;
	value_fn *v1_value;
	size_t from; /* whose words */
} rows[NOOK_LIMIT_ROWS] = {
	{ NOOK_CTL_MEMORY, "memory.max", memory, "memory.limit_in_bytes", memory, OPTION(memory) },
	{ NOOK_CTL_MEMORY, "memory.swap.max", swap, "memory.memsw.limit_in_bytes", memory_and_swap,
	  OPTION(memory_swap) },
	{ NOOK_CTL_CPU, NULL, NULL, "cpu.cfs_period_us", cfs_period, OPTION(cpus_milli) },
	{ NOOK_CTL_CPU, "cpu.max", cpu_max, "cpu.cfs_quota_us", cfs_quota, OPTION(cpus_milli) },
	{ NOOK_CTL_CPU, "cpu.weight", cpu_weight, "cpu.shares", cpu_shares, OPTION(cpu_weight) },
	{ NOOK_CTL_PIDS, "pids.max", pids, "pids.max", pids, OPTION(pids) },
	{ NOOK_CTL_IO, "io.weight", io_weight, NULL, NULL, OPTION(io_weight) },
	{ NOOK_CTL_IO, "io.bfq.weight", bfq_weight, "blkio.bfq.weight", bfq_weight,
	  OPTION(io_weight) },
};

/* A kernel without swap accounting has no file for swap. That is no reason to refuse --memory
 * alone, nor unlimited swap. */
static bool is_optional(const struct nook_limits_spec *l, size_t from)
{
	return from == OPTION(memory_swap) && (!l->memory_swap.set || l->memory_swap.value == -1);
}

static const char *words(const struct nook_limits_spec *l, size_t from)
{
	if (from == OPTION(memory_swap) && !l->memory_swap.set)
		from = OPTION(memory);
	return *(const char *const *)((const char *)l + from);
}

int nook_plan_limits(struct nook_planner *p, struct nook_limit *out, size_t *ret_n)
{
	const struct nook_limits_spec *l = &p->spec->limits;
	size_t n = 0;
	int r = check_memory(p);

	if (r == 0)
		r = check_cpu_and_pids(p);
	if (r == 0)
		r = check_io(p);
	if (r < 0)
		return r;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *v2 = rows[i].v2_file ? rows[i].v2_value(p) : NULL;
		const char *v1 = rows[i].v1_file ? rows[i].v1_value(p) : NULL;

		if (!v2 && !v1)
			continue;
		out[n++] = (struct nook_limit){
			.controller = rows[i].controller,
			.v2_file = v2 ? rows[i].v2_file : NULL,
			.v2_value = v2,
			.v1_file = v1 ? rows[i].v1_file : NULL,
			.v1_value = v1,
			.optional = is_optional(l, rows[i].from),
			.from = words(l, rows[i].from),
		};
	}

	*ret_n = n;
	return 0;
}
