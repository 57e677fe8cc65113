/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where nook makes its cgroups in a hierarchy: PLACE/nook/NAME.
 *
 * PLACE is the deepest cgroup that works, our own if it does, so that a container stays under every
 * limit that its caller lives under: `nook run` in a service with MemoryMax=1G gives no more than
 * that, for root too. Placing it below the hierarchy's root, as engines do with cgroupfs, would
 * free it of them. So:
 *
 * - v1: always our own cgroup. Children of a cgroup that has processes may have limits there.
 * - v2 without limits: our own cgroup. Only controllers forbid processes beside children.
 * - v2 with limits: a cgroup that has processes can't have controllers for its children (EBUSY),
 *   unless it is the hierarchy's root. Where our own cgroup is not, go up to the first that can,
 *   as long as no cgroup left behind has a limit. When we are the only process of our own cgroup
 *   (systemd-run --scope -p Delegate=yes, or pid 1 of a container), we leave it for a leaf instead.
 *
 * Between PLACE and NAME stands "nook": it holds the controllers enabled for its children, and so
 * keeps a service manager that tidies PLACE's cgroup.subtree_control from turning limits off below
 * (the kernel answers EBUSY). A manager that owns PLACE finds one directory of ours, not many.
 *
 * An ordinary user gets a place where directory, cgroup.procs and cgroup.subtree_control may be
 * written: that is delegation, cgroups(7). Only our own cgroup and those above are looked at: the
 * kernel lets nobody without privilege move into a cgroup unless both lie below one that may be
 * written.
 */
#ifndef NOOK_HOST_CGROUP_PLACE_H
#define NOOK_HOST_CGROUP_PLACE_H

#include "host.h"

/* @m->mount and @m->own are known; the rest is filled in. */
void nook_cgroup_place_v1(struct nook_arena *a, struct nook_cgroup_mount *m);

/**
 * nook_cgroup_place_v2() - the same for cg->v2, with v2_present, v2_controllers and v2_alone
 * @wanted:    bits of the controllers that limits need; those on v1 don't count
 * @just_look: take a place where only some of them work
 */
void nook_cgroup_place_v2(struct nook_arena *a, uint32_t wanted, bool just_look,
			  struct nook_host_cgroup *cg);

#endif
