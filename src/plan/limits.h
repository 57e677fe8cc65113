/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one table from what was asked (nook_limits_spec, in cgroup v2's terms) to the kernel's files.
 *
 * --memory alone means no swap: 100 MiB is what the container gets, in RAM or anywhere, and it
 * can't push the machine into swapping. --memory-swap says memory and swap together, as container
 * engines do (they double --memory when it is not said); -1 is unlimited swap.
 */
#ifndef NOOK_PLAN_LIMITS_H
#define NOOK_PLAN_LIMITS_H

#include "parts.h"

struct nook_limit {
	enum nook_controller controller;
	const char *v2_file, *v2_value; /* file NULL: nothing to write on v2 */
	const char *v1_file, *v1_value;
	bool optional; /* nook_plan_cgroup_write */
	const char *from;
};

/* Two files for memory, three for cpu, one for pids, two for io. */
#define NOOK_LIMIT_ROWS 8

/**
 * nook_plan_limits() - what to write for p->spec->limits, in the order to write it
 * @out:   room for NOOK_LIMIT_ROWS
 * @ret_n: receives how many
 *
 * Return: 0; -EINVAL for a value that makes no sense, -EOPNOTSUPP for one that this host's devices
 * would not honour.
 */
int nook_plan_limits(struct nook_planner *p, struct nook_limit *out, size_t *ret_n);

#endif
