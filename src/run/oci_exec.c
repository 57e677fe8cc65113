/* SPDX-License-Identifier: Apache-2.0 */
/* exec: one more program in a container that runs, as its bundle says or as the engine does. */
#include "oci_parts.h"

#include "base/file.h"
#include "base/own.h"
#include "base/text.h"
#include "cgroup.h"
#include "host/bundle.h"
#include "ns/kinds.h"
#include "seal.h"
#include "sys/names.h"
#include "sys/process.h"
#include "terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define PROCESS_BYTES (16u << 20)

static int check_status(const struct nook_oci_exec *e, const struct nook_oci_state *c,
			struct nook_error *err)
{
	switch (c->status) {
	case NOOK_OCI_STOPPED:
		return nook_refuse(err, EINVAL, "cannot exec in a stopped container: %s", e->id);
	case NOOK_OCI_CREATING:
		return nook_refuse(err, EINVAL,
				   "cannot exec in a container that is being created: %s", e->id);
	case NOOK_OCI_PAUSED:
		if (e->ignore_paused)
			return 0;
		nook_hint(err, "`resume %s` first, or --ignore-paused to have it begin then",
			  e->id);
		return nook_refuse(err, EINVAL, "cannot exec in a paused container: %s", e->id);
	default:
		return 0;
	}
}

/* --process FILE: the engine's own file, of its own making; "-" is stdin. */
static int read_process(struct nook_arena *a, const char *path, struct nook_bundle_process *ret,
			struct nook_error *err)
{
	bool is_stdin = strcmp(path, "-") == 0;
	auto_close int file = is_stdin ? NO_FD : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	char *text = NULL;
	size_t len = 0;

	if (!is_stdin && file < 0)
		return nook_fail(err, errno, "open %s", path);

	int rc = nook_read_fd(a, is_stdin ? STDIN_FILENO : file, path, PROCESS_BYTES, &text, &len,
			      err);

	if (rc == 0)
		rc = nook_bundle_parse_process(a, text, len, ret, err);
	if (rc < 0 && !err->where[0])
		nook_where(err, "--process %s", path);
	return rc;
}

static const char *const *joined(struct nook_arena *a, const char *const *first,
				 const char *const *second)
{
	const char **list = NULL;
	size_t n = 0;

	for (size_t i = 0; first && first[i]; i++)
		*nook_append(a, list, n) = first[i];
	for (size_t i = 0; second && second[i]; i++)
		*nook_append(a, list, n) = second[i];
	*nook_append(a, list, n) = NULL;
	return list;
}

static int apply_user(const char *text, struct nook_bundle_process *p, struct nook_error *err)
{
	char uid[16];
	const char *colon = strchrnul(text, ':');
	uint64_t u, g = 0;

	if ((size_t)(colon - text) >= sizeof(uid))
		return nook_refuse(err, EINVAL, "--user takes UID[:GID], not \"%s\"", text);
	memcpy(uid, text, (size_t)(colon - text));
	uid[colon - text] = '\0';
	if (nook_parse_u64(uid, UINT32_MAX - 1, &u) < 0 ||
	    (*colon && nook_parse_u64(colon + 1, UINT32_MAX - 1, &g) < 0)) {
		nook_where(err, "--user %s", text);
		return nook_refuse(err, EINVAL, "a user is UID[:GID] in decimal numbers");
	}
	p->uid = (uint32_t)u;
	if (*colon)
		p->gid = (uint32_t)g;
	return 0;
}

static int apply_groups(struct nook_arena *a, const char *const *texts,
			struct nook_bundle_process *p, struct nook_error *err)
{
	uint32_t *list = NULL;
	size_t n = 0;

