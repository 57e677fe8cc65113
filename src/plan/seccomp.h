/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NOOK_PLAN_SECCOMP_H
#define NOOK_PLAN_SECCOMP_H

#include "base/arena.h"
#include "nook/error.h"

#include <linux/filter.h>
#include <stddef.h>
#include <stdint.h>

/* plan.process.seccomp_name of nook's own profile; a file's is its path. */
#define NOOK_SECCOMP_DEFAULT_NAME "default"

struct nook_filter {
	const struct sock_filter *code;
	size_t n;
	unsigned flags; /* SECCOMP_FILTER_FLAG_* */
};

/**
 * nook_seccomp_default() - nook's own profile
 * @a:    arena for the program
 * @caps: the bounding set of the container's program: calls that need a capability are open only to
 * those who have it
 *
 * What it allows and why: src/plan/seccomp/default.list, docs/seccomp.md. Calls newer than it knows
 * answer ENOSYS, so that C libraries fall back; those that are refused answer EPERM. Its tables
 * were made when nook was built: this takes some microseconds, and the program loads in some tens.
 */
void nook_seccomp_default(struct nook_arena *a, uint64_t caps, struct nook_filter *ret);

/**
 * nook_seccomp_read() - compile a profile in the engines' JSON form (containers/common, Docker,
 * OCI's linux.seccomp)
 * @path: a regular file of at most 4 MiB
 * @caps: decides the profile's includes and excludes; so do the kernel's version (minKernel) and
 * architecture
 *
 * Return: 0; -EINVAL with the place in the file: an unknown call (named), action, operator,
 * architecture or a wrong type.
 */
int nook_seccomp_read(struct nook_arena *a, const char *path, uint64_t caps,
		      struct nook_filter *ret, struct nook_error *err);

struct nook_json;

/* linux.seccomp of a bundle. */
struct nook_bundle_filter {
	struct nook_filter filter; /* n 0: nothing is to be filtered */
	const char *listener;      /* socket to which the notify descriptor goes; NULL: no call is
				      handed over */
	const char *listener_data; /* goes with it; NULL: nothing */
};

/**
 * nook_seccomp_read_oci() - compile linux.seccomp
 * @seccomp: the object; borrowed
 * @place:   where it stands, "/linux/seccomp", for errors
 *
 * As runc has it where that differs from nook_seccomp_read(): members and system calls that are not
 * known are ignored, since an engine's profile names those of all kernels and machines; calls with
 * numbers above all that the profile names answer ENOSYS, unless it allows the rest anyway. Takes
 * 60 us to 120 us for Docker's profile of 412 names. Return: 0; -EINVAL; -E2BIG.
 */
int nook_seccomp_read_oci(struct nook_arena *a, struct nook_json *seccomp, const char *place,
			  struct nook_bundle_filter *ret, struct nook_error *err);

#endif
