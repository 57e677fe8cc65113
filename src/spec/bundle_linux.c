/* SPDX-License-Identifier: Apache-2.0 */
/* The linux object but for its resources: config-linux.md. */
#include "bundle_reader.h"

#include "base/own.h"

#include <errno.h>
#include <string.h>
#include <sys/personality.h>

/* ---- namespaces ---- */

struct listed {
	int64_t kind;
	struct nook_bundle_ns ns;
};

static int read_kind(struct nook_bundle_reader *r, const struct nook_json_value *v, void *into)
{
	static const struct nook_bundle_word kinds[] = {
		{ "pid", NOOK_NS_PID },       { "network", NOOK_NS_NET }, { "mount", NOOK_NS_MNT },
		{ "ipc", NOOK_NS_IPC },       { "uts", NOOK_NS_UTS },     { "user", NOOK_NS_USER },
		{ "cgroup", NOOK_NS_CGROUP }, { "time", NOOK_NS_TIME },
	};

	return nook_bundle_word(r, v, "type of namespace", kinds, into);
}

#define STRUCT struct listed
static int read_namespace(struct nook_bundle_reader *r, const struct nook_json_value *v,
			  struct nook_bundle_ns *all)
{
	static const struct nook_bundle_member rows[] = {
		ROW_NEED_PART("type", kind, NOOK_JSON_TEXT, read_kind),
		ROW_TEXT("path", ns.path, NOOK_BUNDLE_PATH, nook_bundle_check_absolute),
	};
	struct listed listed = { .ns.listed = true, .ns.from = nook_bundle_from(r, v) };
	int rc = nook_bundle_members(r, v, &listed, rows);

	if (rc < 0)
		return rc;
	if (all[listed.kind].listed)
		return nook_json_refuse(v, r->err, "%s says the same type", all[listed.kind].from);
	all[listed.kind] = listed.ns;
	return 0;
}
#undef STRUCT

static int read_namespaces(struct nook_bundle_reader *r, const struct nook_json_value *array,
			   void *into)
{
	size_t n = nook_json_length(array);
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < n; i++) {
		struct nook_json_value v;

		rc = nook_json_element(array, i, NOOK_JSON_OBJECT, &v, r->err);
		if (rc == 0)
			rc = read_namespace(r, &v, into);
	}
	return rc;
}

/* ---- timeOffsets ---- */

#define NANOSECONDS_LAST 999999999u

struct clock {
	struct nook_opt_i64 secs;
	uint32_t nanosecs;
};

#define STRUCT struct clock
static int read_clock(struct nook_bundle_reader *r, const struct nook_json_value *v, void *into)
{
	static const struct nook_bundle_member rows[] = {
		ROW_OPT_I64("secs", secs, INT64_MIN, INT64_MAX, 0),
		ROW_U32("nanosecs", nanosecs, NANOSECONDS_LAST, 0),
	};
	struct nook_bundle *b = into;
	struct clock clock = { .secs = { true, 0, nook_bundle_from(r, v) } };
	int rc = nook_bundle_members(r, v, &clock, rows);

	if (strcmp(v->key, "monotonic") == 0) {
		b->monotonic = clock.secs;
		b->monotonic_nsecs = clock.nanosecs;
	} else if (strcmp(v->key, "boottime") == 0) {
		b->boottime = clock.secs;
		b->boottime_nsecs = clock.nanosecs;
	} else if (rc == 0) {
		return nook_json_refuse(v, r->err,
					"no clock of this name has an offset: monotonic, boottime");
	}
	return rc;
}
#undef STRUCT

static int read_time_offsets(struct nook_bundle_reader *r, const struct nook_json_value *object,
			     void *into)
{
	return nook_bundle_each(r, object, NOOK_JSON_OBJECT, read_clock, into);
}

/* ---- netDevices, sysctl ---- */

