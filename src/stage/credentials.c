/* SPDX-License-Identifier: Apache-2.0 */
/* Who the program is, and what it may: capabilities(7), credentials(7). Each is read back: a
 * difference fails closed. */
#include "stage.h"

#include "base/text.h"
#include "sys/process.h"
#include "texts.h"

#include <errno.h>
#include <linux/capability.h>
#include <poll.h>
#include <sys/prctl.h>
#include <unistd.h>

/* The kernel takes a change of ids as a reason to forget whose death ends us. */
int nook_tie(const struct nook_stage *s, struct nook_error *err)
{
	struct pollfd channel = { .fd = s->walk.channel };
	int rc = nook_prctl(PR_SET_PDEATHSIG, 9, 0);

	if (rc < 0)
		return nook_fail(err, -rc, "prctl(PR_SET_PDEATHSIG)");
	if (poll(&channel, 1, 0) > 0 && (channel.revents & POLLHUP))
		return nook_refuse(err, EPIPE, "nook has ended");
	return 0;
}

int become_root(void *ctx, struct nook_error *err)
{
	struct nook_stage *s = ctx;
	int rc;

	/* With setgroups denied the caller's groups stay: that is the kernel's condition for an own
	 * gid map. */
	if (!s->keep_groups) {
		rc = nook_setgroups(NULL, 0);
		if (rc == -EPERM && s->plan->userns.writer == NOOK_IDMAP_NONE)
			s->keep_groups = true; /* the one that was joined denies it */
		else if (rc < 0)
			return nook_fail(err, -rc, "setgroups(none)");
	}
	rc = nook_setresgid(0);
	if (rc < 0)
		return nook_fail(err, -rc, "setresgid(0)");
	rc = nook_setresuid(0);
	return rc < 0 ? nook_fail(err, -rc, "setresuid(0)") : nook_tie(s, err);
}

void become_root_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	nook_show(rows, "root inside", "%ssetresgid(0), setresuid(0)",
		  plan->userns.deny_setgroups || plan->process.keep_groups ? ""
									   : "setgroups(none), ");
}

static int drop_bounding(uint64_t keep, struct nook_error *err)
{
	for (unsigned cap = 0; cap < 64; cap++) {
		if (keep & (1ULL << cap))
			continue;

		int rc = nook_prctl(PR_CAPBSET_DROP, cap, 0);

		if (rc == -EINVAL) /* past the kernel's last one */
			return 0;
		if (rc < 0)
			return nook_fail(err, -rc, "prctl(PR_CAPBSET_DROP, %u)", cap);
		if (nook_prctl(PR_CAPBSET_READ, cap, 0) != 0)
			return nook_refuse(err, EPERM,
					   "capability %u is in the bounding set after it was "
					   "dropped",
					   cap);
	}
	return 0;
}

static int raise_ambient(uint64_t ambient, struct nook_error *err)
{
	for (unsigned cap = 0; ambient >> cap; cap++) {
		if (!(ambient & (1ULL << cap)))
			continue;

		long rc = nook_prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap);

		if (rc < 0)
			return nook_fail(err, (int)-rc, "prctl(PR_CAP_AMBIENT_RAISE, %u)", cap);
	}
	return 0;
}

static int set_ids(struct nook_stage *s, struct nook_error *err)
{
	const struct nook_plan_process *p = &s->plan->process;
	int rc;

	if (!s->keep_groups) {
		rc = nook_setgroups(p->groups, p->n_groups);
		/* The user namespace around an engine denies it, and nobody asked for groups. */
		if (rc == -EPERM && s->plan->bundle && !p->n_groups)
			s->keep_groups = true;
		else if (rc < 0)
			return nook_fail(err, -rc, "setgroups(%zu groups)", p->n_groups);
	}
	rc = nook_setresgid(p->gid);
	if (rc == -EINVAL)
		nook_hint(err, "the user namespace maps no group %u: extend its map", p->gid);
	if (rc < 0)
		return nook_fail(err, -rc, "setresgid(%u)", p->gid);

	/* A change from root to another user would take the permitted set along. */
	rc = nook_prctl(PR_SET_KEEPCAPS, 1, 0);
	if (rc < 0)
		return nook_fail(err, -rc, "prctl(PR_SET_KEEPCAPS)");
	rc = nook_setresuid(p->uid);
	if (rc == -EINVAL)
		nook_hint(err, "the user namespace maps no user %u: extend its map", p->uid);
	if (rc < 0)
		return nook_fail(err, -rc, "setresuid(%u)", p->uid);
	rc = nook_prctl(PR_SET_KEEPCAPS, 0, 0);
	return rc < 0 ? nook_fail(err, -rc, "prctl(PR_SET_KEEPCAPS)") : 0;
}

/* @filtered: asking may be refused by a filter that the engine brought: then nothing is known. */
static int read_ids_back(const struct nook_plan_process *p, bool filtered, struct nook_error *err)
{
	uid_t r, e, s;
	gid_t rg, eg, sg;

	if (getresuid(&r, &e, &s) < 0 || getresgid(&rg, &eg, &sg) < 0)
		return filtered ? 0 : nook_fail(err, errno, "getresuid");
	if (r != p->uid || e != p->uid || s != p->uid || rg != p->gid || eg != p->gid ||
	    sg != p->gid)
		return nook_refuse(err, EPERM,
				   "the ids are %u:%u and not %u:%u after they were set", e, eg,
				   p->uid, p->gid);
	return 0;
}

