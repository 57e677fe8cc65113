/* SPDX-License-Identifier: Apache-2.0 */
/* Memory, disks and huge pages of `events --stats`. */
#include "base/json.h"
#include "base/own.h"
#include "base/text.h"
#include "cgroup_stats.h"
#include "sys/cgroupfs.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>

/* ---- memory ---- */

struct entry {
	uint64_t limit, usage, max, failcnt;
};

static void put_entry(struct nook_stats *s, const char *key, const struct entry *e)
{
	nook_json_object(s->w, key);
	nook_json_put_u64(s->w, "limit", e->limit);
	nook_stats_put(s, "usage", e->usage);
	nook_stats_put(s, "max", e->max);
	nook_json_put_u64(s->w, "failcnt", e->failcnt);
	nook_json_end(s->w);
}

static uint64_t number_v1(struct nook_stats *s, const char *prefix, const char *name)
{
	char file[64];

	(void)nook_format(file, sizeof(file), "memory.%s%s", prefix, name);
	return nook_stats_number(s, NOOK_STATS_V1, file);
}

static struct entry entry_v1(struct nook_stats *s, const char *prefix)
{
	return (struct entry){
		.limit = number_v1(s, prefix, "limit_in_bytes"),
		.usage = number_v1(s, prefix, "usage_in_bytes"),
		.max = number_v1(s, prefix, "max_usage_in_bytes"),
		.failcnt = number_v1(s, prefix, "failcnt"),
	};
}

/* v2 counts swap by itself; runc tells it together with memory, as v1 does. */
static void entries_v2(struct nook_stats *s, struct entry *usage, struct entry *swap)
{
	*usage = (struct entry){
		.limit = nook_stats_number(s, NOOK_STATS_V2, "memory.max"),
		.usage = nook_stats_number(s, NOOK_STATS_V2, "memory.current"),
		.max = nook_stats_number(s, NOOK_STATS_V2, "memory.peak"),
	};
	*swap = (struct entry){
		.limit = nook_stats_number(s, NOOK_STATS_V2, "memory.swap.max"),
		.usage = nook_stats_number(s, NOOK_STATS_V2, "memory.swap.current"),
		.max = nook_stats_number(s, NOOK_STATS_V2, "memory.swap.peak"),
	};
	swap->usage += usage->usage;
	swap->limit =
		swap->limit > UINT64_MAX - usage->limit ? UINT64_MAX : swap->limit + usage->limit;
}

static void put_raw(struct nook_stats *s, const char *text)
{
	char *copy = nook_strdup(s->arena, text);
	char *value;

	nook_json_object(s->w, "raw");
	for (char *at = copy, *key; (key = nook_stats_line(&at, &value));) {
		uint64_t n;

		if (nook_parse_u64(value, UINT64_MAX, &n) == 0)
			nook_json_put_u64(s->w, key, n);
	}
	nook_json_end(s->w);
}

void nook_stats_memory(struct nook_stats *s)
{
	const char *text = nook_stats_read(s, NOOK_STATS_V1, "memory.stat");
	bool v1 = text != NULL;
	struct entry usage, swap, kernel = { 0 }, tcp = { 0 };

	if (!v1)
		text = nook_stats_read(s, NOOK_STATS_V2, "memory.stat");
	text = text ? nook_strdup(s->arena, text) : NULL;
	if (v1) {
		usage = entry_v1(s, "");
		swap = entry_v1(s, "memsw.");
		kernel = entry_v1(s, "kmem.");
		tcp = entry_v1(s, "kmem.tcp.");
	} else {
		entries_v2(s, &usage, &swap);
	}

	nook_json_object(s->w, "memory");
	nook_stats_put(s, "cache", nook_stats_key(text, v1 ? "cache" : "file"));
	put_entry(s, "usage", &usage);
	put_entry(s, "swap", &swap);
	put_entry(s, "kernel", &kernel);
	put_entry(s, "kernelTCP", &tcp);
	if (text)
		put_raw(s, text);
	nook_json_end(s->w);
}

/* ---- disks ---- */

static bool device_of(const char *text, uint64_t *major, uint64_t *minor)
{
	char number[16];
	const char *colon = strchr(text, ':');

	if (!colon || colon - text >= (ptrdiff_t)sizeof(number))
		return false;
	(void)nook_format(number, sizeof(number), "%.*s", (int)(colon - text), text);
	return nook_parse_u64(number, UINT32_MAX, major) == 0 &&
	       nook_parse_u64(colon + 1, UINT32_MAX, minor) == 0;
}

static void put_io(struct nook_stats *s, const char *device, const char *op, const char *value)
{
	uint64_t major, minor, n;

	if (!device_of(device, &major, &minor) || nook_parse_u64(value, UINT64_MAX, &n) < 0)
		return;
	nook_json_object(s->w, NULL);
	nook_stats_put(s, "major", major);
	nook_stats_put(s, "minor", minor);
	if (op)
		nook_json_put_text(s->w, "op", op);
	nook_stats_put(s, "value", n);
	nook_json_end(s->w);
}