#define STRUCT struct nook_plan_netdev
static int read_netdev(struct nook_bundle_reader *r, const struct nook_json_value *v, void *into)
{
	static const struct nook_bundle_member rows[] = {
		ROW_TEXT("name", name, NOOK_BUNDLE_TEXT, nook_bundle_check_ifname),
	};
	struct nook_plan_netdev *netdev = into;
	int rc = nook_bundle_check_ifname(r, v, v->key);

	if (rc < 0 || (rc = nook_bundle_members(r, v, netdev, rows)) < 0)
		return rc;
	netdev->host = nook_strdup(r->arena, v->key);
	netdev->from = nook_bundle_from(r, v);
	if (!netdev->name)
		netdev->name = netdev->host;
	return 0;
}
#undef STRUCT

/* Two devices can't have one name inside. */
static int check_netdevs(struct nook_bundle_reader *r, const struct nook_json_value *v,
			 const struct nook_bundle *b)
{
	const char **names = nook_alloc_array(r->arena, b->n_netdevs, sizeof(*names));

	for (size_t i = 0; i < b->n_netdevs; i++)
		names[i] = b->netdevs[i].name;
	return nook_bundle_unique(r, &(struct nook_json_value){ .up = v, .key = "netDevices" },
				  names, b->n_netdevs);
}

static int read_sysctl(struct nook_bundle_reader *r, const struct nook_json_value *v, void *into)
{
	struct nook_bundle_pair *pair = into;
	const char *text = NULL;
	int rc = nook_json_as_text(v, NOOK_BUNDLE_TEXT, &text, r->err);

	if (rc == 0)
		rc = nook_bundle_check_said(r, v, v->key);
	pair->name = nook_strdup(r->arena, v->key);
	pair->text = nook_strdup(r->arena, text);
	pair->from = nook_bundle_from(r, v);
	return rc;
}

/* ---- intelRdt ---- */

/* It names a directory in resctrl; "/" is its own root. */
static int check_clos_id(struct nook_bundle_reader *r, const struct nook_json_value *v,
			 const char *text)
{
	if (strcmp(text, "/") == 0 || (!strchr(text, '/') && !strchr(text, '\n') &&
				       strcmp(text, ".") != 0 && strcmp(text, "..") != 0))
		return 0;
	return nook_json_refuse(v, r->err, "\"%.64s\" can't name a class of service", text);
}

static int check_bandwidth(struct nook_bundle_reader *r, const struct nook_json_value *v,
			   const char *text)
{
	if (strncmp(text, "MB:", 3) == 0 && !strchr(text, '\n'))
		return 0;
	return nook_json_refuse(v, r->err, "it is one line that begins with MB:");
}

static int check_line(struct nook_bundle_reader *r, const struct nook_json_value *v,
		      const char *text)
{
	return strchr(text, '\n') ? nook_json_refuse(v, r->err, "more than one line") : 0;
}

#define STRUCT struct nook_plan_rdt
static int read_rdt(struct nook_bundle_reader *r, const struct nook_json_value *v, void *into)
{
	static const struct nook_bundle_member rows[] = {
		ROW_TEXT("closID", clos_id, 255, check_clos_id),
		ROW_TEXT("l3CacheSchema", l3, NOOK_BUNDLE_TEXT, NULL),
		ROW_TEXT("memBwSchema", mem_bw, NOOK_BUNDLE_TEXT, check_bandwidth),
		ROW_TEXTS("schemata", schemata, NOOK_BUNDLE_TEXT, check_line),
		ROW_BOOL("enableMonitoring", monitoring),
	};
	struct nook_plan_rdt *rdt = into;

	rdt->set = true;
	return nook_bundle_members(r, v, rdt, rows);
}
#undef STRUCT

/* ---- words ---- */

static int check_propagation(struct nook_bundle_reader *r, const struct nook_json_value *v,
			     const char *text)
{
	static const struct nook_bundle_word words[] = {
		{ "private" }, { "rprivate" }, { "slave" },      { "rslave" },
		{ "shared" },  { "rshared" },  { "unbindable" }, { "runbindable" },
	};
	int64_t ignored = 0;

	return nook_bundle_word(r, v, "propagation", words, &ignored);
}

