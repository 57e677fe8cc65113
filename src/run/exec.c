/* SPDX-License-Identifier: Apache-2.0 */
/* nook exec: one more program in a container that runs, with what its record says. */
#include "base/env.h"
#include "base/own.h"
#include "base/text.h"
#include "create.h"
#include "host/accounts.h"
#include "nook/container.h"
#include "ns/kinds.h"
#include "plan/seccomp.h"
#include "sys/process.h"
#include "seal.h"
#include "sys/procfs.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

static int read_running(const char *state_dir, const char *name, struct nook_arena *a,
			struct nook_record *record, struct nook_error *err)
{
	enum nook_life life;
	int rc = nook_state_read(state_dir, name, a, record, &life, err);

	if (rc == 0 && life != NOOK_LIFE_RUNNING) {
		nook_hint(err,
			  "`nook ps` shows what runs; `nook rm --force %s` removes what is left of "
			  "it",
			  name);
		return nook_refuse(err, ESRCH, "the container %s is not running", name);
	}
	return rc;
}

/* The container's environment, our terminal's name when there is one, the words' own. */
static void plan_env(struct nook_arena *a, struct nook_plan_process *p,
		     const struct nook_record *record, const struct nook_exec_spec *spec,
		     const char *home)
{
	const char *const *caller = (const char *const *)environ;
	struct nook_env env = { 0 };

	for (const char *const *e = record->env; e && *e; e++)
		*nook_append(a, env.list, env.n) = *e;
	if (home)
		nook_env_set(a, &env, nook_printf(a, "HOME=%s", home));
	if (p->terminal)
		nook_env_set_word(a, &env, "TERM", caller);
	for (size_t i = 0; i < spec->n_env; i++)
		nook_env_set_word(a, &env, spec->env[i], caller);
	*nook_append(a, env.list, env.n) = NULL;
	p->env = env.list;
}

/* --user, as the container's own /etc/passwd has it: found through its pid 1, which was checked to
 * be the one. */
static int look_up_user(struct nook_arena *a, const struct nook_record *record,
			const struct nook_exec_spec *spec, struct nook_account *account,
			struct nook_error *err)
{
	auto_close int proc = nook_procfs_open(false, err);

	if (proc < 0)
		return proc;

	auto_close int root = nook_procfs_open_root(proc, record->pid, err);

	if (root < 0)
		return root;

	struct nook_spec asked = { .user = spec->user, .user_from = spec->user_from };

	return nook_account_in(a, root, &asked, account, err);
}

static int plan_user(struct nook_arena *a, struct nook_plan_process *p,
		     const struct nook_record *record, const struct nook_exec_spec *spec,
		     const char **ret_home, struct nook_error *err)
{
	struct nook_account account = { 0 };

	if (!spec->user)
		return 0;

	int rc = look_up_user(a, record, spec, &account, err);

	if (rc < 0)
		return rc;
	p->uid = account.uid;
	p->gid = account.gid;
	p->groups = account.groups;
	p->n_groups = p->keep_groups ? 0 : account.n_groups;
	*ret_home = account.home;

	/* Root's capabilities are for root; another user gets those that were made ambient for it.
	 */
	if (p->uid != 0 && record->uid == 0) {
		p->caps.effective = p->caps.permitted = p->caps.ambient;
		p->caps.inheritable = p->caps.ambient;
	} else if (p->uid == 0 && record->uid != 0) {
		p->caps.effective = p->caps.permitted = p->caps.bounding;
	}
	return 0;
}

/* The record keeps a filter that came from a file; the default one is the same for the same
 * capabilities. */
static void plan_filter(struct nook_arena *a, struct nook_plan_process *p)
{
	struct nook_filter filter;

	if (p->seccomp || !p->seccomp_name ||
	    strcmp(p->seccomp_name, NOOK_SECCOMP_DEFAULT_NAME) != 0)
		return;
	nook_seccomp_default(a, p->caps.bounding, &filter);
	p->seccomp = filter.code;
	p->n_seccomp = filter.n;
	p->seccomp_flags = filter.flags;
}

static int plan_exec(struct nook_arena *a, const struct nook_record *record,
		     const struct nook_exec_spec *spec, struct nook_plan *plan,
		     struct nook_error *err)
{
	struct nook_plan_process *p = &plan->process;
	const char *home = NULL;

	nook_plan_of_record(a, record, plan);
	plan->cgroup.dirs = record->cgroups;
	plan->cgroup.n_dirs = record->n_cgroups;
	plan->userns.range = record->range;
	p->argv = spec->argv;
	p->cwd = spec->cwd ? spec->cwd : record->cwd;
	p->cwd_optional = !spec->cwd;
	p->cwd_from = spec->cwd_from;
	p->uid = record->uid;
	p->gid = record->gid;
	p->groups = record->groups;
	p->n_groups = record->n_groups;
	p->keep_groups = record->keep_groups;
	p->caps = record->caps;
	p->no_new_privs = record->no_new_privs;
	p->seccomp_late = true;
	p->set_oom_score_adj = record->set_oom_score_adj;
	p->oom_score_adj = record->oom_score_adj;
	p->terminal = spec->terminal == NOOK_YES ||
		      (spec->terminal == NOOK_UNSET && isatty(0) && isatty(1));
	plan_filter(a, p);

	int rc = plan_user(a, p, record, spec, &home, err);

	if (rc == 0)
		plan_env(a, p, record, spec, home);
	return rc;
}

int nook_exec(const char *state_dir, const struct nook_exec_spec *spec,
	      const struct nook_trace *trace, int *ret_status, struct nook_error *err)
{
	auto_arena struct nook_arena arena = { 0 };
	struct nook_record record;
	struct nook_plan plan;
	struct nook_create c;

	*ret_status = 125;
	int rc = nook_arena_open(&arena, err);

	if (rc == 0)
		rc = read_running(state_dir, spec->name, &arena, &record, err);
	if (rc == 0)
		rc = plan_exec(&arena, &record, spec, &plan, err);
	if (rc == 0)
		rc = nook_seal_self(&plan, err);
	if (rc < 0)
		return rc;

	nook_create_init(&c, &plan, &arena, trace);
	c.stage_steps = c.walk.other = nook_enter_steps;
	c.n_stage_steps = c.walk.n_other = nook_enter_n_steps;
	return nook_create_carry_out(&c, nook_exec_steps, nook_exec_n_steps, ret_status, err);
}
