/* SPDX-License-Identifier: Apache-2.0 */
/* create and run: from a bundle to a container. */
#include "oci.h"

#include "base/own.h"
#include "base/text.h"
#include "host/bundle.h"
#include "ns/kinds.h"
#include "oci_hooks.h"
#include "oci_notify.h"
#include "oci_parts.h"
#include "oci_restore.h"
#include "rdt.h"
#include "seal.h"
#include "show.h"
#include "sys/process.h"
#include "terminal.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

static int check_words(const struct nook_oci_create *c, const struct nook_bundle *b,
		       struct nook_error *err)
{
	bool tty = b->process.terminal, detach = c->detach || c->options.start_later;

	if (!nook_valid_id(c->options.id)) {
		nook_hint(
			err,
			"ids are letters, digits and _, later also . + -, at most 255 characters");
		return nook_refuse(err, EINVAL, "invalid container ID \"%s\"", c->options.id);
	}
	/* `create` may do without, for `start` to say so. */
	if (!b->process.set && !c->options.start_later) {
		nook_where(err, "/process");
		return nook_refuse(err, EINVAL, "process property must not be empty");
	}
	if (tty && detach && !c->console_socket) {
		nook_where(err, "/process/terminal");
		return nook_refuse(
			err, EINVAL,
			"cannot allocate tty if nook-oci will detach without setting console "
			"socket (--console-socket)");
	}
	if (c->console_socket && (!tty || !detach)) {
		nook_where(err, "--console-socket");
		return nook_refuse(
			err, EINVAL,
			"cannot use console socket if nook-oci will not detach or allocate tty");
	}
	return 0;
}

static int read_bundle(const struct nook_oci_create *c, struct nook_arena *a, struct nook_bundle *b,
		       struct nook_error *err)
{
	int rc = nook_bundle_read_config(a, c->bundle, c->config, b, err);

	return rc < 0 ? rc : check_words(c, b, err);
}

/*
 * Without a user namespace the container's root is ours, and could write to our file: that much is
 * known before anything else is decided, and what comes after need not be done twice.
 */
static int seal_early(const struct nook_bundle *b, struct nook_error *err)
{
	const struct nook_bundle_caps *caps = &b->process.caps;
	const struct nook_plan plan = {
		.process.caps = { .bounding = caps->bounding,
				  .permitted = caps->permitted,
				  .ambient = caps->ambient },
	};

	return b->ns[NOOK_NS_USER].listed ? 0 : nook_seal_self(&plan, err);
}

static int decide(const struct nook_oci_create *c, struct nook_arena *a, struct nook_bundle *b,
		  struct nook_host *host, struct nook_plan *plan, struct nook_error *err)
{
	int rc;

	if (nook_oci_notify_is_socket(c->options.notify_socket))
		nook_oci_notify_add(a, b, c->options.state_dir, c->options.id);

	const struct nook_bundle_wants wants = {
		.new_user_namespace = b->ns[NOOK_NS_USER].listed && !b->ns[NOOK_NS_USER].path,
		.cgroups = true, /* they may be mounted, too */
		.state_dir = c->options.state_dir,
	};

	rc = nook_host_probe_bundle(a, &wants, host, err);
	if (rc == 0)
		rc = nook_plan_bundle(a, b, &c->options, host, plan, err);
	plan->notify =
		rc == 0 && b->process.set && nook_oci_notify_is_socket(c->options.notify_socket);
	return rc;
}

/* It names a socket, which nobody else has: 64 random bits. */
static const char *make_start_name(struct nook_arena *a)
{
	uint64_t r = 0;
	struct timespec now;

	if (getrandom(&r, sizeof(r), GRND_NONBLOCK) != (ssize_t)sizeof(r)) {
		(void)clock_gettime(CLOCK_MONOTONIC, &now); /* can't fail */
		r = (uint64_t)now.tv_nsec << 32 ^ (uint64_t)getpid();
	}
	return nook_printf(a, "%016lx", r);
}

static const char *(*keep_annotations(struct nook_arena *a, const struct nook_bundle *b))[2]
{
	const char *(*list)[2] = nook_alloc_array(a, b->n_annotations, sizeof(*list));

	for (size_t i = 0; i < b->n_annotations; i++) {
		list[i][0] = b->annotations[i].key;
		list[i][1] = b->annotations[i].value;
	}
	return list;
}

/* What a later exec begins with is the bundle's process, so little of ours is kept of it. */
static int fill_record(struct nook_record *r, const struct nook_plan *plan,
		       const struct nook_bundle *b, const struct nook_oci_create *c,
		       struct nook_arena *a, struct nook_error *err)
{
	static const char *const none[] = { NULL };
	const char *rootfs = b->rootfs ? b->rootfs : "";
	struct nook_rdt_group rdt = { 0 };
	int rc = nook_record_of_plan(a, plan, r, err);

