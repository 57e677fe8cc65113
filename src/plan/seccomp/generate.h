/* SPDX-License-Identifier: Apache-2.0 */
/* The list as it was read, between the two halves of seccomp-generate. */
#ifndef NOOK_PLAN_SECCOMP_GENERATE_H
#define NOOK_PLAN_SECCOMP_GENERATE_H

#include "plan/seccomp_table.h"

#include <stdio.h>

/* Numbers that a machine may use: the common range, and the private calls of arm. */
#define MAX_COMMON  1024
#define ARM_PRIVATE 0xf0000
#define MAX_PRIVATE 16

struct machine {
	const char *name, *audit; /* "AUDIT_ARCH_X86_64" */
	uint32_t token;           /* libseccomp's */
};
extern const struct machine machines[NOOK_MACHINE_COUNT];

struct list {
	struct nook_seccomp_class classes[64];
	size_t n_classes;
	struct nook_seccomp_call calls[2048];
	size_t n_calls;
};
extern struct list list;

/* Ends the build with the list's name and line. */
__attribute__((noreturn, format(printf, 1, 2))) void fail(const char *fmt, ...);

/* Writes the tables as C. */
void write_tables(FILE *out);

#endif
