/* SPDX-License-Identifier: Apache-2.0 */
#include "cgroup.h"
#include "base/own.h"
#include "base/text.h"
#include "cgroup_parts.h"
#include "sys/cgroupfs.h"

#include <fcntl.h>
#include <string.h>

/* Others remove an empty "nook" while we are about to use it. Each try that fails means that a
 * container ended in that moment. */
#define TRIES 100

/* Takes the last name off @path: "/a/b" to "/a", "/a" to "/". */
static int cut_name(char *path, char name[NAME_MAX + 1])
{
	char *slash = strrchr(path, '/');

	if (!slash || !slash[1] || strlen(slash + 1) > NAME_MAX)
		return -EINVAL;
	if (!strcmp(slash, "/.") || !strcmp(slash, "/.."))
		return -EINVAL;

	strcpy(name, slash + 1);
	slash[slash == path] = '\0';
	return 0;
}

int nook_cgroup_split_leaf(const char *path, struct nook_cgroup_leaf *ret, struct nook_error *err)
{
	if (path[0] != '/' || strlen(path) >= sizeof(ret->parent))
		return nook_refuse(err, EINVAL, "%s names no cgroup of a container", path);

	strcpy(ret->parent, path);
	if (cut_name(ret->parent, ret->leaf) < 0)
		return nook_refuse(err, EINVAL, "%s names no cgroup of a container", path);
	return 0;
}

int nook_cgroup_split(const char *path, struct nook_cgroup_path *ret, struct nook_error *err)
{
	if (path[0] != '/' || strlen(path) >= sizeof(ret->place))
		return nook_refuse(err, EINVAL, "%s names no cgroup of a container", path);

	strcpy(ret->place, path);
	if (cut_name(ret->place, ret->leaf) < 0 || cut_name(ret->place, ret->parent) < 0)
		return nook_refuse(err, EINVAL, "%s names no cgroup of a container", path);
	return 0;
}

/* The cgroup that stands in our way may be somebody's, so it is never taken over. */
static int refuse_taken(const struct nook_plan_cgroup_dir *dir, int parent, const char *leaf,
			struct nook_error *err)
{
	auto_close int fd = nook_cgroupfs_child(parent, leaf);
	char text[256];
	bool used = true;

	if (fd >= 0 && dir->v2)
		used = nook_cgroupfs_read(fd, "cgroup.events", text, sizeof(text)) < 0 ||
		       !strstr(text, "populated 0");
	else if (fd >= 0)
		used = nook_cgroupfs_read(fd, "cgroup.procs", text, sizeof(text)) != 0;

	if (used)
		nook_hint(err, "choose another --name; if a container of that name was lost, see "
			       "`nook ps` and `nook rm`");
	else
		nook_hint(err, "nobody lives in it: rmdir %s%s, or choose another --name",
			  dir->mount, dir->path);
	return nook_refuse(err, EEXIST, "the cgroup %s%s exists already, and %s", dir->mount,
			   dir->path, used ? "processes live in it" : "is empty");
}

/* Opens the cgroup that containers share, "PLACE/nook", making it when it isn't there. */
static int open_shared(int place, const char *name)
{
	int r = nook_cgroupfs_child(place, name);

	if (r != -ENOENT)
		return r;

	r = nook_cgroupfs_mkdir(place, name);
	if (r < 0 && r != -EEXIST)
		return r;
	return nook_cgroupfs_child(place, name);
}

static bool vanished(int r)
{
	/* kernfs answers ENODEV for a directory that is open but was removed. */
	return r == -ENOENT || r == -ENODEV;
}

/* One try. Return: the leaf's descriptor; vanished() when "nook" went away in between. */
static int try_make(const struct nook_plan_cgroup *plan, unsigned i, int place,
		    const struct nook_cgroup_path *path, struct nook_error *err)
{
	const struct nook_plan_cgroup_dir *dir = &plan->dirs[i];
	auto_close int parent = open_shared(place, path->parent);
	char name[PATH_MAX];

	(void)nook_format(name, sizeof(name), "%s%s/%s", dir->mount,
			  strcmp(path->place, "/") ? path->place : "", path->parent);
	if (parent < 0)
		return nook_fail(err, -parent, "mkdir %s", name);

	int r = nook_cgroup_enable(plan, i, parent, name, err);

	if (r < 0)
		return r;

	r = nook_cgroupfs_mkdir(parent, path->leaf);
	if (r == -EEXIST)
		return refuse_taken(dir, parent, path->leaf, err);
	if (r < 0)
		return nook_fail(err, -r, "mkdir %s%s", dir->mount, dir->path);

	int fd = nook_cgroupfs_child(parent, path->leaf);

	if (fd < 0) {
		(void)nook_cgroupfs_rmdir(parent, path->leaf); /* the open is what is reported */
		return nook_refuse(err, EIO, "open %s%s: %s", dir->mount, dir->path,
				   strerrordesc_np(-fd));
	}
	return fd;
}

static int make_dir(const struct nook_plan_cgroup *plan, unsigned i, int *ret_leaf,
		    struct nook_error *err)
{
	const struct nook_plan_cgroup_dir *dir = &plan->dirs[i];
	struct nook_cgroup_path path;
	struct nook_error last = { 0 };
	int r = nook_cgroup_split(dir->path, &path, err);

	if (r < 0)
		return r;

