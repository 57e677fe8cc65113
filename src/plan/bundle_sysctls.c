/* SPDX-License-Identifier: Apache-2.0 */
/* Which of the kernel's settings a container may have of its own: those of its namespaces. What is
 * not known to be one could be the machine's. */
#include "bundle_parts.h"

#include "base/own.h"
#include "base/text.h"
#include "ns/kinds.h"

#include <errno.h>
#include <string.h>

/* A name that ends in a slash means all below it. namespaces(7), ipc_namespaces(7) … */
static const struct {
	const char *path;
	enum nook_ns_kind kind;
} known[] = {
	{ "net/", NOOK_NS_NET },
	{ "kernel/msgmax", NOOK_NS_IPC },
	{ "kernel/msgmnb", NOOK_NS_IPC },
	{ "kernel/msgmni", NOOK_NS_IPC },
	{ "kernel/sem", NOOK_NS_IPC },
	{ "kernel/shmall", NOOK_NS_IPC },
	{ "kernel/shmmax", NOOK_NS_IPC },
	{ "kernel/shmmni", NOOK_NS_IPC },
	{ "kernel/shm_rmid_forced", NOOK_NS_IPC },
	{ "fs/mqueue/", NOOK_NS_IPC },
	{ "kernel/domainname", NOOK_NS_UTS },
	{ "user/", NOOK_NS_USER },
};

/*
 * sysctl(8): whichever of '.' and '/' comes first separates, and the other belongs to a name:
 * "net.ipv4.conf.eth0/1.forwarding" is net/ipv4/conf/eth0.1/forwarding.
 */
static const char *path_of(struct nook_bundle_planner *p, const char *name)
{
	char *path = nook_strdup(p->arena, name);
	size_t first = strcspn(path, "./");

	if (path[first] == '/')
		return path;
	for (char *c = path; *c; c++)
		*c = *c == '.' ? '/' : *c == '/' ? '.' : *c;
	return path;
}

/* No part is empty, "." or "..": the path leads nowhere but down. */
static bool leads_down(const char *path)
{
	for (const char *at = path;; at++) {
		size_t n = strcspn(at, "/");

		if (n == 0 || (n == 1 && at[0] == '.') || (n == 2 && at[0] == '.' && at[1] == '.'))
			return false;
		at += n;
		if (!*at)
			return true;
	}
}

static int check(struct nook_bundle_planner *p, const struct nook_bundle_pair *s, const char *path)
{
	if (strcmp(path, "kernel/hostname") == 0) {
		nook_hint(p->err, "use \"hostname\" for it");
		return nook_bundle_refuse(p, s->from, EINVAL,
					  "sysctl \"%s\" is not allowed as it conflicts with the "
					  "OCI \"hostname\" field",
					  s->name);
	}
	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		const char *rest = nook_after(path, known[i].path);
		bool tree = known[i].path[strlen(known[i].path) - 1] == '/';

		if (!rest || (!tree && *rest))
			continue;
		if (p->bundle->ns[known[i].kind].listed)
			return 0;
		nook_hint(p->err, "give the container a %s namespace, or set it on the host",
			  nook_ns_kinds[known[i].kind].words);
		return nook_bundle_refuse(
			p, s->from, EINVAL,
			"sysctl \"%s\" is not allowed without a private %s namespace", s->name,
			nook_ns_kinds[known[i].kind].words);
	}
	nook_hint(p->err, "set it on the host: it is of the whole machine");
	return nook_bundle_refuse(p, s->from, EINVAL,
				  "sysctl \"%s\" is not in a separate kernel namespace", s->name);
}

int nook_bundle_sysctls(struct nook_bundle_planner *p)
{
	const struct nook_bundle *b = p->bundle;
	struct nook_plan_sysctl *list = nook_alloc_array(p->arena, b->n_sysctls, sizeof(*list));

	for (size_t i = 0; i < b->n_sysctls; i++) {
		const char *path = path_of(p, b->sysctls[i].name);

		if (!leads_down(path))
			return nook_bundle_refuse(p, b->sysctls[i].from, EINVAL,
						  "\"%s\" is no name of a sysctl",
						  b->sysctls[i].name);

		int rc = check(p, &b->sysctls[i], path);

		if (rc < 0)
			return rc;
		list[i] = (struct nook_plan_sysctl){ path, b->sysctls[i].text, b->sysctls[i].from };
	}
	p->plan->sysctls = list;
	p->plan->n_sysctls = b->n_sysctls;
	return 0;
}
