/* SPDX-License-Identifier: Apache-2.0 */
/* What the bundle mounts, in its order. */
#include "bundle_parts.h"

#include "base/own.h"
#include "base/text.h"

#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/mount.h>

#include "sys/mount.h"

struct nook_plan_mount *nook_bundle_add_mount(struct nook_bundle_planner *p,
					      enum nook_plan_mount_kind kind, const char *target)
{
	struct nook_plan_mount *m = nook_append(p->arena, p->plan->mounts, p->plan->n_mounts);

	m->kind = kind;
	m->target = target;
	m->make = NOOK_MAKE_DIR;
	return m;
}

static bool at_or_below(const char *path, const char *dir, const char **ret_below)
{
	const char *rest = nook_after(path, dir);

	*ret_below = rest;
	return rest && (!*rest || *rest == '/');
}

/*
 * Over the kernel's own files nothing may lie that a program takes for them. Engines put FUSE's
 * versions over some, which tell of the container instead of the machine: the list is runc's.
 */
static int check_target(struct nook_bundle_planner *p, const struct nook_bundle_mount *m,
			const char *target, bool is_proc)
{
	static const char *const allowed[] = {
		"cpuinfo",
		"diskstats",
		"meminfo",
		"stat",
		"swaps",
		"uptime",
		"loadavg",
		"slabinfo",
		"net/dev",
		"sys/kernel/ns_last_pid",
		"sys/crypto/fips_enabled",
	};
	const char *below;

	if (strcmp(target, "/") == 0) {
		nook_hint(p->err, "root.path names the container's root");
		return nook_bundle_refuse(p, m->from, EINVAL,
					  "nothing may be mounted on the container's root");
	}
	if (!at_or_below(target, "/proc", &below))
		return 0;
	if (!*below) {
		if (is_proc)
			return 0;
		return nook_bundle_refuse(p, m->from, EINVAL,
					  "\"%s\" cannot be mounted because it is not of type proc",
					  target);
	}
	for (size_t i = 0; i < ARRAY_SIZE(allowed); i++) {
		if (strcmp(below + 1, allowed[i]) == 0)
			return 0;
	}
	nook_hint(p->err, "linux.maskedPaths and linux.readonlyPaths cover the kernel's files");
	return nook_bundle_refuse(p, m->from, EINVAL,
				  "\"%s\" cannot be mounted because it is inside /proc", target);
}

/* Those whose every mount shows one superblock, or one of the container's own: "ro" is said of the
 * mount. On another, a disk's, it is said of the superblock as well, which may be read-only for
 * good. */
static bool is_virtual(const char *fstype)
{
	static const char *const types[] = { "tmpfs",  "proc",     "sysfs",   "mqueue",
					     "devpts", "cgroup",   "cgroup2", "overlay",
					     "ramfs",  "devtmpfs", "fuse" };

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		if (strcmp(types[i], fstype) == 0)
			return true;
	}
	return false;
}

static bool has_key(const struct nook_mount_options *o, const char *key)
{
	for (size_t i = 0; i < o->n_data; i++) {
		if (strcmp(o->data[i].key, key) == 0)
			return true;
	}
	return false;
}

/* The options of @o and those that follow from the mount. */
static void set_options(struct nook_bundle_planner *p, const struct nook_bundle_mount *m,
			const struct nook_mount_options *o, struct nook_plan_mount *mount)
{
	struct nook_plan_option *list = nook_alloc_array(p->arena, o->n_data + 3, sizeof(*list));
	size_t n = 0;

	/* What /proc/self/mounts shows. fsconfig(2) takes no longer one: then it is the type. */
	if (m->source && *m->source && strlen(m->source) < 256 &&
	    strcmp(m->source, mount->fstype) != 0 && !has_key(o, "source"))
		list[n++] = (struct nook_plan_option){ "source", m->source };
	for (size_t i = 0; i < o->n_data; i++)
		list[n++] = o->data[i];
	if ((o->change.set & MOUNT_ATTR_RDONLY) && !is_virtual(mount->fstype))
		list[n++] = (struct nook_plan_option){ "ro", NULL };
	if (p->bundle->mount_label && *p->bundle->mount_label && p->host->selinux &&
	    strcmp(mount->fstype, "proc") != 0 && strcmp(mount->fstype, "sysfs") != 0 &&
	    !has_key(o, "context"))
		list[n++] = (struct nook_plan_option){ "context", p->bundle->mount_label };
	mount->options = list;
	mount->n_options = n;
}

