/* SPDX-License-Identifier: Apache-2.0 */
/* What a container uses, in the shape of runc's `events --stats`: its types/events.go. */
#include "base/json.h"
#include "base/own.h"
#include "base/text.h"
#include "cgroup_parts.h"
#include "cgroup_stats.h"
#include "oci_parts.h"
#include "sys/cgroupfs.h"

#include <string.h>
#include <unistd.h>

/* cpuacct.usage_all has a line for each CPU, and there may be thousands. */
#define TEXT_BYTES ((size_t)256 << 10)

#define BILLION 1000000000u

const char *nook_stats_read(struct nook_stats *s, enum nook_stats_version version, const char *file)
{
	for (size_t i = 0; i < s->n; i++) {
		if (s->v2[i] != (version == NOOK_STATS_V2))
			continue;
		if (nook_cgroupfs_read(s->fds[i], file, s->text, TEXT_BYTES) >= 0)
			return s->text;
	}
	return NULL;
}

/* A number, or "max". */
static bool number_of(const char *text, uint64_t *ret)
{
	if (!strcmp(text, "max")) {
		*ret = UINT64_MAX;
		return true;
	}
	return nook_parse_u64(text, UINT64_MAX, ret) == 0;
}

uint64_t nook_stats_number(struct nook_stats *s, enum nook_stats_version version, const char *file)
{
	const char *text = nook_stats_read(s, version, file);
	uint64_t n = 0;

	return text && number_of(text, &n) ? n : 0;
}

char *nook_stats_line(char **at, char **ret_value)
{
	for (char *line; (line = strsep(at, "\n"));) {
		char *space = strchr(line, ' ');

		if (!space)
			continue;
		*space = '\0';
		*ret_value = space + 1;
		return line;
	}
	return NULL;
}

uint64_t nook_stats_key(const char *text, const char *key)
{
	size_t len = strlen(key);

	for (const char *at = text; at && *at; at = strchr(at, '\n'), at = at ? at + 1 : NULL) {
		char number[24];
		uint64_t n;

		if (strncmp(at, key, len) || at[len] != ' ')
			continue;
		(void)nook_format(number, sizeof(number), "%.*s", (int)strcspn(at + len + 1, "\n"),
				  at + len + 1);
		return nook_parse_u64(number, UINT64_MAX, &n) == 0 ? n : 0;
	}
	return 0;
}

void nook_stats_put(struct nook_stats *s, const char *key, uint64_t value)
{
	if (value)
		nook_json_put_u64(s->w, key, value);
}

/* ---- cpu ---- */

/* "100 200 ": one for each CPU. */
static void put_percpu_totals(struct nook_stats *s)
{
	const char *text = nook_stats_read(s, NOOK_STATS_V1, "cpuacct.usage_percpu");
	char *copy = text ? nook_strdup(s->arena, text) : NULL;
	char *save = NULL;

	if (!copy)
		return;
	nook_json_array(s->w, "percpu");
	for (char *one = strtok_r(copy, " ", &save); one; one = strtok_r(NULL, " ", &save)) {
		uint64_t n;

		if (nook_parse_u64(one, UINT64_MAX, &n) == 0)
			nook_json_put_u64(s->w, NULL, n);
	}
	nook_json_end(s->w);
}

/* One column of "CPU user system". */
static void put_percpu(struct nook_stats *s, const char *key, const char *all, bool user)
{
	char *text = nook_strdup(s->arena, all);
	char *value;

	nook_json_array(s->w, key);
	for (char *at = text, *cpu; (cpu = nook_stats_line(&at, &value));) {
		char *second = strchr(value, ' ');
		uint64_t u, k;

		if (cpu[0] < '0' || cpu[0] > '9' || !second)
			continue;
		*second++ = '\0';
		if (nook_parse_u64(value, UINT64_MAX, &u) == 0 &&
		    nook_parse_u64(second, UINT64_MAX, &k) == 0)
			nook_json_put_u64(s->w, NULL, user ? u : k);
	}
	nook_json_end(s->w);
}

static void put_usage_v1(struct nook_stats *s, uint64_t total)
{
	uint64_t tick = BILLION / (uint64_t)sysconf(_SC_CLK_TCK);
	const char *text, *all;

	nook_stats_put(s, "total", total);
	put_percpu_totals(s);
	text = nook_stats_read(s, NOOK_STATS_V1, "cpuacct.usage_all");
	all = text ? nook_strdup(s->arena, text) : NULL;
	if (all) {
		put_percpu(s, "percpu_kernel", all, false);
		put_percpu(s, "percpu_user", all, true);
	}
	text = nook_stats_read(s, NOOK_STATS_V1, "cpuacct.stat");
	nook_json_put_u64(s->w, "kernel", nook_stats_key(text, "system") * tick);
	nook_json_put_u64(s->w, "user", nook_stats_key(text, "user") * tick);
}

