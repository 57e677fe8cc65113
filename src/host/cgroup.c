/* SPDX-License-Identifier: Apache-2.0 */
#include "cgroup.h"
#include "base/own.h"
#include "base/text.h"
#include "cgroup_place.h"
#include "cgroup_text.h"
#include "mountinfo.h"
#include "read.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

/* Inode of the initial cgroup namespace: PROC_CGROUP_INIT_INO, fixed since Linux 4.6. */
#define INITIAL_CGROUP_NS 0xEFFFFFFBu

/* A line for each hierarchy, some dozen, each with a path. */
#define OWN_MAX ((size_t)64 << 10)

uint32_t nook_limits_controllers(const struct nook_limits_spec *l)
{
	uint32_t bits = 0;

	if (!l)
		return (1u << NOOK_CTL_COUNT) - 1;
	if (l->memory.set || l->memory_swap.set)
		bits |= 1u << NOOK_CTL_MEMORY;
	if (l->cpus_milli.set || l->cpu_weight.set)
		bits |= 1u << NOOK_CTL_CPU;
	if (l->pids.set)
		bits |= 1u << NOOK_CTL_PIDS;
	if (l->io_weight.set)
		bits |= 1u << NOOK_CTL_IO;
	return bits;
}

static int read_own(struct nook_arena *a, struct nook_cgroup_own *own, struct nook_error *err)
{
	char *text;
	char *line;
	int r = nook_read_proc(a, "/proc/self/cgroup", OWN_MAX, &text);

	if (r < 0)
		return nook_fail(err, -r, "read /proc/self/cgroup");

	while ((line = nook_next_line(&text)))
		nook_cgroup_own_line(a, line, own);
	return 0;
}

/* Is the whole v2 hierarchy mounted there? Its root directory is inode 1. */
static bool is_whole_v2(const char *path)
{
	struct statfs fs;
	struct stat st;

	return statfs(path, &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC && stat(path, &st) == 0 &&
	       st.st_ino == 1;
}

/*
 * The layouts that systemd and others make are known by two or three system calls, where mountinfo
 * has a line for every mount of the machine. Only in the initial cgroup namespace, where paths in
 * /proc/self/cgroup count from the root that is inode 1.
 */
bool nook_cgroup_known_layout(struct nook_host_cgroup *cg)
{
	struct stat ns;

	if (stat("/proc/self/ns/cgroup", &ns) < 0 || ns.st_ino != INITIAL_CGROUP_NS)
		return false;

	if (is_whole_v2("/sys/fs/cgroup")) {
		cg->layout = NOOK_CGROUP_UNIFIED;
		cg->v2.mount = "/sys/fs/cgroup";
	} else if (is_whole_v2("/sys/fs/cgroup/unified")) {
		cg->layout = NOOK_CGROUP_HYBRID;
		cg->v2.mount = "/sys/fs/cgroup/unified";
	} else {
		return false;
	}
	return true;
}

static void take_mount(struct nook_cgroup_mount *m, const struct nook_cgroup_where *where,
		       const char *own)
{
	m->mount = where->mount;
	m->own = where->mount ? nook_cgroup_below(where->root, own) : NULL;
}

static int read_mounts(struct nook_arena *a, const struct nook_cgroup_own *own,
		       struct nook_host_cgroup *cg, struct nook_error *err)
{
	struct nook_cgroup_mounts m = { 0 };
	struct nook_mounts mounts = { 0 };
	char *text;
	int r = nook_read_proc(a, "/proc/self/mountinfo", NOOK_MOUNTINFO_MAX, &text);

	if (r < 0)
		return nook_fail(err, -r, "read /proc/self/mountinfo");
	r = nook_mountinfo_parse(a, text, &mounts, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < mounts.n; i++)
		nook_cgroup_note_mount(&mounts.all[i], &m);

	take_mount(&cg->v2, &m.v2, own->v2);
	for (unsigned c = 0; c < NOOK_CTL_COUNT; c++)
		take_mount(&cg->v1[c], &m.v1[c], own->v1[c]);

	if (m.v2.mount)
		cg->layout = m.any_v1 ? NOOK_CGROUP_HYBRID : NOOK_CGROUP_UNIFIED;
	else
		cg->layout = m.any_v1 ? NOOK_CGROUP_V1 : NOOK_CGROUP_NONE;
	return 0;
}

/* Does a device use the scheduler that alone honours (io.)bfq.weight? A weight that no device
 * honours would be a limit that is ignored. */
static bool bfq_in_use(void)
{
	auto_closedir DIR *blocks = opendir("/sys/block");
	struct dirent *e;

	while (blocks && (e = readdir(blocks))) {
		char file[300];
		char text[256];

		if (e->d_name[0] == '.')
			continue;
		(void)nook_format(file, sizeof(file), "%s/queue/scheduler", e->d_name);

		auto_close int fd = openat(dirfd(blocks), file, O_RDONLY | O_CLOEXEC);
		ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

		if (n > 0) {
			text[n] = '\0';
			if (strstr(text, "[bfq]"))
				return true;
		}
	}
	return false;
}

/* io.weight works by the io.cost model, which is on by device: "8:0 enable=1 ctrl=auto …" in the
 * root's io.cost.qos. A container can't see the root's. */
static bool io_cost_in_use(const struct nook_host_cgroup *cg)
{
	char path[PATH_MAX];
	char text[4096];

	if (!cg->v2.mount)
		return false;
	(void)nook_format(path, sizeof(path), "%s/io.cost.qos", cg->v2.mount);

	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (n <= 0)
		return false;
	text[n] = '\0';
	return strstr(text, " enable=1 ") != NULL;
}

int nook_host_cgroup_probe(struct nook_arena *a, const struct nook_limits_spec *limits,
			   struct nook_host *host, struct nook_error *err)
{
	uint32_t wanted = nook_limits_controllers(limits);
	struct nook_host_cgroup cg = { 0 };
	struct nook_cgroup_own own = { 0 };
	int r = read_own(a, &own, err);

	if (r < 0)
		return r;

	if (nook_cgroup_known_layout(&cg)) {
		cg.v2.own = own.v2;
		nook_cgroup_place_v2(a, wanted, !limits, &cg);
	}
	if (!cg.v2.mount || (wanted & ~cg.v2_present)) {
		r = read_mounts(a, &own, &cg, err);
		if (r < 0)
			return r;
		if (cg.v2.mount)
			nook_cgroup_place_v2(a, wanted, !limits, &cg);
	}

	for (unsigned c = 0; c < NOOK_CTL_COUNT; c++)
		if ((wanted & 1u << c) && cg.v1[c].mount)
			nook_cgroup_place_v1(a, &cg.v1[c]);

	if (wanted & 1u << NOOK_CTL_IO) {
		cg.io_bfq = bfq_in_use();
		cg.io_cost = io_cost_in_use(&cg);
	}

	host->cgroup = cg;
	return 0;
}
