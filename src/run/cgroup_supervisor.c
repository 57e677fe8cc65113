/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When the only cgroup that was delegated to us is the one we live in, we step aside into a leaf of
 * it: cgroup v2 gives a cgroup that has processes no controllers for its children. With the last
 * container gone we step back, so that whoever manages that cgroup finds it as it was.
 */
#include "base/own.h"
#include "base/text.h"
#include "cgroup_parts.h"
#include "host/cgroup.h"
#include "sys/cgroupfs.h"

#include <fcntl.h>
#include <string.h>

static int open_place(const struct nook_plan_cgroup_dir *dir, struct nook_cgroup_path *path,
		      struct nook_error *err)
{
	int r = nook_cgroup_split(dir->path, path, err);

	if (r < 0)
		return r;

	auto_close int mount = nook_cgroupfs_mount(dir->mount, dir->v2);

	if (mount < 0)
		return nook_fail(err, -mount, "open %s", dir->mount);

	int fd = nook_cgroupfs_walk(mount, path->place, O_PATH);

	return fd < 0 ? nook_fail(err, -fd, "open %s%s", dir->mount, path->place) : fd;
}

int nook_cgroup_step_aside(const struct nook_plan_cgroup *plan, struct nook_error *err)
{
	const struct nook_plan_cgroup_dir *dir = &plan->dirs[0];
	struct nook_cgroup_path path;
	auto_close int place = open_place(dir, &path, err);

	if (place < 0)
		return place;

	int r = nook_cgroupfs_mkdir(place, NOOK_CGROUP_SUPERVISOR);

	/* One that is there was left by a nook that died: were there a living one, PLACE would have
	 * controllers, and we could not be in it. */
	if (r < 0 && r != -EEXIST)
		return nook_fail(err, -r, "mkdir %s%s", dir->mount, plan->supervisor);

	auto_close int leaf = nook_cgroupfs_child(place, NOOK_CGROUP_SUPERVISOR);

	if (leaf < 0)
		return nook_fail(err, -leaf, "open %s%s", dir->mount, plan->supervisor);

	r = nook_cgroupfs_write(leaf, "cgroup.procs", "0");
	if (r < 0)
		return nook_fail(err, -r, "write 0 to %s%s/cgroup.procs", dir->mount,
				 plan->supervisor);
	return 0;
}

/* A cgroup takes processes again once no controller is enabled for its children. */
static int disable_controllers(int place)
{
	char have[4096];
	ssize_t len = nook_cgroupfs_read(place, "cgroup.subtree_control", have, sizeof(have));
	int r = len < 0 ? (int)len : 0;

	for (char *save = NULL, *word = strtok_r(have, " ", &save); r == 0 && word;
	     word = strtok_r(NULL, " ", &save)) {
		char text[64];

		(void)nook_format(text, sizeof(text), "-%s", word);
		r = nook_cgroupfs_write(place, "cgroup.subtree_control", text);
	}
	return r;
}

static bool only_us(int leaf)
{
	char got[32];
	char us[16];

	(void)nook_format(us, sizeof(us), "%d", (int)getpid());
	return nook_cgroupfs_read(leaf, "cgroup.procs", got, sizeof(got)) > 0 && !strcmp(got, us);
}

int nook_cgroup_step_back(const struct nook_plan_cgroup_dir *dir, struct nook_error *err)
{
	struct nook_cgroup_path path;
	auto_close int place = open_place(dir, &path, err);

	if (place < 0)
		return place;

	auto_close int leaf = nook_cgroupfs_child(place, NOOK_CGROUP_SUPERVISOR);

	if (leaf < 0)
		return 0;

	if (only_us(leaf)) {
		int r = disable_controllers(place);

		if (r == 0)
			r = nook_cgroupfs_write(place, "cgroup.procs", "0");
		if (r < 0)
			return nook_fail(err, -r, "leave %s%s/" NOOK_CGROUP_SUPERVISOR, dir->mount,
					 path.place);
	}

	/* EBUSY: another nook's, which removes it. */
	(void)nook_cgroupfs_rmdir(place, NOOK_CGROUP_SUPERVISOR);
	return 0;
}
