/* SPDX-License-Identifier: Apache-2.0 */
/* Which namespaces are new, which are the caller's and which are entered; and what follows for
 * names and clocks. */
#include "parts.h"

#include "base/text.h"
#include "ns/kinds.h"
#include "sys/process.h"

#include <errno.h>
#include <linux/capability.h>
#include <string.h>

static int add_join(struct nook_planner *p, enum nook_ns_kind kind)
{
	const struct nook_ns_spec *ns = &p->spec->ns[kind];
	struct nook_plan_join *join = nook_append(p->arena, p->plan->joins, p->plan->n_joins);
	uint64_t pid;

	*join = (struct nook_plan_join){ .kind = kind, .from = ns->from };
	if (strchr(ns->target, '/')) {
		join->path = ns->target;
	} else if (nook_parse_u64(ns->target, 4194304, &pid) == 0 && pid > 0) {
		join->pid = (int)pid;
	} else {
		/* Names were looked up before: what is left is nobody's. */
		nook_where(p->err, "%s", ns->from);
		nook_hint(p->err, "`nook ps` lists the containers; a path has a slash in it");
		return nook_refuse(p->err, ENOENT,
				   "there is no container named %s, and it is no pid", ns->target);
	}
	return 0;
}

/*
 * Joined in the order of enum nook_ns_kind: the user namespace first, because its rights are what
 * lets an ordinary user into the others. Who has CAP_SYS_ADMIN now joins it last: its rights don't
 * reach namespaces that it does not own.
 */
void nook_plan_order_joins(struct nook_plan_join *joins, size_t n, bool privileged)
{
	if (n < 2 || joins[0].kind != NOOK_NS_USER || !privileged)
		return;

	struct nook_plan_join user = joins[0];

	memmove(joins, joins + 1, (n - 1) * sizeof(*joins));
	joins[n - 1] = user;
}

bool nook_plan_is_new(const struct nook_planner *p, enum nook_ns_kind kind)
{
	return p->plan->clone_flags & nook_ns_kinds[kind].clone_flag;
}

static void leave_clocks_to_stage(struct nook_plan *plan)
{
	plan->late_time = plan->clone_flags & CLONE_NEWTIME;
	plan->clone_flags &= ~(uint64_t)CLONE_NEWTIME;
}

static int plan_clocks(struct nook_planner *p)
{
	const struct nook_spec *s = p->spec;

	if (!s->boottime.set && !s->monotonic.set) {
		/* clone3(2) has EINVAL for CLONE_NEWTIME before Linux 6.3, some stable ones aside.
		 */
		if (!p->host->feature[NOOK_FEATURE_CLONE3_TIME])
			leave_clocks_to_stage(p->plan);
		return 0;
	}
	if (s->ns[NOOK_NS_TIME].mode == NOOK_NS_SHARE || s->ns[NOOK_NS_TIME].mode == NOOK_NS_JOIN) {
		nook_where(p->err, "%s", s->boottime.set ? s->boottime.from : s->monotonic.from);
		return nook_refuse(p->err, EINVAL,
				   "clocks can be moved only in a new time namespace");
	}

	const char *boot =
		s->boottime.set ? nook_printf(p->arena, "boottime %ld 0\n", s->boottime.value) : "";
	const char *mono = s->monotonic.set
				   ? nook_printf(p->arena, "monotonic %ld 0\n", s->monotonic.value)
				   : "";

	p->plan->time_offsets = nook_printf(p->arena, "%s%s", boot, mono);
	leave_clocks_to_stage(p->plan);
	return 0;
}

static void plan_names(struct nook_planner *p)
{
	if (nook_plan_is_new(p, NOOK_NS_UTS)) {
		p->plan->hostname = p->spec->hostname ? p->spec->hostname : p->spec->name;
		/* The kernel's limit; a long container name makes a short host name. */
		if (!p->spec->hostname && strlen(p->plan->hostname) > 63)
			p->plan->hostname = nook_strndup(p->arena, p->plan->hostname, 63);
		p->plan->domainname = p->spec->domainname;
	}
	/* With links it comes up together with them. */
	p->plan->loopback_up = nook_plan_is_new(p, NOOK_NS_NET) &&
			       (p->spec->net == NOOK_NET_PRIVATE || p->spec->net == NOOK_NET_USER);
}

/* Without a user namespace the others need privilege: say so before the kernel says EPERM. */
static int check_privilege(struct nook_planner *p)
{
	if (!p->plan->clone_flags || nook_plan_is_new(p, NOOK_NS_USER) ||
	    p->spec->ns[NOOK_NS_USER].mode == NOOK_NS_JOIN ||
	    (p->host->caps & (1ULL << CAP_SYS_ADMIN)))
		return 0;

	nook_where(p->err, "%s", p->spec->ns[NOOK_NS_USER].from);
	nook_cause(p->err, "missing-capability",
		   "making namespaces takes CAP_SYS_ADMIN, which uid %u has not here",
		   p->host->euid);
	nook_hint(p->err, "leave the user namespace on, which gives the right to an ordinary user, "
			  "or run nook as root");
	return nook_refuse(p->err, EPERM,
			   "new namespaces without a new user namespace need CAP_SYS_ADMIN");
}

int nook_plan_namespaces(struct nook_planner *p)
{
	for (int k = 0; k < NOOK_NS_COUNT; k++) {
		enum nook_ns_mode mode = p->spec->ns[k].mode;

		if (k == NOOK_NS_NET && p->spec->net == NOOK_NET_HOST)
			mode = NOOK_NS_SHARE;
		if (mode == NOOK_NS_DEFAULT || mode == NOOK_NS_NEW) {
			p->plan->clone_flags |= nook_ns_kinds[k].clone_flag;
		} else if (mode == NOOK_NS_JOIN) {
			int rc = add_join(p, (enum nook_ns_kind)k);

			if (rc < 0)
				return rc;
		}
	}

	p->plan->own_userns =
		nook_plan_is_new(p, NOOK_NS_USER) || p->spec->ns[NOOK_NS_USER].mode == NOOK_NS_JOIN;
	nook_plan_order_joins(p->plan->joins, p->plan->n_joins,
			      p->host->initial_userns && p->host->caps & (1ULL << CAP_SYS_ADMIN));

	int rc = check_privilege(p);

	if (rc == 0)
		rc = plan_clocks(p);
	if (rc == 0)
		plan_names(p);
	return rc;
}