	if (plan->rdt && plan->rdt->set)
		nook_rdt_group(a, plan->rdt, plan->name, &rdt);
	r->argv = none;
	r->env = none;
	r->seccomp_listener = plan->process.seccomp_listener;
	r->seccomp_listener_data = plan->process.seccomp_listener_data;
	r->bundle = b->dir;
	r->rootfs = rootfs[0] == '/' ? rootfs : nook_printf(a, "%s/%s", b->dir, rootfs);
	r->oci_version = b->oci_version;
	r->process = b->process.json;
	r->hooks = b->hooks.json;
	r->hook_state = plan->hooks ? plan->hooks->state : NULL;
	r->annotations = keep_annotations(a, b);
	r->n_annotations = b->n_annotations;
	r->unit = plan->cgroup.unit;
	r->rdt = rdt.own;
	r->rdt_tasks = rdt.monitor ? rdt.monitor : rdt.path;
	r->start = make_start_name(a);
	r->no_new_keyring = c->options.no_new_keyring;
	return rc;
}

static void warn_all(const struct nook_oci_create *c, const struct nook_plan *plan)
{
	for (const char *const *w = plan->warnings; c->warn && w && *w; w++)
		c->warn(c->warn_data, *w);
}

/* Was anything done that poststop hooks may have to undo? */
static bool came_to_hooks(const struct nook_create *create, size_t done)
{
	if (create->restore)
		return create->hooked;
	for (size_t i = 0; create->plan->hooks && i < done; i++) {
		if (nook_create_steps[i].run == run_outer_hooks)
			return true;
	}
	return false;
}

/* The signal that ended us is not to end them at once too; another may. */
static void forget_signals(void)
{
	const struct timespec at_once = { 0 };
	sigset_t set;

	(void)sigemptyset(&set); /* these can't fail for real signals */
	(void)sigaddset(&set, SIGHUP);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGQUIT);
	(void)sigaddset(&set, SIGTERM);
	while (sigtimedwait(&set, NULL, &at_once) > 0)
		;
}

/* runtime.md, "Lifecycle": what fails from the first hook on goes the way of `delete`, which they
 * are the end of. */
static void run_poststop(const struct nook_oci_create *c, const struct nook_plan *plan,
			 const char *bundle)
{
	forget_signals();
	nook_oci_hooks_all(plan->hooks->list[NOOK_HOOK_POSTSTOP],
			   plan->hooks->n[NOOK_HOOK_POSTSTOP], plan->hooks->state, 0, "stopped",
			   bundle, c->warn, c->warn_data);
}

/* Walks the list; on failure it is undone, and the error is the first one. */
static int make(struct nook_create *create, const struct nook_oci_create *c, struct nook_error *err)
{
	const struct nook_step *steps = create->restore ? nook_restore_steps : nook_create_steps;
	size_t n = create->restore ? nook_restore_n_steps : nook_create_n_steps;
	size_t done = 0;
	int rc = nook_create_walk(create, steps, n, &done, err);

	if (rc == 0)
		return 0;

	nook_create_close_pieces(create); /* where descriptors have run out, the undo needs some */

	struct nook_error undo = { .wanted = "remove what the container was made of" };

	if (nook_steps_undo(steps, done, &create->walk, &undo) < 0)
		nook_hint(err, "and then: %s; `delete --force` tries that again", undo.why);
	nook_create_close(create);
	if (came_to_hooks(create, done))
		run_poststop(c, create->plan, create->record.bundle);
	return rc;
}

/* Both commands, up to the container that is there. On return 0 @create is still open. */
static int begin(const struct nook_oci_create *c, struct nook_arena *a, struct nook_bundle *b,
		 struct nook_host *host, struct nook_plan *plan, struct nook_create *create,
		 struct nook_error *err)
{
	int rc = read_bundle(c, a, b, err);

	/* What is restored holds no file of ours. */
	if (rc == 0 && !c->restore)
		rc = seal_early(b, err);
	if (rc == 0)
		rc = decide(c, a, b, host, plan, err);
	if (rc == 0 && !c->restore)
		rc = nook_seal_self(plan, err);
	if (rc < 0)
		return rc;
	warn_all(c, plan);

	nook_create_init(create, plan, a, c->trace);
	create->console_socket = c->console_socket;
	create->pidfd_socket = c->pidfd_socket;
	create->pid_file = c->pid_file;
	rc = fill_record(&create->record, plan, b, c, a, err);
	if (rc < 0 || !c->restore)
		return rc < 0 ? rc : make(create, c, err);

	struct nook_restore restore;

	rc = nook_restore_open(&restore, c->restore, b, err);
	create->restore = &restore;
	if (rc == 0)
		rc = make(create, c, err);
	nook_restore_close(&restore);
	return rc;
}

int nook_oci_create(const struct nook_oci_create *c, struct nook_error *err)
{
	auto_arena struct nook_arena a = { 0 };
	auto_bundle struct nook_bundle b = { 0 };
	struct nook_host host = { 0 };
	struct nook_plan plan;
	struct nook_create create;
	int rc = nook_arena_open(&a, err);

	if (rc == 0)
		rc = begin(c, &a, &b, &host, &plan, &create, err);
	if (rc == 0)
		nook_create_close(&create);
	return rc;
}