static int read_caps_back(const struct nook_plan_process *p, bool filtered, struct nook_error *err)
{
	uint64_t effective, permitted, inheritable;
	int rc = nook_capget(&effective, &permitted, &inheritable);

	if (rc < 0)
		return filtered ? 0 : nook_fail(err, -rc, "capget");
	if (effective != p->caps.effective || permitted != p->caps.permitted ||
	    inheritable != p->caps.inheritable)
		return nook_refuse(err, EPERM,
				   "the capabilities are 0x%lx and not 0x%lx after they were set",
				   permitted, p->caps.permitted);
	return 0;
}

static int read_back(const struct nook_stage *stage, struct nook_error *err)
{
	const struct nook_plan_process *p = &stage->plan->process;
	bool filtered = nook_seccomp_early(stage->plan);
	int rc = read_ids_back(p, filtered, err);

	if (rc == 0)
		rc = read_caps_back(p, filtered, err);
	if (rc < 0)
		return rc;

	int n = getgroups(0, NULL);

	if (!stage->keep_groups && n != (int)p->n_groups && !(n < 0 && filtered))
		return nook_refuse(err, EPERM,
				   "there are %d groups and not %zu after they were set", n,
				   p->n_groups);
	if (p->no_new_privs && nook_prctl(PR_GET_NO_NEW_PRIVS, 0, 0) != 1)
		return nook_refuse(err, EPERM, "no_new_privs did not stay");
	return 0;
}

int drop_privilege(void *ctx, struct nook_error *err)
{
	struct nook_stage *s = ctx;
	const struct nook_plan_process *p = &s->plan->process;
	int rc = drop_bounding(p->caps.bounding, err);

	/* Loading a filter needs CAP_SYS_ADMIN or no_new_privs: where the program is to be able to
	 * gain privilege, it is loaded while we still have the capability; else last, so that as
	 * little as possible runs under it. */
	if (rc == 0 && nook_seccomp_early(s->plan))
		rc = load_seccomp(s, err);
	if (rc == 0)
		rc = set_ids(s, err);
	if (rc == 0)
		rc = nook_enter_late(s, err);
	if (rc < 0)
		return rc;

	rc = nook_capset(p->caps.effective, p->caps.permitted, p->caps.inheritable);
	if (rc < 0)
		return nook_fail(err, -rc, "capset(0x%lx)", p->caps.permitted);
	rc = raise_ambient(p->caps.ambient, err);
	if (rc == 0 && p->no_new_privs) {
		rc = nook_prctl(PR_SET_NO_NEW_PRIVS, 1, 0);
		if (rc < 0)
			return nook_fail(err, -rc, "prctl(PR_SET_NO_NEW_PRIVS)");
	}
	if (rc == 0)
		rc = read_back(s, err);
	if (rc < 0)
		return rc;

	/* A change of ids clears it. */
	rc = nook_prctl(PR_SET_PDEATHSIG, 9, 0);
	if (rc < 0)
		return nook_fail(err, -rc, "prctl(PR_SET_PDEATHSIG)");
	rc = nook_prctl(PR_SET_DUMPABLE, 0, 0);
	return rc < 0 ? nook_fail(err, -rc, "prctl(PR_SET_DUMPABLE)") : 0;
}

static const char *groups_text(const struct nook_plan_process *p, struct nook_rows *rows)
{
	const char *text = "";

	for (size_t i = 0; i < p->n_groups; i++)
		text = nook_printf(rows->arena, "%s%s%u", text, i ? ", " : "", p->groups[i]);
	return *text ? text : "none";
}

void drop_privilege_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	const struct nook_plan_process *p = &plan->process;

	nook_show(rows,
		  nook_printf(rows->arena, "all it could ever have: %s",
			      nook_caps_text(rows, p->caps.bounding)),
		  "prctl(PR_CAPBSET_DROP, all but 0x%lx)", p->caps.bounding);
	if (nook_seccomp_early(plan))
		nook_show_seccomp(plan, rows);
	if (p->keep_groups)
		nook_show(rows, "the program's ids; its groups stay",
			  "setresgid(%u), setresuid(%u)", p->gid, p->uid);
	else
		nook_show(rows, "the program's ids", "setgroups(%s), setresgid(%u), setresuid(%u)",
			  groups_text(p, rows), p->gid, p->uid);
	nook_show(rows,
		  nook_printf(rows->arena, "the program's capabilities: %s",
			      p->caps.permitted == p->caps.bounding
				      ? "these"
				      : nook_caps_text(rows, p->caps.permitted)),
		  "capset(0x%lx)", p->caps.permitted);
	if (p->caps.ambient)
		nook_show(rows, "and it keeps them over execve",
			  "prctl(PR_CAP_AMBIENT_RAISE, 0x%lx)", p->caps.ambient);
	if (p->no_new_privs)
		nook_show(rows, "nothing setuid works from here on", "prctl(PR_SET_NO_NEW_PRIVS)");
}
