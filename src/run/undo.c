/* SPDX-License-Identifier: Apache-2.0 */
/* Removing what is left of a container, from its record. Every part may be repeated and takes what
 * is already gone as done. */
#include "cgroup.h"

#include "base/clock.h"
#include "base/own.h"
#include "net_steps.h"
#include "netdevs_home.h"
#include "oci_notify.h"
#include "rdt.h"
#include "state/files.h"
#include "sys/pidfd.h"
#include "systemd.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define GRACE_MS 1000 /* for a keeper to clean up after its program was killed */
#define KILL_MS  5000 /* for a killed process to be gone; longer only in an uninterruptible wait */
#define SLICE_MS 5

static int kill_and_wait(int pidfd, const struct nook_record *r, struct nook_error *err)
{
	int rc = nook_pidfd_send_signal(pidfd, SIGKILL);

	if (rc < 0 && rc != -ESRCH)
		return nook_fail(err, -rc, "kill process %d of container %s", r->pid, r->name);

	rc = nook_pidfd_wait(pidfd, KILL_MS);
	return rc < 0 ? nook_fail(err, -rc, "wait for the end of process %d of container %s",
				  r->pid, r->name)
		      : 0;
}

/* Ends what runs, and removes the cgroups. */
static int undo_processes(const struct nook_record *r, const char *boot_id, struct nook_error *err)
{
	auto_close int pidfd = NO_FD;
	int rc;

	/* What an engine's path leads to is known to be the container's only once it was made: till
	 * then there is nobody but the stage, which ends with its maker. */
	bool intended = r->phase == NOOK_PHASE_CREATING && r->n_cgroups && r->cgroups[0].by_path;

	if (r->n_cgroups && !intended) {
		rc = nook_cgroup_kill(r->cgroups, r->n_cgroups, err);
		if (rc < 0)
			return rc;
	}

	/* Without a cgroup this is the one process that is known; with a pid namespace all others
	 * end with it. */
	rc = nook_record_pidfd(r, boot_id, &pidfd, NULL);
	if (rc == 0)
		rc = kill_and_wait(pidfd, r, err);
	else if (rc == -ESRCH)
		rc = 0;
	else
		rc = nook_fail(err, -rc, "open process %d of container %s", r->pid, r->name);
	if (rc < 0)
		return rc;

	if (r->unit) {
		rc = nook_systemd_stop(r->unit, r->name, err);
		if (rc < 0)
			return rc;
	}
	if (intended)
		return nook_cgroup_remove_intended(r->cgroups, r->n_cgroups, err);
	return r->n_cgroups ? nook_cgroup_remove(r->cgroups, r->n_cgroups, err) : 0;
}

/*
 * @record: NULL where it can't be read. Such a one is what a power loss leaves, and then nothing
 * that it named exists but ranges. After a reboot the pids are other people's, and so may cgroups
 * of the same name be.
 */
static int clear(struct nook_state *state, const struct nook_record *record, const char *boot_id,
		 struct nook_error *err)
{
	int rc = 0;

	if (record && strcmp(record->boot_id, boot_id) == 0) {
		rc = undo_processes(record, boot_id, err);
		if (rc == 0 && record->rdt)
			rc = nook_rdt_remove(record->rdt, err);
	}
	if (rc == 0 && record && strcmp(record->boot_id, boot_id) == 0)
		rc = nook_netdevs_bring_home(record, state->dirs[NOOK_FOLDER_START], err);
	if (rc == 0 && !record)
		rc = nook_range_release_all(state, err);
	if (rc == 0 && record && record->range)
		rc = nook_range_release(state, record->range, err);
	if (rc == 0 && record && record->start &&
	    unlinkat(state->dirs[NOOK_FOLDER_START], record->start, 0) < 0 && errno != ENOENT)
		rc = nook_fail(err, errno, "unlink start/%s in the state directory", record->start);
	if (rc == 0)
		rc = nook_oci_notify_remove(state->base, state->name, err);
	if (rc == 0 &&
	    !(record && record->bundle)) /* an engine's has its networks from the engine */
		rc = nook_net_leave(state, err);
	return rc < 0 ? rc : nook_files_delete(state, err);
}

int nook_state_clear_of(struct nook_state *state, const struct nook_record *record,
			struct nook_error *err)
{
	char boot_id[37];
	int rc = nook_boot_id(boot_id, err);

	return rc < 0 ? rc : clear(state, record, boot_id, err);
}

int nook_state_clear(struct nook_state *state, struct nook_error *err)
{
	auto_arena struct nook_arena scratch = { 0 };
	struct nook_record record = { 0 };
	char boot_id[37];
	int rc = nook_arena_open(&scratch, err);

	if (rc < 0)
		return rc;

	rc = nook_boot_id(boot_id, err);
	if (rc < 0)
		return rc;

	struct nook_error garbled = { 0 };

	rc = nook_record_load(state->base, state->name, NOOK_RECORD_OBJECTS, &scratch, &record,
			      &garbled);
	if (rc < 0 && rc != -ENOENT && rc != -EBADMSG) {
		if (err)
			*err = garbled;
		return rc;
	}

	return clear(state, rc == 0 ? &record : NULL, boot_id, err);
}

/* Waits until the lock can be taken, or until @pidfd's process has ended and then a little longer.
 * -ETIMEDOUT. */
