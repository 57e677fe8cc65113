/* SPDX-License-Identifier: Apache-2.0 */
/* What generate.c makes of seccomp/default.list when nook is built: the default profile by number,
 * and the system calls by name. */
#ifndef NOOK_PLAN_SECCOMP_TABLE_H
#define NOOK_PLAN_SECCOMP_TABLE_H

#include <linux/audit.h>
#include <stddef.h>
#include <stdint.h>

enum nook_seccomp_test {
	NOOK_SECCOMP_ALWAYS,  /* no look at the arguments */
	NOOK_SECCOMP_ANY_BIT, /* refuse when the argument has one of the bits values[0] */
	NOOK_SECCOMP_ONE_OF,  /* refuse when it is one of values */
	NOOK_SECCOMP_NONE_OF, /* refuse when it is none of values */
};

/* One heading of the list. */
struct nook_seccomp_class {
	const char *title; /* "refuse EPERM unless CAP_SYS_ADMIN" */
	uint64_t unless;   /* bits 1 << CAP_*: allowed to those who have one of them */
	uint16_t errnum;   /* 0: allowed */
	uint8_t test;      /* enum nook_seccomp_test */
	uint8_t arg;       /* 0 to 5; its low 32 bits */
	uint8_t n_values;
	uint8_t has_but;
	uint32_t values[8];
	uint32_t but; /* ANY_BIT: this value is allowed all the same */
};

/* Numbers from @first to the next span's are of this class. */
struct nook_seccomp_span {
	uint32_t first;
	uint8_t class;
};

enum nook_seccomp_machine {
	NOOK_MACHINE_X86_64,
	NOOK_MACHINE_I386,
	NOOK_MACHINE_AARCH64,
	NOOK_MACHINE_ARM,
	NOOK_MACHINE_COUNT,
};

#if defined(__x86_64__)
#define NOOK_MACHINE_NATIVE NOOK_MACHINE_X86_64
#define NOOK_MACHINE_COMPAT NOOK_MACHINE_I386
#elif defined(__aarch64__)
#define NOOK_MACHINE_NATIVE NOOK_MACHINE_AARCH64
#define NOOK_MACHINE_COMPAT NOOK_MACHINE_ARM
#else
#error "seccomp: add this machine to seccomp/generate.c, seccomp/default.list and here"
#endif

struct nook_seccomp_arch {
	const char *name;
	uint32_t audit;                        /* AUDIT_ARCH_* */
	const struct nook_seccomp_span *spans; /* ascending, the first begins at 0; unknown numbers
						  are spans too */
	size_t n_spans;
};

/* A system call by name. */
struct nook_seccomp_call {
	const char *name;
	uint8_t class;                      /* NOOK_SECCOMP_NO_CLASS: of other machines only */
	int32_t number[NOOK_MACHINE_COUNT]; /* -1: not on this machine */
};

#define NOOK_SECCOMP_NO_CLASS 255

extern const struct nook_seccomp_class nook_seccomp_classes[];
extern const size_t nook_n_seccomp_classes;
extern const struct nook_seccomp_arch nook_seccomp_arches[NOOK_MACHINE_COUNT];
extern const struct nook_seccomp_call nook_seccomp_calls[]; /* sorted by strcmp() */
extern const size_t nook_n_seccomp_calls;

#endif
