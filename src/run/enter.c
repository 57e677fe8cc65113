/* SPDX-License-Identifier: Apache-2.0 */
/* nook ns enter: a command in namespaces that are there, whoever keeps them. */
#include "base/own.h"
#include "base/text.h"
#include "create.h"
#include "enter.h"
#include "host/accounts.h"
#include "nook/ns_names.h"
#include "ns/kinds.h"
#include "plan/parts.h"

#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <unistd.h>

/* Facts of the caller; nothing of a container is wanted. */
static int probe(struct nook_entering *e, struct nook_error *err)
{
	struct nook_spec spec = { .net = NOOK_NET_HOST };

	for (int k = 0; k < NOOK_NS_COUNT; k++)
		spec.ns[k].mode = NOOK_NS_SHARE;
	return nook_host_probe(e->arena, &spec, &e->host, err);
}

static bool privileged(const struct nook_entering *e)
{
	return e->host.caps & (1ULL << CAP_SYS_ADMIN);
}

/* An item that is to be entered, with what stands in the way of looking at it. */
static int choose(struct nook_entering *e, struct nook_error *err)
{
	uint32_t only = e->spec->only, missing = only;

	for (size_t i = 0; i < e->target.n; i++) {
		const struct nook_ns_target_item *item = &e->target.item[i];

		if (only && !(only & NOOK_NS_BIT(item->kind)))
			continue;
		missing &= ~NOOK_NS_BIT(item->kind);
		if (item->own)
			continue;
		if (item->errnum) {
			nook_cause(err, "ns-entry-denied",
				   "process %d is another user's, or more privileged than you, or "
				   "has hidden itself (it is not dumpable)",
				   e->target.pid);
			return nook_fail(err, item->errnum, "open %s", item->path);
		}
		if (item->kind == NOOK_NS_USER)
			e->user = item;
		if (item->kind == NOOK_NS_MNT)
			e->mnt = item;
		*nook_append(e->arena, e->plan.joins, e->plan.n_joins) =
			(struct nook_plan_join){ .kind = item->kind,
						 .path = item->path,
						 .ino = item->ino,
						 .from = e->spec->only_from };
	}
	for (int k = 0; k < NOOK_NS_COUNT; k++) {
		if (!(missing & NOOK_NS_BIT(k)))
			continue;
		if (e->spec->only_from)
			nook_where(err, "%s", e->spec->only_from);
		return nook_refuse(err, ENOENT, "%s has no %s namespace", e->target.words,
				   nook_ns_kinds[k].words);
	}
	nook_plan_order_joins(e->plan.joins, e->plan.n_joins, privileged(e));
	return 0;
}

static const char *find_env(const struct nook_entering *e, const char *name)
{
	size_t len = strlen(name);

	for (const char *const *v = e->host.env; v && *v; v++) {
		if (strncmp(*v, name, len) == 0 && (*v)[len] == '=')
			return *v;
	}
	return NULL;
}

/* With its own files the caller's world goes along. With other files only what describes its
 * terminal and language: the rest is full of paths and tokens that mean nothing there. */
static void plan_env(struct nook_entering *e, const struct nook_account *account)
{
	static const char *const taken[] = { "TERM", "COLORTERM", "NO_COLOR",
					     "LANG", "LANGUAGE",  "TZ" };
	const char **env = NULL;
	size_t n = 0;

	if (!e->mnt && !e->spec->user) {
		e->plan.process.env = e->host.env;
		return;
	}
	*nook_append(e->arena, env, n) =
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	*nook_append(e->arena, env, n) = nook_printf(e->arena, "HOME=%s",
						     account->home && *account->home ? account->home
						     : e->plan.process.uid == 0      ? "/root"
										     : "/");
	for (size_t i = 0; i < ARRAY_SIZE(taken); i++) {
		const char *v = find_env(e, taken[i]);

		if (v)
			*nook_append(e->arena, env, n) = v;
	}
	*nook_append(e->arena, env, n) = NULL;
	e->plan.process.env = env;
}

static void plan_command(struct nook_entering *e)
{
	struct nook_plan_process *p = &e->plan.process;
	const char *shell = e->mnt ? NULL : find_env(e, "SHELL");
	const char **argv = nook_alloc_array(e->arena, 2, sizeof(*argv));

	argv[0] = shell && shell[strlen("SHELL=")] == '/' ? shell + strlen("SHELL=") : "/bin/sh";
	p->argv = e->spec->argv && e->spec->argv[0] ? e->spec->argv : argv;
	p->cwd = e->spec->cwd ? e->spec->cwd : e->host.cwd;
	p->cwd_optional = !e->spec->cwd;
	p->cwd_from = e->spec->cwd_from;
	p->terminal = e->spec->terminal == NOOK_YES ||
		      (e->spec->terminal == NOOK_UNSET && isatty(0) && isatty(1));
}

