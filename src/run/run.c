/* SPDX-License-Identifier: Apache-2.0 */
/* nook run: from the user's words to the program's exit status. */
#include "base/own.h"
#include "base/text.h"
#include "create.h"
#include "nook/container.h"
#include "host/host.h"
#include "nook/ns_names.h"
#include "ns/kinds.h"
#include "plan/seccomp.h"
#include "seal.h"
#include "show.h"
#include "sys/process.h"
#include "terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

/* Syllables: a name that a person can say and type. 40 million of them; a clash is told by -EEXIST
 * and tried again. */
static const char *make_name(struct nook_arena *a)
{
	unsigned char r[8] = { 0 };
	char name[9];

	(void)getrandom(r, sizeof(r),
			GRND_NONBLOCK); /* too early after boot: a poor name, checked like all */
	for (size_t i = 0; i < 8; i += 2) {
		name[i] = "bdfghjklmnprstvz"[r[i] % 16];
		name[i + 1] = "aeiou"[r[i + 1] % 5];
	}
	return nook_strndup(a, name, 8);
}

/* The namespace that a kept name has of this kind. -ENOENT, nothing noted: it is no such name. */
static int look_up_kept(struct nook_arena *a, struct nook_ns_spec *ns, enum nook_ns_kind kind,
			const char *state_dir, struct nook_error *err)
{
	struct nook_error as_name = { 0 };
	struct nook_ns_name name;
	int rc = nook_ns_name_find(state_dir, ns->target, a, &name, &as_name);

	if (rc == -ENOENT)
		return rc;
	if (rc < 0) {
		*err = as_name;
		return rc;
	}
	for (size_t i = 0; i < name.n_held; i++) {
		if (name.held[i].kind != kind)
			continue;
		if (!name.held[i].there) {
			nook_cause(err, "namespace-gone", "%s is not that namespace any more",
				   name.held[i].path);
			return nook_refuse(err, ESTALE, "the %s namespace of %s isn't there",
					   nook_ns_kinds[kind].name, ns->target);
		}
		ns->target = name.held[i].path;
		return 0;
	}
	nook_hint(err, "`nook ns show %s` says what it has", ns->target);
	return nook_refuse(err, EINVAL, "%s has no %s namespace", ns->target,
			   nook_ns_kinds[kind].words);
}

/* A kept name to join is a path; a container's means its pid 1. */
static int look_up_joins(struct nook_arena *a, struct nook_spec *spec, const char *state_dir,
			 struct nook_error *err)
{
	for (int k = 0; k < NOOK_NS_COUNT; k++) {
		struct nook_ns_spec *ns = &spec->ns[k];
		struct nook_record record;
		enum nook_life life;
		uint64_t pid;

		if (ns->mode != NOOK_NS_JOIN || strchr(ns->target, '/') ||
		    nook_parse_u64(ns->target, UINT64_MAX, &pid) == 0)
			continue;

		int rc = look_up_kept(a, ns, (enum nook_ns_kind)k, state_dir, err);

		if (rc == 0)
			continue;
		if (rc == -ENOENT)
			rc = nook_state_read(state_dir, ns->target, a, &record, &life, err);
		if (rc == 0 && life != NOOK_LIFE_RUNNING)
			rc = nook_refuse(err, ESRCH, "the container %s is not running", ns->target);
		if (rc < 0) {
			nook_where(err, "%s", ns->from);
			return rc;
		}
		ns->target = nook_printf(a, "%d", record.pid);
	}
	return 0;
}

/* A made-up name must be unlike the caller's memory of it: the spec is the caller's, so ours is a
 * copy. */
static int prepare(struct nook_arena *a, const struct nook_spec *asked, struct nook_spec *spec,
		   struct nook_host *host, struct nook_plan *plan, struct nook_error *err)
{
	const char *state_dir;

	*spec = *asked;
	if (!spec->name)
		spec->name = make_name(a);
	if (!nook_valid_id(spec->name)) {
		if (spec->name_from)
			nook_where(err, "%s", spec->name_from);
		nook_hint(err, "names are letters, digits and _, later also . + -, at most 255 "
			       "characters");
		return nook_refuse(err, EINVAL, "\"%s\" can't name a container", spec->name);
	}

