/* SPDX-License-Identifier: Apache-2.0 */
#include "kinds.h"

#include "sys/process.h"

#include <string.h>

#define KIND(n, w, flag, s)                                                                        \
	{                                                                                          \
		n, w, w "_namespaces(7)", flag, #flag, "max_" n "_namespaces", s                   \
	}

const struct nook_ns_info nook_ns_kinds[NOOK_NS_COUNT] = {
	[NOOK_NS_USER] = KIND("user", "user", CLONE_NEWUSER, "3.8"),
	[NOOK_NS_MNT] = KIND("mnt", "mount", CLONE_NEWNS, "2.4.19"),
	[NOOK_NS_CGROUP] = KIND("cgroup", "cgroup", CLONE_NEWCGROUP, "4.6"),
	[NOOK_NS_IPC] = KIND("ipc", "ipc", CLONE_NEWIPC, "2.6.19"),
	[NOOK_NS_UTS] = KIND("uts", "uts", CLONE_NEWUTS, "2.6.19"),
	[NOOK_NS_NET] = KIND("net", "network", CLONE_NEWNET, "2.6.24"),
	[NOOK_NS_PID] = KIND("pid", "pid", CLONE_NEWPID, "2.6.24"),
	[NOOK_NS_TIME] = KIND("time", "time", CLONE_NEWTIME, "5.6"),
};

int nook_ns_kind(const char *name)
{
	for (int k = 0; k < NOOK_NS_COUNT; k++) {
		if (strcmp(name, nook_ns_kinds[k].name) == 0 ||
		    strcmp(name, nook_ns_kinds[k].words) == 0)
			return k;
	}
	return -1;
}
