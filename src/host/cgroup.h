/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NOOK_HOST_CGROUP_H
#define NOOK_HOST_CGROUP_H

#include "host.h"

/**
 * nook_host_cgroup_probe() - the layout of this machine's cgroups and our place in it
 *
 * From /proc/self/mountinfo, /proc/self/cgroup, cgroup.controllers and who may write. cgroups(7).
 * No cgroup file system at all is a layout (NOOK_CGROUP_NONE), not a failure.
 */
int nook_host_cgroup_probe(struct nook_arena *a, struct nook_host *host, struct nook_error *err);

/* "memory", "cpu", …: the kernel's name of a controller. */
const char *nook_controller_name(enum nook_controller c);

#endif
