/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From linux.resources to the kernel's files: what src/plan/bundle_limits*.c and bundle_devices.c
 * share. Engines write 0 for what they don't limit ("shares": 0), so 0 is "not said" wherever the
 * kernel has no use for it, as in runc.
 */
#ifndef NOOK_PLAN_BUNDLE_LIMITS_H
#define NOOK_PLAN_BUNDLE_LIMITS_H

#include "bundle.h"

struct nook_limiter {
	struct nook_arena *arena;
	const struct nook_bundle_resources *r;
	const struct nook_host *host;
	struct nook_plan_cgroup *cg; /* its dirs are there: all that the container may have */
	struct nook_error *err;
};

/* Where a controller is for the container. */
struct nook_held {
	unsigned dir; /* of cg->dirs */
	bool v2;
};

/* Does the word stand in a list separated by commas (v1) or spaces (v2)? */
bool nook_controllers_have(const char *list, const char *word);

/* The hierarchy mounted at @mount; NULL: none. */
const struct nook_hierarchy *nook_hierarchy_at(const struct nook_host *host, const char *mount);

/**
 * nook_limit_find() - the directory whose hierarchy has a controller
 * @v1, @v2: its names; NULL: that version has no such limit
 * @from:    the words that ask for it
 *
 * On v2 it is noted as one to enable. Return: 0; -EOPNOTSUPP and others with the reason in l->err.
 */
int nook_limit_find(struct nook_limiter *l, const char *v1, const char *v2, const char *from,
		    struct nook_held *ret);

/* The same without a refusal: false when there is none. */
bool nook_limit_held(struct nook_limiter *l, const char *v1, const char *v2, struct nook_held *ret);

/* One more write; @value lives in the arena or for ever. */
struct nook_plan_cgroup_write *nook_limit_write(struct nook_limiter *l, unsigned dir,
						const char *file, const char *value,
						const char *from);

/* -EINVAL with @from as the place. */
int nook_limit_refuse(struct nook_limiter *l, const char *from, const char *why);

const char *nook_limit_number(struct nook_limiter *l, uint64_t number);

/* The parts, in the order to write. */
int nook_limit_memory(struct nook_limiter *l); /* bundle_limits.c */
int nook_limit_pids(struct nook_limiter *l);
int nook_limit_cpu(struct nook_limiter *l); /* bundle_limits_cpu.c */
int nook_limit_cpuset(struct nook_limiter *l);
int nook_limit_blkio(struct nook_limiter *l);   /* bundle_limits_io.c */
int nook_limit_hugetlb(struct nook_limiter *l); /* bundle_limits_more.c */
int nook_limit_rdma(struct nook_limiter *l);
int nook_limit_network(struct nook_limiter *l);
int nook_limit_unified(struct nook_limiter *l);

/* ---- devices: bundle_devices.c ---- */

/**
 * nook_device_rules() - the bundle's rules, then what every container may use, as runc has it
 *
 * Mknod of anything, /dev/null, zero, full, random, urandom, tty, ptmx, pts and net/tun.
 */
struct nook_bundle_device_rule *
nook_device_rules(struct nook_arena *a, const struct nook_bundle_resources *r, size_t *ret_n);

/* May everything be used? Then there is nothing to attach. */
bool nook_device_rules_allow_all(const struct nook_bundle_device_rule *rules, size_t n);

/* A BPF_PROG_TYPE_CGROUP_DEVICE program: the last rule that matches decides, for each kind of
 * access; where none does, it is no. */
struct bpf_insn *nook_device_program(struct nook_arena *a,
				     const struct nook_bundle_device_rule *rules, size_t n,
				     size_t *ret_n);

/* The same for v1's devices.deny and devices.allow. -EOPNOTSUPP: that can't hold an exception from
 * an exception. */
int nook_limit_devices_v1(struct nook_limiter *l, unsigned dir,
			  const struct nook_bundle_device_rule *rules, size_t n);

#endif
