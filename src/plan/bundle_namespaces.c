/* SPDX-License-Identifier: Apache-2.0 */
/* Which namespaces are new, which are entered, and who is who in a new user namespace. */
#include "bundle_parts.h"

#include "base/text.h"
#include "idmap.h"
#include "ns/kinds.h"
#include "parts.h"

#include <errno.h>
#include <linux/capability.h>
#include <sched.h>
#include <string.h>

static void add_join(struct nook_bundle_planner *p, enum nook_ns_kind kind)
{
	*nook_append(p->arena, p->plan->joins, p->plan->n_joins) = (struct nook_plan_join){
		.kind = kind, .path = p->bundle->ns[kind].path, .from = p->bundle->ns[kind].from
	};
}

/* Names and clocks are the namespace's: without one they would be the machine's. */
static int check_listed(struct nook_bundle_planner *p)
{
	const struct nook_bundle *b = p->bundle;
	const struct {
		bool said;
		enum nook_ns_kind kind;
		const char *from, *what;
	} rows[] = {
		{ b->hostname && *b->hostname, NOOK_NS_UTS, "/hostname",
		  "the host name can't be set" },
		{ b->domainname && *b->domainname, NOOK_NS_UTS, "/domainname",
		  "the domain name can't be set" },
		{ b->monotonic.set || b->boottime.set, NOOK_NS_TIME, "/linux/timeOffsets",
		  "clocks can't be moved" },
		{ b->n_uid_map > 0, NOOK_NS_USER, "/linux/uidMappings", "ids can't be mapped" },
		{ b->n_gid_map > 0, NOOK_NS_USER, "/linux/gidMappings", "ids can't be mapped" },
		{ b->n_netdevs > 0, NOOK_NS_NET, "/linux/netDevices",
		  "network devices can't be moved" },
		{ true, NOOK_NS_MNT, "/linux/namespaces", "the root can't be mounted" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (!rows[i].said || b->ns[rows[i].kind].listed)
			continue;
		nook_hint(p->err, "add {\"type\": \"%s\"} to linux.namespaces",
			  rows[i].kind == NOOK_NS_MNT   ? "mount"
			  : rows[i].kind == NOOK_NS_NET ? "network"
							: nook_ns_kinds[rows[i].kind].name);
		return nook_bundle_refuse(p, rows[i].from, EINVAL,
					  "%s without a private %s namespace", rows[i].what,
					  nook_ns_kinds[rows[i].kind].words);
	}
	return 0;
}

static int plan_clocks(struct nook_bundle_planner *p)
{
	const struct nook_bundle *b = p->bundle;
	struct nook_plan *plan = p->plan;
	bool moved = b->monotonic.set || b->boottime.set;

	if (moved && b->ns[NOOK_NS_TIME].path)
		return nook_bundle_refuse(p, "/linux/timeOffsets", EINVAL,
					  "clocks can be moved only in a new time namespace");
	/* clone3(2) has EINVAL for CLONE_NEWTIME before Linux 6.3, some stable ones aside. */
	if (moved ||
	    ((plan->clone_flags & CLONE_NEWTIME) && !p->host->feature[NOOK_FEATURE_CLONE3_TIME])) {
		plan->late_time = true;
		plan->clone_flags &= ~(uint64_t)CLONE_NEWTIME;
	}
	if (!moved)
		return 0;

	const char *boot = b->boottime.set ? nook_printf(p->arena, "boottime %ld %u\n",
							 (long)b->boottime.value, b->boottime_nsecs)
					   : "";
	const char *mono = b->monotonic.set
				   ? nook_printf(p->arena, "monotonic %ld %u\n",
						 (long)b->monotonic.value, b->monotonic_nsecs)
				   : "";

	plan->time_offsets = nook_printf(p->arena, "%s%s", boot, mono);
	return 0;
}

/* A map without lines is that of one id: the caller's, as root. */
static const struct nook_idmap *map_or_own(struct nook_bundle_planner *p, struct nook_idmap *map,
					   size_t *n, uint32_t id)
{
	if (*n > 0)
		return map;

	struct nook_idmap *own = nook_alloc(p->arena, sizeof(*own));

	*own = (struct nook_idmap){ 0, id, 1 };
	*n = 1;
	return own;
}

static int format_map(struct nook_bundle_planner *p, const struct nook_idmap *map, size_t n,
		      const char *from, const char **ret)
{
	char text[4097];
	int rc = nook_idmap_format(map, n, text, sizeof(text), p->err);

	if (rc < 0) {
		nook_where(p->err, "%s", from);
		return rc;
	}
	*ret = nook_strdup(p->arena, text);
	return 0;
}

static bool is_own_only(const struct nook_idmap *map, size_t n, uint32_t id)
{
	return n == 1 && map[0].outside == id && map[0].count == 1;
}

static int choose_writer(struct nook_bundle_planner *p, const struct nook_idmap *uid, size_t n_uid,
			 const struct nook_idmap *gid, size_t n_gid)
{
	const struct nook_host *h = p->host;
	struct nook_plan_userns *u = &p->plan->userns;

	u->writer = NOOK_IDMAP_DIRECT;
	if (nook_bundle_may(p, CAP_SETUID) && nook_bundle_may(p, CAP_SETGID))
		return 0;
	if (is_own_only(uid, n_uid, h->euid) && is_own_only(gid, n_gid, h->egid)) {
		u->deny_setgroups = true; /* the kernel's condition for an own gid map */
		return 0;
	}
	if (!h->newuidmap || !h->newgidmap) {
		nook_cause(p->err, "setuid-helper-missing",
			   "an ordinary user's map of other ids is written by newuidmap and "
			   "newgidmap, which are not installed");
		nook_hint(p->err, "install them (Debian: apt install uidmap)");
		return nook_bundle_refuse(p, "/linux/uidMappings", ENOENT,
					  "newuidmap or newgidmap is missing");
	}
	u->writer = NOOK_IDMAP_HELPER;
	u->newuidmap = h->newuidmap;
	u->newgidmap = h->newgidmap;
	return 0;
}

static int plan_maps(struct nook_bundle_planner *p)
{
	const struct nook_bundle *b = p->bundle;
	const char *uid_from = b->uid_map_from ? b->uid_map_from : "/linux/uidMappings";
	const char *gid_from = b->gid_map_from ? b->gid_map_from : "/linux/gidMappings";
	size_t n_uid = b->n_uid_map, n_gid = b->n_gid_map;

	if (!(p->plan->clone_flags & CLONE_NEWUSER))
		return 0; /* one that is entered has its maps */

	const struct nook_idmap *uid = map_or_own(p, b->uid_map, &n_uid, p->host->euid);
	const struct nook_idmap *gid = map_or_own(p, b->gid_map, &n_gid, p->host->egid);

	if (!nook_idmap_covers(uid, n_uid, 0) || !nook_idmap_covers(gid, n_gid, 0)) {
		nook_cause(p->err, "id-not-mapped",
			   "the container is set up by its root, and the map has no id 0");
		nook_hint(p->err, "map the container's id 0 too");
		return nook_bundle_refuse(p, nook_idmap_covers(uid, n_uid, 0) ? gid_from : uid_from,
					  EINVAL, "the id map covers no root inside");
	}

	int rc = choose_writer(p, uid, n_uid, gid, n_gid);

	if (rc == 0)
		rc = format_map(p, uid, n_uid, uid_from, &p->plan->userns.uid_map);
	if (rc == 0)
		rc = format_map(p, gid, n_gid, gid_from, &p->plan->userns.gid_map);
	return rc;
}

/* Without a user namespace the others need privilege: say so before the kernel says EPERM. */
static int check_privilege(struct nook_bundle_planner *p)
{
	if (p->plan->own_userns || nook_bundle_may(p, CAP_SYS_ADMIN))
		return 0;
	nook_cause(p->err, "missing-capability",
		   "making namespaces takes CAP_SYS_ADMIN, which uid %u has not here",
		   p->host->euid);
	nook_hint(p->err, "add {\"type\": \"user\"} to linux.namespaces, which gives the right to "
			  "an ordinary user, or run as root");
	return nook_bundle_refuse(p, "/linux/namespaces", EPERM,
				  "rootless containers require a user namespace");
}

/*
 * Where we own what is made: in a new user namespace it must be the stage's clone that makes it.
 * And devices are moved into the namespace of a process.
 */
bool nook_bundle_net_beside(const struct nook_bundle *b)
{
	for (int k = 0; k < NOOK_NS_COUNT; k++) {
		if (b->ns[k].listed && b->ns[k].path)
			return false;
	}
	return nook_bundle_is_new(b, NOOK_NS_NET) && !b->ns[NOOK_NS_USER].listed && !b->n_netdevs;
}

int nook_plan_bundle_namespaces(struct nook_bundle_planner *p)
{
	const struct nook_bundle *b = p->bundle;
	struct nook_plan *plan = p->plan;
	int rc = check_listed(p);

	if (rc < 0)
		return rc;
	for (int k = 0; k < NOOK_NS_COUNT; k++) {
		if (nook_bundle_is_new(b, (enum nook_ns_kind)k))
			plan->clone_flags |= nook_ns_kinds[k].clone_flag;
		else if (b->ns[k].listed)
			add_join(p, (enum nook_ns_kind)k);
	}
	nook_plan_order_joins(plan->joins, plan->n_joins, nook_bundle_may(p, CAP_SYS_ADMIN));

	plan->own_userns = b->ns[NOOK_NS_USER].listed;
	plan->hostname = b->hostname && *b->hostname ? b->hostname : NULL;
	plan->domainname = b->domainname && *b->domainname ? b->domainname : NULL;
	plan->loopback_up = nook_bundle_is_new(b, NOOK_NS_NET);
	plan->net_beside = nook_bundle_net_beside(b) && nook_bundle_may(p, CAP_SYS_ADMIN) &&
			   nook_bundle_may(p, CAP_NET_ADMIN);
	if (plan->net_beside)
		plan->clone_flags &= ~(uint64_t)CLONE_NEWNET;

	rc = check_privilege(p);
	if (rc == 0)
		rc = plan_clocks(p);
	return rc < 0 ? rc : plan_maps(p);
}
