/* SPDX-License-Identifier: Apache-2.0 */
/* A process object of a bundle: the container's first program, or one that is executed later. */
#include "bundle_parts.h"

#include "base/env.h"
#include "base/own.h"
#include "base/text.h"
#include "idmap.h"
#include "sys/names.h"

#include <errno.h>
#include <linux/capability.h>
#include <sched.h>
#include <string.h>

/* Descriptors that the caller's service manager hands to it: sd_listen_fds(3). */
static unsigned listen_fds(const struct nook_bundle_planner *p)
{
	const char *pid = nook_env_find(p->host->env, "LISTEN_PID");
	const char *fds = nook_env_find(p->host->env, "LISTEN_FDS");
	uint64_t number, n;

	if (!pid || !fds || nook_parse_u64(nook_after(pid, "LISTEN_PID="), UINT32_MAX, &number) ||
	    number != p->host->pid || nook_parse_u64(nook_after(fds, "LISTEN_FDS="), 1024, &n))
		return 0;
	return (unsigned)n;
}

static void plan_env(struct nook_bundle_planner *p, const struct nook_bundle_process *process)
{
	unsigned n = p->options ? listen_fds(p) : 0;
	const char *home = nook_env_find(process->env, "HOME");

	p->plan->process.env = process->env;
	p->plan->process.own_home = !home || !home[strlen("HOME=")];
	if (!n)
		return;

	struct nook_env env = { 0 };

	for (const char *const *e = process->env; *e; e++)
		*nook_append(p->arena, env.list, env.n) = *e;
	nook_env_set(p->arena, &env, nook_printf(p->arena, "LISTEN_FDS=%u", n));
	nook_env_set(p->arena, &env, "LISTEN_PID=1");
	*nook_append(p->arena, env.list, env.n) = NULL;
	p->plan->process.env = env.list;
	p->plan->process.preserve_fds += n;
}

static bool keeps_callers_groups(const struct nook_bundle_planner *p)
{
	for (size_t i = 0; p->bundle && i < p->bundle->n_annotations; i++) {
		const struct nook_bundle_annotation *a = &p->bundle->annotations[i];

		if (strcmp(a->key, "run.oci.keep_original_groups") == 0)
			return strcmp(a->value, "0") != 0 && strcmp(a->value, "false") != 0;
	}
	return false;
}

static int check_mapped(struct nook_bundle_planner *p, const char *what, uint32_t id,
			const struct nook_idmap *map, size_t n)
{
	if (!(p->plan->clone_flags & CLONE_NEWUSER) || !p->bundle ||
	    (n ? nook_idmap_covers(map, n, id) : id == 0))
		return 0;
	nook_cause(p->err, "id-not-mapped",
		   "the map of the container's user namespace has no %s %u", what, id);
	return nook_bundle_refuse(p, "/process/user", EINVAL,
				  "cannot set %s to unmapped user in user namespace", what);
}

static int plan_ids(struct nook_bundle_planner *p, const struct nook_bundle_process *process)
{
	struct nook_plan_process *out = &p->plan->process;
	int rc = 0;

	if (p->bundle) {
		rc = check_mapped(p, "uid", process->uid, p->bundle->uid_map, p->bundle->n_uid_map);
		if (rc == 0)
			rc = check_mapped(p, "gid", process->gid, p->bundle->gid_map,
					  p->bundle->n_gid_map);
	}
	out->uid = process->uid;
	out->gid = process->gid;
	out->groups = process->groups;
	out->n_groups = process->n_groups;

	bool denied = p->plan->userns.deny_setgroups || p->host->setgroups_denied;

	out->keep_groups = denied || keeps_callers_groups(p) ||
			   (!p->plan->own_userns && !nook_bundle_may(p, CAP_SETGID));
	if (out->keep_groups) {
		if (process->n_groups && denied)
			nook_plan_bundle_warn(p, "/process/user/additionalGids: left out, since "
						 "setgroups is denied in the user namespace");
		out->n_groups = 0;
	}
	return rc;
}

/* "net_admin, sys_time" */
static const char *cap_names(struct nook_bundle_planner *p, uint64_t caps)
{
	const char *text = "", *word = nook_cap_words;

	for (unsigned cap = 0; cap < 64; cap++) {
		size_t len = strcspn(word, " ");

		if (caps & 1ULL << cap)
			text = len ? nook_printf(p->arena, "%s%s%.*s", text, *text ? ", " : "",
						 (int)len, word)
				   : nook_printf(p->arena, "%s%s%u", text, *text ? ", " : "", cap);
		word += len + (word[len] == ' ');
	}
	return text;
}

/*
 * What the kernel would refuse is left out: an engine asks for all capabilities when it is told
 * "privileged", also where some can't be had. capabilities(7)
 */
