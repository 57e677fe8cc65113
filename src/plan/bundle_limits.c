/* SPDX-License-Identifier: Apache-2.0 */
/* What to write for linux.resources: the parts they share, memory and processes. */
#include "bundle_limits.h"
#include "base/own.h"
#include "host/cgroup.h"

#include <inttypes.h>
#include <string.h>

/* PID_MAX_LIMIT of 64-bit machines; the kernel refuses a greater pids.max. */
#define PIDS_MAX 4194304

bool nook_controllers_have(const char *list, const char *word)
{
	size_t len = strlen(word);

	while (*list) {
		size_t n = strcspn(list, ", ");

		if (n == len && !memcmp(list, word, len))
			return true;
		list += n;
		list += strspn(list, ", ");
	}
	return false;
}

const struct nook_hierarchy *nook_hierarchy_at(const struct nook_host *host, const char *mount)
{
	for (size_t i = 0; i < host->n_hierarchies; i++)
		if (host->hierarchies[i].mount && !strcmp(host->hierarchies[i].mount, mount))
			return &host->hierarchies[i];
	return NULL;
}

static void enable(struct nook_limiter *l, struct nook_plan_cgroup_dir *dir, const char *controller)
{
	if (!dir->controllers)
		dir->controllers = controller;
	else if (!nook_controllers_have(dir->controllers, controller))
		dir->controllers = nook_printf(l->arena, "%s %s", dir->controllers, controller);
}

bool nook_limit_held(struct nook_limiter *l, const char *v1, const char *v2, struct nook_held *ret)
{
	for (unsigned i = 0; i < l->cg->n_dirs; i++) {
		struct nook_plan_cgroup_dir *dir = &l->cg->dirs[i];
		const struct nook_hierarchy *h = nook_hierarchy_at(l->host, dir->mount);
		const char *name = dir->v2 ? v2 : v1;

		if (!h || !name || !nook_controllers_have(h->controllers, name))
			continue;
		if (dir->v2)
			enable(l, dir, name);
		*ret = (struct nook_held){ i, dir->v2 };
		return true;
	}
	return false;
}

/* Is it anywhere, though not where we may use it? */
static const struct nook_hierarchy *elsewhere(const struct nook_limiter *l, const char *v1,
					      const char *v2)
{
	for (size_t i = 0; i < l->host->n_hierarchies; i++) {
		const struct nook_hierarchy *h = &l->host->hierarchies[i];
		const char *name = h->v2 ? v2 : v1;

		if (h->mount && name && nook_controllers_have(h->controllers, name))
			return h;
	}
	return NULL;
}

int nook_limit_find(struct nook_limiter *l, const char *v1, const char *v2, const char *from,
		    struct nook_held *ret)
{
	if (nook_limit_held(l, v1, v2, ret))
		return 0;
	if (from)
		nook_where(l->err, "%s", from);

	const char *name = v2 ? v2 : v1;
	const struct nook_hierarchy *h = elsewhere(l, v1, v2);

	if (h) {
		nook_cause(l->err, "no-delegated-cgroup", "%s%s may not be written", h->mount,
			   h->place ? h->place : "");
		nook_hint(l->err,
			  "start it in a cgroup of its own: systemd-run %s--scope "
			  "-p Delegate=yes …, or leave the limit out",
			  l->host->euid ? "--user " : "");
		return nook_refuse(l->err, EACCES,
				   "no cgroup was delegated to us where %s could be limited", name);
	}
	if (!v1 || !v2) {
		nook_hint(l->err, "leave it out: what it means is only in cgroup v%c",
			  v1 ? '1' : '2');
		if (elsewhere(l, name, name))
			return nook_refuse(l->err, EOPNOTSUPP,
					   "the controller %s of cgroup v%c can't hold this limit",
					   name, v1 ? '2' : '1');
	}
	nook_cause(l->err, "controller-unavailable",
		   "no mounted cgroup hierarchy has the controller %s: the kernel lacks it, it was "
		   "turned off by cgroup_disable=, or it isn't mounted",
		   name);
	nook_hint(l->err, "see /proc/cgroups, and `nook check`");
	return nook_refuse(l->err, EOPNOTSUPP,
			   "this machine has no %s controller to hold the limit", name);
}

