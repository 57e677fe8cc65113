/* SPDX-License-Identifier: Apache-2.0 */
#include "command_words.h"
#include "oci.h"

#include "base/file.h"
#include "base/own.h"
#include "base/text.h"
#include "run/oci.h"
#include "run/rdt.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#define AT(member) offsetof(struct oci_update_words, member)

static const struct oci_option rows[] = {
	{ "resources", 'r', OCI_TEXT, AT(resources), "FILE",
	  "a resources object as in config.json, \"-\" for stdin; other options add to it" },
	{ "memory", 0, OCI_TEXT, AT(memory), "BYTES", "memory; -1: no limit" },
	{ "memory-reservation", 0, OCI_TEXT, AT(memory_reservation), "BYTES",
	  "memory that it keeps when others need some" },
	{ "memory-swap", 0, OCI_TEXT, AT(memory_swap), "BYTES",
	  "memory and swap together; -1: no limit" },
	{ "kernel-memory", 0, OCI_TEXT, AT(kernel_memory), "BYTES", NULL },
	{ "kernel-memory-tcp", 0, OCI_TEXT, AT(kernel_memory_tcp), "BYTES", NULL },
	{ "cpu-period", 0, OCI_TEXT, AT(cpu_period), "MICROSECONDS", "the period of --cpu-quota" },
	{ "cpu-quota", 0, OCI_TEXT, AT(cpu_quota), "MICROSECONDS",
	  "CPU time in each period; -1: no limit" },
	{ "cpu-burst", 0, OCI_TEXT, AT(cpu_burst), "MICROSECONDS",
	  "what it may save of earlier periods" },
	{ "cpu-share", 0, OCI_TEXT, AT(cpu_share), "SHARES", "weight against others, from 2 on" },
	{ "cpu-rt-period", 0, OCI_TEXT, AT(cpu_rt_period), "MICROSECONDS",
	  "the period of --cpu-rt-runtime" },
	{ "cpu-rt-runtime", 0, OCI_TEXT, AT(cpu_rt_runtime), "MICROSECONDS",
	  "realtime CPU time in each period" },
	{ "cpu-idle", 0, OCI_TEXT, AT(cpu_idle), "0|1", "1: only what nobody else needs" },
	{ "cpuset-cpus", 0, OCI_TEXT, AT(cpuset_cpus), "LIST", "its CPUs: 0-3,7" },
	{ "cpuset-mems", 0, OCI_TEXT, AT(cpuset_mems), "LIST", "its memory nodes" },
	{ "pids-limit", 0, OCI_TEXT, AT(pids_limit), "N", "processes and threads; -1: no limit" },
	{ "blkio-weight", 0, OCI_TEXT, AT(blkio_weight), "WEIGHT",
	  "weight against others at the disks, 10 to 1000" },
	{ "l3-cache-schema", 0, OCI_TEXT, AT(l3_cache_schema), "SCHEMA",
	  "its share of the L3 cache, resctrl" },
	{ "mem-bw-schema", 0, OCI_TEXT, AT(mem_bw_schema), "SCHEMA",
	  "its share of the memory's bandwidth, resctrl" },
	OCI_HELP_ROW,
};

const struct oci_table oci_update_table = { .rows = rows, .n = ARRAY_SIZE(rows) };

#define RESOURCES_MAX (1u << 20)

/* A pipe is read to its end, as containerd gives one. */
static int read_stream(struct nook_arena *a, int fd, char **ret, size_t *ret_len,
		       struct nook_error *err)
{
	char *text = nook_alloc(a, RESOURCES_MAX + 1);
	size_t len = 0;

	for (;;) {
		ssize_t n = read(fd, text + len, RESOURCES_MAX + 1 - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return nook_fail(err, errno, "read");
		len += (size_t)n;
		if (len > RESOURCES_MAX)
			return nook_refuse(err, EFBIG, "more than %u bytes", RESOURCES_MAX);
		if (n == 0)
			break;
	}
	text[len] = '\0';
	*ret = text;
	*ret_len = len;
	return 0;
}

/* "/memory/limit in --resources FILE" */
static void name_file(struct nook_error *err, const char *file)
{
	char place[sizeof(err->where)];

	(void)nook_format(place, sizeof(place), "%s", err->where); /* as long as it was */
	err->where[0] = '\0';
	nook_where(err, "%s%s--resources %s", place, place[0] ? " in " : "", file);
}

static int read_resources(struct oci *o, const char *file, struct nook_bundle_resources *ret,
			  struct nook_error *err)
{
	bool stream = strcmp(file, "-") == 0;
	auto_close int fd = stream ? NO_FD : open(file, O_RDONLY | O_NOCTTY | O_CLOEXEC);
	size_t len = 0;
	char *text = NULL;
	int rc;

