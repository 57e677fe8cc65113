/* SPDX-License-Identifier: Apache-2.0 */
/* start and kill: what is asked of a container that is there. */
#include "oci_parts.h"

#include "base/own.h"
#include "cgroup.h"
#include "oci_hooks.h"
#include "oci_notify.h"
#include "sys/process.h"
#include "sys/pidfd.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

/* Longer than a `create` takes whose hooks do something. */
#define PATIENCE_MS 10000

/* For a process that only ends. */
#define END_MS   1000
#define DYING_MS 100

static int refuse_start(const char *id, enum nook_oci_status status, struct nook_error *err)
{
	switch (status) {
	case NOOK_OCI_STOPPED:
		return nook_refuse(err, EINVAL, "cannot start a container that has stopped: %s",
				   id);
	case NOOK_OCI_RUNNING:
	case NOOK_OCI_PAUSED:
		return nook_refuse(err, EINVAL, "cannot start an already running container: %s",
				   id);
	default:
		return nook_refuse(err, EINVAL, "cannot start a container in the state %s: %s",
				   nook_oci_status_text(status), id);
	}
}

/* Says go, and listens until execve closes the other end; what comes before is why it could not. */
static int go(int starts, const struct nook_record *r, struct nook_error *err)
{
	auto_close int pidfd = NO_FD;
	int rc = nook_state_pidfd(r, &pidfd, err);

	if (rc < 0)
		return rc;

	auto_close int fd = nook_oci_connect_start(starts, r->start, err);

	/* It was told by a `start` before us that was killed, or is about to end. */
	if (fd == -ECONNREFUSED) {
		bool ended = nook_pidfd_wait(pidfd, DYING_MS) == 0;

		return refuse_start(r->name, ended ? NOOK_OCI_STOPPED : NOOK_OCI_RUNNING, err);
	}
	if (fd < 0)
		return fd;

	struct nook_walk walk = {
		.channel = fd, .peer = pidfd, .interrupt = NO_FD, .send_fd = NO_FD
	};

	rc = nook_send(fd, NOOK_MSG_START, NULL, 0, NO_FD);
	if (rc < 0)
		return nook_fail(err, -rc, "send to the container's first process");
	rc = nook_wait(&walk, NOOK_MSG_NONE, err);
	if (rc == -EPIPE && !walk.unheard)
		return 0;
	if (rc == -EPIPE)
		rc = refuse_start(r->name, NOOK_OCI_STOPPED, err);
	/* It has said why, and ends: who asks next is not to be told that it runs. */
	(void)nook_pidfd_wait(pidfd, END_MS);
	return rc;
}

/* Since runtime-spec 1.2.1 a failure ends the container, as it always did with runc. */
static int run_poststart(const struct nook_record *r, struct nook_arena *a, struct nook_error *err)
{
	struct nook_plan_hooks hooks;
	auto_close int pidfd = NO_FD;
	int rc = nook_oci_hooks_of(a, r, &hooks, err);

	if (rc == 0)
		rc = nook_oci_hooks(&hooks, NOOK_HOOK_POSTSTART, r->pid, "running", r->bundle, err);
	if (rc < 0 && nook_state_pidfd(r, &pidfd, NULL) == 0) {
		(void)nook_pidfd_send_signal(pidfd, SIGKILL); /* ESRCH: it has ended by itself */
		(void)nook_pidfd_wait(pidfd, END_MS);
	}
	return rc;
}

/* What is needed of a container after its lock was let go. */
struct started {
	int notify, pidfd, pid;
};

/* Before the program can say something. */
static int open_notify(const struct nook_state *s, const struct nook_record *r, struct started *ret,
		       struct nook_error *err)
{
	ret->notify = nook_oci_notify_listen(s->base, s->name, err);
	if (ret->notify == -ENOENT)
		return 0; /* it was created without: it says nothing */
	if (ret->notify < 0)
		return ret->notify;
	ret->pid = r->pid;
	return nook_state_pidfd(r, &ret->pidfd, err);
}

static int start_taken(struct nook_state *s, struct nook_arena *a, bool notify, struct started *ret,
		       struct nook_error *err)
{
	struct nook_oci_state c;
	int rc = nook_oci_load_taken(s, NOOK_RECORD_TEXT, a, &c, err);

