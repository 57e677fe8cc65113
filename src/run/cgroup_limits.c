/* SPDX-License-Identifier: Apache-2.0 */
#include "cgroup_parts.h"
#include "base/own.h"
#include "base/text.h"
#include "host/cgroup.h"
#include "sys/cgroupfs.h"

#include <limits.h>
#include <stdint.h>
#include <string.h>

/* "max", -1 and what is too much for the kernel's counters of pages read back as this many bytes
 * on v1, as "max" on v2. */
static uint64_t rounded(uint64_t bytes, uint64_t page)
{
	uint64_t most = (uint64_t)LONG_MAX / page * page;

	bytes = bytes / page * page;
	return bytes < most ? bytes : most;
}

static bool bytes_of(const char *text, uint64_t page, uint64_t *ret)
{
	uint64_t n;

	if (!strcmp(text, "max") || !strcmp(text, "-1"))
		n = UINT64_MAX;
	else if (nook_parse_u64(text, UINT64_MAX, &n) < 0)
		return false;

	*ret = rounded(n, page);
	return true;
}

bool nook_cgroup_same_value(const char *file, const char *want, const char *got, long page)
{
	/* io.weight and io.bfq.weight: "default 100", then a line for each device that differs. */
	const char *plain = nook_after(got, "default ");
	size_t len;

	if (plain)
		got = plain;
	len = strcspn(got, "\n");
	if (strlen(want) == len && !memcmp(want, got, len))
		return true;

	/* Memory is counted in pages, rounded down. */
	uint64_t a, b;

	return nook_starts(file, "memory.") && bytes_of(want, (uint64_t)page, &a) &&
	       bytes_of(got, (uint64_t)page, &b) && a == b;
}

