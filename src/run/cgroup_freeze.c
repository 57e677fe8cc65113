/* SPDX-License-Identifier: Apache-2.0 */
/* Frozen and thawed: cgroup.freeze of v2, or the controller freezer of v1. */
#include "base/clock.h"
#include "base/own.h"
#include "base/text.h"
#include "cgroup.h"
#include "cgroup_parts.h"
#include "oci_parts.h"
#include "sys/cgroupfs.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>

/* A process that writes to a stuck disk can't be frozen. */
#define PATIENCE_MS 10000

#define LOOK_MS 50

/* v1 may hang in FREEZING while processes are born or wait for each other: what is thawed for a
 * moment freezes at the next try. */
#define TRY_MS 1
#define RETHAW 25

int nook_cgroup_open_dir(const struct nook_plan_cgroup_dir *dir)
{
	auto_close int mount = nook_cgroupfs_mount(dir->mount, dir->v2);

	return mount < 0 ? mount : nook_cgroupfs_walk(mount, dir->path, O_RDONLY);
}

int nook_cgroup_find(const struct nook_plan_cgroup_dir *dirs, size_t n, const char *v1_file,
		     bool *ret_v2)
{
	for (size_t i = 0; i < n; i++) {
		auto_close int fd = nook_cgroup_open_dir(&dirs[i]);

		if (fd < 0 || (!dirs[i].v2 && faccessat(fd, v1_file, F_OK, 0) < 0))
			continue;
		*ret_v2 = dirs[i].v2;
		return move_fd(&fd);
	}
	return -ENOENT;
}

static bool is_state(int freezer, const char *state)
{
	char text[32];

	return nook_cgroupfs_read(freezer, "freezer.state", text, sizeof(text)) > 0 &&
	       strcmp(text, state) == 0;
}

static int find_freezer(const struct nook_plan_cgroup_dir *dirs, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		auto_close int fd = dirs[i].v2 ? NO_FD : nook_cgroup_open_dir(&dirs[i]);

		if (fd >= 0 && faccessat(fd, "freezer.state", F_OK, 0) == 0)
			return move_fd(&fd);
	}
	return NO_FD;
}

/* The freezer that holds them; NO_FD: nothing of v1 does. Nook's own are never frozen. */
static int holding_freezer(const struct nook_plan_cgroup_dir *dirs, size_t n)
{
	if (!n || !dirs[n - 1].by_path || dirs[n - 1].v2)
		return NO_FD;

	auto_close int freezer = find_freezer(dirs, n);

	return freezer < 0 || is_state(freezer, "THAWED") ? NO_FD : move_fd(&freezer);
}

void nook_cgroup_kill_frozen(const struct nook_plan_cgroup_dir *dirs, size_t n)
{
	auto_close int freezer = holding_freezer(dirs, n);

	if (freezer < 0)
		return;
	/* What fails here shows when they don't end. */
	(void)nook_cgroup_signal(dirs, n, SIGKILL, NULL);
	(void)nook_cgroupfs_write(freezer, "freezer.state", "THAWED");
}

void nook_cgroup_thaw_v1(const struct nook_plan_cgroup_dir *dirs, size_t n)
{
	auto_close int freezer = holding_freezer(dirs, n);

	if (freezer >= 0)
		(void)nook_cgroupfs_write(freezer, "freezer.state", "THAWED"); /* it was a try */
}

/* ---- v2 ---- */

/* cgroup.events wakes a poll(2) when "frozen" changes, cgroups(7). */
static int await_events(int cgroup, const char *what, int64_t deadline)
{
	auto_close int fd = nook_cgroupfs_open_events(cgroup);

	if (fd < 0)
		return fd;
	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLPRI };
		char text[256];
		ssize_t len = pread(fd, text, sizeof(text) - 1, 0);
		int64_t left = deadline - nook_now_ms();

		if (len < 0)
			return -errno;
		text[len] = '\0';
		if (strstr(text, what))
			return 0;
		if (left <= 0)
			return -ETIMEDOUT;
		/* Nothing wakes us when the cgroup is removed. */
		if (poll(&p, 1, left < LOOK_MS ? (int)left : LOOK_MS) < 0 && errno != EINTR)
			return -errno;
	}
}