static void put_cpu(struct nook_stats *s)
{
	uint64_t total = nook_stats_number(s, NOOK_STATS_V1, "cpuacct.usage");
	const char *text;

	nook_json_object(s->w, "cpu");
	nook_json_object(s->w, "usage");
	if (total) {
		put_usage_v1(s, total);
	} else {
		/* Every cgroup of v2 counts this, also without the controller. */
		text = nook_stats_read(s, NOOK_STATS_V2, "cpu.stat");
		nook_stats_put(s, "total", nook_stats_key(text, "usage_usec") * 1000);
		nook_json_put_u64(s->w, "kernel", nook_stats_key(text, "system_usec") * 1000);
		nook_json_put_u64(s->w, "user", nook_stats_key(text, "user_usec") * 1000);
	}
	nook_json_end(s->w);

	nook_json_object(s->w, "throttling");
	text = nook_stats_read(s, NOOK_STATS_V1, "cpu.stat");
	if (!text)
		text = nook_stats_read(s, NOOK_STATS_V2, "cpu.stat");
	nook_stats_put(s, "periods", nook_stats_key(text, "nr_periods"));
	nook_stats_put(s, "throttledPeriods", nook_stats_key(text, "nr_throttled"));
	nook_stats_put(s, "throttledTime",
		       nook_stats_key(text, "throttled_time") +
			       nook_stats_key(text, "throttled_usec") * 1000);
	nook_json_end(s->w);
	nook_json_end(s->w);
}

/* ---- cpuset ---- */

/* "0-2,5" as numbers. */
static void put_list(struct nook_stats *s, const char *key, const char *text)
{
	char *copy = nook_strdup(s->arena, text);
	char *save = NULL;

	nook_json_array(s->w, key);
	for (char *one = strtok_r(copy, ",", &save); one; one = strtok_r(NULL, ",", &save)) {
		char *dash = strchr(one, '-');
		uint64_t first, last;

		if (dash)
			*dash++ = '\0';
		if (nook_parse_u64(one, UINT16_MAX, &first) < 0 ||
		    nook_parse_u64(dash ? dash : one, UINT16_MAX, &last) < 0)
			continue;
		for (; first <= last; first++)
			nook_json_put_u64(s->w, NULL, first);
	}
	nook_json_end(s->w);
}

static void put_set(struct nook_stats *s, const char *key, const char *v1, const char *v2)
{
	const char *text = nook_stats_read(s, NOOK_STATS_V1, v1);

	if (!text)
		text = nook_stats_read(s, NOOK_STATS_V2, v2);
	if (text && text[0])
		put_list(s, key, text);
}

static void put_cpuset(struct nook_stats *s)
{
	static const char *const flags[] = { "cpu_exclusive",      "mem_hardwall",
					     "mem_exclusive",      "memory_migrate",
					     "memory_spread_page", "memory_spread_slab",
					     "memory_pressure",    "sched_load_balance" };
	const char *level;
	int64_t n = 0;

	nook_json_object(s->w, "cpuset");
	put_set(s, "cpus", "cpuset.cpus", "cpuset.cpus.effective");
	put_set(s, "mems", "cpuset.mems", "cpuset.mems.effective");
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		char file[48];

		(void)nook_format(file, sizeof(file), "cpuset.%s", flags[i]);
		nook_json_put_u64(s->w, flags[i], nook_stats_number(s, NOOK_STATS_V1, file));
	}
	level = nook_stats_read(s, NOOK_STATS_V1, "cpuset.sched_relax_domain_level");
	if (level)
		(void)nook_parse_i64(level, INT64_MIN, INT64_MAX, &n); /* else it stays 0 */
	nook_json_put_i64(s->w, "sched_relax_domain_level", n);
	nook_json_end(s->w);
}

static void put_pids(struct nook_stats *s)
{
	enum nook_stats_version version =
		nook_stats_read(s, NOOK_STATS_V1, "pids.current") ? NOOK_STATS_V1 : NOOK_STATS_V2;
	uint64_t max = nook_stats_number(s, version, "pids.max");

	nook_json_object(s->w, "pids");
	nook_stats_put(s, "current", nook_stats_number(s, version, "pids.current"));
	nook_stats_put(s, "limit", max == UINT64_MAX ? 0 : max);
	nook_json_end(s->w);
}

static int open_all(struct nook_stats *s, const struct nook_record *r)
{
	for (size_t i = 0; i < r->n_cgroups && i < NOOK_RECORD_CGROUPS; i++) {
		int fd = nook_cgroup_open_dir(&r->cgroups[i]);

		if (fd < 0)
			continue;
		s->fds[s->n] = fd;
		s->v2[s->n++] = r->cgroups[i].v2;
	}
	return s->n ? 0 : -ENOENT;
}

int nook_oci_stats(const struct nook_record *r, struct nook_json_writer *w, const char *key,
		   struct nook_error *err)
{
	auto_arena struct nook_arena a = { 0 };
	struct nook_stats s = { .arena = &a, .w = w };
	int rc = nook_arena_open(&a, err);

	if (rc < 0)
		return rc;
	if (open_all(&s, r) < 0)
		return nook_refuse(err, ENOENT, "container %s has no cgroup that counts", r->name);
	s.text = nook_alloc(&a, TEXT_BYTES);

	nook_json_object(w, key);
	put_cpu(&s);
	put_cpuset(&s);
	nook_stats_memory(&s);
	put_pids(&s);
	nook_stats_blkio(&s);
	nook_stats_hugetlb(&s);
	nook_json_object(w, "intel_rdt");
	nook_json_end(w);
	nook_json_put_null(w, "network_interfaces");
	nook_json_end(w);

	for (size_t i = 0; i < s.n; i++)
		close_fd(&s.fds[i]);
	return 0;
}