/* Why the kernel refuses a value, where a person can't guess it from the errno. */
static void explain(const struct nook_plan_cgroup_write *w, int errnum, struct nook_error *err)
{
	static const struct {
		const char *file;
		int errnum;
		const char *cause, *hint;
	} reasons[] = {
		{ "memory.swap.max", ENOENT, "this kernel does not count swap by cgroup",
		  "boot with swapaccount=1, or leave --memory-swap out" },
		{ "memory.memsw.limit_in_bytes", ENOENT,
		  "this kernel does not count swap by cgroup",
		  "boot with swapaccount=1, or leave --memory-swap out" },
		{ "cpu.max", ENOENT, "this kernel has no CPU quotas (CONFIG_CFS_BANDWIDTH)", "" },
		{ "cpu.cfs_period_us", ENOENT,
		  "this kernel has no CPU quotas (CONFIG_CFS_BANDWIDTH)", "" },
		{ "cpu.cfs_quota_us", EINVAL,
		  "on cgroup v1 no cgroup may have more CPU time than the one above it",
		  "ask for less, or start it outside of the limited cgroup" },
		{ "io.weight", ENOENT, "this kernel has no I/O weights (CONFIG_BLK_CGROUP_IOCOST)",
		  "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++) {
		if (strcmp(reasons[i].file, w->file) || reasons[i].errnum != errnum)
			continue;
		nook_cause(err, "controller-unavailable", "%s", reasons[i].cause);
		if (reasons[i].hint[0])
			nook_hint(err, "%s", reasons[i].hint);
	}
}

/* On v2 a controller's files are there once it is enabled in the cgroup above. */
static void explain_missing(const struct nook_plan_cgroup_write *w, int fd, struct nook_error *err)
{
	char have[4096];
	char controller[32];

	(void)nook_format(controller, sizeof(controller), "%.*s", (int)strcspn(w->file, "."),
			  w->file);
	if (nook_cgroupfs_read(fd, "cgroup.controllers", have, sizeof(have)) < 0 ||
	    nook_cgroupfs_has_word(have, controller))
		return;
	nook_cause(err, "controller-unavailable",
		   "the controller %s could not be enabled in the cgroup above: processes live "
		   "there, or it is not ours to change",
		   controller);
	nook_hint(err, "choose a cgroupsPath whose parent has no processes");
}

static int check_usage(const struct nook_plan_cgroup_dir *dir,
		       const struct nook_plan_cgroup_write *w, int fd, struct nook_error *err)
{
	char text[32];
	uint64_t now, limit;
	const char *file = dir->v2 ? "memory.current" : "memory.usage_in_bytes";

	if (nook_cgroupfs_read(fd, file, text, sizeof(text)) < 0 ||
	    nook_parse_u64(text, UINT64_MAX, &now) < 0 ||
	    nook_parse_u64(w->value, UINT64_MAX, &limit) < 0 || now <= limit)
		return 0;
	return nook_refuse(err, EBUSY,
			   "rejecting memory limit %s, because current usage is %s: "
			   "checkBeforeUpdate asks for that",
			   w->value, text);
}

int nook_cgroup_write_one(const struct nook_plan_cgroup_dir *dir,
			  const struct nook_plan_cgroup_write *w, int fd, struct nook_error *err)
{
	char got[256];
	int r = w->below_usage ? check_usage(dir, w, fd, err) : 0;

	if (r < 0)
		return r;
	r = nook_cgroupfs_write(fd, w->file, w->value);
	if (r == -ENOENT && w->or_file)
		r = nook_cgroupfs_write(fd, w->or_file, w->or_value);
	if (r == -ENOENT && w->optional)
		return 0;
	if (r < 0) {
		explain(w, -r, err);
		if (r == -ENOENT && dir->v2 && dir->by_path)
			explain_missing(w, fd, err);
		return nook_fail(err, -r, "write %s to %s%s/%s", w->value, dir->mount, dir->path,
				 w->file);
	}
	if (w->loose)
		return 0;

	ssize_t len = nook_cgroupfs_read(fd, w->file, got, sizeof(got));

	if (len < 0)
		return nook_fail(err, (int)-len, "read back %s%s/%s", dir->mount, dir->path,
				 w->file);
	if (!nook_cgroup_same_value(w->file, w->value, got, sysconf(_SC_PAGESIZE)))
		return nook_refuse(err, ERANGE,
				   "the kernel took %s for %s%s/%s but says %s, so the limit would "
				   "not be what was asked",
				   w->value, dir->mount, dir->path, w->file, got);
	return 0;
}

int nook_cgroup_write_limits(const struct nook_plan_cgroup *plan, unsigned dir, int fd,
			     struct nook_error *err)
{
	for (size_t i = 0; i < plan->n_writes; i++) {
		const struct nook_plan_cgroup_write *w = &plan->writes[i];

		if (w->dir != dir)
			continue;

		int r = nook_cgroup_write_one(&plan->dirs[dir], w, fd, err);

		if (r < 0) {
			if (w->from)
				nook_where(err, "%s", w->from);
			return r;
		}
	}
	return 0;
}

/* The words that need a controller: those of the first write to one of its files. */
static void blame(const struct nook_plan_cgroup *plan, unsigned dir, const char *controller,
		  struct nook_error *err)
{
	for (size_t i = 0; i < plan->n_writes; i++) {
		const struct nook_plan_cgroup_write *w = &plan->writes[i];
		const char *rest = nook_after(w->file, controller);

		if (w->dir == dir && rest && *rest == '.' && w->from) {
			nook_where(err, "%s", w->from);
			return;
		}
	}
}

static int refuse_controller(const char *name, const char *controller, int errnum,
			     struct nook_error *err)
{
	if (errnum == EBUSY) {
		nook_cause(err, "cgroup-busy",
			   "processes live in %s, and cgroup v2 gives no limits to the children "
			   "of such a cgroup",
			   name);
		nook_hint(err,
			  "start it in a cgroup of its own: systemd-run --scope -p Delegate=yes "
			  "nook run …");
	} else if (errnum == ENOENT) {
		nook_cause(err, "controller-unavailable", "the controller %s is not enabled for %s",
			   controller, name);
	}
	return nook_fail(err, errnum, "write +%s to %s/cgroup.subtree_control", controller, name);
}

int nook_cgroup_enable(const struct nook_plan_cgroup *plan, unsigned dir, int fd, const char *name,
		       struct nook_error *err)
{
	char have[4096];
	char text[32];
	ssize_t len;

	if (!plan->dirs[dir].enable)
		return 0;
	len = nook_cgroupfs_read(fd, "cgroup.subtree_control", have, sizeof(have));
	if (len < 0)
		return nook_fail(err, (int)-len, "read %s/cgroup.subtree_control", name);

	for (unsigned c = 0; c < NOOK_CTL_COUNT; c++) {
		const char *controller = nook_controller_name(c);

		if (!(plan->dirs[dir].enable & 1u << c) || nook_cgroupfs_has_word(have, controller))
			continue;
		(void)nook_format(text, sizeof(text), "+%s", controller);

		int r = nook_cgroupfs_write(fd, "cgroup.subtree_control", text);

		if (r < 0) {
			blame(plan, dir, controller, err);
			return refuse_controller(name, controller, -r, err);
		}
	}
	return 0;
}
