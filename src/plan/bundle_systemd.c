/* SPDX-License-Identifier: Apache-2.0 */
#include "bundle_systemd.h"

#include "base/own.h"
#include "base/text.h"
#include "bundle_parts.h"

#include <ctype.h>
#include <string.h>

#define CPUS_MAX 8192

static const char place[] = "/linux/cgroupsPath";

/* systemd.unit(5): what a unit's name is made of. */
static bool is_unit_name(const char *name)
{
	static const char chars[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    ":-_.\\@";

	return name[0] && strlen(name) < 256 && name[strspn(name, chars)] == '\0';
}

static bool ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), n = strlen(end);

	return len > n && strcmp(text + len - n, end) == 0;
}

const char *nook_slice_path(struct nook_arena *a, const char *slice)
{
	const char *path = "";
	size_t len = strlen(slice);

	if (!is_unit_name(slice) || !ends_with(slice, ".slice"))
		return NULL;
	if (!strcmp(slice, "-.slice"))
		return "";
	len -= strlen(".slice");
	if (slice[0] == '-' || slice[len - 1] == '-')
		return NULL;

	/* Each dash is a level. */
	for (size_t i = 1; i <= len; i++) {
		if (i < len && slice[i] != '-')
			continue;
		if (slice[i - 1] == '-')
			return NULL;
		path = nook_printf(a, "%s/%.*s.slice", path, (int)i, slice);
	}
	return path;
}

static int refuse(struct nook_bundle_planner *p, const char *said, const char *why)
{
	return nook_bundle_refuse(p, place, EINVAL,
				  "expected cgroupsPath to be of format \"slice:prefix:name\" for "
				  "systemd cgroups, got \"%s\" instead: %s",
				  said, why);
}

int nook_bundle_systemd(struct nook_bundle_planner *p, const char **ret_path)
{
	struct nook_plan_cgroup *cg = &p->plan->cgroup;
	const char *said = p->bundle->cgroups_path ? p->bundle->cgroups_path : "";
	const char *slice = "", *prefix = "nook", *name = p->options->id, *path;
	char *parts;

	if (said[0]) {
		char *first, *second;

		parts = nook_strdup(p->arena, said);
		first = strchr(parts, ':');
		second = first ? strchr(first + 1, ':') : NULL;
		if (!second || strchr(second + 1, ':'))
			return refuse(p, said, "there are not three parts");
		*first = *second = '\0';
		slice = parts;
		prefix = first + 1;
		name = second + 1;
	}
	if (!slice[0])
		slice = p->host->initial_userns && p->host->euid == 0 ? "system.slice"
								      : "user.slice";

	path = nook_slice_path(p->arena, slice);
	if (!path)
		return refuse(p, said, "the first part is no name of a slice");
	if (ends_with(name, ".slice"))
		return refuse(p, said, "no process can be in a slice");

	cg->slice = slice;
	cg->unit = nook_printf(p->arena, "%s%s%s.scope", prefix, prefix[0] ? "-" : "", name);
	if (!name[0] || !is_unit_name(cg->unit))
		return refuse(p, said, "the last two parts make no name of a unit");
	*ret_path = nook_printf(p->arena, "%s/%s", path, cg->unit);
	return 0;
}

/* ---- properties ---- */

static struct nook_plan_property *add(struct nook_arena *a, struct nook_plan_cgroup *cg,
				      const char *name, char type)
{
	struct nook_plan_property *list = (struct nook_plan_property *)(uintptr_t)cg->properties;
	struct nook_plan_property *p = nook_append(a, list, cg->n_properties);

	cg->properties = list;
	p->name = name;
	p->type = type;
	return p;
}

static void add_number(struct nook_arena *a, struct nook_plan_cgroup *cg, const char *name,
		       int64_t number)
{
	add(a, cg, name, 't')->number = number < 0 ? UINT64_MAX : (uint64_t)number;
}

/* "0-3,8" as a bitmap in hex, the lowest byte first. NULL: too great a number. */
static const char *bitmap(struct nook_arena *a, const char *list)
{
	uint8_t bits[CPUS_MAX / 8] = { 0 };
	char *copy = nook_strdup(a, list), *save = NULL, *hex;
	size_t n = 0;

	for (char *one = strtok_r(copy, ",", &save); one; one = strtok_r(NULL, ",", &save)) {
		char *dash = strchr(one, '-');
		uint64_t first, last;

		if (dash)
			*dash++ = '\0';
		if (nook_parse_u64(one, CPUS_MAX - 1, &first) < 0 ||
		    nook_parse_u64(dash ? dash : one, CPUS_MAX - 1, &last) < 0)
			return NULL;
		for (; first <= last; first++)
			bits[first / 8] |= (uint8_t)(1u << first % 8);
		n = last / 8 + 1 > n ? last / 8 + 1 : n;
	}
	hex = nook_alloc(a, 2 * n + 1);
	for (size_t i = 0; i < n; i++)
		(void)nook_format(hex + 2 * i, 3, "%02x", bits[i]);
	return n ? hex : NULL;
}