static int wait_for_lock(int lock, int pidfd, int timeout_ms)
{
	int64_t end = nook_now_ms() + timeout_ms;
	int rc;

	while ((rc = nook_lock_try(lock)) == -EBUSY && nook_now_ms() < end) {
		struct timespec slice = { .tv_nsec = SLICE_MS * 1000000L };

		/* The kernel tells of the process, but not of a lock that a living one lets go
		 * of. */
		if (pidfd < 0 || nook_pidfd_wait(pidfd, SLICE_MS) == 0)
			(void)nanosleep(&slice, NULL); /* shorter after a signal */
	}
	return rc == -EBUSY ? -ETIMEDOUT : rc;
}

/* Kills pid 1 of a living container; its keeper then cleans up by itself. Return: was there one? */
static bool kill_program(const struct nook_state *s)
{
	auto_arena struct nook_arena scratch = { 0 };
	struct nook_record record;
	auto_close int pidfd = NO_FD;

	/* What can't be done here the keeper's end does. */
	return nook_arena_init(&scratch) == 0 &&
	       nook_record_load(s->base, s->name, NOOK_RECORD_OBJECTS, &scratch, &record, NULL) ==
		       0 &&
	       nook_state_pidfd(&record, &pidfd, NULL) == 0 &&
	       nook_pidfd_send_signal(pidfd, SIGKILL) == 0;
}

/* The process that holds a lock. NO_FD when it is not known, or we ourselves. */
static int open_keeper(int lock, int *ret_pid)
{
	struct nook_holder before, after;

	if (nook_lock_look(lock, &before) < 0 || !before.held || !before.pid ||
	    before.pid == getpid())
		return NO_FD;

	/* The kernel drops the lock with the process: who holds it before and after is the one that
	 * the pid meant in between. */
	auto_close int fd = nook_pidfd_open(before.pid, 0);

	if (fd < 0 || nook_lock_look(lock, &after) < 0 || after.pid != before.pid)
		return NO_FD;

	*ret_pid = before.pid;
	return move_fd(&fd);
}

static int kill_keeper(const struct nook_state *s, int lock, struct nook_error *err)
{
	int pid = 0;
	auto_close int keeper = open_keeper(lock, &pid);

	if (keeper >= 0) {
		int rc = nook_pidfd_send_signal(keeper, SIGKILL);

		if (rc < 0 && rc != -ESRCH)
			return nook_fail(err, -rc, "kill process %d, which runs container %s", pid,
					 s->name);
	}

	int rc = wait_for_lock(lock, keeper, keeper >= 0 ? KILL_MS : GRACE_MS);

	if (rc == -ETIMEDOUT) {
		nook_hint(err, "See who has it: lsof +f -- STATE_DIR/locks/%s", s->name);
		if (keeper < 0)
			return nook_refuse(err, EBUSY,
					   "what runs container %s can't be seen from here, and "
					   "does not end",
					   s->name);
		return nook_refuse(err, EBUSY,
				   "process %d, which runs container %s, was killed but does not "
				   "end",
				   pid, s->name);
	}
	return rc < 0 ? nook_fail(err, -rc, "lock of container %s", s->name) : 0;
}

/*
 * Ends a living container. On return 0 we have its lock, in s->lock, or its keeper has cleaned up
 * and the name may even be somebody's again: then s->lock is NO_FD and there is nothing to do.
 */
static int end_living(struct nook_state *s, struct nook_error *err)
{
	auto_close int lock = nook_folder_file(s->base, NOOK_FOLDER_LOCKS, s->name,
					       O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);

	if (lock == -ENOENT)
		return 0;
	if (lock < 0)
		return nook_fail(err, -lock, "open locks/%s in the state directory", s->name);

	int pid = 0;
	auto_close int keeper = open_keeper(lock, &pid);

	int rc = wait_for_lock(lock, keeper, kill_program(s) ? GRACE_MS : 0);

	if (rc == -ETIMEDOUT)
		rc = kill_keeper(s, lock, err);
	else if (rc < 0)
		return nook_fail(err, -rc, "lock of container %s", s->name);
	if (rc == 0 && !nook_lock_stale(lock))
		s->lock = move_fd(&lock);
	return rc;
}

static int refuse_living(const struct nook_state *s, struct nook_error *err)
{
	nook_hint(err, "`nook rm --force %s` ends it first.", s->name);
	return nook_refuse(err, EBUSY, "container %s is running", s->name);
}

/* Is there any file of this name? */
static bool anything_left(const struct nook_state *s)
{
	for (int f = 0; f < NOOK_FOLDER_IDS; f++) { /* there, numbers are no names */
		auto_close int fd = nook_folder_file(s->base, (enum nook_folder)f, s->name,
						     O_PATH | O_NOFOLLOW);

		if (fd != -ENOENT)
			return true;
	}
	return false;
}

int nook_state_undo(const char *state_dir, const char *name, bool kill, struct nook_error *err)
{
	struct nook_state s = NOOK_STATE_NONE;
	int rc = nook_state_open(state_dir, name, false, &s, err);

	if (rc == -ENOENT)
		return 0;
	if (rc < 0)
		return rc;

	if (anything_left(&s)) {
		rc = kill ? nook_lock_take(&s, err) : nook_lock_take_patiently(&s, err);
		if (rc == -EBUSY)
			rc = kill ? end_living(&s, err) : refuse_living(&s, err);
		if (rc == 0 && s.lock >= 0)
			rc = nook_state_clear(&s, err);
		if (rc == 0 && s.lock >= 0)
			return nook_state_drop(&s, err);
	}

	nook_state_close(&s);
	return rc;
}
