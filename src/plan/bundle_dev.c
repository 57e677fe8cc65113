/* SPDX-License-Identifier: Apache-2.0 */
/* What a runtime adds to the mounts: the devices and names that every program may expect in /dev,
 * and what covers the kernel's files. config-linux.md, "Default Devices" and "Dev symbolic links".
 */
#include "bundle_parts.h"

#include "base/own.h"
#include "base/text.h"

#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "sys/mount.h"

/* The engine has put a /dev of its own there: nothing is added to it. */
static bool has_own_dev(const struct nook_bundle_planner *p)
{
	for (size_t i = 0; i < p->bundle->n_mounts; i++) {
		const struct nook_bundle_mount *m = &p->bundle->mounts[i];
		struct nook_mount_options o;

		if (strcmp(nook_bundle_clean_path(p->arena, m->destination), "/dev") != 0)
			continue;
		nook_mount_options_read(p->arena, m->options, &o);
		if (o.bind || (m->type && strcmp(m->type, "bind") == 0))
			return true;
	}
	return false;
}

/* A node works only on the machine's own account: one that is made in a user namespace is dead, if
 * it can be made at all. mknod(2), user_namespaces(7) */
static bool makes_nodes(const struct nook_bundle_planner *p)
{
	return p->host->initial_userns && !p->plan->own_userns && nook_bundle_may(p, CAP_MKNOD);
}

static void add_node(struct nook_bundle_planner *p, const struct nook_bundle_device *d,
		     const char *path)
{
	mode_t type = d->type == 'b' ? S_IFBLK : d->type == 'p' ? S_IFIFO : S_IFCHR;
	struct nook_plan_mount *m = nook_bundle_add_mount(p, NOOK_PLAN_DEVICE, path);

	m->make = NOOK_MAKE_FILE;
	m->mode = type | (d->has_mode ? d->mode : 0666);
	m->uid = d->uid;
	m->gid = d->gid;
	m->rdev = d->type == 'p' ? 0 : makedev(d->major, d->minor);
	m->from = d->from;
}

static void add_hosts_node(struct nook_bundle_planner *p, const struct nook_bundle_device *d,
			   const char *path)
{
	unsigned number = nook_bundle_add_source(
		p, (struct nook_plan_source){
			   .path = path,
			   .rdev = d->type == 'c' ? makedev(d->major, d->minor) : 0,
			   .from = d->from,
		   });
	struct nook_plan_mount *m = nook_bundle_add_mount(p, NOOK_PLAN_BIND, path);

	m->make = NOOK_MAKE_FILE;
	m->source = number;
	m->from = d->from;
}

static void add_device(struct nook_bundle_planner *p, const struct nook_bundle_device *d,
		       const char *path)
{
	/* A FIFO is no device: anybody makes one. */
	if (makes_nodes(p) || d->type == 'p')
		add_node(p, d, path);
	else
		add_hosts_node(p, d, path);
}

/* Said by the bundle as well, or a second time: the later one is meant. */
static bool is_said_after(const struct nook_bundle_planner *p, const char *path, size_t after)
{
	for (size_t i = after; i < p->bundle->n_devices; i++) {
		if (strcmp(nook_bundle_clean_path(p->arena, p->bundle->devices[i].path), path) == 0)
			return true;
	}
	return false;
}

static int add_devices(struct nook_bundle_planner *p)
{
	static const struct nook_bundle_device defaults[] = {
		{ .type = 'c', .path = "/dev/null", .major = 1, .minor = 3 },
		{ .type = 'c', .path = "/dev/random", .major = 1, .minor = 8 },
		{ .type = 'c', .path = "/dev/full", .major = 1, .minor = 7 },
		{ .type = 'c', .path = "/dev/tty", .major = 5, .minor = 0 },
		{ .type = 'c', .path = "/dev/zero", .major = 1, .minor = 5 },
		{ .type = 'c', .path = "/dev/urandom", .major = 1, .minor = 9 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(defaults); i++) {
		if (!is_said_after(p, defaults[i].path, 0))
			add_device(p, &defaults[i], defaults[i].path);
	}
	for (size_t i = 0; i < p->bundle->n_devices; i++) {
		const struct nook_bundle_device *d = &p->bundle->devices[i];

		if (d->path[0] != '/')
			return nook_bundle_refuse(p, d->from, EINVAL,
						  "a device's path is absolute, and %s is not",
						  d->path);

		const char *path = nook_bundle_clean_path(p->arena, d->path);

		/* This one is /dev/pts' own, by a symlink. */
		if (strcmp(path, "/dev/ptmx") != 0 && !is_said_after(p, path, i + 1))
			add_device(p, d, path);
	}
	return 0;
}

static void add_link(struct nook_bundle_planner *p, const char *name, const char *to)
{
	nook_bundle_add_mount(p, NOOK_PLAN_SYMLINK, name)->text = to;
}

int nook_bundle_fill_dev(struct nook_bundle_planner *p)
{
	if (!has_own_dev(p)) {
		int rc = add_devices(p);

		if (rc < 0)
			return rc;
		add_link(p, "/dev/ptmx", "pts/ptmx");
		add_link(p, "/dev/fd", "/proc/self/fd");
		add_link(p, "/dev/stdin", "/proc/self/fd/0");
		add_link(p, "/dev/stdout", "/proc/self/fd/1");
		add_link(p, "/dev/stderr", "/proc/self/fd/2");
		if (p->host->kcore)
			add_link(p, "/dev/core", "/proc/kcore");
	}
	if (p->bundle->process.set && p->bundle->process.terminal)
		nook_bundle_add_mount(p, NOOK_PLAN_CONSOLE, "/dev/console")->make = NOOK_MAKE_FILE;
	return 0;
}

void nook_bundle_cover(struct nook_bundle_planner *p)
{
	for (const char *const *path = p->bundle->read_only; *path; path++)
		nook_bundle_add_mount(p, NOOK_PLAN_READONLY,
				      nook_bundle_clean_path(p->arena, *path));
	for (const char *const *path = p->bundle->masked; *path; path++)
		nook_bundle_add_mount(p, NOOK_PLAN_MASK, nook_bundle_clean_path(p->arena, *path));
}
