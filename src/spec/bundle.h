/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bundle's config.json as C structs: the other way to say a spec. Read once, strictly; every text
 * and array lives in the arena that it was read into. NULL, 0 lines and `set == false` mean "not
 * said". A member named `from` is the place in the file ("/mounts/3"), so that a later error can
 * point at it. runtime-spec 1.3, config.md and config-linux.md.
 */
#ifndef NOOK_SPEC_BUNDLE_H
#define NOOK_SPEC_BUNDLE_H

#include "base/arena.h"
#include "nook/error.h"
#include "nook/plan.h"
#include "nook/spec.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct nook_json;

/* ---- process ---- */

struct nook_bundle_caps {
	bool set; /* the object is there; without it there is no capability at all */
	/* bits 1 << CAP_*; a name that nobody knows was refused */
	uint64_t bounding, effective, permitted, inheritable, ambient;
};

struct nook_bundle_rlimit {
	int resource;     /* RLIMIT_* */
	const char *name; /* "RLIMIT_NOFILE" */
	uint64_t soft, hard;
	const char *from;
};

struct nook_bundle_process {
	bool set;         /* the object is there: `create` may do without, `start` may not */
	const char *json; /* the object's own text, for the record; `exec` reads it again */
	bool terminal;
	uint16_t rows, columns; /* consoleSize; 0: not said */
	uint32_t uid, gid;
	bool has_umask;
	uint32_t umask;
	const uint32_t *groups; /* additionalGids */
	size_t n_groups;
	const char *const *args; /* NULL-terminated; NULL: not said */
	const char *const *env;  /* NULL-terminated, never NULL */
	const char *cwd;         /* absolute */
	struct nook_bundle_caps caps;
	struct nook_bundle_rlimit *rlimits;
	size_t n_rlimits;
	bool no_new_privs;
	const char *apparmor, *selinux; /* "": as if not said, so NULL */
	struct nook_opt_i64 oom_score_adj;
	struct nook_plan_scheduler scheduler;
	bool has_ioprio;
	int ioprio; /* IOPRIO_PRIO_VALUE(class, priority), ioprio_set(2) */
	const char *affinity_initial, *affinity_final; /* execCPUAffinity: "0-3,7", checked */
};

/* ---- mounts and devices ---- */

struct nook_bundle_mount {
	const char *destination; /* as written: runc takes a relative one as below / */
	const char *type;        /* NULL: not said */
	const char *source;
	const char *const *options;           /* NULL-terminated, never NULL */
	struct nook_idmap *uid_map, *gid_map; /* of its own */
	size_t n_uid_map, n_gid_map;
	const char *from;
};

struct nook_bundle_device {
	char type; /* 'c', 'b', 'p'; 'u' is read as 'c' */
	const char *path;
	uint32_t major, minor; /* 0 for 'p' */
	bool has_mode;
	uint32_t mode; /* permission bits: engines put S_IFCHR there too, which is cut off */
	uint32_t uid, gid;
	const char *from;
};

/* ---- limits ---- */

struct nook_bundle_device_rule {
	bool allow;
	char type;            /* 'a', 'b', 'c' */
	int64_t major, minor; /* -1: any */
	unsigned access;      /* bits below; no access said: all */
	const char *from;
};
#define NOOK_DEVICE_READ  1u
#define NOOK_DEVICE_WRITE 2u
#define NOOK_DEVICE_MKNOD 4u

struct nook_bundle_blkio_device {
	uint32_t major, minor;
	uint64_t rate;                           /* throttle*Device */
	struct nook_opt_u64 weight, leaf_weight; /* weightDevice */
	const char *from;
};

struct nook_bundle_pair { /* hugepageLimits, network.priorities, unified */
	const char *name;
	uint64_t number;
	const char *text; /* unified */
	const char *from;
};

struct nook_bundle_rdma {
	const char *name;
	struct nook_opt_u64 handles, objects;
	const char *from;
};

enum nook_throttle {
	NOOK_READ_BPS,
	NOOK_WRITE_BPS,
	NOOK_READ_IOPS,
	NOOK_WRITE_IOPS,
	NOOK_THROTTLES
};