/* Lines "8:0 Read 100", or "8:0 100"; the last is "Total 100". */
static void put_io_v1(struct nook_stats *s, const char *key, const char *bfq, const char *throttle)
{
	const char *text = nook_stats_read(s, NOOK_STATS_V1, bfq);
	char *value;

	/* Where no device has bfq, only its first line is there: "Total 0". */
	if ((!text || !strncmp(text, "Total 0", 7) || !text[0]) && throttle)
		text = nook_stats_read(s, NOOK_STATS_V1, throttle);
	if (!text || !strchr(text, ':'))
		return;

	char *copy = nook_strdup(s->arena, text);

	nook_json_array(s->w, key);
	for (char *at = copy, *device; (device = nook_stats_line(&at, &value));) {
		char *space = strchr(value, ' ');

		if (space)
			*space = '\0';
		put_io(s, device, space ? value : NULL, space ? space + 1 : value);
	}
	nook_json_end(s->w);
}

/* Lines "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6". */
static void put_io_v2(struct nook_stats *s, const char *text, const char *key, const char *reads,
		      const char *writes)
{
	char *copy = nook_strdup(s->arena, text);
	char *value;

	nook_json_array(s->w, key);
	for (char *at = copy, *device; (device = nook_stats_line(&at, &value));) {
		char *save = NULL;

		for (char *w = strtok_r(value, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
			const char *r = nook_after(w, reads), *wr = nook_after(w, writes);

			if (r || wr)
				put_io(s, device, r ? "Read" : "Write", r ? r : wr);
		}
	}
	nook_json_end(s->w);
}

void nook_stats_blkio(struct nook_stats *s)
{
	static const struct {
		const char *key, *bfq, *throttle;
	} files[] = {
		{ "ioServiceBytesRecursive", "blkio.bfq.io_service_bytes_recursive",
		  "blkio.throttle.io_service_bytes_recursive" },
		{ "ioServicedRecursive", "blkio.bfq.io_serviced_recursive",
		  "blkio.throttle.io_serviced_recursive" },
		{ "ioQueueRecursive", "blkio.bfq.io_queued_recursive", NULL },
		{ "ioServiceTimeRecursive", "blkio.bfq.io_service_time_recursive", NULL },
		{ "ioWaitTimeRecursive", "blkio.bfq.io_wait_time_recursive", NULL },
		{ "ioMergedRecursive", "blkio.bfq.io_merged_recursive", NULL },
		{ "ioTimeRecursive", "blkio.bfq.time_recursive", NULL },
		{ "sectorsRecursive", "blkio.bfq.sectors_recursive", NULL },
	};
	const char *text = nook_stats_read(s, NOOK_STATS_V2, "io.stat");

	nook_json_object(s->w, "blkio");
	if (text && strchr(text, ':')) {
		text = nook_strdup(s->arena, text);
		put_io_v2(s, text, "ioServiceBytesRecursive", "rbytes=", "wbytes=");
		put_io_v2(s, text, "ioServicedRecursive", "rios=", "wios=");
	} else {
		for (size_t i = 0; i < ARRAY_SIZE(files); i++)
			put_io_v1(s, files[i].key, files[i].bfq, files[i].throttle);
	}
	nook_json_end(s->w);
}

/* ---- huge pages ---- */

static void put_size(struct nook_stats *s, const char *size, bool v2)
{
	enum nook_stats_version version = v2 ? NOOK_STATS_V2 : NOOK_STATS_V1;
	char file[128];
	const char *text;

	nook_json_object(s->w, size);
	(void)nook_format(file, sizeof(file),
			  v2 ? "hugetlb.%s.current" : "hugetlb.%s.usage_in_bytes", size);
	nook_stats_put(s, "usage", nook_stats_number(s, version, file));
	if (!v2) {
		(void)nook_format(file, sizeof(file), "hugetlb.%s.max_usage_in_bytes", size);
		nook_stats_put(s, "max", nook_stats_number(s, version, file));
		(void)nook_format(file, sizeof(file), "hugetlb.%s.failcnt", size);
		nook_json_put_u64(s->w, "failcnt", nook_stats_number(s, version, file));
	} else {
		(void)nook_format(file, sizeof(file), "hugetlb.%s.events", size);
		text = nook_stats_read(s, version, file);
		nook_json_put_u64(s->w, "failcnt", nook_stats_key(text, "max"));
	}
	nook_json_end(s->w);
}

/* The sizes that this kernel has are in the names of the files: "hugetlb.2MB.current". */
static void put_sizes(struct nook_stats *s, int cgroup, bool v2)
{
	int fd = nook_cgroupfs_walk(cgroup, "/", O_RDONLY);
	auto_closedir DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	if (!d)
		close_fd(&fd);
	while (d && (e = readdir(d))) {
		const char *size = nook_after(e->d_name, "hugetlb.");
		const char *dot = size ? strchr(size, '.') : NULL;

		if (dot && !strcmp(dot, v2 ? ".current" : ".usage_in_bytes"))
			put_size(s, nook_strndup(s->arena, size, (size_t)(dot - size)), v2);
	}
}

void nook_stats_hugetlb(struct nook_stats *s)
{
	nook_json_object(s->w, "hugetlb");
	for (size_t i = 0; i < s->n; i++)
		put_sizes(s, s->fds[i], s->v2[i]);
	nook_json_end(s->w);
}