	for (size_t i = 0; i < p->n_groups; i++)
		*nook_append(a, list, n) = p->groups[i];
	for (; texts && *texts; texts++) {
		uint64_t gid;

		if (nook_parse_u64(*texts, UINT32_MAX - 1, &gid) < 0) {
			nook_where(err, "--additional-gids %s", *texts);
			return nook_refuse(err, EINVAL, "a group is a decimal number");
		}
		*nook_append(a, list, n) = (uint32_t)gid;
	}
	p->groups = list;
	p->n_groups = n;
	return 0;
}

/* Added to all sets but the inheritable and ambient ones, as runc does. */
static int apply_caps(const char *const *names, struct nook_bundle_process *p,
		      struct nook_error *err)
{
	for (; names && *names; names++) {
		int cap = nook_cap_number(*names);

		if (cap < 0) {
			nook_where(err, "--cap %s", *names);
			return nook_refuse(err, EINVAL, "there is no such capability");
		}
		p->caps.set = true;
		p->caps.bounding |= 1ULL << cap;
		p->caps.effective |= 1ULL << cap;
		p->caps.permitted |= 1ULL << cap;
	}
	return 0;
}

/* Without --process: the container's own process, with what the words change of it. */
static int compose_process(struct nook_arena *a, const struct nook_oci_exec *e,
			   const struct nook_record *r, struct nook_bundle_process *p,
			   struct nook_error *err)
{
	if (!e->args || !e->args[0])
		return nook_refuse(err, EINVAL, "process args cannot be empty");
	if (!r->process) {
		*p = (struct nook_bundle_process){ .set = true,
						   .cwd = "/",
						   .env = joined(a, NULL, NULL) };
	} else {
		int rc = nook_bundle_parse_process(a, r->process, strlen(r->process), p, err);

		if (rc < 0)
			return rc;
	}

	p->args = e->args;
	p->terminal = e->terminal;
	p->rows = p->columns = 0;
	p->env = joined(a, p->env, e->env);
	if (e->cwd)
		p->cwd = e->cwd;
	if (e->apparmor)
		p->apparmor = e->apparmor;
	if (e->selinux)
		p->selinux = e->selinux;
	if (e->no_new_privs != NOOK_UNSET)
		p->no_new_privs = e->no_new_privs == NOOK_YES;

	int rc = e->user ? apply_user(e->user, p, err) : 0;

	if (rc == 0)
		rc = apply_groups(a, e->groups, p, err);
	return rc == 0 ? apply_caps(e->caps, p, err) : rc;
}

static int plan_exec(struct nook_arena *a, const struct nook_oci_exec *e,
		     const struct nook_record *r, const struct nook_bundle_process *process,
		     const struct nook_host *host, struct nook_plan *plan, struct nook_error *err)
{
	const struct nook_bundle_options options = {
		.id = e->id,
		.state_dir = e->state_dir,
		.preserve_fds = e->preserve_fds,
	};
	struct nook_bundle_planner p = {
		.arena = a,
		.options = &options,
		.host = host,
		.plan = plan,
		.err = err,
	};

	nook_plan_of_record(a, r, plan);
	plan->state_dir = e->state_dir;
	plan->bundle = true;
	plan->announced = e->pid_file || e->pidfd_socket;

	int rc = nook_plan_bundle_program(&p, process);

	if (rc < 0)
		return rc;
	plan->process.keep_keyring = r->no_new_keyring;
	rc = nook_cgroup_of_exec(a, r, e->cgroup, &plan->cgroup.dirs, &plan->cgroup.n_dirs, err);
	if (rc < 0)
		return rc;

	if (r->rdt_tasks) {
		struct nook_plan_rdt *rdt = nook_alloc(a, sizeof(*rdt));

		*rdt = (struct nook_plan_rdt){ .set = true, .clos_id = r->rdt_tasks };
		plan->rdt = rdt;
	}

	plan->process.seccomp_listener = r->seccomp_listener;
	plan->process.seccomp_listener_data = r->seccomp_listener_data;
	if (!plan->process.set_oom_score_adj && r->set_oom_score_adj) {
		plan->process.set_oom_score_adj = true;
		plan->process.oom_score_adj = r->oom_score_adj;
	}
	return 0;
}

