/* SPDX-License-Identifier: Apache-2.0 */
/* Mounts of type "cgroup": what the container sees of the machine's cgroups. */
#include "bundle_parts.h"

#include "base/text.h"

#include <errno.h>
#include <string.h>

#include "sys/mount.h"

#define PLAIN (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)

/* What all mounts of one such mount have in common. */
struct group {
	struct nook_bundle_planner *p;
	const struct nook_bundle_mount *m;
	const struct nook_mount_options *o;
	bool own_namespace; /* a cgroup mounted anew shows from the container's own on */
};

static struct nook_plan_mount *add_fs(const struct group *g, const char *fstype, const char *target,
				      uint64_t attrs)
{
	size_t n_left = nook_bundle_propagation_left(g->p, g->o, NULL);
	struct nook_plan_mount *m = nook_bundle_add_mount(g->p, NOOK_PLAN_FS, target);

	m->propagation = g->o->propagation;
	m->n_propagation = n_left;
	m->fstype = fstype;
	m->attrs = attrs;
	m->from = g->m->from;
	return m;
}

static void add_bind(const struct group *g, const char *path, bool recursive, const char *target,
		     uint64_t attrs)
{
	struct nook_plan_source source = { .path = path,
					   .recursive = recursive,
					   .attrs = recursive ? 0 : attrs,
					   .from = g->m->from };
	size_t n_left = nook_bundle_propagation_left(g->p, g->o, &source);

	/* What is mounted anew is nobody's slave, and CRIU can't save one whose master is outside.
	 */
	if (!g->o->n_propagation)
		source.propagation = MS_PRIVATE;

	unsigned number = nook_bundle_add_source(g->p, source);
	struct nook_plan_mount *m = nook_bundle_add_mount(g->p, NOOK_PLAN_BIND, target);

	m->source = number;
	m->propagation = g->o->propagation;
	m->n_propagation = n_left;
	m->change.set = recursive ? attrs : 0; /* else it is opened so */
	m->from = g->m->from;
}

/*
 * Without a namespace of its own the container gets the machine's tree: /proc/self/cgroup tells it
 * where in it it is. Not mounted anew: that would set the machine's options, nsdelegate above all,
 * and in a user namespace the kernel says EPERM.
 */
static void mount_v2(const struct group *g, const char *target)
{
	uint64_t attrs = g->o->change.set;

	if (g->own_namespace)
		(void)add_fs(g, "cgroup2", target, attrs);
	else
		add_bind(g, g->p->host->cgroup.v2.mount, true, target, attrs);
}

/* The container's own cgroup in this hierarchy; NULL: it stays in ours. */
static const struct nook_plan_cgroup_dir *own_dir(const struct group *g,
						  const struct nook_hierarchy *h)
{
	const struct nook_plan_cgroup *cg = &g->p->plan->cgroup;

	for (size_t i = 0; i < cg->n_dirs; i++) {
		if (strcmp(cg->dirs[i].mount, h->mount) == 0)
			return &cg->dirs[i];
	}
	return NULL;
}

/* Where the container is, as a path of the host. */
static const char *host_dir(const struct group *g, const struct nook_hierarchy *h)
{
	const struct nook_plan_cgroup_dir *d = own_dir(g, h);
	const char *below = d ? d->path : h->own ? h->own : "/";

	below += strspn(below, "/");
	return *below ? nook_printf(g->p->arena, "%s/%s", h->mount, below) : h->mount;
}

/* "cpu,cpuacct" as options of the file system; "name=systemd" is one of key and value. */
static void set_controllers(const struct group *g, const char *list, struct nook_plan_mount *m)
{
	struct nook_plan_option *options = NULL;
	size_t n = 0;

	for (size_t len; *list; list += len + (list[len] == ',')) {
		len = strcspn(list, ",");

		char *key = nook_strndup(g->p->arena, list, len), *value = strchr(key, '=');

		if (value)
			*value++ = '\0';
		*nook_append(g->p->arena, options, n) = (struct nook_plan_option){ key, value };
	}
	m->options = options;
	m->n_options = n;
}

static void mount_hierarchy(const struct group *g, const struct nook_hierarchy *h,
			    const char *target)
{
	uint64_t attrs = PLAIN | (g->o->change.set & MOUNT_ATTR_RDONLY);

	/* Ours is to be looked at only. */
	if (!own_dir(g, h))
		attrs |= MOUNT_ATTR_RDONLY;
	if (!g->own_namespace)
		add_bind(g, host_dir(g, h), false, target, attrs);
	else if (h->v2)
		(void)add_fs(g, "cgroup2", target, attrs);
	else
		set_controllers(g, h->controllers, add_fs(g, "cgroup", target, attrs));
}

/* "cpu" and "cpuacct" lead to "cpu,cpuacct". */
static void link_names(const struct group *g, const char *target, const char *name)
{
	const char *list = name;

	if (!strchr(name, ','))
		return;
	for (size_t len; *list; list += len + (list[len] == ',')) {
		len = strcspn(list, ",");

		const char *link = nook_printf(g->p->arena, "%s/%.*s", target, (int)len, list);
		struct nook_plan_mount *m = nook_bundle_add_mount(g->p, NOOK_PLAN_SYMLINK, link);

		m->text = name;
		m->from = g->m->from;
	}
}

/* A tmpfs with a directory for each hierarchy, named as the host's. */
static void mount_v1(const struct group *g, const char *target)
{
	static const struct nook_plan_option mode = { "mode", "755" };
	const struct nook_host *host = g->p->host;
	struct nook_plan_mount *top = add_fs(g, "tmpfs", target, PLAIN);

	top->options = &mode;
	top->n_options = 1;
	for (size_t i = 0; i < host->n_hierarchies; i++) {
		const struct nook_hierarchy *h = &host->hierarchies[i];
		const char *name = h->mount ? strrchr(h->mount, '/') : NULL;

		if (!name || !name[1])
			continue; /* not mounted where we see it */
		name = h->v2 ? "unified" : name + 1;
		mount_hierarchy(g, h, nook_printf(g->p->arena, "%s/%s", target, name));
		link_names(g, target, name);
	}
	if (!(g->o->change.set & MOUNT_ATTR_RDONLY))
		return;

	struct nook_plan_mount *lock = nook_bundle_add_mount(g->p, NOOK_PLAN_REMOUNT, target);

	lock->make = NOOK_MAKE_NOTHING;
	lock->change.set = MOUNT_ATTR_RDONLY;
	lock->from = g->m->from;
}

int nook_bundle_mount_cgroups(struct nook_bundle_planner *p, const struct nook_bundle_mount *m,
			      const char *target, const struct nook_mount_options *o)
{
	const struct group g = { p, m, o, p->bundle->ns[NOOK_NS_CGROUP].listed };

	switch (p->host->cgroup.layout) {
	case NOOK_CGROUP_NONE:
		nook_hint(p->err, "remove the mount, or mount the machine's cgroups: "
				  "mount -t cgroup2 cgroup2 /sys/fs/cgroup");
		return nook_bundle_refuse(p, m->from, ENODEV,
					  "this machine has no cgroup file system mounted");
	case NOOK_CGROUP_UNIFIED:
		mount_v2(&g, target);
		break;
	default:
		mount_v1(&g, target);
	}
	return 0;
}
