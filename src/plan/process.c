/* SPDX-License-Identifier: Apache-2.0 */
/* The program: its words, environment, directory, ids and limits. */
#include "parts.h"

#include "base/env.h"
#include "base/own.h"
#include "base/text.h"
#include "idmap.h"
#include "sys/names.h"

#include <errno.h>
#include <linux/capability.h>
#include <string.h>

/*
 * The caller's environment is full of tokens and paths that mean nothing inside, so only what
 * describes its terminal and language goes along. LC_* come by their beginning.
 */
static void env_default(struct nook_planner *p, struct nook_env *env)
{
	static const char *const taken[] = { "TERM", "COLORTERM", "NO_COLOR",
					     "LANG", "LANGUAGE",  "TZ" };
	const struct nook_account *a = &p->host->account;

	nook_env_set(p->arena, env,
		     "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
	nook_env_set(p->arena, env,
		     nook_printf(p->arena, "HOME=%s", a->home && *a->home ? a->home : "/"));
	if (a->name) {
		nook_env_set(p->arena, env, nook_printf(p->arena, "USER=%s", a->name));
		nook_env_set(p->arena, env, nook_printf(p->arena, "LOGNAME=%s", a->name));
	}
	nook_env_set(p->arena, env, "container=nook");

	for (size_t i = 0; i < ARRAY_SIZE(taken); i++) {
		const char *e = nook_env_find(p->host->env, taken[i]);

		if (e)
			nook_env_set(p->arena, env, e);
	}
	for (const char *const *e = p->host->env; e && *e; e++) {
		if (nook_starts(*e, "LC_"))
			nook_env_set(p->arena, env, *e);
	}
}

static void plan_env(struct nook_planner *p)
{
	struct nook_env env = { 0 };

	if (!p->spec->clear_env)
		env_default(p, &env);
	for (size_t i = 0; i < p->spec->n_env; i++)
		nook_env_set_word(p->arena, &env, p->spec->env[i], p->host->env);
	for (size_t i = 0; i < env.n; i++)
		env.list[i] = nook_strdup(p->arena, env.list[i]); /* see plan_argv() */
	*nook_append(p->arena, env.list, env.n) = NULL;
	p->plan->process.env = env.list;
}

static void plan_argv(struct nook_planner *p)
{
	const struct nook_account *a = &p->host->account;

	/*
	 * Copies: pid 1 overwrites the caller's words and environment before it lets the program
	 * start, which shares its memory until then.
	 */
	if (p->spec->argv && p->spec->argv[0]) {
		const char **copy = NULL;
		size_t n = 0;

		for (const char **w = p->spec->argv; *w; w++)
			*nook_append(p->arena, copy, n) = nook_strdup(p->arena, *w);
		*nook_append(p->arena, copy, n) = NULL;
		p->plan->process.argv = copy;
		return;
	}

	const char **argv = nook_alloc_array(p->arena, 2, sizeof(*argv));

	argv[0] = a->shell && *a->shell == '/' ? a->shell : "/bin/sh";
	p->plan->process.argv = argv;
}

static void plan_cwd(struct nook_planner *p)
{
	struct nook_plan_process *process = &p->plan->process;

	if (p->spec->cwd) {
		process->cwd = p->spec->cwd;
		process->cwd_from = p->spec->cwd_from;
		return;
	}
	/* The same files are inside, so is the directory; unless it is hidden or on a file system
	 * that is not. */
	process->cwd_optional = true;
	process->cwd = p->spec->root.kind == NOOK_ROOT_HOST && p->host->cwd ? p->host->cwd : "/";
}

static void plan_ids(struct nook_planner *p)
{
	struct nook_plan_process *process = &p->plan->process;
	const struct nook_account *a = &p->host->account;
	bool new_userns = p->plan->userns.writer != NOOK_IDMAP_NONE;
	bool may = new_userns || (p->host->caps & (1ULL << CAP_SETGID)) ||
		   p->spec->ns[NOOK_NS_USER].mode == NOOK_NS_JOIN;
	uint32_t *groups = nook_alloc_array(p->arena, a->n_groups + 1, sizeof(*groups));

	process->uid = a->uid;
	process->gid = a->gid;
	process->keep_groups = p->plan->userns.deny_setgroups || p->host->setgroups_denied || !may;

	/* Like initgroups(3): the primary group is among them. */
	if (a->n_groups)
		groups[process->n_groups++] = a->gid;
	/* A group that the map doesn't have can't be had: setgroups(2) would refuse all of them. */
	for (size_t i = 0; i < a->n_groups; i++) {
		if (!new_userns || nook_idmap_covers(p->gid_map, p->n_gid_map, a->groups[i]))
			groups[process->n_groups++] = a->groups[i];
	}
	if (process->keep_groups)
		process->n_groups = 0;
	process->groups = groups;
}

static int plan_rlimits(struct nook_planner *p)
{
	struct nook_plan_rlimit *list =
		nook_alloc_array(p->arena, p->spec->n_rlimits, sizeof(*list));

	for (size_t i = 0; i < p->spec->n_rlimits; i++) {
		const struct nook_rlimit_spec *s = &p->spec->rlimits[i];
		int resource = nook_rlimit_number(s->name);

		if (resource < 0) {
			nook_where(p->err, "%s", s->from);
			nook_hint(p->err,
				  "as, core, cpu, data, fsize, locks, memlock, msgqueue, nice, "
				  "nofile, "
				  "nproc, rss, rtprio, rttime, sigpending and stack are limits");
			return nook_refuse(p->err, EINVAL, "there is no resource limit named %s",
					   s->name);
		}
		if (s->soft > s->hard) {
			nook_where(p->err, "%s", s->from);
			return nook_refuse(p->err, EINVAL, "the soft limit is above the hard one");
		}
		list[i] = (struct nook_plan_rlimit){ resource, s->soft, s->hard, s->name, s->from };
	}
	p->plan->process.rlimits = list;
	p->plan->process.n_rlimits = p->spec->n_rlimits;
	return 0;
}

bool nook_plan_wants_terminal(const struct nook_planner *p)
{
	return p->spec->terminal == NOOK_YES ||
	       (p->spec->terminal == NOOK_UNSET && p->host->stdin_tty && p->host->stdout_tty);
}

int nook_plan_process(struct nook_planner *p)
{
	struct nook_plan_process *process = &p->plan->process;
	bool new_pid = nook_plan_is_new(p, NOOK_NS_PID);

	if (p->spec->init == NOOK_YES && !new_pid)
		return nook_refuse(p->err, EINVAL,
				   "--init gives a new pid namespace its pid 1, and this container "
				   "has none of its own");

	process->init = new_pid && p->spec->init != NOOK_NO;
	process->terminal = nook_plan_wants_terminal(p);
	process->no_new_privs = p->spec->no_new_privs != NOOK_NO;
	process->set_oom_score_adj = p->spec->oom_score_adj.set;
	process->oom_score_adj = (int)p->spec->oom_score_adj.value;
	plan_argv(p);
	plan_env(p);
	plan_cwd(p);
	plan_ids(p);
	return plan_rlimits(p);
}
