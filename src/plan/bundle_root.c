/* SPDX-License-Identifier: Apache-2.0 */
/* The root file system, and how mounts travel between it and the host. */
#include "bundle_parts.h"

#include "base/own.h"

#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/mount.h>

/* By name: for mounts and for linux.rootfsPropagation. mount_namespaces(7) */
bool nook_bundle_propagation(const char *name, unsigned long *ret)
{
	static const struct {
		const char *name;
		unsigned long flags;
	} rows[] = {
		{ "private", MS_PRIVATE },       { "rprivate", MS_PRIVATE | MS_REC },
		{ "shared", MS_SHARED },         { "rshared", MS_SHARED | MS_REC },
		{ "slave", MS_SLAVE },           { "rslave", MS_SLAVE | MS_REC },
		{ "unbindable", MS_UNBINDABLE }, { "runbindable", MS_UNBINDABLE | MS_REC },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (strcmp(rows[i].name, name) == 0) {
			*ret = rows[i].flags;
			return true;
		}
	}
	return false;
}

static int plan_propagation(struct nook_bundle_planner *p)
{
	const char *name = p->bundle->rootfs_propagation;
	unsigned long flags;

	if (!name || !*name)
		return 0; /* a slave of the host's, as runc has it */
	if (!nook_bundle_propagation(name, &flags))
		return nook_bundle_refuse(p, "/linux/rootfsPropagation", EINVAL,
					  "rootfsPropagation=%s is not supported", name);
	if (p->plan->no_pivot && (flags & MS_PRIVATE))
		return nook_bundle_refuse(
			p, "/linux/rootfsPropagation", EINVAL,
			"rootfsPropagation of [r]private is not safe without pivot_root");

	p->plan->root_propagation = flags;
	/* All of the host's, whatever is said of the root: no mount of ours may reach the host
	 * unasked. What can't be bound could not be shown either. */
	p->plan->host_propagation =
		((flags & MS_UNBINDABLE) ? MS_PRIVATE : flags & ~(unsigned long)MS_REC) | MS_REC;
	return 0;
}

unsigned nook_bundle_add_source(struct nook_bundle_planner *p, struct nook_plan_source source)
{
	unsigned long host = p->plan->host_propagation & ~(unsigned long)MS_REC;

	/* A mount that is opened outside is as the stage's copy of it would be. */
	if (!source.propagation)
		source.propagation = host == MS_SHARED ? 0 : host ? host : MS_SLAVE;
	*nook_append(p->arena, p->plan->sources, p->plan->n_sources) = source;
	return (unsigned)p->plan->n_sources - 1;
}

int nook_plan_bundle_root(struct nook_bundle_planner *p)
{
	const struct nook_bundle *b = p->bundle;
	struct nook_plan *plan = p->plan;

	if (!b->rootfs || !*b->rootfs)
		return nook_bundle_refuse(p, "/root", EINVAL,
					  "a bundle names the container's root: root.path");

	int rc = plan_propagation(p);

	if (rc < 0)
		return rc;
	/* Mounts can be taken from the host's namespace by whoever has power over that; else the
	 * stage takes them from its copy. */
	plan->sources_outside = nook_bundle_may(p, CAP_SYS_ADMIN) && p->host->owns_mounts;
	plan->root_how = NOOK_PLAN_ROOT_BIND;
	/* pivot_root(2) takes no shared root: it becomes what is said after that. */
	plan->root_source = nook_bundle_add_source(
		p,
		(struct nook_plan_source){
			.path = nook_bundle_host_path(p, b->rootfs),
			.recursive = true,
			.propagation = plan->host_propagation & MS_PRIVATE ? MS_PRIVATE : MS_SLAVE,
			.from = "/root/path",
		});
	plan->root_read_only = b->root_read_only;
	plan->scratch = !p->host->feature[NOOK_FEATURE_DETACHED_CLONE];
	return 0;
}