	auto_close int mount = nook_cgroupfs_mount(dir->mount, dir->v2);

	if (mount < 0)
		return nook_fail(err, -mount, "open %s", dir->mount);

	auto_close int place = nook_cgroupfs_walk(mount, path.place, O_PATH);

	if (place < 0)
		return nook_fail(err, -place, "open %s%s", dir->mount, path.place);

	char name[PATH_MAX];

	(void)nook_format(name, sizeof(name), "%s%s", dir->mount, path.place);
	r = nook_cgroup_enable(plan, i, place, name, err);
	if (r < 0)
		return r;

	for (int n = 0; n < TRIES; n++) {
		last = err ? *err : last;
		r = try_make(plan, i, place, &path, &last);
		if (!vanished(r))
			break;
	}
	if (r < 0) {
		if (err)
			*err = last;
		return r;
	}

	*ret_leaf = r;
	return 0;
}

/* Does the host just not let us have cgroups? Then a container without limits does without. */
static bool is_refusal(int r)
{
	return r == -EACCES || r == -EPERM || r == -EROFS || r == -EAGAIN || r == -ENOSPC ||
	       r == -ENOMEM || r == -ENAMETOOLONG || r == -ENOENT || r == -ENODEV;
}

static int make_all(const struct nook_plan_cgroup *plan, int *ret_into, size_t *made,
		    struct nook_error *err)
{
	auto_close int into = NO_FD;

	for (unsigned i = 0; i < plan->n_dirs; i++) {
		auto_close int leaf = NO_FD;
		bool by_path = plan->dirs[i].by_path;

		/* systemd makes it, and tells where: a user's manager may be anywhere. */
		if (plan->unit && plan->n_dirs == 1 && plan->dirs[i].v2) {
			*made = i + 1;
			continue;
		}

		int r = by_path ? leaf = nook_cgroup_make_path(&plan->dirs[i], err)
				: make_dir(plan, i, &leaf, err);

		if (r < 0)
			return r;
		*made = i + 1;
		/* Beside v1 it is there before, since the container may be shown its directory. */
		if (plan->unit && plan->dirs[i].v2)
			continue;
		r = by_path ? nook_cgroup_write_patiently(plan, i, leaf, NULL, err)
			    : nook_cgroup_write_limits(plan, i, leaf, err);
		if (r == 0 && plan->dirs[i].v2 && !nook_cgroup_devices_later(plan))
			r = nook_cgroup_attach_devices(plan, leaf, err);
		if (r < 0)
			return r;
		if (plan->dirs[i].v2)
			into = move_fd(&leaf);
	}

	*ret_into = move_fd(&into);
	return 0;
}

int nook_cgroup_make(const struct nook_plan_cgroup *plan, int *ret_into, size_t *ret_made,
		     struct nook_error *err)
{
	struct nook_error why = { 0 };
	size_t made = 0;
	int r = plan->supervisor ? nook_cgroup_step_aside(plan, &why) : 0;

	if (r == 0)
		r = make_all(plan, ret_into, &made, &why);
	if (r == 0) {
		*ret_made = made;
		return 0;
	}

	/* The first failure is the one to report; what can't be undone now is found again by its
	 * name in the record. The leaf that failed is not ours, or not there. */
	(void)nook_cgroup_remove(plan->dirs, made, NULL);
	if (made < plan->n_dirs && !plan->by_path)
		(void)nook_cgroup_tidy(&plan->dirs[made], NULL);
	if (plan->supervisor)
		(void)nook_cgroup_step_back(&plan->dirs[0], NULL);

	if (plan->optional && !made && is_refusal(r)) {
		*ret_into = NO_FD;
		*ret_made = 0;
		return 0;
	}
	if (err)
		*err = why;
	return r;
}

/* Return: descriptor of the directory's cgroup, or a negative errno. */
static int open_dir(const struct nook_plan_cgroup_dir *dir, struct nook_error *err)
{
	auto_close int mount = nook_cgroupfs_mount(dir->mount, dir->v2);

	if (mount < 0)
		return nook_fail(err, -mount, "open %s", dir->mount);

	int fd = nook_cgroupfs_walk(mount, dir->path, O_PATH);

	return fd < 0 ? nook_fail(err, -fd, "open %s%s", dir->mount, dir->path) : fd;
}

int nook_cgroup_enter_v1(const struct nook_plan_cgroup_dir *dirs, size_t n, int pid,
			 struct nook_error *err)
{
	char text[16];

	(void)nook_format(text, sizeof(text), "%d", pid);
	for (size_t i = 0; i < n; i++) {
		if (dirs[i].v2)
			continue;

		auto_close int fd = open_dir(&dirs[i], err);

		if (fd < 0)
			return fd;

		int r = nook_cgroupfs_write(fd, "cgroup.procs", text);

		if (r < 0)
			return nook_fail(err, -r, "write %s to %s%s/cgroup.procs", text,
					 dirs[i].mount, dirs[i].path);
	}
	return 0;
}

int nook_cgroup_open(const struct nook_plan_cgroup_dir *dirs, size_t n, int *ret_into,
		     struct nook_error *err)
{
	for (size_t i = 0; i < n; i++) {
		if (!dirs[i].v2)
			continue;

		int fd = open_dir(&dirs[i], err);

		if (fd < 0)
			return fd;
		*ret_into = fd;
		return 0;
	}

	*ret_into = NO_FD;
	return 0;
}
