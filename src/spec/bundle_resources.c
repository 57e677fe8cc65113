/* SPDX-License-Identifier: Apache-2.0 */
/*
 * linux.resources: config-linux.md, "Control groups". Engines write 0 for many limits that they
 * don't mean; what 0 means is decided here, as runc does.
 */
#include "bundle_reader.h"

#include <string.h>

#define UNSET NOOK_BUNDLE_ZERO_UNSET
#define NEED  NOOK_BUNDLE_REQUIRED

#define SWAPPINESS_LAST 100

/* -1: unlimited. */
#define ROW_LIMIT(k, m) ROW_OPT_I64(k, m, -1, INT64_MAX, UNSET)

/* ---- memory ---- */

static int read_swappiness(struct nook_bundle_reader *r, const struct nook_json_value *v,
			   void *into)
{
	struct nook_opt_u64 *swappiness = into;
	uint64_t value = 0;
	int rc = nook_json_as_u64(v, UINT64_MAX, &value, r->err);

	/* Docker's -1, "not said", as an unsigned number. 0 is a value of its own. */
	if (rc < 0 || value == UINT64_MAX)
		return rc;
	if (value > SWAPPINESS_LAST)
		return nook_json_refuse(v, r->err, "%lu is above %d", value, SWAPPINESS_LAST);
	*swappiness = (struct nook_opt_u64){ true, value, nook_bundle_from(r, v) };
	return 0;
}

#define STRUCT struct nook_bundle_resources
static int read_memory(struct nook_bundle_reader *r, const struct nook_json_value *v, void *into)
{
	static const struct nook_bundle_member rows[] = {
		ROW_LIMIT("limit", memory.limit),
		ROW_LIMIT("reservation", memory.reservation),
		ROW_LIMIT("swap", memory.swap),
		ROW_LIMIT("kernel", memory.kernel),
		ROW_LIMIT("kernelTCP", memory.kernel_tcp),
		ROW_PART("swappiness", memory.swappiness, NOOK_JSON_NUMBER, read_swappiness),
		ROW_TRISTATE("disableOOMKiller", memory.disable_oom_killer),
		ROW_TRISTATE("useHierarchy", memory.use_hierarchy),
		ROW_TRISTATE("checkBeforeUpdate", memory.check_before_update),
	};

	return nook_bundle_members(r, v, into, rows);
}

/* ---- cpu, pids ---- */

static int read_cpu(struct nook_bundle_reader *r, const struct nook_json_value *v, void *into)
{
	static const struct nook_bundle_member rows[] = {
		ROW_OPT_U64("shares", cpu.shares, UINT64_MAX, UNSET),
		ROW_LIMIT("quota", cpu.quota),
		ROW_OPT_U64("burst", cpu.burst, UINT64_MAX, 0),
		ROW_OPT_U64("period", cpu.period, UINT64_MAX, UNSET),
		ROW_LIMIT("realtimeRuntime", cpu.realtime_runtime),
		ROW_OPT_U64("realtimePeriod", cpu.realtime_period, UINT64_MAX, UNSET),
		ROW_TEXT("cpus", cpu.cpus, NOOK_BUNDLE_TEXT, nook_bundle_check_list),
		ROW_TEXT("mems", cpu.mems, NOOK_BUNDLE_TEXT, nook_bundle_check_list),
		ROW_OPT_I64("idle", cpu.idle, 0, 1, 0),
	};
	struct nook_bundle_resources *res = into;
	int rc = nook_bundle_members(r, v, res, rows);

	if (res->cpu.cpus)
		res->cpu.cpus_from =
			nook_bundle_from(r, &(struct nook_json_value){ .up = v, .key = "cpus" });
	if (res->cpu.mems)
		res->cpu.mems_from =
			nook_bundle_from(r, &(struct nook_json_value){ .up = v, .key = "mems" });
	return rc;
}

static int read_pids(struct nook_bundle_reader *r, const struct nook_json_value *v, void *into)
{
	static const struct nook_bundle_member rows[] = {
		ROW_OPT_I64("limit", pids, INT64_MIN, INT64_MAX, UNSET),
	};
	struct nook_bundle_resources *res = into;
	int rc = nook_bundle_members(r, v, res, rows);

	/* Any negative number is "unlimited" to runc. */
	if (res->pids.set && res->pids.value < 0)
		res->pids.value = -1;
	return rc;
}
#undef STRUCT

/* ---- hugepageLimits ---- */

/* "64KB", "2MB", "1GB": it becomes part of a file's name. */
static int check_page_size(struct nook_bundle_reader *r, const struct nook_json_value *v,
			   const char *text)
{
	size_t n = strspn(text, "0123456789");

	if (n > 0 && n < 10 && *text != '0' && text[n] && strchr("KMGT", text[n]) &&
	    strcmp(text + n + 1, "B") == 0)
		return 0;
	return nook_json_refuse(v, r->err, "\"%.64s\" is not a page size such as 2MB or 1GB", text);
}