	if (!stream && fd < 0)
		rc = nook_fail(err, errno, "open %s", file);
	else
		rc = read_stream(o->arena, stream ? STDIN_FILENO : fd, &text, &len, err);
	if (rc == 0)
		rc = nook_bundle_parse_resources(o->arena, text, len, ret, err);
	if (rc < 0)
		name_file(err, file);
	return rc;
}

/* ---- the options ---- */

/* A limit as it was given. */
struct limit {
	const char *option, *text; /* text NULL: not given */
	enum { COUNT, BYTES } unit;
	bool may_be_none; /* -1 */
	struct nook_opt_i64 *to;
	struct nook_opt_u64 *to_unsigned; /* in place of @to */
};

static int read_limit(const struct limit *l, int64_t *ret, struct nook_error *err)
{
	uint64_t size;
	int rc;

	if (l->unit == BYTES && l->text[0] != '-') {
		rc = nook_parse_size(l->text, &size);
		if (rc == 0)
			*ret = (int64_t)size; /* at most 2^63 - 1 */
	} else {
		rc = nook_parse_i64(l->text, l->may_be_none ? -1 : 0, INT64_MAX, ret);
	}
	if (rc == 0)
		return 0;
	nook_where(err, "--%s %s", l->option, l->text);
	return nook_refuse(err, EINVAL, "that is no %s%s", l->unit == BYTES ? "size" : "number",
			   l->may_be_none ? ", nor -1 for no limit" : "");
}

static int set_limits(struct nook_arena *a, const struct limit *limits, size_t n,
		      struct nook_error *err)
{
	for (size_t i = 0; i < n; i++) {
		const struct limit *l = &limits[i];
		int64_t value = 0;

		if (!l->text)
			continue;
		if (read_limit(l, &value, err) < 0)
			return -EINVAL;

		const char *from = nook_printf(a, "--%s %s", l->option, l->text);

		if (l->to)
			*l->to = (struct nook_opt_i64){ true, value, from };
		else
			*l->to_unsigned = (struct nook_opt_u64){ true, (uint64_t)value, from };
	}
	return 0;
}

static int set_words(struct nook_arena *a, const struct oci_update_words *w,
		     struct nook_bundle_resources *r, struct nook_error *err)
{
	const struct limit limits[] = {
		{ "memory", w->memory, BYTES, true, &r->memory.limit },
		{ "memory-reservation", w->memory_reservation, BYTES, true,
		  &r->memory.reservation },
		{ "memory-swap", w->memory_swap, BYTES, true, &r->memory.swap },
		{ "kernel-memory", w->kernel_memory, BYTES, true, &r->memory.kernel },
		{ "kernel-memory-tcp", w->kernel_memory_tcp, BYTES, true, &r->memory.kernel_tcp },
		{ "cpu-period", w->cpu_period, COUNT, false, NULL, &r->cpu.period },
		{ "cpu-quota", w->cpu_quota, COUNT, true, &r->cpu.quota },
		{ "cpu-burst", w->cpu_burst, COUNT, false, NULL, &r->cpu.burst },
		{ "cpu-share", w->cpu_share, COUNT, false, NULL, &r->cpu.shares },
		{ "cpu-rt-period", w->cpu_rt_period, COUNT, false, NULL, &r->cpu.realtime_period },
		{ "cpu-rt-runtime", w->cpu_rt_runtime, COUNT, true, &r->cpu.realtime_runtime },
		{ "cpu-idle", w->cpu_idle, COUNT, false, &r->cpu.idle },
		{ "pids-limit", w->pids_limit, COUNT, true, &r->pids },
		{ "blkio-weight", w->blkio_weight, COUNT, false, NULL, &r->blkio.weight },
	};

	if (w->cpuset_cpus) {
		r->cpu.cpus = w->cpuset_cpus;
		r->cpu.cpus_from = nook_printf(a, "--cpuset-cpus %s", w->cpuset_cpus);
	}
	if (w->cpuset_mems) {
		r->cpu.mems = w->cpuset_mems;
		r->cpu.mems_from = nook_printf(a, "--cpuset-mems %s", w->cpuset_mems);
	}
	r->set = true;
	return set_limits(a, limits, ARRAY_SIZE(limits), err);
}

/* Cache and memory bandwidth: where the container has a group, resctrl. */
static int find_rdt(struct oci *o, const struct nook_plan_rdt *rdt, const char **ret,
		    struct nook_error *err)
{
	struct nook_oci_state state;
	int rc;

	*ret = NULL;
	if (!rdt->l3 && !rdt->mem_bw)
		return 0;
	rc = nook_oci_state(o->root, o->argv[0], o->arena, &state, err);
	if (rc < 0)
		return rc;
	*ret = state.record.rdt_tasks;
	if (*ret)
		return 0;
	nook_where(err, rdt->l3 ? "--l3-cache-schema" : "--mem-bw-schema");
	return nook_refuse(err, EINVAL,
			   "the container was made without /linux/intelRdt: it has no group in "
			   "resctrl");
}

int oci_update(struct oci *o, const void *words)
{
	const struct oci_update_words *w = words;
	const struct nook_plan_rdt rdt = { .l3 = w->l3_cache_schema, .mem_bw = w->mem_bw_schema };
	struct nook_bundle_resources r = { 0 };
	struct nook_error err = { 0 };
	const char *group = NULL;
	int rc = 0;

	if (w->resources)
		rc = read_resources(o, w->resources, &r, &err);
	if (rc == 0)
		rc = set_words(o->arena, w, &r, &err);
	if (rc == 0)
		rc = find_rdt(o, &rdt, &group, &err);
	if (rc == 0)
		rc = nook_oci_update(o->root, o->argv[0], &r, &err);
	if (rc == 0 && group)
		rc = nook_rdt_update(o->arena, group, &rdt, &err);
	return rc < 0 ? oci_failed(o, &err) : 0;
}
