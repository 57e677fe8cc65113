/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cgroups at paths that an engine has chosen, of any depth. What is missing on the way is made, and
 * stays when the container goes: it is the engine's. The last one is the container's alone: one
 * that exists is taken over when nobody lives in it.
 */
#include "base/own.h"
#include "base/text.h"
#include "cgroup.h"
#include "cgroup_parts.h"
#include "sys/bpf.h"
#include "sys/cgroupfs.h"

#include <fcntl.h>
#include <string.h>

/* Cgroups below one that is to be taken over. */
#define DEPTH_MAX 24

/* Device programs that an earlier container has left: the kernel allows 64 on one cgroup. */
#define PROGRAMS_MAX 64

/* ---- v2: controllers for what is below ---- */

static bool lacks(const char *have, const char *wanted)
{
	char words[512];
	char *save = NULL;

	(void)nook_format(words, sizeof(words), "%s", wanted);
	for (char *w = strtok_r(words, " ", &save); w; w = strtok_r(NULL, " ", &save))
		if (!nook_cgroupfs_has_word(have, w))
			return true;
	return false;
}

static bool all_enabled(int cgroup, const char *wanted)
{
	char have[4096];

	return nook_cgroupfs_read(cgroup, "cgroup.subtree_control", have, sizeof(have)) >= 0 &&
	       !lacks(have, wanted);
}