static int refuse_no_root(struct nook_error *err)
{
	nook_cause(err, "id-not-mapped",
		   "its id map has no root, as whom its other namespaces are entered");
	nook_hint(err, "leave it out: --only and the other kinds");
	return nook_refuse(err, EINVAL, "the user namespace has no user 0 or no group 0");
}

static int plan_ids(struct nook_entering *e, struct nook_account *account, struct nook_error *err)
{
	struct nook_plan_process *p = &e->plan.process;
	struct nook_inside in = { 0 };
	int rc = e->user ? nook_entering_look(e, &in, err) : 0;

	if (rc == 0 && e->user && !in.root_mapped)
		rc = refuse_no_root(err);
	if (rc == 0 && e->spec->user)
		rc = nook_entering_account(e, account, err);
	if (rc < 0)
		return rc;

	/* Root of the user namespace that is entered, else as we are. */
	uint64_t last = e->host.last_cap >= 63 ? ~0ULL : (1ULL << (e->host.last_cap + 1)) - 1;

	p->uid = e->user ? 0 : e->host.euid;
	p->gid = e->user ? 0 : e->host.egid;
	p->keep_groups = e->user ? in.deny_setgroups : true;
	p->caps.bounding = e->user ? last : e->host.bounding;
	p->caps.effective = p->caps.permitted = e->user ? last : e->host.caps;
	e->plan.userns.deny_setgroups = in.deny_setgroups;
	e->plan.own_userns = e->user;
	if (!e->spec->user)
		return 0;

	bool other = account->uid != p->uid;

	p->keep_groups = in.deny_setgroups;
	p->groups = account->groups;
	p->n_groups = p->keep_groups ? 0 : account->n_groups;
	p->uid = account->uid;
	p->gid = account->gid;
	/* Root's capabilities are for root. */
	if (other && p->uid != 0)
		p->caps.effective = p->caps.permitted = 0;
	return 0;
}

static int plan(struct nook_entering *e, const char *state_dir, struct nook_error *err)
{
	struct nook_account account = { 0 };
	int rc = nook_ns_target_find(state_dir, e->spec->target, e->arena, &e->target, err);

	e->plan = (struct nook_plan){
		.name = e->target.words,
		.root_how = NOOK_PLAN_ROOT_KEEP,
	};
	if (rc == 0)
		rc = probe(e, err);
	if (rc == 0)
		rc = choose(e, err);
	if (rc == 0)
		rc = plan_ids(e, &account, err);
	if (rc < 0)
		return rc;
	plan_command(e);
	plan_env(e, &account);
	return 0;
}

/* The kernel says EPERM and no more: the rules of setns(2) say which of them. */
static void explain(const char *state_dir, const struct nook_entering *e, struct nook_error *err)
{
	struct nook_ns_can can[NOOK_NS_COUNT];
	size_t n = 0;

	if (err->id[0] || (err->errnum != EPERM && err->errnum != EINVAL) ||
	    !nook_starts(err->why, "setns("))
		return;
	if (nook_ns_can(state_dir, e->spec->target, e->arena, can, &n, NULL) < 0)
		return;
	for (size_t i = 0; i < n; i++) {
		bool wanted = !e->spec->only || e->spec->only & NOOK_NS_BIT(can[i].kind);

		if (!wanted || can[i].answer != NOOK_NS_CAN_NOT || (e->user && can[i].after_user))
			continue;
		nook_cause(err, can[i].id, "%s", can[i].why);
		return;
	}
}

int nook_ns_enter(const char *state_dir, const struct nook_ns_enter_spec *spec,
		  const struct nook_trace *trace, int *ret_status, struct nook_error *err)
{
	auto_arena struct nook_arena arena = { 0 };
	struct nook_entering e = { .spec = spec, .arena = &arena };
	struct nook_create c;

	*ret_status = 125;
	int rc = nook_arena_open(&arena, err);

	if (rc == 0)
		rc = plan(&e, state_dir, err);
	if (rc == 0) {
		nook_create_init(&c, &e.plan, &arena, trace);
		c.stage_steps = c.walk.other = nook_enter_steps;
		c.n_stage_steps = c.walk.n_other = nook_enter_n_steps;
		rc = nook_create_carry_out(&c, nook_exec_steps, nook_exec_n_steps, ret_status, err);
	}
	if (rc < 0)
		explain(state_dir, &e, err);
	return rc;
}
