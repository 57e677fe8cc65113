/* SPDX-License-Identifier: Apache-2.0 */
/* What src/run/cgroup_stats*.c share: small files of a container's cgroups, as JSON. */
#ifndef NOOK_RUN_CGROUP_STATS_H
#define NOOK_RUN_CGROUP_STATS_H

#include "base/arena.h"
#include "state/files.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct nook_json_writer;

enum nook_stats_version { NOOK_STATS_V1, NOOK_STATS_V2 };

struct nook_stats {
	struct nook_arena *arena;
	struct nook_json_writer *w;
	int fds[NOOK_RECORD_CGROUPS]; /* of its cgroups */
	bool v2[NOOK_RECORD_CGROUPS];
	size_t n;
	char *text; /* what was read last */
};

/* Text of the file in the first cgroup of that version that has it, till the next is read; NULL. */
const char *nook_stats_read(struct nook_stats *s, enum nook_stats_version version,
			    const char *file);

/* The number in it; "max" is UINT64_MAX; 0 when there is none. */
uint64_t nook_stats_number(struct nook_stats *s, enum nook_stats_version version, const char *file);

/* The next "KEY VALUE" of @at, cut in two; NULL at the end. */
char *nook_stats_line(char **at, char **ret_value);

/* The number of the line "KEY NUMBER"; 0: there is none. @text may be NULL. */
uint64_t nook_stats_key(const char *text, const char *key);

/* A member, unless it is 0: runc leaves these out. */
void nook_stats_put(struct nook_stats *s, const char *key, uint64_t value);

/* Members of the whole. cgroup_stats_more.c */
void nook_stats_memory(struct nook_stats *s);
void nook_stats_blkio(struct nook_stats *s);
void nook_stats_hugetlb(struct nook_stats *s);

#endif
