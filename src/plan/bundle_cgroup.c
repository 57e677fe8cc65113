/* SPDX-License-Identifier: Apache-2.0 */
#include "bundle_parts.h"

int nook_plan_bundle_cgroup(struct nook_bundle_planner *p)
{
	(void)p;
	return 0;
}
