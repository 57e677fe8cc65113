/* SPDX-License-Identifier: Apache-2.0 */
/* The eight kinds as a table: what each is called, by whom. */
#ifndef NOOK_NS_KINDS_H
#define NOOK_NS_KINDS_H

#include "nook/kinds.h"

#include <stdint.h>

struct nook_ns_info {
	const char *name;    /* "mnt": the file in /proc/PID/ns, and what users say */
	const char *words;   /* "mount": as the man pages say */
	const char *man;     /* "mount_namespaces(7)" */
	uint64_t clone_flag; /* CLONE_NEWNS */
	const char *flag_name;
	const char *sysctl; /* "max_mnt_namespaces": the file in /proc/sys/user that limits it */
	const char *since;  /* kernel version */
};

extern const struct nook_ns_info nook_ns_kinds[NOOK_NS_COUNT];

/* By name: also "mount", "network". Return: the kind or -1. */
int nook_ns_kind(const char *name);

#endif