#define STRUCT struct nook_bundle_pair
static int read_hugepages(struct nook_bundle_reader *r, const struct nook_json_value *v, void *into)
{
	static const struct nook_bundle_member rows[] = {
		ROW_NEED_TEXT("pageSize", name, NOOK_BUNDLE_TEXT, check_page_size),
		ROW_U64("limit", number, UINT64_MAX, NEED),
	};
	struct nook_bundle_pair *pair = into;

	pair->from = nook_bundle_from(r, v);
	return nook_bundle_members(r, v, pair, rows);
}

/* ---- network ---- */

static int read_priority(struct nook_bundle_reader *r, const struct nook_json_value *v, void *into)
{
	static const struct nook_bundle_member rows[] = {
		ROW_NEED_TEXT("name", name, NOOK_BUNDLE_TEXT, nook_bundle_check_ifname),
		ROW_U64("priority", number, UINT32_MAX, NEED),
	};
	struct nook_bundle_pair *pair = into;

	pair->from = nook_bundle_from(r, v);
	return nook_bundle_members(r, v, pair, rows);
}
#undef STRUCT

#define STRUCT struct nook_bundle_resources
static int read_network(struct nook_bundle_reader *r, const struct nook_json_value *v, void *into)
{
	static const struct nook_bundle_member rows[] = {
		ROW_OPT_U64("classID", class_id, UINT32_MAX, UNSET),
		ROW_ITEMS("priorities", net_prio, n_net_prio, NOOK_JSON_ARRAY, NOOK_JSON_OBJECT,
			  read_priority),
	};

	return nook_bundle_members(r, v, into, rows);
}
#undef STRUCT

/* ---- rdma, unified ---- */

#define STRUCT struct nook_bundle_rdma
static int read_rdma(struct nook_bundle_reader *r, const struct nook_json_value *v, void *into)
{
	static const struct nook_bundle_member rows[] = {
		ROW_OPT_U64("hcaHandles", handles, UINT32_MAX, 0),
		ROW_OPT_U64("hcaObjects", objects, UINT32_MAX, 0),
	};
	struct nook_bundle_rdma *rdma = into;
	int rc = nook_bundle_members(r, v, rdma, rows);

	if (rc < 0)
		return rc;
	if (!*v->key || strpbrk(v->key, " \t\n"))
		return nook_json_refuse(v, r->err, "this can't name a device");
	if (!rdma->handles.set && !rdma->objects.set)
		return nook_json_refuse(v, r->err, "hcaHandles, hcaObjects or both are missing");
	rdma->name = nook_strdup(r->arena, v->key);
	rdma->from = nook_bundle_from(r, v);
	return 0;
}
#undef STRUCT

static int read_unified(struct nook_bundle_reader *r, const struct nook_json_value *v, void *into)
{
	struct nook_bundle_pair *pair = into;
	const char *text = NULL;
	int rc = nook_json_as_text(v, NOOK_BUNDLE_TEXT, &text, r->err);

	if (rc < 0)
		return rc;
	if (!*v->key || strchr(v->key, '/') || strcmp(v->key, ".") == 0 ||
	    strcmp(v->key, "..") == 0)
		return nook_json_refuse(v, r->err, "this can't name a file of a cgroup");
	pair->name = nook_strdup(r->arena, v->key);
	pair->text = nook_strdup(r->arena, text);
	pair->from = nook_bundle_from(r, v);
	return 0;
}

/* ---- the whole ---- */

#define STRUCT struct nook_bundle_resources
int nook_bundle_read_resources(struct nook_bundle_reader *r, const struct nook_json_value *v,
			       void *into)
{
	static const struct nook_bundle_member rows[] = {
		ROW_ITEMS("devices", devices, n_devices, NOOK_JSON_ARRAY, NOOK_JSON_OBJECT,
			  nook_bundle_read_device_rule),
		ROW_WHOLE("memory", NOOK_JSON_OBJECT, read_memory),
		ROW_WHOLE("cpu", NOOK_JSON_OBJECT, read_cpu),
		ROW_WHOLE("pids", NOOK_JSON_OBJECT, read_pids),
		ROW_WHOLE("blockIO", NOOK_JSON_OBJECT, nook_bundle_read_blkio),
		ROW_ITEMS("hugepageLimits", hugepages, n_hugepages, NOOK_JSON_ARRAY,
			  NOOK_JSON_OBJECT, read_hugepages),
		ROW_WHOLE("network", NOOK_JSON_OBJECT, read_network),
		ROW_ITEMS("rdma", rdma, n_rdma, NOOK_JSON_OBJECT, NOOK_JSON_OBJECT, read_rdma),
		ROW_ITEMS("unified", unified, n_unified, NOOK_JSON_OBJECT, NOOK_JSON_TEXT,
			  read_unified),
	};
	struct nook_bundle_resources *res = into;

	res->set = true;
	return nook_bundle_members(r, v, res, rows);
}
#undef STRUCT
