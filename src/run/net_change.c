/* SPDX-License-Identifier: Apache-2.0 */
#include "net_change.h"

#include "base/own.h"
#include "net/relay.h"
#include "state/files.h"
#include "sys/procfs.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

static int open_namespaces(struct nook_net_change *c, struct nook_error *err)
{
	auto_close int proc = NO_FD;
	struct stat ours, its;
	int rc = nook_state_pidfd(&c->record, &c->pidfd, err);

	if (rc < 0)
		return rc;
	proc = nook_procfs_open(false, err);
	if (proc < 0)
		return proc;
	c->home = nook_procfs_open_ns(proc, getpid(), "net", err);
	if (c->home < 0)
		return c->home;
	c->netns = nook_procfs_open_ns(proc, c->record.pid, "net", err);
	if (c->netns < 0)
		return c->netns;

	/* Between the two looks the pid could have become somebody else's. */
	auto_close int again = NO_FD;

	rc = nook_state_pidfd(&c->record, &again, err);
	if (rc < 0)
		return rc;
	if (fstat(c->home, &ours) < 0 || fstat(c->netns, &its) < 0)
		return nook_fail(err, errno, "fstat(a network namespace)");
	if (ours.st_ino == its.st_ino && ours.st_dev == its.st_dev)
		return nook_refuse(err, EINVAL, "container %s has your own network",
				   c->record.name);
	return 0;
}

int nook_net_change_begin(struct nook_net_change *c, const char *state_dir, const char *container,
			  const char *network, struct nook_error *err)
{
	struct nook_network found;
	enum nook_life life;

	*c = (struct nook_net_change){ .state_dir = state_dir,
				       .state = NOOK_STATE_NONE,
				       .lock = NO_FD,
				       .pidfd = NO_FD,
				       .home = NO_FD,
				       .netns = NO_FD };

	int rc = nook_arena_open(&c->arena, err);

	if (rc == 0)
		rc = nook_state_read(state_dir, container, &c->arena, &c->record, &life, err);
	if (rc == 0)
		rc = nook_state_open(state_dir, container, false, &c->state, err);
	if (rc < 0)
		return rc == -ENOENT && err && !err->errnum
			       ? nook_refuse(err, ENOENT, "there is no container %s", container)
			       : rc;
	if (network) {
		rc = nook_net_for_run(state_dir, network, &c->arena, &found, err);
		if (rc < 0)
			return rc;
	}
	c->lock = nook_attached_lock(c->state.base, c->state.name, err);
	if (c->lock == -ENOENT)
		return nook_refuse(err, ESRCH, "the container %s is not running", container);
	if (c->lock < 0)
		return c->lock;

	/* Only now: before, it could have ended, and its undo be over. */
	rc = nook_state_read(state_dir, container, &c->arena, &c->record, &life, err);
	if (rc == 0 && life != NOOK_LIFE_RUNNING)
		rc = nook_refuse(err, ESRCH, "the container %s is not running", container);
	if (rc == 0)
		rc = open_namespaces(c, err);
	if (rc < 0)
		return rc;
	rc = nook_attached_read(c->state.base, c->state.name, &c->arena, &c->at, err);
	if (rc == -ENOENT) {
		c->at = (struct nook_attached){ .container = c->state.name,
						.hostname = c->record.hostname };
		rc = 0;
	}
	return rc;
}

void nook_net_change_end(struct nook_net_change *c)
{
	close_fd(&c->pidfd);
	close_fd(&c->home);
	close_fd(&c->netns);
	close_fd(&c->lock);
	nook_state_close(&c->state);
	nook_arena_free(&c->arena);
}

int nook_net_change_relay(const struct nook_net_change *c, const struct nook_attached *at,
			  struct nook_error *err)
{
	return at->n_ports ? nook_relay_start(&c->state, at->ports, at->n_ports, c->pidfd, err)
			   : nook_relay_stop(&c->state, err);
}
