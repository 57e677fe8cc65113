/* SPDX-License-Identifier: Apache-2.0 */
/* Bind mounts: what of the host is opened, with which attributes, ids and propagation. */
#include "bundle_parts.h"

#include "idmap.h"

#include <errno.h>
#include <sys/mount.h>

#include "sys/mount.h"

/* Can what is mounted here be seen elsewhere? Mounted into a shared mount it would be shared too,
 * whatever it was before. */
static bool may_share(const struct nook_bundle_planner *p)
{
	if (p->plan->host_propagation & MS_SHARED)
		return true;
	for (size_t i = 0; i < p->plan->n_mounts; i++) {
		const struct nook_plan_mount *m = &p->plan->mounts[i];

		for (size_t k = 0; k < m->n_propagation; k++) {
			if (m->propagation[k] & MS_SHARED)
				return true;
		}
	}
	return false;
}

/*
 * Nearly all mounts are said to be private, or the host's slaves. So they are opened, and so a new
 * file system is, which saves a call for each: 0 is then left to do.
 */
size_t nook_bundle_propagation_left(const struct nook_bundle_planner *p,
				    const struct nook_mount_options *o,
				    struct nook_plan_source *source)
{
	unsigned long one = o->n_propagation == 1 ? o->propagation[0] : MS_SHARED;
	unsigned long kind = one & ~(unsigned long)MS_REC;

	if ((kind != MS_PRIVATE && kind != MS_SLAVE) || may_share(p))
		return o->n_propagation;
	if (source && source->recursive && !(one & MS_REC))
		return o->n_propagation; /* those below keep theirs */
	if (source)
		source->propagation = kind;
	return 0;
}

static const char *map_text(struct nook_bundle_planner *p, const struct nook_idmap *map, size_t n,
			    const char *from, int *rc)
{
	char text[4097];

	if (*rc < 0)
		return NULL;
	*rc = nook_idmap_format(map, n, text, sizeof(text), p->err);
	if (*rc < 0) {
		nook_where(p->err, "%s", from);
		return NULL;
	}
	*rc = 0;
	return nook_strdup(p->arena, text);
}

static int plan_idmap(struct nook_bundle_planner *p, const struct nook_bundle_mount *m,
		      const struct nook_mount_options *o, struct nook_plan_source *source)
{
	bool own = m->n_uid_map || m->n_gid_map;
	int rc = 0;

	if (!o->idmap && !own)
		return 0;
	if (!p->plan->sources_outside) {
		nook_hint(p->err, "leave idmap out, or run as root");
		return nook_bundle_refuse(p, m->from, EPERM,
					  "idmapped mounts need CAP_SYS_ADMIN over the mounts");
	}
	source->idmap_top = !o->idmap_below;
	if (!own) {
		if (p->plan->own_userns) {
			source->idmap = true;
			return 0;
		}
		nook_hint(p->err, "add uidMappings and gidMappings to the mount, or "
				  "{\"type\": \"user\"} to linux.namespaces");
		return nook_bundle_refuse(p, m->from, EINVAL,
					  "an idmapped mount without maps of its own takes the "
					  "container's, which has no user namespace");
	}
	if (!m->n_uid_map || !m->n_gid_map)
		return nook_bundle_refuse(p, m->from, EINVAL,
					  "an idmapped mount has both uidMappings and gidMappings");

	struct nook_plan_maps maps = {
		map_text(p, m->uid_map, m->n_uid_map, m->from, &rc),
		map_text(p, m->gid_map, m->n_gid_map, m->from, &rc),
	};

	*nook_append(p->arena, p->plan->mount_maps, p->plan->n_mount_maps) = maps;
	source->own_maps = (unsigned)p->plan->n_mount_maps;
	return rc;
}

/*
 * A copy that another user namespace gets keeps read-only, nosuid, nodev and noexec: the kernel
 * says EPERM to who takes them away (mount_namespaces(7), "Restrictions"). Engines write "rw" for
 * every volume, and runc keeps such a flag then.
 */
static void keep_locked(const struct nook_bundle_planner *p, struct nook_plan_attrs *change)
{
	const uint64_t locked =
		MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;

	if (p->plan->sources_outside && p->host->initial_userns && !p->plan->own_userns)
		return;
	change->clear &= ~locked;
	change->clear_below &= ~locked;
}

int nook_bundle_bind(struct nook_bundle_planner *p, const struct nook_bundle_mount *m,
		     const char *target, const struct nook_mount_options *o)
{
	if (!m->source || !*m->source)
		return nook_bundle_refuse(p, m->from, EINVAL, "a bind mount has a source");

	struct nook_plan_source source = {
		.path = nook_bundle_host_path(p, m->source),
		.recursive = o->recursive,
		.from = m->from,
	};
	int rc = plan_idmap(p, m, o, &source);

	if (rc < 0)
		return rc;
	if (o->unknown)
		nook_plan_bundle_warn(p, "%s: a bind mount has no option \"%s\"", m->from,
				      o->unknown);

	size_t n_left = nook_bundle_propagation_left(p, o, &source);
	struct nook_plan_attrs change = o->change;

	keep_locked(p, &change);
	/* One mount, to which attributes are only added: it is opened with them. */
	if (!source.recursive && !change.clear && !change.set_below && !change.clear_below) {
		source.attrs = change.set;
		change.set = 0;
	}
	unsigned number = nook_bundle_add_source(p, source);
	struct nook_plan_mount *mount = nook_bundle_add_mount(p, NOOK_PLAN_BIND, target);

	mount->source = number;
	mount->change = change;
	mount->propagation = o->propagation;
	mount->n_propagation = n_left;
	mount->from = m->from;
	return 0;
}
