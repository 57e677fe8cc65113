/* SPDX-License-Identifier: Apache-2.0 */
/* CPU time, and on which CPUs and memory nodes. */
#include "bundle_limits.h"
#include "base/own.h"

#include <inttypes.h>
#include <string.h>

/* kernel/sched: MIN_SHARES, MAX_SHARES; the bounds of a quota and of its period in µs. */
#define SHARES_MIN 2
#define SHARES_MAX 262144
#define QUOTA_MIN  1000
#define PERIOD_MIN 1000
#define PERIOD_MAX 1000000

static bool said(const struct nook_opt_u64 *value)
{
	return value->set && value->value != 0;
}

/* Every file of v1's controller cpu that a number goes to, in the order to write: a period before
 * the quota that is counted in it. */
static int check(struct nook_limiter *l)
{
	const struct nook_opt_u64 *shares = &l->r->cpu.shares;
	const struct nook_opt_u64 *period = &l->r->cpu.period;
	const struct nook_opt_i64 *quota = &l->r->cpu.quota;
	const struct nook_opt_i64 *idle = &l->r->cpu.idle;

	if (said(shares) && (shares->value < SHARES_MIN || shares->value > SHARES_MAX))
		return nook_limit_refuse(l, shares->from, "CPU shares are 2 to 262144");
	if (said(period) && (period->value < PERIOD_MIN || period->value > PERIOD_MAX))
		return nook_limit_refuse(l, period->from, "a CPU period is 1000 to 1000000 µs");
	if (quota->set && (quota->value < -1 || (quota->value > 0 && quota->value < QUOTA_MIN)))
		return nook_limit_refuse(l, quota->from,
					 "a CPU quota is at least 1000 µs; -1 is no limit");
	if (idle->set && idle->value != 0 && idle->value != 1)
		return nook_limit_refuse(l, idle->from, "cpu.idle is 0 or 1");
	return 0;
}

/* The line from 2…262144 to 1…10000, as runc 1.1 and crun 1.8 have it. */
static uint64_t weight_of(uint64_t shares)
{
	return 1 + (shares - 2) * 9999 / 262142;
}

static const char *quota_text(struct nook_limiter *l)
{
	const struct nook_opt_i64 *quota = &l->r->cpu.quota;

	return quota->set && quota->value > 0 ? nook_limit_number(l, (uint64_t)quota->value)
					      : "max";
}

static void write_v2(struct nook_limiter *l, unsigned dir)
{
	const struct nook_opt_u64 *shares = &l->r->cpu.shares, *period = &l->r->cpu.period;
	const struct nook_opt_u64 *burst = &l->r->cpu.burst;
	const struct nook_opt_i64 *quota = &l->r->cpu.quota, *idle = &l->r->cpu.idle;

	if (said(shares))
		nook_limit_write(l, dir, "cpu.weight",
				 nook_limit_number(l, weight_of(shares->value)), shares->from)
			->loose = true; /* the scheduler rounds */
	if (idle->set)
		nook_limit_write(l, dir, "cpu.idle", nook_limit_number(l, (uint64_t)idle->value),
				 idle->from);
	/* A quota alone leaves the period as it is, in the kernel. */
	if (said(period))
		nook_limit_write(l, dir, "cpu.max",
				 nook_printf(l->arena, "%s %" PRIu64, quota_text(l), period->value),
				 period->from)
			->loose = true;
	else if (quota->set && quota->value)
		nook_limit_write(l, dir, "cpu.max", quota_text(l), quota->from)->loose = true;
	if (burst->set)
		nook_limit_write(l, dir, "cpu.max.burst", nook_limit_number(l, burst->value),
				 burst->from)
			->optional = burst->value == 0;
}