static void plan_caps(struct nook_bundle_planner *p, const struct nook_bundle_process *process)
{
	const struct nook_host *h = p->host;
	const struct nook_bundle_caps *in = &process->caps;
	struct nook_plan_caps *out = &p->plan->process.caps;
	uint64_t known = h->last_cap >= 63 ? ~0ULL : (1ULL << (h->last_cap + 1)) - 1;
	/* A user namespace of its own has every capability over what it owns. */
	uint64_t bounding = p->plan->own_userns ? known : h->bounding & known;
	uint64_t permitted = p->plan->own_userns ? known : h->caps & known;

	if (!in->set)
		return; /* none at all */
	*out = (struct nook_plan_caps){ in->bounding & bounding, 0, in->permitted & permitted,
					in->inheritable & bounding & in->bounding, 0 };
	out->effective = in->effective & out->permitted;
	/* Only what is permitted and inheritable can be ambient. Engines ask for more of habit, so
	 * that no warning is due. */
	out->ambient = in->ambient & out->permitted & out->inheritable;

	uint64_t lost = (in->bounding & ~bounding) | (in->permitted & ~permitted) |
			(in->inheritable & ~bounding);

	if (lost)
		nook_plan_bundle_warn(p, "/process/capabilities: can't be had here: %s",
				      cap_names(p, lost));
}

static int plan_labels(struct nook_bundle_planner *p, const struct nook_bundle_process *process)
{
	struct nook_plan_process *out = &p->plan->process;
	const char *apparmor = process->apparmor;

	/* Where there is no AppArmor all is unconfined. */
	if (apparmor && !p->host->apparmor && strcmp(apparmor, "unconfined") == 0)
		apparmor = NULL;
	if (apparmor && !p->host->apparmor) {
		nook_hint(p->err,
			  "remove apparmorProfile, or boot with apparmor=1 security=apparmor");
		return nook_bundle_refuse(p, "/process/apparmorProfile", EOPNOTSUPP,
					  "the profile %s can't be set: AppArmor is not enabled on "
					  "this machine",
					  apparmor);
	}
	if (process->selinux && !p->host->selinux) {
		nook_hint(p->err, "remove selinuxLabel, or enable SELinux");
		return nook_bundle_refuse(p, "/process/selinuxLabel", EOPNOTSUPP,
					  "selinux label is specified in config, but selinux is "
					  "disabled or not supported");
	}
	out->apparmor = apparmor;
	out->selinux = process->selinux;
	return 0;
}

static int plan_rlimits(struct nook_bundle_planner *p, const struct nook_bundle_process *process)
{
	struct nook_plan_rlimit *list =
		nook_alloc_array(p->arena, process->n_rlimits, sizeof(*list));

	for (size_t i = 0; i < process->n_rlimits; i++) {
		const struct nook_bundle_rlimit *r = &process->rlimits[i];

		if (r->soft > r->hard)
			return nook_bundle_refuse(p, r->from, EINVAL,
						  "the soft limit is above the hard one");
		list[i] = (struct nook_plan_rlimit){ r->resource, r->soft, r->hard, r->name,
						     r->from };
	}
	p->plan->process.rlimits = list;
	p->plan->process.n_rlimits = process->n_rlimits;
	return 0;
}

static void plan_scheduling(struct nook_bundle_planner *p,
			    const struct nook_bundle_process *process)
{
	struct nook_plan_process *out = &p->plan->process;

	if (process->scheduler.set)
		out->scheduler = &process->scheduler;
	out->set_ioprio = process->has_ioprio;
	out->ioprio = process->ioprio;
	if (p->bundle)
		return; /* execCPUAffinity is of exec alone */
	out->affinity = process->affinity_initial;
	out->affinity_final = process->affinity_final;
}

static int plan_none(struct nook_bundle_planner *p)
{
	static const char *const none[] = { NULL };
	struct nook_plan_process *out = &p->plan->process;

	out->no_program = true;
	out->argv = out->env = none;
	out->cwd = "/";
	return 0;
}

int nook_plan_bundle_program(struct nook_bundle_planner *p,
			     const struct nook_bundle_process *process)
{
	struct nook_plan_process *out = &p->plan->process;

	if (!process->set)
		return plan_none(p);
	if (!process->args || !process->args[0])
		return nook_bundle_refuse(p, "/process/args", EINVAL, "args must not be empty");

	out->argv = process->args;
	out->cwd = process->cwd && *process->cwd ? process->cwd : "/";
	out->cwd_from = "/process/cwd";
	out->no_new_privs = process->no_new_privs;
	out->set_oom_score_adj = process->oom_score_adj.set;
	out->oom_score_adj = (int)process->oom_score_adj.value;
	out->terminal = process->terminal;
	out->rows = process->rows;
	out->columns = process->columns;
	out->set_umask = process->has_umask;
	out->umask = process->umask;
	out->chown_stdio = true;
	out->preserve_fds = p->options ? p->options->preserve_fds : 0;
	plan_env(p, process);
	plan_caps(p, process);
	plan_scheduling(p, process);

	int rc = plan_ids(p, process);

	if (rc == 0)
		rc = plan_labels(p, process);
	return rc < 0 ? rc : plan_rlimits(p, process);
}
