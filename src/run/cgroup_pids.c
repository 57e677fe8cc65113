/* SPDX-License-Identifier: Apache-2.0 */
/* The processes of an engine's container, by its cgroup; and where one more goes. */
#include "base/own.h"
#include "base/text.h"
#include "cgroup.h"
#include "cgroup_parts.h"
#include "host/read.h"
#include "oci_parts.h"
#include "sys/cgroupfs.h"
#include "sys/pidfd.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>

/* Cgroups in cgroups: each level costs a descriptor while it is read. */
#define DEPTH_MAX 24

/* A machine has no more (PID_MAX_LIMIT), with a digit for each line. */
#define PIDS_BYTES ((size_t)32 << 20)

struct collect {
	struct nook_arena *arena;
	int *pids;
	size_t n;
	int depth;
};

static int add_pid(struct collect *c, const char *line)
{
	uint64_t pid;

	if (nook_parse_u64(line, INT_MAX, &pid) < 0)
		return -EIO;
	/* What our pid namespace doesn't show is 0. */
	if (pid)
		*nook_append(c->arena, c->pids, c->n) = (int)pid;
	return 0;
}

/* cgroup.procs may be as long as the machine has processes, so it is read in pieces. */
static int read_procs(struct collect *c, int cgroup)
{
	auto_close int fd = openat(cgroup, "cgroup.procs", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	char line[16];
	size_t len = 0;
	char text[4096];
	ssize_t n;

	if (fd < 0)
		return -errno;
	for (size_t total = 0; (n = read(fd, text, sizeof(text))) > 0; total += (size_t)n) {
		for (ssize_t i = 0; i < n; i++) {
			int r = 0;

			if (text[i] != '\n' && len < sizeof(line) - 1) {
				line[len++] = text[i];
				continue;
			}
			line[len] = '\0';
			len = 0;
			r = add_pid(c, line);
			if (r < 0)
				return r;
		}
		if (total > PIDS_BYTES)
			return -E2BIG;
	}
	/* A threaded cgroup does not tell its processes: they are those of the one above. */
	return n < 0 && errno != EOPNOTSUPP && errno != ENODEV ? -errno : 0;
}

static int collect(int cgroup, void *data)
{
	struct collect *c = data;
	int r = read_procs(c, cgroup);

	if (r < 0)
		return r;
	if (c->depth == DEPTH_MAX)
		return -ELOOP;
	c->depth++;
	r = nook_cgroupfs_each_child(cgroup, collect, c);
	c->depth--;
	return r;
}

int nook_cgroup_signal(const struct nook_plan_cgroup_dir *dirs, size_t n, int signal,
		       struct nook_error *err)
{
	auto_arena struct nook_arena a = { 0 };
	struct collect c = { .arena = &a };
	bool v2;
	auto_close int fd = nook_cgroup_find(dirs, n, "cgroup.procs", &v2);
	int r = nook_arena_init(&a);

	if (r < 0)
		return nook_fail(err, -r, "mmap");
	if (fd < 0)
		return 0;
	r = collect(fd, &c);
	for (size_t i = 0; i < c.n && r == 0; i++) {
		auto_close int pidfd = nook_pidfd_open(c.pids[i], 0);

		r = pidfd < 0 ? pidfd : nook_pidfd_send_signal(pidfd, signal);
		if (r == -ESRCH)
			r = 0;
	}
	return r < 0 ? nook_fail(err, -r, "signal the processes of %s%s", dirs[0].mount,
				 dirs[0].path)
		     : (int)c.n;
}

int nook_oci_pids(const char *state_dir, const char *id, struct nook_arena *a, int **ret,
		  size_t *ret_n, struct nook_error *err)
{
	struct nook_oci_state s = { 0 };
	struct collect c = { .arena = a };
	bool v2;
	int r = nook_oci_load(state_dir, id, NOOK_RECORD_TEXT, a, &s, err);

	if (r < 0)
		return r;
	if (s.record.n_cgroups) {
		auto_close int fd =
			nook_cgroup_find(s.record.cgroups, s.record.n_cgroups, "cgroup.procs", &v2);

		r = fd < 0 ? 0 : collect(fd, &c);
		if (r < 0)
			return nook_fail(err, -r, "read the processes of %s%s",
					 s.record.cgroups[0].mount, s.record.cgroups[0].path);
	} else if (s.status != NOOK_OCI_STOPPED && s.record.pid) {
		*nook_append(a, c.pids, c.n) = s.record.pid;
	}
	*ret = c.pids;
	*ret_n = c.n;
	return 0;
}

/* ---- exec ---- */

static bool is_sub_path(const char *sub)
{
	const char *at = sub;

	if (!*at || strlen(sub) > 1024)
		return false;
	do {
		size_t n;

		at += *at == '/';
		n = strcspn(at, "/");
		if (n == 0 || (n == 1 && at[0] == '.') || (n == 2 && at[0] == '.' && at[1] == '.'))
			return false;
		at += n;
	} while (*at);
	return true;
}

/* "cpu,memory:sub" is for the hierarchies of v1 that have these; without a colon it is for all. */
static bool is_for(const struct nook_plan_cgroup_dir *dir, const char *controllers, size_t len)
{
	const char *name = strrchr(dir->mount, '/');

	if (!len)
		return true;
	while (name && len) {
		size_t n = strcspn(controllers, ",:");

		for (const char *at = name + 1; *at;
		     at += strcspn(at, ",") + (at[strcspn(at, ",")] == ','))
			if (strcspn(at, ",") == n && !memcmp(at, controllers, n))
				return true;
		controllers += n + (n < len);
		len -= n + (n < len);
	}
	return false;
}

/* Of a v2 cgroup whose children have controllers nobody is a member: then the one that the
 * container's first process is in. */
static const char *member_path(struct nook_arena *a, const struct nook_plan_cgroup_dir *dir,
			       int pid)
{
	auto_close int fd = nook_cgroup_open_dir(dir);
	char text[4096];
	char file[32];
	char *line;

	if (fd < 0 || nook_cgroupfs_read(fd, "cgroup.subtree_control", text, sizeof(text)) <= 0)
		return dir->path;

	(void)nook_format(file, sizeof(file), "/proc/%d/cgroup", pid);
	if (nook_read_proc(a, file, sizeof(text), &line) < 0)
		return dir->path;
	for (char *at = line, *one; (one = nook_next_line(&at));) {
		const char *path = nook_after(one, "0::");
		const char *below = path ? nook_after(path, dir->path) : NULL;

		/* Only below the container's own: what else a path says is not ours to enter. */
		if (below && *below == '/')
			return path;
	}
	return dir->path;
}

int nook_cgroup_of_exec(struct nook_arena *a, const struct nook_record *record, const char *sub,
			struct nook_plan_cgroup_dir **ret, size_t *ret_n, struct nook_error *err)
{
	struct nook_plan_cgroup_dir *dirs = nook_alloc_array(a, record->n_cgroups, sizeof(*dirs));
	const char *colon = sub ? strchr(sub, ':') : NULL;
	const char *below = colon ? colon + 1 : sub;

	if (sub) {
		below += strspn(below, "/");
		if (!is_sub_path(below)) {
			nook_where(err, "--cgroup %s", sub);
			return nook_refuse(err, EINVAL,
					   "this is no path below the container's "
					   "cgroup");
		}
	}
	for (size_t i = 0; i < record->n_cgroups; i++) {
		dirs[i] = record->cgroups[i];
		if (sub && is_for(&dirs[i], sub, colon ? (size_t)(colon - sub) : 0))
			dirs[i].path = nook_printf(a, "%s/%s", dirs[i].path, below);
		else if (dirs[i].v2)
			dirs[i].path = member_path(a, &dirs[i], record->pid);
	}
	*ret = dirs;
	*ret_n = record->n_cgroups;
	return 0;
}
