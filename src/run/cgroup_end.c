/* SPDX-License-Identifier: Apache-2.0 */
/* The end of what is in a container's cgroups. */
#include "base/clock.h"
#include "base/own.h"
#include "base/text.h"
#include "cgroup.h"
#include "cgroup_parts.h"
#include "host/cgroup.h"
#include "sys/cgroupfs.h"
#include "sys/pidfd.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

/* When a v2 cgroup is looked at again, before its notification is waited for. */
#define FIRST_LOOK_NS 100000
#define LAST_LOOK_NS  6400000

/* Processes ended at once on v1: each costs a descriptor. */
#define BATCH 8

/* Cgroups in cgroups, on v1: each level costs a descriptor while it is emptied. */
#define DEPTH_MAX 24

static int left_until(int64_t deadline)
{
	int64_t left = deadline - nook_now_ms();

	return left > 0 ? (int)left : 0;
}

/* cgroup.events wakes a poll(2) when "populated" changes, cgroups(7). */
static int wait_unpopulated(int cgroup, int64_t deadline)
{
	auto_close int fd = nook_cgroupfs_open_events(cgroup);

	if (fd < 0)
		return fd;

	/*
	 * The kernel tells of changes no more often than every 10 ms: who has just seen "populated
	 * 1" would hear of the end that much later. So at first we look again on our own: 0.1 ms,
	 * 0.2, …
	 */
	for (int64_t slice = FIRST_LOOK_NS;; slice *= 2) {
		struct pollfd p = { .fd = fd, .events = POLLPRI };
		struct timespec until = { .tv_nsec = slice };
		bool looking = slice <= LAST_LOOK_NS;
		char text[256];
		ssize_t len = pread(fd, text, sizeof(text) - 1, 0);

		/* ENODEV: it was removed meanwhile. */
		if (len < 0)
			return errno == ENODEV ? 0 : -errno;
		text[len] = '\0';
		if (strstr(text, "populated 0"))
			return 0;

		int left = left_until(deadline);

		if (!left)
			return -ETIMEDOUT;
		if (!looking) {
			slice = LAST_LOOK_NS; /* not to overflow */
			until = (struct timespec){ left / 1000, left % 1000 * 1000000L };
		}
		if (ppoll(&p, 1, &until, NULL) < 0 && errno != EINTR)
			return -errno;
	}
}

/* The first @max pids of cgroup.procs. A process that our pid namespace doesn't show is 0. */
static int first_pids(int cgroup, int *pids, int max)
{
	char text[4096];
	char *save = NULL;
	int n = 0;
	ssize_t len = nook_cgroupfs_read(cgroup, "cgroup.procs", text, sizeof(text));

	if (len < 0)
		return (int)len;

	for (char *word = strtok_r(text, "\n", &save); word && n < max;
	     word = strtok_r(NULL, "\n", &save)) {
		uint64_t pid;

		if (nook_parse_u64(word, INT_MAX, &pid) < 0)
			return -EIO;
		pids[n++] = (int)pid;
	}
	return n;
}

static bool is_among(int pid, const int *pids, int n)
{
	for (int i = 0; i < n; i++)
		if (pids[i] == pid)
			return true;
	return false;
}

/*
 * Opens the processes of @pids; NO_FD for one that has ended. Looks again which are in the cgroup
 * then: a pid that was given to another process since we read it is not. Return: how many are
 * open.
 */
static int open_batch(int cgroup, const int *pids, int n, int *fds)
{
	int again[BATCH * 4];
	int n_again, n_open = 0;
	int r = 0;

	for (int i = 0; i < n; i++) {
		fds[i] = pids[i] ? nook_pidfd_open(pids[i], 0) : -EPERM;
		if (fds[i] < 0 && fds[i] != -ESRCH)
			r = fds[i];
	}

	n_again = first_pids(cgroup, again, (int)ARRAY_SIZE(again));
	for (int i = 0; i < n; i++) {
		if (r < 0 || !is_among(pids[i], again, n_again))
			close_fd(&fds[i]);
		n_open += fds[i] >= 0;
	}
	return r < 0 ? r : n_open;
}