	int rc = nook_state_dir(&state_dir, err);

	if (rc == 0)
		rc = look_up_joins(a, spec, state_dir, err);
	if (rc == 0)
		rc = nook_host_probe(a, spec, host, err);
	return rc < 0 ? rc : nook_plan_build(a, spec, host, plan, err);
}

static const char *describe_root(struct nook_arena *a, const struct nook_spec *spec)
{
	switch (spec->root.kind) {
	case NOOK_ROOT_DIR:
		return spec->root.dir.path;
	case NOOK_ROOT_LAYERS:
		return nook_printf(a, "%zu layer%s", spec->root.n_layers,
				   spec->root.n_layers == 1 ? "" : "s");
	default:
		return "host";
	}
}

static bool is_default_filter(const struct nook_plan_process *p)
{
	return p->seccomp && strcmp(p->seccomp_name, NOOK_SECCOMP_DEFAULT_NAME) == 0;
}

static int fill_record(struct nook_record *r, const struct nook_plan *plan,
		       const struct nook_spec *spec, struct nook_arena *a, struct nook_error *err)
{
	const struct nook_plan_process *p = &plan->process;
	int rc = nook_record_of_plan(a, plan, r, err);

	r->hostname = plan->hostname;
	r->root = describe_root(a, spec);
	r->range = plan->userns.range;
	r->argv = p->argv;
	r->env = p->env;
	r->cwd = p->cwd_optional ? "/" : p->cwd;
	r->groups = p->groups;
	r->n_groups = p->n_groups;
	/* Made again from the capabilities: no file has to be kept for it. */
	if (is_default_filter(p)) {
		r->seccomp = NULL;
		r->n_seccomp = 0;
	}
	return rc;
}

/* The program could not be executed: that is its own status, as a shell has it; the rest is ours.
 */
static int status_of(const struct nook_error *err)
{
	if (strcmp(err->wanted, NOOK_WANTED_EXEC) != 0)
		return 125;
	return err->errnum == ENOENT && strcmp(err->id, "interpreter-missing") != 0 ? 127 : 126;
}

static sigset_t interrupting(void)
{
	sigset_t set;

	sigemptyset(&set); /* these can't fail for real signals */
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGQUIT);
	return set;
}

int nook_open_interrupt(void)
{
	const sigset_t set = interrupting();
	int fd = signalfd(-1, &set, SFD_CLOEXEC);

	return fd < 0 ? NO_FD : fd;
}

void nook_forget_interrupt(void)
{
	const sigset_t set = interrupting();
	const struct timespec at_once = { 0 };

	while (sigtimedwait(&set, NULL, &at_once) > 0)
		;
}

int nook_create_walk(struct nook_create *c, const struct nook_step *steps, size_t n,
		     size_t *ret_done, struct nook_error *err)
{
	(void)sigprocmask(SIG_SETMASK, NULL, &c->before); /* can't fail: it only asks */
	c->stage.signals = c->before;
	if (c->plan->bundle)
		(void)sigemptyset(&c->stage.signals); /* can't fail */
	nook_supervise_block();
	c->walk.interrupt = nook_open_interrupt();

	int rc = nook_steps_run(steps, n, &c->walk, ret_done, err);

	close_fd(&c->walk.interrupt);
	return rc;
}

/* Walks the list, stays while the program runs, undoes the list. The program's status is worth more
 * than a cleanup's failure, but that is not kept quiet. */
