/* SPDX-License-Identifier: Apache-2.0 */
#include "base/own.h"
#include "cgroup.h"
#include "nook/container.h"
#include "state/state.h"
#include "sys/pidfd.h"
#include "sys/process.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

/* In the container's pid namespace kill(-1) means all but pid 1 and the caller, in one go: nobody
 * can fork past it. */
static _Noreturn void signal_from_inside(int pidfd, uint64_t namespaces, int signal)
{
	if (nook_setns(pidfd, namespaces & (CLONE_NEWUSER | CLONE_NEWPID)) < 0)
		_exit(1);

	pid_t child = nook_clone(0, NO_FD, NULL);
	int status = 0;

	if (child == 0)
		_exit(kill(-1, signal) < 0 && errno != ESRCH);
	_exit(child < 0 || waitpid(child, &status, 0) < 0 || status != 0);
}

static int signal_all(const struct nook_record *r, int pidfd, int signal, struct nook_error *err)
{
	int status = 0;

	if (signal == SIGKILL && r->n_cgroups)
		return nook_cgroup_kill(r->cgroups, r->n_cgroups, err);
	if (!(r->namespaces & CLONE_NEWPID)) {
		nook_hint(err, "without --all the signal goes to its program; `nook rm --force` "
			       "ends the container");
		return nook_refuse(err, EINVAL,
				   "the processes of %s can't be told from others: its pid "
				   "namespace is shared",
				   r->name);
	}

	pid_t child = nook_clone(0, NO_FD, NULL);

	if (child == 0)
		signal_from_inside(pidfd, r->namespaces, signal);
	if (child < 0)
		return nook_fail(err, -child, "clone3");
	if (waitpid(child, &status, 0) < 0 || status != 0)
		return nook_refuse(err, EPERM,
				   "kill(-1, %d) in the pid namespace of %s was refused", signal,
				   r->name);

	int rc = nook_pidfd_send_signal(pidfd, signal);

	return rc < 0 && rc != -ESRCH
		       ? nook_fail(err, -rc, "pidfd_send_signal(%d, %d)", r->pid, signal)
		       : 0;
}

int nook_kill(const char *state_dir, const char *name, int signal, bool all, struct nook_error *err)
{
	auto_arena struct nook_arena arena = { 0 };
	struct nook_record record;
	enum nook_life life;

	int rc = nook_arena_open(&arena, err);

	if (rc == 0)
		rc = nook_state_read(state_dir, name, &arena, &record, &life, err);
	if (rc < 0)
		return rc;
	if (life != NOOK_LIFE_RUNNING)
		return nook_refuse(err, ESRCH, "the container %s is not running", name);

	auto_close int pidfd = NO_FD;

	rc = nook_state_pidfd(&record, &pidfd, err);
	if (rc < 0)
		return rc;
	if (all)
		return signal_all(&record, pidfd, signal, err);

	rc = nook_pidfd_send_signal(pidfd, signal);
	return rc < 0 ? nook_fail(err, -rc, "pidfd_send_signal(%d, %d)", record.pid, signal) : 0;
}
