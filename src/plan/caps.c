/* SPDX-License-Identifier: Apache-2.0 */
/* The program's capabilities. capabilities(7) */
#include "parts.h"

#include "sys/names.h"

#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <strings.h>

#define BIT(cap) (1ULL << (cap))

/*
 * What a program that believes itself root needs to install, serve and drop privilege with. The
 * engines' usual set but NET_RAW (spoofing on shared networks; ping works without), MKNOD and
 * AUDIT_WRITE (refused in a user namespace anyway).
 */
static const uint64_t default_caps = BIT(CAP_CHOWN) | BIT(CAP_DAC_OVERRIDE) | BIT(CAP_FOWNER) |
				     BIT(CAP_FSETID) | BIT(CAP_KILL) | BIT(CAP_NET_BIND_SERVICE) |
				     BIT(CAP_SETFCAP) | BIT(CAP_SETGID) | BIT(CAP_SETPCAP) |
				     BIT(CAP_SETUID) | BIT(CAP_SYS_CHROOT);

static uint64_t all_caps(const struct nook_host *h)
{
	return h->last_cap >= 63 ? ~0ULL : BIT(h->last_cap + 1) - 1;
}

static int parse(struct nook_planner *p, const struct nook_cap_spec *s, uint64_t *ret)
{
	int value = nook_cap_number(s->name);

	if (strcasecmp(s->name, "all") == 0) {
		*ret = all_caps(p->host);
		return 0;
	}
	if (value >= 0 && (unsigned)value <= p->host->last_cap) {
		*ret = BIT(value);
		return 0;
	}
	nook_where(p->err, "%s", s->from);
	nook_hint(p->err, "capabilities(7) lists them: net_admin, sys_ptrace, …; or \"all\"");
	return nook_refuse(p->err, EINVAL, "this kernel has no capability named %s", s->name);
}

/* Without a user namespace of its own the container can get no more than we have. */
static int check_had(struct nook_planner *p, const struct nook_cap_spec *s, uint64_t caps)
{
	if (p->plan->userns.writer != NOOK_IDMAP_NONE || !(caps & ~p->host->bounding) ||
	    strcasecmp(s->name, "all") == 0)
		return 0;
	nook_where(p->err, "%s", s->from);
	nook_cause(
		p->err, "missing-capability",
		"nook itself has not %s in its bounding set, so nothing that it starts can get it",
		s->name);
	nook_hint(p->err, "leave the user namespace on: inside one every capability can be had, "
			  "over what it owns");
	return nook_refuse(p->err, EPERM, "the capability %s can't be given here", s->name);
}

int nook_plan_caps(struct nook_planner *p)
{
	struct nook_plan_caps *c = &p->plan->process.caps;
	uint64_t set = default_caps, asked = 0;

	for (size_t i = 0; i < p->spec->n_caps; i++) {
		uint64_t caps = 0;
		int rc = parse(p, &p->spec->caps[i], &caps);

		if (rc == 0 && p->spec->caps[i].add)
			rc = check_had(p, &p->spec->caps[i], caps);
		if (rc < 0)
			return rc;
		if (p->spec->caps[i].add) {
			set |= caps;
			asked |= caps;
		} else {
			set &= ~caps;
			asked &= ~caps;
		}
	}
	set &= all_caps(p->host);
	if (p->plan->userns.writer == NOOK_IDMAP_NONE &&
	    p->spec->ns[NOOK_NS_USER].mode != NOOK_NS_JOIN)
		set &= p->host->caps;

	c->bounding = set;
	if (p->plan->process.uid == 0) {
		c->effective = c->permitted = set;
		return 0;
	}
	/* Another user's program gets what was asked for by name, in the ambient set, so that it
	 * outlives execve(2). */
	c->effective = c->permitted = c->inheritable = c->ambient = asked & set;
	return 0;
}