struct nook_plan_cgroup_write *nook_limit_write(struct nook_limiter *l, unsigned dir,
						const char *file, const char *value,
						const char *from)
{
	struct nook_plan_cgroup_write *w = nook_append(l->arena, l->cg->writes, l->cg->n_writes);

	w->dir = dir;
	w->file = file;
	w->value = value;
	w->from = from;
	return w;
}

int nook_limit_refuse(struct nook_limiter *l, const char *from, const char *why)
{
	if (from)
		nook_where(l->err, "%s", from);
	return nook_refuse(l->err, EINVAL, "%s", why);
}

const char *nook_limit_number(struct nook_limiter *l, uint64_t number)
{
	return nook_printf(l->arena, "%" PRIu64, number);
}

/* ---- memory ---- */

static bool said(const struct nook_opt_i64 *value)
{
	return value->set && value->value != 0;
}

static const char *bytes(struct nook_limiter *l, int64_t value, bool v2)
{
	if (value < 0)
		return v2 ? "max" : "-1";
	return nook_limit_number(l, (uint64_t)value);
}

static int check_memory(struct nook_limiter *l)
{
	const struct nook_opt_i64 *values[] = { &l->r->memory.limit, &l->r->memory.reservation,
						&l->r->memory.swap, &l->r->memory.kernel_tcp };
	const struct nook_opt_i64 *limit = &l->r->memory.limit;
	const struct nook_opt_i64 *swap = &l->r->memory.swap;

	for (size_t i = 0; i < ARRAY_SIZE(values); i++)
		if (values[i]->set && values[i]->value < -1)
			return nook_limit_refuse(
				l, values[i]->from,
				"a limit of memory is a number of bytes, or -1 for "
				"no limit");
	if (said(limit) && limit->value > 0 && said(swap) && swap->value > 0 &&
	    swap->value < limit->value)
		return nook_limit_refuse(l, swap->from,
					 "the limit of memory and swap together is below that of "
					 "memory alone; -1 is unlimited swap");
	if (l->r->memory.swappiness.set && l->r->memory.swappiness.value > 100)
		return nook_limit_refuse(l, l->r->memory.swappiness.from, "swappiness is 0 to 100");
	return 0;
}

/* Memory and swap together, -1 for no limit, 0 for not said. Unlimited memory is meant with
 * unlimited swap, as in runc. */
static int64_t memory_and_swap(const struct nook_limiter *l)
{
	if (said(&l->r->memory.swap))
		return l->r->memory.swap.value;
	return l->r->memory.limit.set && l->r->memory.limit.value == -1 ? -1 : 0;
}

/* v2 counts swap by itself. */
static int swap_v2(struct nook_limiter *l, unsigned dir)
{
	const struct nook_opt_i64 *limit = &l->r->memory.limit;
	int64_t both = memory_and_swap(l);
	const char *from = said(&l->r->memory.swap) ? l->r->memory.swap.from : limit->from;

	if (both == 0)
		return 0;
	if (both > 0 && (!said(limit) || limit->value < 0))
		return nook_limit_refuse(l, from,
					 "memory and swap together are limited only beside a limit "
					 "of memory");

	struct nook_plan_cgroup_write *w = nook_limit_write(
		l, dir, "memory.swap.max",
		both < 0 ? "max" : nook_limit_number(l, (uint64_t)(both - limit->value)), from);

	/* A kernel that does not count swap gives none to a cgroup that may have as much as it
	 * likes, nor to one that may have none at all. */
	w->optional = both < 0 || both == limit->value;
	return 0;
}

static int memory_v2(struct nook_limiter *l, unsigned dir)
{
	const struct nook_opt_i64 *limit = &l->r->memory.limit;
	const struct nook_opt_i64 *reservation = &l->r->memory.reservation;
	int r = swap_v2(l, dir);

	if (r < 0)
		return r;
	if (said(limit))
		nook_limit_write(l, dir, "memory.max", bytes(l, limit->value, true), limit->from)
			->below_usage =
			l->r->memory.check_before_update == NOOK_YES && limit->value > 0;
	if (said(reservation))
		nook_limit_write(l, dir, "memory.low", bytes(l, reservation->value, true),
				 reservation->from);
	return 0;
}