static void warn_error(const struct nook_oci_create *c, const struct nook_error *err)
{
	if (c->warn)
		c->warn(c->warn_data, err->why);
}

/* What the program says is looked at in between. */
static bool take_notes(void *data)
{
	struct nook_oci_notify *n = data;

	/* A manager that can't be told any more can't be told that either. */
	return nook_oci_notify_take(n, NULL) == 0 && !n->ready;
}

static int stay_notifying(struct nook_create *create, const struct nook_oci_create *c,
			  int *ret_status, struct nook_error *err)
{
	struct nook_error deaf = { 0 };
	struct nook_oci_notify n;
	const struct nook_supervise_also also = { create->notify, take_notes, &n };
	bool told = nook_oci_notify_begin(&n, create->notify, c->options.notify_socket, getpid(),
					  &deaf) == 0;

	if (!told)
		warn_error(c, &deaf);
	n.staying = true;

	int rc = nook_supervise_also(create->pidfd, create->pid, move_fd(&create->master),
				     told ? &also : NULL, ret_status, err);

	nook_oci_notify_end(&n);
	return rc;
}

/* The manager is told as soon as the program says so, and then we end. */
static void leave_notifying(const struct nook_create *create, const struct nook_oci_create *c)
{
	struct nook_error deaf = { 0 };

	if (create->notify >= 0 && nook_oci_notify_forward(create->notify, c->options.notify_socket,
							   create->pidfd, create->pid, &deaf) < 0)
		warn_error(c, &deaf);
}

/* Stays while the program runs. Whatever happens to us then, the container is the engine's. */
static int stay(struct nook_create *create, const struct nook_oci_create *c, int *ret_status,
		struct nook_error *err)
{
	int rc = create->notify >= 0 ? stay_notifying(create, c, ret_status, err)
				     : nook_supervise(create->pidfd, create->pid,
						      move_fd(&create->master), ret_status, err);

	if (rc == 0)
		create->pid = 0;
	return rc;
}

/* Twice where it fails: a lack of memory, or of a descriptor, may have passed. What was done is not
 * done again, poststop hooks neither. */
static int delete_own(const struct nook_oci_create *c, struct nook_error *err)
{
	const char *dir = c->options.state_dir, *id = c->options.id;

	if (nook_oci_delete(dir, id, true, c->warn, c->warn_data, NULL) == 0)
		return 0;
	return nook_oci_delete(dir, id, true, c->warn, c->warn_data, err);
}

/* A poststart hook has failed, or we can't see how the program ends: the container ends with it. */
static int abandon(struct nook_create *create, const struct nook_oci_create *c, int rc)
{
	(void)kill_stage(create, NULL);
	(void)untell_engine(create, NULL);
	nook_create_close(create);
	forget_signals();
	(void)delete_own(c, NULL); /* the first failure is what is told */
	(void)sigprocmask(SIG_SETMASK, &create->before, NULL);
	return rc;
}

int nook_oci_run(const struct nook_oci_create *c, int *ret_status, struct nook_error *err)
{
	auto_arena struct nook_arena a = { 0 };
	auto_bundle struct nook_bundle b = { 0 };
	struct nook_host host = { 0 };
	struct nook_plan plan;
	struct nook_create create;
	int rc = nook_arena_open(&a, err);

	*ret_status = 1;
	if (rc == 0)
		rc = begin(c, &a, &b, &host, &plan, &create, err);
	if (rc < 0)
		return rc;

	if (plan.hooks && !c->restore)
		rc = nook_oci_hooks(plan.hooks->list[NOOK_HOOK_POSTSTART],
				    plan.hooks->n[NOOK_HOOK_POSTSTART], plan.hooks->state,
				    create.pid, "running", b.dir, err);
	if (rc == 0 && !c->detach)
		rc = stay(&create, c, ret_status, err);
	else if (rc == 0)
		*ret_status = 0;
	if (rc < 0)
		return abandon(&create, c, rc);
	if (c->detach)
		leave_notifying(&create, c);
	nook_create_close(&create);

	/* Signals stay blocked: one that came as it ended must not keep us from this. */
	if (!c->detach && !c->keep) {
		forget_signals();
		rc = delete_own(c, err);
	}
	(void)sigprocmask(SIG_SETMASK, &create.before, NULL); /* can't fail for one that we got */
	return rc;
}

int nook_oci_plan(const struct nook_oci_create *c, enum nook_plan_format format, FILE *out,
		  struct nook_error *err)
{
	auto_arena struct nook_arena a = { 0 };
	auto_bundle struct nook_bundle b = { 0 };
	struct nook_host host = { 0 };
	struct nook_plan plan;
	int rc = nook_arena_open(&a, err);

	if (rc == 0)
		rc = read_bundle(c, &a, &b, err);
	if (rc == 0)
		rc = decide(c, &a, &b, &host, &plan, err);
	return rc < 0 ? rc : nook_plan_show(&plan, format, &a, out, err);
}
