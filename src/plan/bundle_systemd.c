/* SPDX-License-Identifier: Apache-2.0 */
#include "bundle_systemd.h"
#include "bundle_parts.h"

#include <errno.h>

int nook_bundle_systemd(struct nook_bundle_planner *p, const char **ret_path)
{
	(void)ret_path;
	return nook_bundle_refuse(p, "/linux/cgroupsPath", ENOSYS, "--systemd-cgroup is to come");
}

int nook_bundle_systemd_properties(struct nook_bundle_planner *p)
{
	(void)p;
	return 0;
}