/* As create does: what comes after need not be done twice. --cap can add to it, and is looked at
 * later. */
static int seal_early(const struct nook_record *r, struct nook_error *err)
{
	const struct nook_plan plan = { .process.caps = r->caps };

	return r->namespaces & CLONE_NEWUSER ? 0 : nook_seal_self(&plan, err);
}

static int prepare(const struct nook_oci_exec *e, struct nook_arena *a, struct nook_oci_state *c,
		   struct nook_host *host, struct nook_plan *plan, struct nook_error *err)
{
	struct nook_bundle_process process = { 0 };
	const struct nook_bundle_wants wants = { .state_dir = e->state_dir };
	int rc = nook_oci_load(e->state_dir, e->id, NOOK_RECORD_ALL, a, c, err);

	if (rc == 0)
		rc = check_status(e, c, err);
	if (rc == 0)
		rc = seal_early(&c->record, err);
	if (rc == 0)
		rc = e->process ? read_process(a, e->process, &process, err)
				: compose_process(a, e, &c->record, &process, err);
	if (rc == 0)
		rc = nook_oci_check_terminal(process.terminal, e->detach, e->console_socket,
					     e->process ? "/process/terminal" : "--tty", err);
	if (rc == 0)
		rc = nook_host_probe_bundle(a, &wants, host, err);
	return rc < 0 ? rc : plan_exec(a, e, &c->record, &process, host, plan, err);
}

/* What waits for its start is ours, and hides itself from all but root: who can't enter it for that
 * has not come further than the steps that do. */
static void explain_created(const char *id, size_t done, struct nook_error *err)
{
	if (!done || (nook_exec_steps[done - 1].run != open_joins &&
		      nook_exec_steps[done - 1].run != clone_stage))
		return;
	if (!err || (err->errnum != EPERM && err->errnum != EACCES) || err->id[0])
		return;
	nook_cause(err, "ns-entry-denied",
		   "its first process waits for `start`, and until then only root may enter");
	nook_hint(err, "`start %s` first", id);
}

static int enter(const struct nook_oci_exec *e, bool created, struct nook_create *c,
		 int *ret_status, struct nook_error *err)
{
	size_t done = 0;
	int rc = nook_create_walk(c, nook_exec_steps, nook_exec_n_steps, &done, err);

	if (rc < 0 && created)
		explain_created(e->id, done, err);
	if (rc < 0)
		(void)nook_steps_undo(nook_exec_steps, done, &c->walk,
				      NULL); /* the first is told */
	else if (!e->detach)
		rc = nook_supervise(c->pidfd, c->pid, move_fd(&c->master), ret_status, err);
	else
		*ret_status = 0;
	(void)sigprocmask(SIG_SETMASK, &c->before, NULL); /* can't fail for one that we got */
	nook_create_close(c);
	return rc;
}

int nook_oci_exec(const struct nook_oci_exec *e, int *ret_status, struct nook_error *err)
{
	struct nook_oci_state state = { 0 };
	struct nook_host host = { 0 };
	struct nook_plan plan;
	struct nook_create c;
	int rc = prepare(e, e->arena, &state, &host, &plan, err);

	*ret_status = 255;
	if (rc == 0)
		rc = nook_seal_self(&plan, err);
	if (rc < 0)
		return rc;
	nook_oci_warn_of(&e->log, &plan);

	nook_create_init(&c, &plan, e->arena, NULL);
	c.stage_steps = c.walk.other = nook_enter_steps;
	c.n_stage_steps = c.walk.n_other = nook_enter_n_steps;
	c.record = state.record; /* who answers for its system calls is told of it */
	c.console_socket = e->console_socket;
	c.pidfd_socket = e->pidfd_socket;
	c.pid_file = e->pid_file;
	return enter(e, state.status == NOOK_OCI_CREATED, &c, ret_status, err);
}