static void write_v1(struct nook_limiter *l, unsigned dir)
{
	const struct nook_opt_i64 *quota = &l->r->cpu.quota, *idle = &l->r->cpu.idle;
	const struct {
		const char *file;
		const struct nook_opt_u64 *value;
	} numbers[] = {
		{ "cpu.shares", &l->r->cpu.shares },
		{ "cpu.cfs_period_us", &l->r->cpu.period },
		{ "cpu.rt_period_us", &l->r->cpu.realtime_period },
	};

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		if (said(numbers[i].value))
			nook_limit_write(l, dir, numbers[i].file,
					 nook_limit_number(l, numbers[i].value->value),
					 numbers[i].value->from);
	if (idle->set)
		nook_limit_write(l, dir, "cpu.idle", nook_limit_number(l, (uint64_t)idle->value),
				 idle->from);
	if (quota->set && quota->value)
		nook_limit_write(l, dir, "cpu.cfs_quota_us",
				 nook_printf(l->arena, "%" PRId64, quota->value), quota->from);
	if (l->r->cpu.burst.set)
		nook_limit_write(l, dir, "cpu.cfs_burst_us",
				 nook_limit_number(l, l->r->cpu.burst.value), l->r->cpu.burst.from)
			->optional = l->r->cpu.burst.value == 0;
	if (l->r->cpu.realtime_runtime.set && l->r->cpu.realtime_runtime.value)
		nook_limit_write(
			l, dir, "cpu.rt_runtime_us",
			nook_printf(l->arena, "%" PRId64, l->r->cpu.realtime_runtime.value),
			l->r->cpu.realtime_runtime.from);
}

/* Whose words ask for CPU time at all; NULL: nobody's. */
static const char *first_from(const struct nook_limiter *l, bool *ret_said)
{
	const struct nook_opt_u64 *unsigned_ones[] = { &l->r->cpu.shares, &l->r->cpu.period };

	*ret_said = true;
	for (size_t i = 0; i < ARRAY_SIZE(unsigned_ones); i++)
		if (said(unsigned_ones[i]))
			return unsigned_ones[i]->from;
	if (l->r->cpu.quota.set && l->r->cpu.quota.value)
		return l->r->cpu.quota.from;
	if (l->r->cpu.idle.set)
		return l->r->cpu.idle.from;
	if (l->r->cpu.burst.set)
		return l->r->cpu.burst.from;
	*ret_said = false;
	return NULL;
}

int nook_limit_cpu(struct nook_limiter *l)
{
	const struct nook_opt_u64 *rt_period = &l->r->cpu.realtime_period;
	const struct nook_opt_i64 *rt_runtime = &l->r->cpu.realtime_runtime;
	bool any;
	const char *from = first_from(l, &any);
	bool realtime = said(rt_period) || (rt_runtime->set && rt_runtime->value);
	struct nook_held held;
	int r = check(l);

	if (r < 0 || (!any && !realtime))
		return r;

	if (realtime)
		r = nook_limit_find(l, "cpu", NULL,
				    said(rt_period) ? rt_period->from : rt_runtime->from, &held);
	else
		r = nook_limit_find(l, "cpu", "cpu", from, &held);
	if (r == 0 && held.v2)
		write_v2(l, held.dir);
	else if (r == 0)
		write_v1(l, held.dir);
	return r;
}

/* "0-3,7": what the kernel's bitmap_parselist() takes without its further tricks. */
static bool is_list(const char *text)
{
	return text[0] && strspn(text, "0123456789,-") == strlen(text);
}

static int write_set(struct nook_limiter *l, const char *file, const char *list, const char *from)
{
	struct nook_held held;
	int r;

	if (!list || !list[0])
		return 0;
	if (!is_list(list))
		return nook_limit_refuse(l, from, "a list of numbers is like 0-3,7");

	r = nook_limit_find(l, "cpuset", "cpuset", from, &held);
	if (r == 0)
		nook_limit_write(l, held.dir, file, list, from)->loose = true;
	return r;
}

int nook_limit_cpuset(struct nook_limiter *l)
{
	int r = write_set(l, "cpuset.cpus", l->r->cpu.cpus, l->r->cpu.cpus_from);

	return r < 0 ? r : write_set(l, "cpuset.mems", l->r->cpu.mems, l->r->cpu.mems_from);
}