static int read_personality(struct nook_bundle_reader *r, const struct nook_json_value *v,
			    void *into)
{
	static const struct nook_bundle_word domains[] = {
		{ "LINUX", PER_LINUX },
		{ "LINUX32", PER_LINUX32 },
	};
	struct nook_bundle *b = into;
	struct nook_json_value domain, flags;
	int64_t number = 0;
	int rc;

	if ((rc = nook_json_member(v, "domain", NOOK_JSON_REQUIRED, NOOK_JSON_TEXT, &domain,
				   r->err)) < 0 ||
	    (rc = nook_bundle_word(r, &domain, "domain", domains, &number)) < 0 ||
	    (rc = nook_json_member(v, "flags", NOOK_JSON_OPTIONAL, NOOK_JSON_ARRAY, &flags,
				   r->err)) < 0)
		return rc;
	if (nook_json_length(&flags))
		return nook_json_refuse(&flags, r->err, "the specification knows no flags yet");

	b->has_personality = true;
	b->personality = (unsigned long)number;
	return 0;
}

static int read_seccomp(struct nook_bundle_reader *r, const struct nook_json_value *v, void *into)
{
	*(struct nook_json **)into = v->json;
	return 0;
}

/* ---- the whole ---- */

#define STRUCT struct nook_bundle
int nook_bundle_read_linux(struct nook_bundle_reader *r, const struct nook_json_value *v,
			   void *into)
{
	static const struct nook_bundle_member rows[] = {
		ROW_PART("namespaces", ns, NOOK_JSON_ARRAY, read_namespaces),
		ROW_ITEMS("uidMappings", uid_map, n_uid_map, NOOK_JSON_ARRAY, NOOK_JSON_OBJECT,
			  nook_bundle_read_idmap),
		ROW_ITEMS("gidMappings", gid_map, n_gid_map, NOOK_JSON_ARRAY, NOOK_JSON_OBJECT,
			  nook_bundle_read_idmap),
		ROW_WHOLE("timeOffsets", NOOK_JSON_OBJECT, read_time_offsets),
		ROW_ITEMS("devices", devices, n_devices, NOOK_JSON_ARRAY, NOOK_JSON_OBJECT,
			  nook_bundle_read_device),
		ROW_ITEMS("netDevices", netdevs, n_netdevs, NOOK_JSON_OBJECT, NOOK_JSON_OBJECT,
			  read_netdev),
		ROW_TEXT("cgroupsPath", cgroups_path, NOOK_BUNDLE_PATH, NULL),
		ROW_PART("resources", resources, NOOK_JSON_OBJECT, nook_bundle_read_resources),
		ROW_PART("intelRdt", rdt, NOOK_JSON_OBJECT, read_rdt),
		ROW_PART("memoryPolicy", memory_policy, NOOK_JSON_OBJECT,
			 nook_bundle_read_memory_policy),
		ROW_ITEMS("sysctl", sysctls, n_sysctls, NOOK_JSON_OBJECT, NOOK_JSON_TEXT,
			  read_sysctl),
		ROW_PART("seccomp", seccomp, NOOK_JSON_OBJECT, read_seccomp),
		ROW_TEXT("rootfsPropagation", rootfs_propagation, NOOK_BUNDLE_TEXT,
			 check_propagation),
		ROW_COUNTED_TEXTS("maskedPaths", masked, n_masked, NOOK_BUNDLE_PATH,
				  nook_bundle_check_absolute),
		ROW_COUNTED_TEXTS("readonlyPaths", read_only, n_read_only, NOOK_BUNDLE_PATH,
				  nook_bundle_check_absolute),
		ROW_TEXT("mountLabel", mount_label, NOOK_BUNDLE_PATH, NULL),
		ROW_WHOLE("personality", NOOK_JSON_OBJECT, read_personality),
	};
	struct nook_bundle *b = into;
	int rc;

	if ((rc = nook_bundle_members(r, v, b, rows)) < 0 || (rc = check_netdevs(r, v, b)) < 0)
		return rc;
	if (b->n_uid_map)
		b->uid_map_from = nook_printf(r->arena, "%s/uidMappings", nook_bundle_from(r, v));
	if (b->n_gid_map)
		b->gid_map_from = nook_printf(r->arena, "%s/gidMappings", nook_bundle_from(r, v));
	return 0;
}
#undef STRUCT
