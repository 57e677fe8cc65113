/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of a bundle's plan share. */
#ifndef NOOK_PLAN_BUNDLE_PARTS_H
#define NOOK_PLAN_BUNDLE_PARTS_H

#include "plan/bundle.h"

/* nook_plan_bundle_parts[]. */
int nook_plan_bundle_namespaces(
	struct nook_bundle_planner *p); /* clone_flags, joins, userns, hostname… */
int nook_plan_bundle_root(struct nook_bundle_planner *p);   /* root source, propagation */
int nook_plan_bundle_cgroup(struct nook_bundle_planner *p); /* cgroup: paths, limits, devices */
int nook_plan_bundle_mounts(struct nook_bundle_planner *p); /* mounts, devices, masks, links */
int nook_plan_bundle_process(struct nook_bundle_planner *p); /* process, sysctls, hooks, netdevs… */

/* One that is made, not entered. */
static inline bool nook_bundle_is_new(const struct nook_bundle *b, enum nook_ns_kind kind)
{
	return b->ns[kind].listed && !b->ns[kind].path;
}

/* We have CAP_@cap in our own user namespace. */
static inline bool nook_bundle_may(const struct nook_bundle_planner *p, int cap)
{
	return p->host->caps & 1ULL << cap;
}

/* nook_refuse() with its place in config.json. */
#define nook_bundle_refuse(p, from, errnum, ...)                                                   \
	(nook_where((p)->err, "%s", (from)), nook_refuse((p)->err, (errnum), __VA_ARGS__))

/* "a//b/../c" is "/a/c": a path inside, without its symlinks. */
const char *nook_bundle_clean_path(struct nook_arena *a, const char *path);

/* A path of the host: a relative one is below the bundle. */
const char *nook_bundle_host_path(const struct nook_bundle_planner *p, const char *path);

/* By name: "rslave" is MS_SLAVE | MS_REC. bundle_root.c */
bool nook_bundle_propagation(const char *name, unsigned long *ret);

/* ---- bundle_options.c ---- */

/* A mount's options, by what they are for. */
struct nook_mount_options {
	bool bind, recursive, remount, copy_up;
	bool idmap, idmap_below;       /* idmap; ridmap */
	struct nook_plan_attrs change; /* what is said, and what is taken back */
	unsigned long *propagation;
	size_t n_propagation;
	struct nook_plan_option *data; /* the file system's own */
	size_t n_data;
	const char *refused; /* one that other runtimes know and nook doesn't; NULL: none */
	const char *unknown; /* the first that is no word of this table: of the file system's, or of
				nobody's */
};

/**
 * nook_mount_options_read() - sort a mount's options
 * @options: NULL-terminated, in their order: of two that contradict each other the later one holds
 *
 * Texts that are no flag are split at commas outside of quotes and not behind a backslash, as
 * mount(2) would read them all together. Several values of one key stay.
 */
void nook_mount_options_read(struct nook_arena *a, const char *const *options,
			     struct nook_mount_options *ret);

/* ---- bundle_mounts.c ---- */

struct nook_plan_mount *nook_bundle_add_mount(struct nook_bundle_planner *p,
					      enum nook_plan_mount_kind kind, const char *target);
/* Returns its number. The propagation is that of the container's root. */
unsigned nook_bundle_add_source(struct nook_bundle_planner *p, struct nook_plan_source source);

/* ---- bundle_binds.c ---- */

/* How many of @o->propagation are to be applied once it is mounted; @source: of a bind mount, which
 * may be opened so. */
size_t nook_bundle_propagation_left(const struct nook_bundle_planner *p,
				    const struct nook_mount_options *o,
				    struct nook_plan_source *source);

int nook_bundle_bind(struct nook_bundle_planner *p, const struct nook_bundle_mount *m,
		     const char *target, const struct nook_mount_options *o);

/* ---- bundle_cgroup_mounts.c ---- */

/* A mount of type cgroup. @o: of @m */
int nook_bundle_mount_cgroups(struct nook_bundle_planner *p, const struct nook_bundle_mount *m,
			      const char *target, const struct nook_mount_options *o);

/* ---- bundle_dev.c: /dev, and what lies over parts of the root ---- */

int nook_bundle_fill_dev(struct nook_bundle_planner *p);
void nook_bundle_cover(struct nook_bundle_planner *p);

/* ---- bundle_sysctls.c ---- */

int nook_bundle_sysctls(struct nook_bundle_planner *p);

/* ---- bundle_seccomp.c ---- */

/* linux.seccomp to a filter of the process. */
int nook_bundle_seccomp(struct nook_bundle_planner *p);

#endif