/* Before Linux 6.5 overlay takes its layers as one string, of which fsconfig(2) takes 255 bytes. */
static bool wants_page(const struct nook_bundle_planner *p, const struct nook_plan_mount *mount)
{
	if (strcmp(mount->fstype, "overlay") != 0 ||
	    p->host->feature[NOOK_FEATURE_OVERLAY_LOWERDIR_ADD])
		return false;
	for (size_t i = 0; i < mount->n_options; i++) {
		if (mount->options[i].value && strlen(mount->options[i].value) > 255)
			return true;
	}
	return false;
}

/* What is mounted into a tmpfs or /dev later needs a place to be made there: it becomes read-only
 * when all is. */
static bool locked_late(const struct nook_plan_mount *mount)
{
	return mount->attrs & MOUNT_ATTR_RDONLY &&
	       (strcmp(mount->fstype, "tmpfs") == 0 || strcmp(mount->target, "/dev") == 0);
}

static void plan_fs(struct nook_bundle_planner *p, const struct nook_bundle_mount *m,
		    const char *target, const struct nook_mount_options *o)
{
	/* The stage's own procfs is of the new pid namespace, and has no options. */
	bool proc = strcmp(m->type, "proc") == 0 && strcmp(target, "/proc") == 0 && !o->n_data &&
		    nook_bundle_is_new(p->bundle, NOOK_NS_PID);
	bool pts = strcmp(m->type, "devpts") == 0 && strcmp(target, "/dev/pts") == 0;
	size_t n_left = nook_bundle_propagation_left(p, o, NULL);
	struct nook_plan_mount *mount = nook_bundle_add_mount(p,
							      proc  ? NOOK_PLAN_PROC
							      : pts ? NOOK_PLAN_DEVPTS
								    : NOOK_PLAN_FS,
							      target);

	mount->fstype = m->type;
	mount->from = m->from;
	mount->attrs = o->change.set | o->change.set_below;
	mount->propagation = o->propagation;
	mount->n_propagation = n_left;
	if (proc)
		return;
	set_options(p, m, o, mount);
	mount->by_page = wants_page(p, mount);
	if (strcmp(m->type, "tmpfs") == 0) {
		mount->copy_up = o->copy_up;
		mount->keep_mode = !has_key(o, "mode");
	}
	if (locked_late(mount))
		mount->attrs &= ~(uint64_t)MOUNT_ATTR_RDONLY;
}

/* Read-only at last: see locked_late(). */
static void lock_late(struct nook_bundle_planner *p)
{
	const struct nook_bundle *b = p->bundle;

	for (size_t i = 0; i < b->n_mounts; i++) {
		const struct nook_bundle_mount *m = &b->mounts[i];
		const char *target = nook_bundle_clean_path(p->arena, m->destination);
		struct nook_mount_options o;

		if (!m->type || (strcmp(m->type, "tmpfs") != 0 && strcmp(target, "/dev") != 0))
			continue;
		nook_mount_options_read(p->arena, m->options, &o);
		if (o.bind || o.remount || !(o.change.set & MOUNT_ATTR_RDONLY))
			continue;

		struct nook_plan_mount *lock = nook_bundle_add_mount(p, NOOK_PLAN_REMOUNT, target);

		lock->make = NOOK_MAKE_NOTHING;
		lock->change.set = MOUNT_ATTR_RDONLY;
		lock->from = m->from;
	}
}

