/* SPDX-License-Identifier: Apache-2.0 */
/* run: what create does, and then we stay while the program runs, unless that is not wanted. */
#include "oci_parts.h"

#include "base/own.h"
#include "oci_hooks.h"
#include "oci_notify.h"
#include "terminal.h"

#include <signal.h>
#include <unistd.h>

struct notes {
	struct nook_oci_notify notify;
	int *listener; /* of create */
};

/* What the program says is looked at in between. */
static bool take_notes(void *data)
{
	struct notes *notes = data;

	if (nook_oci_notify_take(&notes->notify, NULL) == 0)
		return true;
	/* A manager that can't be told any more can't be told that either. What nobody reads is
	 * closed: once its queue is full, the program would be kept waiting. */
	close_fd(notes->listener);
	return false;
}

static int stay_notifying(struct nook_create *create, const struct nook_oci_create *c,
			  int *ret_status, struct nook_error *err)
{
	struct nook_error deaf = { 0 };
	struct notes notes = { .listener = &create->notify };
	const struct nook_supervise_also also = { create->notify, take_notes, &notes };
	bool told = nook_oci_notify_begin(&notes.notify, create->notify, c->options.notify_socket,
					  getpid(), &deaf) == 0;

	if (!told) {
		nook_oci_warn(&c->log, deaf.why);
		close_fd(&create->notify);
	}
	notes.notify.staying = true;

	int rc = nook_supervise_also(create->pidfd, create->pid, move_fd(&create->master),
				     told ? &also : NULL, ret_status, err);

	nook_oci_notify_end(&notes.notify);
	return rc;
}

/* The manager is told as soon as the program says so, and then we end. */
static void leave_notifying(const struct nook_create *create, const struct nook_oci_create *c)
{
	struct nook_error deaf = { 0 };

	if (create->notify >= 0 && nook_oci_notify_forward(create->notify, c->options.notify_socket,
							   create->pidfd, create->pid, &deaf) < 0)
		nook_oci_warn(&c->log, deaf.why);
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
static int delete_by_id(const struct nook_oci_create *c, struct nook_error *err)
{
	const char *dir = c->options.state_dir, *id = c->options.id;

	if (nook_oci_delete(dir, id, true, c->arena, &c->log, NULL) == 0)
		return 0;
	return nook_oci_delete(dir, id, true, c->arena, &c->log, err);
}

/* The lock is ours since we wrote the record, so that it need not be read again. */
static int delete_own(struct nook_oci_making *m, struct nook_error *err)
{
	const struct nook_oci_create *c = m->asked;
	struct nook_create *create = &m->create;

	if (nook_state_clear_of(&create->state, &create->record, NULL) < 0) {
		nook_state_close(&create->state);
		return delete_by_id(c, err);
	}
	if (m->plan.hooks)
		nook_oci_poststop(m->plan.hooks, m->bundle.dir, &c->log);
	return nook_state_drop(&create->state, NULL) == 0 ? 0 : delete_by_id(c, err);
}

/* A poststart hook has failed, or we can't see how the program ends: the container ends with it. */
static int abandon(struct nook_create *create, const struct nook_oci_create *c, int rc)
{
	(void)kill_stage(create, NULL);
	(void)untell_engine(create, NULL);
	nook_create_close(create);
	nook_forget_interrupt();
	(void)delete_by_id(c, NULL); /* the first failure is what is told */
	(void)sigprocmask(SIG_SETMASK, &create->before, NULL);
	return rc;
}

int nook_oci_run(const struct nook_oci_create *c, int *ret_status, struct nook_error *err)
{
	auto_making struct nook_oci_making m = { 0 };
	struct nook_create *create = &m.create;

	*ret_status = 1;

	int rc = nook_oci_begin(&m, c, err);

	if (rc < 0)
		return rc;

	if (!c->restore)
		rc = nook_oci_hooks(m.plan.hooks, NOOK_HOOK_POSTSTART, create->pid, "running",
				    m.bundle.dir, err);
	if (rc == 0 && !c->detach)
		rc = stay(create, c, ret_status, err);
	else if (rc == 0)
		*ret_status = 0;
	if (rc < 0)
		return abandon(create, c, rc);
	if (c->detach)
		leave_notifying(create, c);
	/* Signals stay blocked: one that came as it ended must not keep us from this. */
	if (!c->detach && !c->keep) {
		nook_forget_interrupt();
		rc = delete_own(&m, err);
	}
	nook_create_close(create);
	(void)sigprocmask(SIG_SETMASK, &create->before, NULL); /* can't fail for one that we got */
	return rc;
}
