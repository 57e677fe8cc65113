/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of nook_ns_enter(). */
#ifndef NOOK_RUN_ENTER_H
#define NOOK_RUN_ENTER_H

#include "host/host.h"
#include "nook/ns_names.h"
#include "nook/plan.h"
#include "ns/target.h"

struct nook_entering {
	const struct nook_ns_enter_spec *spec;
	struct nook_arena *arena;
	struct nook_host host;
	struct nook_ns_target target;
	struct nook_plan plan;
	const struct nook_ns_target_item *user, *mnt; /* to be entered; NULL: not */
};

/* What a user namespace shows only to those in it. */
struct nook_inside {
	bool root_mapped; /* it has a user 0 and a group 0 */
	bool deny_setgroups;
};

/* Sends a child into e->user to see. */
int nook_entering_look(const struct nook_entering *e, struct nook_inside *ret,
		       struct nook_error *err);

/* Looks spec->user up in the root of e->mnt, by a child that goes there, else in ours. */
int nook_entering_account(const struct nook_entering *e, struct nook_account *ret,
			  struct nook_error *err);

#endif