static void add_set(struct nook_arena *a, struct nook_plan_cgroup *cg, const char *name,
		    const char *list)
{
	const char *hex = list && list[0] ? bitmap(a, list) : NULL;

	if (hex)
		add(a, cg, name, 'y')->text = hex;
}

/* systemd counts in ms of CPU time for each second, and rounds to 10 ms, as runc does. */
static uint64_t quota_per_second(int64_t quota, uint64_t period)
{
	uint64_t usec = (uint64_t)quota * 1000000 / (period ? period : 100000);

	return (usec + 9999) / 10000 * 10000;
}

static void add_cpu(struct nook_arena *a, const struct nook_bundle_resources *r, bool unified,
		    struct nook_plan_cgroup *cg)
{
	const struct nook_opt_i64 *quota = &r->cpu.quota;
	uint64_t period = r->cpu.period.set ? r->cpu.period.value : 0;
	uint64_t shares = r->cpu.shares.set ? r->cpu.shares.value : 0;

	if (shares && unified)
		add_number(a, cg, "CPUWeight", (int64_t)(1 + (shares - 2) * 9999 / 262142));
	else if (shares)
		add_number(a, cg, "CPUShares", (int64_t)shares);
	if (period)
		add_number(a, cg, "CPUQuotaPeriodUSec", (int64_t)period);
	if (quota->set && quota->value < 0)
		add_number(a, cg, "CPUQuotaPerSecUSec", -1);
	else if (quota->set && quota->value)
		add(a, cg, "CPUQuotaPerSecUSec", 't')->number =
			quota_per_second(quota->value, period);
	if (unified) {
		add_set(a, cg, "AllowedCPUs", r->cpu.cpus);
		add_set(a, cg, "AllowedMemoryNodes", r->cpu.mems);
	}
}

static void add_memory(struct nook_arena *a, const struct nook_bundle_resources *r, bool unified,
		       struct nook_plan_cgroup *cg)
{
	int64_t limit = r->memory.limit.set ? r->memory.limit.value : 0;
	int64_t swap = r->memory.swap.set ? r->memory.swap.value : 0;

	if (limit)
		add_number(a, cg, unified ? "MemoryMax" : "MemoryLimit", limit);
	if (unified && r->memory.reservation.set && r->memory.reservation.value)
		add_number(a, cg, "MemoryLow", r->memory.reservation.value);
	if (unified && (swap < 0 || (limit < 0 && swap == 0)))
		add_number(a, cg, "MemorySwapMax", -1);
	else if (unified && swap && limit > 0)
		add_number(a, cg, "MemorySwapMax", swap - limit);
}

void nook_bundle_systemd_limits(struct nook_arena *a, const struct nook_bundle_resources *r,
				bool unified, struct nook_plan_cgroup *cg)
{
	uint64_t weight = r->blkio.weight.set ? r->blkio.weight.value : 0;

	add_memory(a, r, unified, cg);
	add_cpu(a, r, unified, cg);
	if (r->pids.set)
		add_number(a, cg, "TasksMax", r->pids.value > 0 ? r->pids.value : -1);
	if (weight && unified)
		add_number(a, cg, "IOWeight", (int64_t)(1 + (weight - 10) * 9999 / 990));
	else if (weight)
		add_number(a, cg, "BlockIOWeight", (int64_t)weight);
}

/* ---- annotations ---- */

/* The text between quotes at @at; NULL: there is none. @ret_end: what follows. */
static const char *quoted(struct nook_arena *a, const char *at, const char **ret_end)
{
	char quote = at[0];
	char *out = nook_alloc(a, strlen(at) + 1);
	size_t n = 0;

	if (quote != '\'' && quote != '"')
		return NULL;
	for (at++; *at && *at != quote; at++) {
		if (*at == '\\' && !*++at)
			return NULL;
		if (*at == '\n')
			return NULL;
		out[n++] = *at;
	}
	if (*at != quote)
		return NULL;
	*ret_end = at + 1 + strspn(at + 1, " ");
	return out;
}

static int texts(struct nook_arena *a, const char *at, struct nook_plan_property *ret)
{
	const char *lines = "";

	at += 1 + strspn(at + 1, " ");
	while (*at != ']') {
		const char *one = quoted(a, at, &at);

		if (!one)
			return -EINVAL;
		lines = nook_printf(a, "%s%s%s", lines, *lines ? "\n" : "", one);
		if (*at == ',')
			at += 1 + strspn(at + 1, " ");
		else if (*at != ']')
			return -EINVAL;
	}
	ret->type = 'S';
	ret->text = lines;
	return at[1] ? -EINVAL : 0;
}

