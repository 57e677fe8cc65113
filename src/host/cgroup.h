/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NOOK_HOST_CGROUP_H
#define NOOK_HOST_CGROUP_H

#include "host.h"

/* The leaf that nook moves itself to when it has to leave the cgroup that was delegated to it. */
#define NOOK_CGROUP_SUPERVISOR "nook-supervisor"

/* Bits 1 << NOOK_CTL_* of the controllers that hold what @limits asks for; NULL: all of them. */
uint32_t nook_limits_controllers(const struct nook_limits_spec *limits);

/**
 * nook_host_cgroup_probe() - the layout of this machine's cgroups, our place in it and nook's
 * @a:      arena for the texts
 * @limits: what will be asked of them: without a limit only the v2 tree and our own path are looked
 * at (some 20 µs); NULL: look at all, for `nook check`
 * @host:   receives host->cgroup
 * @err:    receives which file under /proc could not be read
 *
 * From statfs of the usual mount points, else /proc/self/mountinfo; /proc/self/cgroup;
 * cgroup.controllers and who may write. cgroups(7). No cgroup file system at all is a layout
 * (NOOK_CGROUP_NONE), not a failure; so is a cgroup where we may do nothing (why_not says so).
 *
 * Return: 0 or a negative errno.
 */
int nook_host_cgroup_probe(struct nook_arena *a, const struct nook_limits_spec *limits,
			   struct nook_host *host, struct nook_error *err);

/* Sets layout and v2.mount where these are as systemd and others have them, by two or three system
 * calls. */
bool nook_cgroup_known_layout(struct nook_host_cgroup *cg);

/* For a bundle: what is known of @h when mount and own are: place, delegated, device_bpf. */
void nook_hierarchy_look(struct nook_arena *a, struct nook_hierarchy *h);

/* "memory", "cpu", …: the kernel's name of a controller; on v1 "io" is "blkio". Static. */
const char *nook_controller_name(enum nook_controller c);
const char *nook_controller_v1_name(enum nook_controller c);

#endif
