/* SPDX-License-Identifier: Apache-2.0 */
/* What nook_explain() looks at: small facts of the machine, read on demand. Each says false when it
 * can't be known. */
#ifndef NOOK_HOST_EVIDENCE_H
#define NOOK_HOST_EVIDENCE_H

#include "base/program.h"
#include "causes.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where to look, borrowed from the context. */
struct nook_evidence {
	const char *proc, *sys;
};

/* Reads at most @size - 1 bytes of PROC/@path, cut at its last newline; NUL-terminated. */
bool nook_evidence_text(const struct nook_evidence *e, const char *path, char *out, size_t size);

/* A file that holds one number. */
bool nook_evidence_number(const struct nook_evidence *e, const char *path, uint64_t *ret);

/* A line "KEY:\tVALUE" of PROC/self/status: the value, read with @base 10 or 16. */
bool nook_evidence_status(const struct nook_evidence *e, const char *key, int base, uint64_t *ret);

/* Is CAP_* in the effective set? True too when it can't be known: then it is no evidence. */
bool nook_evidence_has_cap(const struct nook_evidence *e, int cap);

/* A limit of PROC/self/limits ("Max processes"): the soft one; UINT64_MAX for unlimited. */
bool nook_evidence_limit(const struct nook_evidence *e, const char *name, uint64_t *ret);

/* A mount below PROC that covers a part of it: its path, the first one. */
bool nook_evidence_proc_cover(const struct nook_evidence *e, char *out, size_t size);

/* Lines of PROC/self/mountinfo. */
bool nook_evidence_mounts(const struct nook_evidence *e, uint64_t *ret);

/* A cgroup of ours or above, in the hierarchy of a controller. */
struct nook_full_cgroup {
	char dir[PATH_MAX]; /* "/sys/fs/cgroup/user.slice" */
	uint64_t current, max;
};

/**
 * nook_evidence_full_cgroup() - the cgroup, ours or one above, whose limit is reached
 * @controller:       "pids" or "memory": which hierarchy
 * @current_v2, @max_v2: files on v2: "pids.current", "pids.max"
 * @current_v1, @max_v1: on v1: "memory.usage_in_bytes", "memory.limit_in_bytes"
 * @slack:            count it as reached when no more than this is left
 */
bool nook_evidence_full_cgroup(const struct nook_evidence *e, const char *controller,
			       const char *current_v2, const char *max_v2, const char *current_v1,
			       const char *max_v1, uint64_t slack, struct nook_full_cgroup *ret);

/**
 * nook_evidence_walk() - the part of a path at which the walk to it ends
 * @path: any; relative ones from the working directory
 * @out:  receives the path up to and with the part that is missing, closed or no directory
 *
 * Return: 0 when the whole path is there; else the errno at @out.
 */
int nook_evidence_walk(const char *path, char *out, size_t size);

/* The first symbolic link on the way to @path, its last part included, below @root ("" for none):
 * its place and where it leads. */
bool nook_evidence_symlink(const char *root, const char *path, char *out, size_t size, char *target,
			   size_t target_size);

/* Name of the file system type that @path is on ("ext4", "overlay", "nfs"); "0x1234" for one that
 * has none here. */
bool nook_evidence_fstype(const char *path, char *out, size_t size);

/* Looks @path up in the roots, the topmost first. @place: receives the file on the host. False: it
 * is in none of them. */
bool nook_evidence_program(const char *const *roots, size_t n_roots, const char *path,
			   struct nook_program *ret, char *place, size_t size);

/* Is an absolute path there in one of the roots? Links are followed within the root. */
bool nook_evidence_in_roots(const char *const *roots, size_t n_roots, const char *path);

#endif