/* systemd's own tools take seconds as "TimeoutStopSec"; the bus has µs. */
static int seconds(struct nook_arena *a, struct nook_plan_property *p)
{
	if (!ends_with(p->name, "Sec") || ends_with(p->name, "USec"))
		return 0;
	if (p->type == 's' || p->type == 'b' || p->type == 'S' || p->number > UINT64_MAX / 1000000)
		return -EINVAL;
	p->name = nook_printf(a, "%.*sUSec", (int)(strlen(p->name) - 3), p->name);
	p->type = 't';
	p->number *= 1000000;
	return 0;
}

static int number(const char *value, struct nook_plan_property *ret)
{
	static const struct {
		const char *word;
		char type;
		int64_t min;
		uint64_t max;
	} types[] = {
		{ "uint64 ", 't', 0, UINT64_MAX }, { "int64 ", 'x', INT64_MIN, INT64_MAX },
		{ "uint32 ", 'u', 0, UINT32_MAX }, { "int32 ", 'i', INT32_MIN, INT32_MAX },
		{ "@t ", 't', 0, UINT64_MAX },     { "@x ", 'x', INT64_MIN, INT64_MAX },
		{ "@u ", 'u', 0, UINT32_MAX },     { "@i ", 'i', INT32_MIN, INT32_MAX },
		{ "", 'i', INT32_MIN, INT32_MAX },
	};

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		const char *digits = nook_after(value, types[i].word);
		int64_t n;

		if (!digits)
			continue;
		ret->type = types[i].type;
		if (types[i].min == 0)
			return nook_parse_u64(digits, types[i].max, &ret->number);
		if (nook_parse_i64(digits, types[i].min, (int64_t)types[i].max, &n) < 0)
			return -EINVAL;
		ret->number = (uint64_t)n;
		return 0;
	}
	return -EINVAL;
}

int nook_systemd_property(struct nook_arena *a, const char *name, const char *value,
			  struct nook_plan_property *ret)
{
	const char *end = "";
	int r = 0;

	for (const char *c = name; *c; c++)
		if (!isalpha((unsigned char)*c))
			return -EINVAL;
	if (strlen(name) < 3)
		return -EINVAL;

	*ret = (struct nook_plan_property){ .name = name };
	value += strspn(value, " ");
	if (value[0] == '\'' || value[0] == '"') {
		ret->type = 's';
		ret->text = quoted(a, value, &end);
		r = ret->text && !*end ? 0 : -EINVAL;
	} else if (value[0] == '[') {
		r = texts(a, value, ret);
	} else if (!strcmp(value, "true") || !strcmp(value, "false")) {
		ret->type = 'b';
		ret->number = value[0] == 't';
	} else {
		r = number(value, ret);
	}
	return r < 0 ? -EINVAL : seconds(a, ret);
}

static int add_annotations(struct nook_bundle_planner *p)
{
	for (size_t i = 0; i < p->bundle->n_annotations; i++) {
		const struct nook_bundle_annotation *n = &p->bundle->annotations[i];
		const char *name = nook_after(n->key, "org.systemd.property.");
		struct nook_plan_property property;

		if (!name)
			continue;
		if (nook_systemd_property(p->arena, name, n->value, &property) < 0) {
			nook_where(p->err, "/annotations/%s", n->key);
			return nook_refuse(p->err, EINVAL,
					   "\"%s\" is no value of a property: write 'text', true, "
					   "7, uint64 7 or ['a', 'b']",
					   n->value);
		}
		*add(p->arena, &p->plan->cgroup, property.name, property.type) = property;
	}
	return 0;
}

int nook_bundle_systemd_properties(struct nook_bundle_planner *p)
{
	static const char *const always[] = { "Delegate", "MemoryAccounting", "CPUAccounting",
					      "TasksAccounting" };
	struct nook_plan_cgroup *cg = &p->plan->cgroup;
	bool unified = p->host->cgroup.layout == NOOK_CGROUP_UNIFIED;

	for (size_t i = 0; i < ARRAY_SIZE(always); i++)
		add(p->arena, cg, always[i], 'b')->number = true;
	add(p->arena, cg, unified ? "IOAccounting" : "BlockIOAccounting", 'b')->number = true;
	add(p->arena, cg, "DefaultDependencies", 'b')->number = false;
	nook_bundle_systemd_limits(p->arena, &p->bundle->resources, unified, cg);
	return add_annotations(p);
}