static void plan_remount(struct nook_bundle_planner *p, const struct nook_bundle_mount *m,
			 const char *target, const struct nook_mount_options *o)
{
	struct nook_plan_mount *mount = nook_bundle_add_mount(p, NOOK_PLAN_REMOUNT, target);

	mount->make = NOOK_MAKE_NOTHING;
	mount->change = o->change;
	mount->propagation = o->propagation;
	mount->n_propagation = o->n_propagation;
	mount->options = o->data;
	mount->n_options = o->n_data;
	mount->from = m->from;
}

/*
 * A proc belongs to a pid namespace and a sysfs to a network namespace, and only who owns that may
 * mount one anew. Below a user namespace of our own, where these are the caller's, the caller's
 * mount is shown; crun does the same.
 */
static bool shows_callers(const struct nook_bundle_planner *p, const char *type)
{
	return p->plan->own_userns &&
	       ((strcmp(type, "sysfs") == 0 && !p->bundle->ns[NOOK_NS_NET].listed) ||
		(strcmp(type, "proc") == 0 && !p->bundle->ns[NOOK_NS_PID].listed));
}

static int plan_mount(struct nook_bundle_planner *p, const struct nook_bundle_mount *m)
{
	const char *target = nook_bundle_clean_path(p->arena, m->destination);
	struct nook_mount_options o;

	nook_mount_options_read(p->arena, m->options, &o);

	bool bind = o.bind || (m->type && strcmp(m->type, "bind") == 0);
	bool proc = m->type && strcmp(m->type, "proc") == 0;
	/* The host's own procfs is good there too. */
	bool hosts = bind && m->source &&
		     strcmp(nook_bundle_clean_path(p->arena, m->source), "/proc") == 0;
	int rc = check_target(p, m, target, hosts || o.remount || (proc && !bind));

	if (rc < 0)
		return rc;
	if (o.refused) {
		nook_hint(p->err,
			  strstr(o.refused, "idmap=")
				  ? "say the ids by uidMappings and gidMappings of the mount"
				  : "leave it out");
		return nook_bundle_refuse(p, m->from, EOPNOTSUPP,
					  "the mount option \"%s\" is crun's own", o.refused);
	}
	if (o.remount) {
		plan_remount(p, m, target, &o);
		return 0;
	}
	if (bind)
		return nook_bundle_bind(p, m, target, &o);
	if (!m->type || !*m->type || strcmp(m->type, "none") == 0) {
		nook_hint(p->err, "say \"type\", or \"bind\" among its options");
		return nook_bundle_refuse(p, m->from, EINVAL,
					  "the mount on %s has no type and is no bind mount",
					  target);
	}
	if (o.idmap || m->n_uid_map || m->n_gid_map)
		return nook_bundle_refuse(p, m->from, EINVAL,
					  "only bind mounts can be idmapped here, and that on %s "
					  "is a new %s",
					  target, m->type);
	if (strcmp(m->type, "cgroup") == 0)
		return nook_bundle_mount_cgroups(p, m, target, &o);
	if (shows_callers(p, m->type)) {
		struct nook_bundle_mount callers = *m;

		callers.source = proc ? "/proc" : "/sys";
		o.recursive = true;
		o.unknown = NULL;
		return nook_bundle_bind(p, &callers, target, &o);
	}
	plan_fs(p, m, target, &o);
	return 0;
}

int nook_plan_bundle_mounts(struct nook_bundle_planner *p)
{
	if (p->bundle->mount_label && *p->bundle->mount_label && !p->host->selinux)
		nook_plan_bundle_warn(p, "/linux/mountLabel: SELinux is not enabled here");
	for (size_t i = 0; i < p->bundle->n_mounts; i++) {
		int rc = plan_mount(p, &p->bundle->mounts[i]);

		if (rc < 0)
			return rc;
	}

	int rc = nook_bundle_fill_dev(p);

	if (rc < 0)
		return rc;
	lock_late(p);
	nook_bundle_cover(p);
	return 0;
}
