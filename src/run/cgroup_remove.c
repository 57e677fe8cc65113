/* SPDX-License-Identifier: Apache-2.0 */
/* Removing a container's cgroups. */
#include "base/clock.h"
#include "base/own.h"
#include "cgroup.h"
#include "cgroup_parts.h"
#include "host/cgroup.h"
#include "sys/cgroupfs.h"

#include <fcntl.h>
#include <string.h>

/* For a stage that ends with its maker. */
#define INTENDED_MS 2000

/* Removes one cgroup that has none below: from the child @name of @parent down, always the first.
 * Return: 0 one was removed. */
static int remove_one(int parent, const char *leaf, bool v2, int64_t deadline)
{
	char name[256];
	char below[256];
	auto_close int up = NO_FD;
	auto_close int cgroup = nook_cgroupfs_child(parent, leaf);
	int r;

	if (cgroup < 0)
		return cgroup;

	strcpy(name, leaf);
	while ((r = nook_cgroupfs_first_child(cgroup, below)) == 0) {
		int down = nook_cgroupfs_child(cgroup, below);

		if (down < 0)
			return down;
		close_fd(&up);
		up = cgroup;
		cgroup = down;
		strcpy(name, below);
	}
	if (r != -ENOENT)
		return r;

	r = nook_cgroupfs_rmdir(up >= 0 ? up : parent, name);
	if (r != -EBUSY)
		return r;
	r = nook_cgroup_wait_empty(cgroup, v2, deadline);
	return r < 0 ? r : nook_cgroupfs_rmdir(up >= 0 ? up : parent, name);
}

/* By time and not by count: each round removes one. A descent costs its depth, so a chain of a
 * thousand cgroups takes a second. */
static int remove_tree(int parent, const char *leaf, bool v2, int patience)
{
	int64_t deadline = nook_now_ms() + patience;
	int r;

	while ((r = nook_cgroupfs_rmdir(parent, leaf)) == -EBUSY) {
		r = remove_one(parent, leaf, v2, deadline);
		/* EBUSY: somebody was faster to put a process or a cgroup in. */
		if (r < 0 && r != -ENOENT && r != -EBUSY)
			return r;
		if (nook_now_ms() >= deadline)
			return -ETIMEDOUT;
	}
	return r == -ENOENT ? 0 : r;
}

static bool has_supervisor(int place)
{
	auto_close int leaf = nook_cgroupfs_child(place, NOOK_CGROUP_SUPERVISOR);

	return leaf >= 0;
}

/* Unless it is the hierarchy's root, PLACE is somebody else's, who may want to remove it: leave
 * nothing of ours. */
static int tidy_place(const struct nook_plan_cgroup_dir *dir, const struct nook_cgroup_path *path,
		      int mount, struct nook_error *err)
{
	bool at_root = !strcmp(path->place, "/");

	if (at_root && !dir->enable)
		return 0;

	auto_close int place = nook_cgroupfs_walk(mount, path->place, O_PATH);

	if (place < 0)
		return 0; /* gone with all that was in it */

	bool aside = dir->enable && has_supervisor(place);

	if (at_root && !aside)
		return 0;

	int r = nook_cgroupfs_rmdir(place, path->parent);

	if (r < 0 && r != -ENOENT)
		return 0; /* EBUSY: other containers are there */
	return aside ? nook_cgroup_step_back(dir, err) : 0;
}

int nook_cgroup_tidy(const struct nook_plan_cgroup_dir *dir, struct nook_error *err)
{
	struct nook_cgroup_path path;
	int r = nook_cgroup_split(dir->path, &path, err);

	if (r < 0)
		return r;

	auto_close int mount = nook_cgroupfs_mount(dir->mount, dir->v2);

	return mount < 0 ? 0 : tidy_place(dir, &path, mount, err);
}

static int remove_dir(const struct nook_plan_cgroup_dir *dir, struct nook_error *err)
{
	struct nook_cgroup_leaf path;
	struct nook_cgroup_path place;
	int r = nook_cgroup_split_leaf(dir->path, &path, err);

	if (r == 0 && !dir->by_path)
		r = nook_cgroup_split(dir->path, &place, err);
	if (r < 0)
		return r;

	auto_close int mount = nook_cgroupfs_mount(dir->mount, dir->v2);

	if (mount == -ENOENT)
		return 0;
	if (mount < 0)
		return nook_fail(err, -mount, "open %s", dir->mount);

	auto_close int parent = nook_cgroupfs_walk(mount, path.parent, O_PATH);

	if (parent >= 0)
		r = remove_tree(parent, path.leaf, dir->v2, NOOK_CGROUP_PATIENCE_MS);
	else if (parent != -ENOENT)
		return nook_fail(err, -parent, "open %s%s", dir->mount, path.parent);
	if (r == -ETIMEDOUT)
		nook_cgroup_hint_stuck(err);
	if (r < 0)
		return nook_fail(err, -r, "rmdir %s%s", dir->mount, dir->path);

	/* What stands above an engine's is the engine's. */
	return dir->by_path ? 0 : tidy_place(dir, &place, mount, err);
}

int nook_cgroup_remove(const struct nook_plan_cgroup_dir *dirs, size_t n, struct nook_error *err)
{
	struct nook_error first = { 0 };
	int r = 0;

	/* One that can't be removed does not keep the others. */
	for (size_t i = 0; i < n; i++) {
		struct nook_error why = { 0 };
		int one = nook_cgroup_twice(remove_dir, &dirs[i], &why);

		if (one < 0 && r == 0) {
			r = one;
			first = why;
		}
	}
	if (r < 0 && err)
		*err = first;
	return r;
}

static int remove_intended(const struct nook_plan_cgroup_dir *dir, struct nook_error *err)
{
	struct nook_cgroup_leaf path;
	int r = nook_cgroup_split_leaf(dir->path, &path, err);

	if (r < 0)
		return r;

	auto_close int mount = nook_cgroupfs_mount(dir->mount, dir->v2);
	auto_close int parent = mount < 0 ? NO_FD : nook_cgroupfs_walk(mount, path.parent, O_PATH);

	r = parent < 0 ? 0 : remove_tree(parent, path.leaf, dir->v2, INTENDED_MS);
	if (r < 0 && r != -ETIMEDOUT)
		return nook_fail(err, -r, "rmdir %s%s", dir->mount, dir->path);
	return 0;
}

int nook_cgroup_remove_intended(const struct nook_plan_cgroup_dir *dirs, size_t n,
				struct nook_error *err)
{
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++)
		r = nook_cgroup_twice(remove_intended, &dirs[i], err);
	return r;
}