int nook_create_carry_out(struct nook_create *c, const struct nook_step *steps, size_t n,
			  int *ret_status, struct nook_error *err)
{
	size_t done = 0;
	int rc = nook_create_walk(c, steps, n, &done, err);

	if (rc < 0) {
		*ret_status = status_of(err);
	} else {
		rc = nook_supervise(c->pidfd, c->pid, move_fd(&c->master), ret_status, err);
		if (rc == 0)
			c->pid = 0; /* it has been waited for */
	}

	nook_create_close_pieces(c); /* where descriptors have run out, the undo needs some */

	struct nook_error undo_err = { .wanted = "remove what the container was made of" };
	int undo = nook_steps_undo(steps, done, &c->walk, &undo_err);

	if (undo < 0 && rc == 0) {
		nook_hint(&undo_err, "`nook rm --force %s` tries it again", c->plan->name);
		*err = undo_err;
		rc = undo;
		*ret_status = 125;
	} else if (undo < 0) {
		nook_hint(err, "and then: %s; `nook rm --force %s` tries that again", undo_err.why,
			  c->plan->name);
	}

	nook_create_close(c);
	(void)sigprocmask(SIG_SETMASK, &c->before, NULL); /* can't fail for a mask that we got */
	return rc;
}

struct function {
	int (*fn)(void *arg);
	void *arg;
};

static int run_once(const struct nook_spec *asked, const struct function *function,
		    const struct nook_trace *trace, unsigned tries, int *ret_status,
		    struct nook_error *err)
{
	auto_arena struct nook_arena arena = { 0 };
	struct nook_spec spec;
	struct nook_host host = { .tries = tries };
	struct nook_plan plan;
	struct nook_create c;

	*ret_status = 125;
	int rc = nook_arena_open(&arena, err);

	if (rc == 0)
		rc = prepare(&arena, asked, &spec, &host, &plan, err);
	if (rc == 0)
		rc = nook_seal_self(&plan, err);
	if (rc < 0)
		return rc;

	/* Not before we are who stays. */
	if (plan.no_names && trace && trace->warning && tries == 0)
		trace->warning(trace->data, plan.no_names, NOOK_PLAN_NAMES_REMEDY);
	nook_create_init(&c, &plan, &arena, trace && trace->row ? trace : NULL);
	c.stage.function = function->fn;
	c.stage.function_arg = function->arg;
	rc = fill_record(&c.record, &plan, &spec, &arena, err);
	if (rc < 0)
		return rc;
	return nook_create_carry_out(&c, nook_create_steps, nook_create_n_steps, ret_status, err);
}

static int run(const struct nook_spec *spec, const struct function *function,
	       const struct nook_trace *trace, int *ret_status, struct nook_error *err)
{
	/* Somebody was faster with the free range or address that we saw, or made up the same name:
	 * look again. */
	for (unsigned tries = 0;; tries++) {
		int rc = run_once(spec, function, trace, tries, ret_status, err);
		bool range_taken = rc == -EEXIST &&
				   (strcmp(err->wanted, "take a range of ids") == 0 ||
				    strcmp(err->wanted, "take addresses on its networks") == 0);
		bool name_taken =
			rc == -EEXIST && strcmp(err->wanted, "take the name") == 0 && !spec->name;

		if ((!range_taken && !name_taken) || tries == 64)
			return rc;
		memset(err, 0, sizeof(*err));
	}
}

int nook_run(const struct nook_spec *spec, const struct nook_trace *trace, int *ret_status,
	     struct nook_error *err)
{
	return run(spec, &(struct function){ NULL, NULL }, trace, ret_status, err);
}

int nook_call(const struct nook_spec *spec, int (*fn)(void *arg), void *arg, int *ret_status,
	      struct nook_error *err)
{
	(void)fflush(
		NULL); /* what waits in a buffer would be in the copy's too, and come out twice */
	return run(spec, &(struct function){ fn, arg }, NULL, ret_status, err);
}

int nook_run_plan(const struct nook_spec *asked, enum nook_plan_format format, FILE *out,
		  struct nook_error *err)
{
	auto_arena struct nook_arena arena = { 0 };
	struct nook_spec spec;
	struct nook_host host = { .plans_only = true };
	struct nook_plan plan;

	int rc = nook_arena_open(&arena, err);

	if (rc == 0)
		rc = prepare(&arena, asked, &spec, &host, &plan, err);
	return rc < 0 ? rc : nook_plan_show(&plan, format, &arena, out, err);
}