struct nook_bundle_resources {
	bool set;
	struct {
		struct nook_opt_i64 limit, reservation, swap, kernel, kernel_tcp;
		struct nook_opt_u64 swappiness;
		enum nook_tristate disable_oom_killer, use_hierarchy, check_before_update;
	} memory;
	struct {
		struct nook_opt_u64 shares, period, realtime_period, burst;
		struct nook_opt_i64 quota, realtime_runtime, idle;
		const char *cpus, *mems, *cpus_from, *mems_from;
	} cpu;
	struct nook_opt_i64 pids;
	struct {
		struct nook_opt_u64 weight, leaf_weight;
		struct nook_bundle_blkio_device *weights, *throttle[NOOK_THROTTLES];
		size_t n_weights, n_throttle[NOOK_THROTTLES];
	} blkio;
	struct nook_bundle_pair *hugepages;
	size_t n_hugepages;
	struct nook_opt_u64 class_id; /* network */
	struct nook_bundle_pair *net_prio;
	size_t n_net_prio;
	struct nook_bundle_rdma *rdma;
	size_t n_rdma;
	struct nook_bundle_pair *unified; /* file of cgroup v2 and what to write; in the order of
					     the file */
	size_t n_unified;
	struct nook_bundle_device_rule *devices; /* in order: the last that matches decides */
	size_t n_devices;
};

/* ---- the rest of linux ---- */

struct nook_bundle_ns {
	bool listed;
	const char *path; /* NULL: a new one */
	const char *from;
};

struct nook_bundle_annotation {
	const char *key, *value;
};

struct nook_bundle {
	const char *dir; /* the bundle, absolute; set by who reads it */
	const char *oci_version;
	const char *hostname, *domainname;
	const char *rootfs; /* root.path as written; NULL: no root object */
	bool root_read_only;
	struct nook_bundle_process process;
	struct nook_bundle_mount *mounts;
	size_t n_mounts;
	struct nook_plan_hooks hooks;
	struct nook_bundle_annotation *annotations; /* as they stand */
	size_t n_annotations;

	struct nook_bundle_ns ns[NOOK_NS_COUNT];
	struct nook_idmap *uid_map, *gid_map;
	size_t n_uid_map, n_gid_map;
	const char *uid_map_from, *gid_map_from;
	struct nook_opt_i64 monotonic, boottime; /* seconds, timeOffsets */
	uint32_t monotonic_nsecs, boottime_nsecs;
	struct nook_bundle_device *devices;
	size_t n_devices;
	struct nook_plan_netdev *netdevs;
	size_t n_netdevs;
	const char *cgroups_path; /* NULL: not said */
	struct nook_bundle_resources resources;
	struct nook_plan_rdt rdt;
	struct nook_plan_memory_policy memory_policy;
	struct nook_bundle_pair *sysctls; /* name as written, text */
	size_t n_sysctls;
	struct nook_json *seccomp;      /* linux.seccomp, borrowed from nook_bundle.tree; checked by
					     nook_seccomp_read_oci() */
	const char *rootfs_propagation; /* checked; NULL */
	const char *const *masked, *const *read_only; /* NULL-terminated, never NULL */
	size_t n_masked, n_read_only;
	const char *mount_label;
	bool has_personality;
	unsigned long personality; /* PER_LINUX, PER_LINUX32 */

	struct nook_json *tree; /* what it was read from */
};

/**
 * nook_bundle_parse() - config.json
 * @text: bounded by the caller (16 MiB)
 *
 * An unknown member is ignored; a wrong type, number, enum value or name is refused with its place
 * in @err->where ("/linux/resources/memory/limit"). No file is read, nothing of the host is asked.
 * Return: 0; -EINVAL.
 */
int nook_bundle_parse(struct nook_arena *a, const char *text, size_t len, struct nook_bundle *ret,
		      struct nook_error *err);

/* Reads DIR/config.json (a regular file of at most 16 MiB) and sets ret->dir; DIR becomes absolute.
 * -ENOENT with a hint when there is none. */
int nook_bundle_read(struct nook_arena *a, const char *dir, struct nook_bundle *ret,
		     struct nook_error *err);

/* The same with another file in place of config.json, relative to DIR; NULL: config.json. */
int nook_bundle_read_config(struct nook_arena *a, const char *dir, const char *config,
			    struct nook_bundle *ret, struct nook_error *err);

/* A process object alone: `exec --process FILE`, and the one that a record keeps. */
int nook_bundle_parse_process(struct nook_arena *a, const char *text, size_t len,
			      struct nook_bundle_process *ret, struct nook_error *err);

/* A hooks object alone: the one that a record keeps. */
int nook_bundle_parse_hooks(struct nook_arena *a, const char *text, size_t len,
			    struct nook_plan_hooks *ret, struct nook_error *err);

/* A linux.resources object alone: `update --resources FILE`. */
int nook_bundle_parse_resources(struct nook_arena *a, const char *text, size_t len,
				struct nook_bundle_resources *ret, struct nook_error *err);

#endif