/* Whatever can be: where one is missing in the end, the write of its limit tells. */
static void enable_some(int cgroup, const char *wanted)
{
	char words[512];
	char text[80];
	char *save = NULL;

	(void)nook_format(words, sizeof(words), "%s", wanted);
	for (char *w = strtok_r(words, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
		(void)nook_format(text, sizeof(text), "+%s", w);
		(void)nook_cgroupfs_write(cgroup, "cgroup.subtree_control", text);
	}
}

/* ---- v1: a cpuset without CPUs takes no process ---- */

static int inherit(int from, int to, const char *file)
{
	char text[4096];
	ssize_t len = nook_cgroupfs_read(to, file, text, sizeof(text));

	if (len != 0)
		return len < 0 ? (int)len : 0;
	len = nook_cgroupfs_read(from, file, text, sizeof(text));
	if (len <= 0)
		return (int)len;
	return nook_cgroupfs_write(to, file, text);
}

static int inherit_cpuset(int from, int to)
{
	int r = inherit(from, to, "cpuset.cpus");

	return r < 0 ? r : inherit(from, to, "cpuset.mems");
}

/* ---- the way down ---- */

/* What a cgroup needs before it gets children. */
static void prepare_parent(const struct nook_plan_cgroup_dir *dir, int cgroup)
{
	if (dir->controllers && !all_enabled(cgroup, dir->controllers))
		enable_some(cgroup, dir->controllers);
}

/* The child @name of @cgroup, made when it isn't there. */
static int step_down(const struct nook_plan_cgroup_dir *dir, int cgroup, const char *name)
{
	prepare_parent(dir, cgroup);

	int r = nook_cgroupfs_mkdir(cgroup, name);

	if (r < 0 && r != -EEXIST)
		return r;

	auto_close int child = nook_cgroupfs_child(cgroup, name);

	if (child < 0)
		return child;
	r = dir->cpuset ? inherit_cpuset(cgroup, child) : 0;
	return r < 0 ? r : move_fd(&child);
}

static int walk_down(const struct nook_plan_cgroup_dir *dir, int mount, const char *path)
{
	char words[PATH_MAX];
	char *save = NULL;
	auto_close int at = nook_cgroupfs_walk(mount, "/", O_PATH);

	strcpy(words, path);
	for (char *w = strtok_r(words, "/", &save); w && at >= 0; w = strtok_r(NULL, "/", &save)) {
		int child = step_down(dir, at, w);

		close_fd(&at);
		if (child < 0)
			return child;
		at = child;
	}
	if (at >= 0)
		prepare_parent(dir, at);
	return move_fd(&at);
}

/* An engine's parent is mostly there, with all that it needs: a controller that it has enabled is
 * enabled in all those above. */
static int open_parent(const struct nook_plan_cgroup_dir *dir, int mount, const char *path)
{
	auto_close int fd = nook_cgroupfs_walk(mount, path, O_PATH);
	char text[8];

	if (fd < 0 && fd != -ENOENT)
		return fd;
	if (fd >= 0 && dir->controllers && all_enabled(fd, dir->controllers))
		return move_fd(&fd);
	if (fd >= 0 && !dir->controllers && !dir->cpuset)
		return move_fd(&fd);
	if (fd >= 0 && dir->cpuset &&
	    nook_cgroupfs_read(fd, "cpuset.cpus", text, sizeof(text)) > 0 &&
	    nook_cgroupfs_read(fd, "cpuset.mems", text, sizeof(text)) > 0)
		return move_fd(&fd);
	return walk_down(dir, mount, path);
}

/* ---- one that exists ---- */

struct living {
	int depth;
	bool found;
};

static int look_for_life(int cgroup, void *data)
{
	struct living *l = data;
	struct living below = { l->depth + 1, false };
	char text[32];
	ssize_t len = nook_cgroupfs_read(cgroup, "cgroup.procs", text, sizeof(text));

	/* A threaded cgroup of v2 does not tell: it has processes. */
	l->found |= len != 0;
	if (l->found || l->depth > DEPTH_MAX)
		return 0;

	int r = nook_cgroupfs_each_child(cgroup, look_for_life, &below);

	l->found |= below.found;
	return r;
}

static bool is_frozen(int cgroup)
{
	char text[32];

	if (nook_cgroupfs_read(cgroup, "cgroup.freeze", text, sizeof(text)) > 0)
		return text[0] == '1';
	return nook_cgroupfs_read(cgroup, "freezer.state", text, sizeof(text)) > 0 &&
	       strcmp(text, "THAWED") != 0;
}

static void drop_programs(int cgroup)
{
	uint32_t ids[PROGRAMS_MAX];
	int n = nook_bpf_device_ids(cgroup, ids, PROGRAMS_MAX);

	for (int i = 0; i < n && i < PROGRAMS_MAX; i++) {
		auto_close int program = nook_bpf_open_id(ids[i]);

		/* One that stays forbids more than it should, and nothing less. */
		if (program >= 0)
			(void)nook_bpf_detach_device(cgroup, program);
	}
}

static int take_over(const struct nook_plan_cgroup_dir *dir, int cgroup, struct nook_error *err)
{
	struct living living = { 0 };
	int r = look_for_life(cgroup, &living);

	if (r < 0)
		return nook_fail(err, -r, "look into %s%s", dir->mount, dir->path);
	if (living.found) {
		nook_where(err, "/linux/cgroupsPath");
		nook_hint(err, "choose another, or remove the container that has it");
		return nook_refuse(err, EEXIST,
				   "container's cgroup is not empty: processes live in %s%s",
				   dir->mount, dir->path);
	}
	if (is_frozen(cgroup)) {
		nook_where(err, "/linux/cgroupsPath");
		return nook_refuse(err, EBUSY, "container's cgroup unexpectedly frozen: %s%s",
				   dir->mount, dir->path);
	}
	if (dir->v2)
		drop_programs(cgroup);
	return 0;
}

static int make_leaf(const struct nook_plan_cgroup_dir *dir, int parent, const char *leaf,
		     struct nook_error *err)
{
	int made = nook_cgroupfs_mkdir(parent, leaf);

	if (made < 0 && made != -EEXIST)
		return nook_fail(err, -made, "mkdir %s%s", dir->mount, dir->path);

	auto_close int fd = nook_cgroupfs_child(parent, leaf);
	int r = fd;

	if (fd < 0)
		r = nook_fail(err, -fd, "open %s%s", dir->mount, dir->path);
	else if (made == -EEXIST)
		r = take_over(dir, fd, err);
	if (r >= 0 && dir->cpuset) {
		r = inherit_cpuset(parent, fd);
		if (r < 0)
			(void)nook_fail(err, -r, "take over the cpuset of the cgroup above %s%s",
					dir->mount, dir->path);
	}
	if (r < 0 && made == 0)
		(void)nook_cgroupfs_rmdir(parent, leaf); /* the first failure is told */
	return r < 0 ? r : move_fd(&fd);
}

int nook_cgroup_make_path(const struct nook_plan_cgroup_dir *dir, struct nook_error *err)
{
	struct nook_cgroup_leaf path;
	int r = nook_cgroup_split_leaf(dir->path, &path, err);

	if (r < 0)
		return r;

	auto_close int mount = nook_cgroupfs_mount(dir->mount, dir->v2);

	if (mount < 0)
		return nook_fail(err, -mount, "open %s", dir->mount);

	auto_close int parent = open_parent(dir, mount, path.parent);

	if (parent < 0) {
		nook_where(err, "/linux/cgroupsPath");
		return nook_fail(err, -parent, "make the cgroups of %s%s", dir->mount, path.parent);
	}
	return make_leaf(dir, parent, path.leaf, err);
}

bool nook_cgroup_devices_later(const struct nook_plan_cgroup *plan)
{
	return plan->device_program && !plan->optional && !plan->unit;
}

int nook_cgroup_attach_devices(const struct nook_plan_cgroup *plan, int fd, struct nook_error *err)
{
	if (!plan->device_program)
		return 0;

	auto_close int program = nook_bpf_load_device(plan->device_program, plan->n_device_program);

	if (program < 0)
		return nook_fail(err, -program, "load the rules for devices, %zu BPF instructions",
				 plan->n_device_program);

	int r = nook_bpf_attach_device(fd, program);

	return r < 0 ? nook_fail(err, -r, "attach the rules for devices") : 0;
}