static int freeze_v2(int cgroup, bool freeze)
{
	int r = nook_cgroupfs_write(cgroup, "cgroup.freeze", freeze ? "1" : "0");

	/* One above may be frozen too: it is not ours to wait for its thaw. */
	if (r == 0 && freeze)
		r = await_events(cgroup, "frozen 1", nook_now_ms() + PATIENCE_MS);
	if (r < 0 && freeze)
		(void)nook_cgroupfs_write(cgroup, "cgroup.freeze", "0"); /* all or nothing */
	return r;
}

/* ---- v1 ---- */

static int freeze_v1(int cgroup, bool freeze)
{
	int64_t deadline = nook_now_ms() + PATIENCE_MS;
	int r = 0;

	if (!freeze)
		return nook_cgroupfs_write(cgroup, "freezer.state", "THAWED");

	for (unsigned tries = 0; r == 0; tries++) {
		if (tries % RETHAW == RETHAW - 1) {
			(void)nook_cgroupfs_write(cgroup, "freezer.state", "THAWED");
			(void)poll(NULL, 0, TRY_MS);
		}
		r = nook_cgroupfs_write(cgroup, "freezer.state", "FROZEN");
		if (r == 0 && is_state(cgroup, "FROZEN"))
			return 0;
		if (r == 0 && nook_now_ms() > deadline)
			r = -ETIMEDOUT;
		if (r == 0)
			(void)poll(NULL, 0, TRY_MS);
	}
	(void)nook_cgroupfs_write(cgroup, "freezer.state", "THAWED"); /* all or nothing */
	return r;
}

bool nook_oci_is_paused(const struct nook_record *r)
{
	bool v2;
	auto_close int fd = nook_cgroup_find(r->cgroups, r->n_cgroups, "freezer.state", &v2);
	char text[32];

	if (fd < 0)
		return false;
	if (v2)
		return nook_cgroupfs_read(fd, "cgroup.freeze", text, sizeof(text)) > 0 &&
		       text[0] == '1';
	return is_state(fd, "FROZEN") || is_state(fd, "FREEZING");
}

static int check_status(const struct nook_oci_state *c, bool pause, struct nook_error *err)
{
	enum nook_oci_status s = c->status;

	if (pause ? s == NOOK_OCI_RUNNING || s == NOOK_OCI_CREATED : s == NOOK_OCI_PAUSED)
		return 0;
	return nook_refuse(err, EINVAL, "%s: %s is %s",
			   pause ? "container not running" : "container not paused", c->record.name,
			   nook_oci_status_text(s));
}

int nook_oci_pause(const char *state_dir, const char *id, bool pause, struct nook_error *err)
{
	auto_arena struct nook_arena a = { 0 };
	struct nook_oci_state c = { 0 };
	int r = nook_arena_open(&a, err);
	bool v2 = false;

	if (r == 0)
		r = nook_oci_load(state_dir, id, NOOK_RECORD_TEXT, &a, &c, err);
	if (r == 0)
		r = check_status(&c, pause, err);
	if (r < 0)
		return r;

	auto_close int fd =
		nook_cgroup_find(c.record.cgroups, c.record.n_cgroups, "freezer.state", &v2);

	if (fd < 0) {
		nook_hint(err, "only what is in a cgroup of its own can be frozen: give the bundle "
			       "a cgroupsPath that may be written");
		return nook_refuse(err, EOPNOTSUPP, "container %s has no cgroup that can be frozen",
				   id);
	}
	r = v2 ? freeze_v2(fd, pause) : freeze_v1(fd, pause);
	if (r == -ENODEV) /* removed meanwhile */
		return nook_refuse(err, ESRCH, "container not running: %s", id);
	if (r == -ETIMEDOUT)
		nook_hint(err, "a process that can't be frozen waits in the kernel, mostly for a "
			       "disk or network file system");
	return r < 0 ? nook_fail(err, -r, "%s container %s", pause ? "freeze" : "thaw", id) : 0;
}