static void memory_v1(struct nook_limiter *l, unsigned dir)
{
	const struct nook_opt_i64 *limit = &l->r->memory.limit;
	const struct nook_opt_i64 *reservation = &l->r->memory.reservation;
	int64_t both = memory_and_swap(l);

	if (said(limit))
		nook_limit_write(l, dir, "memory.limit_in_bytes", bytes(l, limit->value, false),
				 limit->from)
			->below_usage =
			l->r->memory.check_before_update == NOOK_YES && limit->value > 0;
	if (both != 0)
		nook_limit_write(l, dir, "memory.memsw.limit_in_bytes", bytes(l, both, false),
				 said(&l->r->memory.swap) ? l->r->memory.swap.from : limit->from)
			->optional = both < 0;
	if (said(reservation))
		nook_limit_write(l, dir, "memory.soft_limit_in_bytes",
				 bytes(l, reservation->value, false), reservation->from);
}

/* What only v1 has. memory.kernel is ignored, by the kernel too since Linux 5.16. */
static int memory_of_v1(struct nook_limiter *l)
{
	const struct nook_opt_i64 *tcp = &l->r->memory.kernel_tcp;
	const struct nook_opt_u64 *swappiness = &l->r->memory.swappiness;
	struct nook_held held;
	int r = 0;

	if (said(tcp)) {
		r = nook_limit_find(l, "memory", NULL, tcp->from, &held);
		if (r == 0)
			nook_limit_write(l, held.dir, "memory.kmem.tcp.limit_in_bytes",
					 bytes(l, tcp->value, false), tcp->from);
	}
	if (r == 0 && swappiness->set) {
		r = nook_limit_find(l, "memory", NULL, swappiness->from, &held);
		if (r == 0)
			nook_limit_write(l, held.dir, "memory.swappiness",
					 nook_limit_number(l, swappiness->value), swappiness->from);
	}
	if (r == 0 && l->r->memory.disable_oom_killer == NOOK_YES) {
		const char *from = "/linux/resources/memory/disableOOMKiller";

		r = nook_limit_find(l, "memory", NULL, from, &held);
		if (r == 0)
			nook_limit_write(l, held.dir, "memory.oom_control", "1", from)->loose =
				true;
	}
	return r;
}

int nook_limit_memory(struct nook_limiter *l)
{
	const struct nook_opt_i64 *first = said(&l->r->memory.limit)  ? &l->r->memory.limit
					   : said(&l->r->memory.swap) ? &l->r->memory.swap
					   : said(&l->r->memory.reservation)
						   ? &l->r->memory.reservation
						   : NULL;
	struct nook_held held;
	int r = check_memory(l);

	if (r == 0 && first) {
		r = nook_limit_find(l, "memory", "memory", first->from, &held);
		if (r == 0 && held.v2)
			r = memory_v2(l, held.dir);
		else if (r == 0)
			memory_v1(l, held.dir);
	}
	return r < 0 ? r : memory_of_v1(l);
}

int nook_limit_pids(struct nook_limiter *l)
{
	const struct nook_opt_i64 *pids = &l->r->pids;
	struct nook_held held;
	int r;

	if (!pids->set)
		return 0;
	if (pids->value > PIDS_MAX)
		return nook_limit_refuse(l, pids->from,
					 "a limit of processes is 1 to 4194304; 0 and -1 are none");
	if (pids->value <= 0) {
		/* No limit needs nobody to hold it. */
		if (nook_limit_held(l, "pids", "pids", &held))
			nook_limit_write(l, held.dir, "pids.max", "max", pids->from)->optional =
				true;
		return 0;
	}

	r = nook_limit_find(l, "pids", "pids", pids->from, &held);
	if (r == 0)
		nook_limit_write(l, held.dir, "pids.max",
				 nook_limit_number(l, (uint64_t)pids->value), pids->from);
	return r;
}

int nook_plan_bundle_limits(struct nook_arena *a, const struct nook_bundle_resources *r,
			    const struct nook_host *host, struct nook_plan_cgroup *cgroup,
			    struct nook_error *err)
{
	static int (*const parts[])(struct nook_limiter *) = {
		nook_limit_memory, nook_limit_cpu,     nook_limit_cpuset,
		nook_limit_pids,   nook_limit_blkio,   nook_limit_hugetlb,
		nook_limit_rdma,   nook_limit_network, nook_limit_unified,
	};
	struct nook_limiter l = { .arena = a, .r = r, .host = host, .cg = cgroup, .err = err };
	int rc = 0;

	for (size_t i = 0; i < ARRAY_SIZE(parts) && rc == 0; i++)
		rc = parts[i](&l);
	return rc;
}
