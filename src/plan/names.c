/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a container on a network finds other names by: /etc/hosts with those on its networks, and an
 * /etc/resolv.conf that works there. Both are files of the state directory, mounted read-only, for
 * every kind of root: what the root has in their place may be a symlink that leads nowhere inside.
 */
#include "parts.h"

#include "net/names.h"

#include <linux/mount.h>
#include <string.h>

#define ATTRS (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)

static void add_file(struct nook_planner *p, const char *below_state_dir, const char *target)
{
	unsigned source = nook_plan_add_source(
		p,
		(struct nook_plan_source){
			.path = nook_printf(p->arena, "%s/%s", p->host->state_dir, below_state_dir),
			.attrs = ATTRS,
		});
	struct nook_plan_mount *m = nook_append(p->arena, p->plan->mounts, p->plan->n_mounts);

	*m = (struct nook_plan_mount){
		.kind = NOOK_PLAN_BIND,
		.source = source,
		.target = target,
		.make = NOOK_MAKE_FILE,
		.no_follow = true,
	};
}

/* Says in the place where one looks why no name is found. */
static const char no_servers[] =
	"# nook: the host's name servers are on its loopback, which is not this container's.\n"
	"# Put one that can be reached from here into the host's /etc/resolv.conf, or mount a "
	"file\n"
	"# of your own: nook run --volume FILE:/etc/resolv.conf\n";

/* Somebody who brings a file of names knows what is in it; and where there is no way out, there is
 * nobody to ask. */
static bool needs_servers(const struct nook_planner *p)
{
	bool out = false;

	for (size_t i = 0; i < p->spec->n_mounts; i++) {
		if (strcmp(p->spec->mounts[i].target, "/etc/resolv.conf") == 0)
			return false;
	}
	for (size_t i = 0; i < p->plan->n_links; i++)
		out |= p->plan->links[i].gateway[NOOK_NET_V4].family ||
		       p->plan->links[i].gateway[NOOK_NET_V6].family;
	return out;
}

int nook_plan_names(struct nook_planner *p)
{
	const char *hosts = NULL;
	int rc;

	if (p->spec->net != NOOK_NET_LINKS && p->spec->net != NOOK_NET_USER)
		return 0;
	rc = nook_hosts_name(p->plan->links, p->plan->n_links, p->arena, &hosts, p->err);
	if (rc < 0)
		return rc;
	if (hosts)
		add_file(p, hosts, "/etc/hosts");
	if (!p->plan->resolv && p->host->resolv) /* not of pasta's */
		p->plan->resolv = p->host->resolv;
	/* In an ordinary user's networks their pasta answers. */
	if (!p->plan->resolv && p->host->n_own_uids) {
		p->plan->resolv = NOOK_PLAN_PASTA_DNS;
	} else if (!p->plan->resolv) {
		p->plan->resolv = no_servers;
		if (needs_servers(p))
			p->plan->no_names = "the container will find no names: the machine's name "
					    "servers are on its own loopback, or there are none";
	}
	add_file(p, NOOK_RESOLV_FILE, "/etc/resolv.conf");
	return 0;
}
