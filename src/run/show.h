/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NOOK_RUN_SHOW_H
#define NOOK_RUN_SHOW_H

#include "base/arena.h"
#include "nook/container.h"
#include "nook/plan.h"

/**
 * nook_plan_show() - the two lists as they would run with this plan, interleaved where they meet
 *
 * Text for people: a line a call, "outside" or "inside", the step, the call with its arguments,
 * what for. JSON:
 * {"version":1,"name":…,"steps":[{"side","step","call","what"}…]}.
 *
 * Return: 0; a negative errno when @out can't be written.
 */
int nook_plan_show(const struct nook_plan *plan, enum nook_plan_format format, struct nook_arena *a,
		   FILE *out, struct nook_error *err);

#endif