	if (rc < 0)
		return rc;
	if (c.status != NOOK_OCI_CREATED)
		return refuse_start(s->name, c.status, err);
	if (!c.record.process) {
		nook_where(err, "/process");
		return nook_refuse(err, EINVAL, "the bundle of %s has no process to start",
				   s->name);
	}

	rc = notify ? open_notify(s, &c.record, ret, err) : 0;
	if (rc == 0)
		rc = go(s->dirs[NOOK_FOLDER_START], &c.record, err);
	if (rc == 0 && c.record.netdevs) /* should it stay, `delete` takes them home */
		nook_oci_start_over(s->dirs[NOOK_FOLDER_START], c.record.start);
	if (rc == 0)
		rc = run_poststart(&c.record, a, err);
	return rc;
}

int nook_oci_start(const struct nook_oci_start *o, struct nook_error *err)
{
	struct nook_state s = NOOK_STATE_NONE;
	struct started c = { NO_FD, NO_FD, 0 };
	int rc = nook_state_take(o->state_dir, o->id, PATIENCE_MS, &s, err);

	if (rc == -ENOENT)
		return nook_oci_no_such(o->id, err);
	if (rc == 0)
		rc = start_taken(&s, o->arena, nook_oci_notify_is_socket(o->notify_socket), &c,
				 err);
	nook_state_close(&s);
	/* It may take as long as it likes: others can have the lock meanwhile. */
	if (rc == 0 && c.notify >= 0)
		rc = nook_oci_notify_forward(c.notify, o->notify_socket, c.pidfd, c.pid, err);
	close_fd(&c.notify);
	close_fd(&c.pidfd);
	return rc;
}

static int signal_each(const char *state_dir, const char *id, struct nook_arena *a, int signal,
		       struct nook_error *err)
{
	int *pids;
	size_t n;
	int rc = nook_oci_pids(state_dir, id, a, &pids, &n, err);

	for (size_t i = 0; i < n && rc == 0; i++) {
		auto_close int fd = nook_pidfd_open(pids[i], 0);

		rc = fd < 0 ? fd : nook_pidfd_send_signal(fd, signal);
		if (rc == -ESRCH)
			rc = 0;
		else if (rc < 0)
			rc = nook_fail(err, -rc, "pidfd_send_signal(%d, %d)", pids[i], signal);
	}
	return rc;
}

static int signal_all(const char *state_dir, const struct nook_oci_state *c, struct nook_arena *a,
		      int signal, struct nook_error *err)
{
	const struct nook_record *r = &c->record;

	if (!r->n_cgroups)
		return nook_refuse(
			err, EINVAL,
			"the processes of %s can't be told from others: it has no cgroup", r->name);
	if (signal == SIGKILL)
		return nook_cgroup_kill(r->cgroups, r->n_cgroups, err);
	return signal_each(state_dir, r->name, a, signal, err);
}

int nook_oci_kill(const char *state_dir, const char *id, int signal, bool all, struct nook_arena *a,
		  struct nook_error *err)
{
	struct nook_oci_state c;
	auto_close int pidfd = NO_FD;
	int rc = nook_oci_load(state_dir, id, NOOK_RECORD_TEXT, a, &c, err);

	if (rc < 0)
		return rc;
	if (all && c.status == NOOK_OCI_STOPPED && !c.record.n_cgroups)
		return 0;
	if (all && (c.record.n_cgroups || !(c.record.namespaces & CLONE_NEWPID)))
		return signal_all(state_dir, &c, a, signal, err);
	if (c.status == NOOK_OCI_STOPPED || c.status == NOOK_OCI_CREATING)
		return nook_refuse(err, ESRCH, "container not running: %s", id);

	rc = nook_state_pidfd(&c.record, &pidfd, err);
	if (rc == 0)
		rc = nook_pidfd_send_signal(pidfd, signal);
	if (rc == 0 && signal == SIGKILL)
		nook_cgroup_thaw_v1(c.record.cgroups, c.record.n_cgroups);
	if (rc == -ESRCH)
		return nook_refuse(err, ESRCH, "container not running: %s", id);
	return rc < 0 ? nook_fail(err, -rc, "pidfd_send_signal(%d, %d)", c.record.pid, signal) : 0;
}
