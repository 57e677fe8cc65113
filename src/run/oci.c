/* SPDX-License-Identifier: Apache-2.0 */
/* create: from a bundle to a container whose program waits. */
#include "oci_parts.h"

#include "base/own.h"
#include "base/text.h"
#include "host/bundle.h"
#include "new_net.h"
#include "ns/kinds.h"
#include "oci_hooks.h"
#include "oci_notify.h"
#include "rdt.h"
#include "seal.h"
#include "show.h"
#include "sys/process.h"

#include <errno.h>
#include <linux/capability.h>
#include <signal.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

void nook_oci_warn(const struct nook_oci_log *log, const char *text)
{
	if (log->warn)
		log->warn(log->data, text);
}

void nook_oci_warn_of(const struct nook_oci_log *log, const struct nook_plan *plan)
{
	for (const char *const *w = plan->warnings; w && *w; w++)
		nook_oci_warn(log, *w);
}

int nook_oci_check_terminal(bool terminal, bool detach, const char *console_socket,
			    const char *from, struct nook_error *err)
{
	if (terminal && detach && !console_socket) {
		nook_where(err, "%s", from);
		return nook_refuse(
			err, EINVAL,
			"cannot allocate tty if nook-oci will detach without setting console "
			"socket (--console-socket)");
	}
	if (console_socket && (!terminal || !detach)) {
		nook_where(err, "--console-socket");
		return nook_refuse(
			err, EINVAL,
			"cannot use console socket if nook-oci will not detach or allocate tty");
	}
	return 0;
}

static int check_words(const struct nook_oci_create *c, const struct nook_bundle *b,
		       struct nook_error *err)
{
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
	return nook_oci_check_terminal(b->process.terminal, c->detach || c->options.start_later,
				       c->console_socket, "/process/terminal", err);
}

static int read_bundle(struct nook_oci_making *m, struct nook_error *err)
{
	const struct nook_oci_create *c = m->asked;
	int rc = nook_bundle_read_config(m->arena, c->bundle, c->config, &m->bundle, err);

	return rc < 0 ? rc : check_words(c, &m->bundle, err);
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

/* The plan will say the same, but by then half the time that the kernel takes for it has passed. */
static int begin_network_early(struct nook_oci_making *m, struct nook_error *err)
{
	const uint64_t both = 1ull << CAP_SYS_ADMIN | 1ull << CAP_NET_ADMIN;
	uint64_t effective, permitted, inheritable;

	if (!nook_bundle_net_beside(&m->bundle) ||
	    nook_capget(&effective, &permitted, &inheritable) < 0 || (effective & both) != both)
		return 0;
	return nook_new_net_begin(m->arena, &m->net, err);
}

static int decide(struct nook_oci_making *m, struct nook_error *err)
{
	const struct nook_bundle_options *o = &m->asked->options;
	const struct nook_bundle_ns *user = &m->bundle.ns[NOOK_NS_USER];
	bool notify = nook_oci_notify_is_socket(o->notify_socket);
	const struct nook_bundle_wants wants = {
		.new_user_namespace = user->listed && !user->path,
		.cgroups = true, /* they may be mounted, too */
		.state_dir = o->state_dir,
	};

	if (notify)
		nook_oci_notify_add(m->arena, &m->bundle, o->state_dir, o->id);

	int rc = nook_host_probe_bundle(m->arena, &wants, &m->host, err);

	if (rc == 0)
		rc = nook_plan_bundle(m->arena, &m->bundle, o, &m->host, &m->plan, err);
	m->plan.notify = rc == 0 && m->bundle.process.set && notify;
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
static int fill_record(struct nook_oci_making *m, struct nook_error *err)
{
	static const char *const none[] = { NULL };
	const struct nook_plan *plan = &m->plan;
	const struct nook_bundle *b = &m->bundle;
	const char *rootfs = b->rootfs ? b->rootfs : "";
	struct nook_arena *a = m->arena;
	struct nook_record *r = &m->create.record;
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
	r->no_new_keyring = m->asked->options.no_new_keyring;
	return rc;
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

/* Walks the list; on failure it is undone, and the error is the first one. */
static int make(struct nook_oci_making *m, struct nook_error *err)
{
	struct nook_create *create = &m->create;
	const struct nook_step *steps = create->restore ? nook_restore_steps : nook_create_steps;
	size_t n = create->restore ? nook_restore_n_steps : nook_create_n_steps;
	size_t done = 0;
	int rc = nook_create_walk(create, steps, n, &done, err);

	if (rc == 0) {
		nook_netdevs_leave(create);
		return 0;
	}

	nook_create_close_pieces(create); /* where descriptors have run out, the undo needs some */

	struct nook_error undo = { .wanted = "remove what the container was made of" };

	if (nook_steps_undo(steps, done, &create->walk, &undo) < 0)
		nook_hint(err, "and then: %s; `delete --force` tries that again", undo.why);
	nook_create_close(create);
	/* runtime.md, "Lifecycle": what fails from the first hook on goes the way of `delete`,
	 * which they are the end of. */
	if (came_to_hooks(create, done)) {
		nook_forget_interrupt();
		nook_oci_poststop(m->plan.hooks, m->bundle.dir, &m->asked->log);
	}
	return rc;
}

static int make_by_criu(struct nook_oci_making *m, struct nook_error *err)
{
	int rc = nook_restore_open(&m->restore, m->asked->restore, &m->bundle, err);

	m->create.restore = &m->restore;
	if (rc == 0)
		rc = make(m, err);
	nook_restore_close(&m->restore);
	return rc;
}

int nook_oci_begin(struct nook_oci_making *m, const struct nook_oci_create *c,
		   struct nook_error *err)
{
	m->asked = c;
	m->arena = c->arena;

	int rc = read_bundle(m, err);

	/* What is restored holds no file of ours. */
	if (rc == 0 && !c->restore)
		rc = seal_early(&m->bundle, err);
	if (rc == 0 && !c->restore)
		rc = begin_network_early(m, err);
	if (rc == 0)
		rc = decide(m, err);
	if (rc == 0 && !c->restore)
		rc = nook_seal_self(&m->plan, err);
	if (rc < 0)
		return rc;
	nook_oci_warn_of(&c->log, &m->plan);

	nook_create_init(&m->create, &m->plan, m->arena, c->trace);
	m->create.console_socket = c->console_socket;
	m->create.pidfd_socket = c->pidfd_socket;
	m->create.pid_file = c->pid_file;
	m->create.new_net = m->net;
	rc = fill_record(m, err);
	if (rc < 0)
		return rc;
	return c->restore ? make_by_criu(m, err) : make(m, err);
}

void nook_oci_making_free(struct nook_oci_making *m)
{
	nook_new_net_end(m->net);
}

int nook_oci_create(const struct nook_oci_create *c, struct nook_error *err)
{
	auto_making struct nook_oci_making m = { 0 };
	int rc = nook_oci_begin(&m, c, err);

	if (rc == 0)
		nook_create_close(&m.create);
	return rc;
}

int nook_oci_plan(const struct nook_oci_create *c, enum nook_plan_format format, FILE *out,
		  struct nook_error *err)
{
	auto_making struct nook_oci_making m = { .asked = c, .arena = c->arena };
	int rc = read_bundle(&m, err);

	if (rc == 0)
		rc = decide(&m, err);
	return rc < 0 ? rc : nook_plan_show(&m.plan, format, m.arena, out, err);
}