static int end_one(int fd, bool kill, int64_t deadline)
{
	int r = kill ? nook_pidfd_send_signal(fd, SIGKILL) : 0;

	if (r == 0)
		r = nook_pidfd_wait(fd, left_until(deadline));
	return r == -ESRCH ? 0 : r;
}

/* Waits for the first processes of a v1 cgroup, after killing them when @kill. Return: how many
 * there were. */
static int end_batch(int cgroup, bool kill, int64_t deadline)
{
	int pids[BATCH];
	int fds[BATCH];
	int n = first_pids(cgroup, pids, BATCH);
	int r;

	if (n <= 0)
		return n;

	r = open_batch(cgroup, pids, n, fds);
	if (r == 0)
		(void)poll(NULL, 0, 1); /* all of them are about to leave: look again in 1 ms */
	for (int i = 0; i < n; i++) {
		if (fds[i] >= 0 && r >= 0)
			r = end_one(fds[i], kill, deadline);
		close_fd(&fds[i]);
	}
	return r < 0 ? r : n;
}

static int end_all(int cgroup, bool kill, int64_t deadline)
{
	int n;

	while ((n = end_batch(cgroup, kill, deadline)) > 0)
		if (!left_until(deadline))
			return -ETIMEDOUT;
	return n == -ENODEV ? 0 : n; /* removed meanwhile */
}

int nook_cgroup_wait_empty(int fd, bool v2, int64_t deadline)
{
	return v2 ? wait_unpopulated(fd, deadline) : end_all(fd, false, deadline);
}

struct kill_tree {
	int64_t deadline;
	int depth;
};

/* The cgroups below too: on v1 a signal reaches one process at a time. What forks faster than we
 * read is ended by its pid namespace's pid 1, which dies here with the others. */
static int kill_tree(int cgroup, void *data)
{
	struct kill_tree *k = data;
	struct kill_tree below = { k->deadline, k->depth + 1 };

	if (below.depth > DEPTH_MAX)
		return -ELOOP;

	int r = end_all(cgroup, true, k->deadline);

	return r < 0 ? r : nook_cgroupfs_each_child(cgroup, kill_tree, &below);
}

static int kill_in(int cgroup, bool v2)
{
	struct kill_tree k = { nook_now_ms() + NOOK_CGROUP_PATIENCE_MS, 0 };

	if (!v2)
		return kill_tree(cgroup, &k);

	int r = nook_cgroupfs_write(cgroup, "cgroup.kill", "1");

	return r < 0 ? r : wait_unpopulated(cgroup, k.deadline);
}

void nook_cgroup_hint_stuck(struct nook_error *err)
{
	nook_hint(err,
		  "a process that SIGKILL does not end waits in the kernel, mostly for a disk or "
		  "network file system: see `ps -o pid,stat,wchan,args -p` with the pids in "
		  "cgroup.procs");
}

static int kill_dir(const struct nook_plan_cgroup_dir *dir, struct nook_error *err)
{
	auto_close int mount = nook_cgroupfs_mount(dir->mount, dir->v2);
	int r = mount < 0 ? mount : nook_cgroupfs_walk(mount, dir->path, O_RDONLY);
	auto_close int cgroup = r;

	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return nook_fail(err, -r, "open %s%s", dir->mount, dir->path);

	r = kill_in(cgroup, dir->v2);
	if (r == -ETIMEDOUT)
		nook_cgroup_hint_stuck(err);
	return r < 0 ? nook_fail(err, -r, "kill what is in %s%s", dir->mount, dir->path) : 0;
}

int nook_cgroup_twice(int (*fn)(const struct nook_plan_cgroup_dir *dir, struct nook_error *err),
		      const struct nook_plan_cgroup_dir *dir, struct nook_error *err)
{
	struct nook_error first = { 0 };
	int r = fn(dir, &first);

	if (r == -ETIMEDOUT && err)
		*err = first;
	return r < 0 && r != -ETIMEDOUT ? fn(dir, err) : r;
}

int nook_cgroup_kill(const struct nook_plan_cgroup_dir *dirs, size_t n, struct nook_error *err)
{
	int r = 0;

	nook_cgroup_kill_frozen(dirs, n);
	for (size_t i = 0; i < n && r == 0; i++)
		r = nook_cgroup_twice(kill_dir, &dirs[i], err);
	return r;
}
