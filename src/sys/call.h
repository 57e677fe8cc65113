/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every raw system call of the rooms above goes through here: one place that turns errno into a
 * return value, and, in a build with -Dfaults=true, the place that fails the Nth call so that a
 * test can see what is left behind. Calls by the C library are counted too then:
 * tests/faults/wrap.c.
 */
#ifndef NOOK_SYS_CALL_H
#define NOOK_SYS_CALL_H

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifdef NOOK_FAULTS
/* @what: the call, for NOOK_FAULT_LIST. Return: 0, or the negative errno that this call is to fail
 * with. src/sys/fault.c */
int nook_fault_call(const char *what);
/* The same for steps: NOOK_FAULT_STEP=NAME fails the step of that name. */
int nook_fault_step(const char *name);
/* Said once by the stage: its calls are counted from 1000000 up. */
void nook_fault_in_stage(void);
#else
static inline int nook_fault_call(const char *what)
{
	(void)what;
	return 0;
}
static inline int nook_fault_step(const char *name)
{
	(void)name;
	return 0;
}
static inline void nook_fault_in_stage(void)
{
}
#endif

/* The result, or the negative errno. */
#define NOOK_CALL(...)                                                                             \
	({                                                                                         \
		long rc_ = nook_fault_call(#__VA_ARGS__);                                          \
		if (rc_ == 0) {                                                                    \
			rc_ = syscall(__VA_ARGS__);                                                \
			if (rc_ < 0)                                                               \
				rc_ = -errno;                                                      \
		}                                                                                  \
		rc_;                                                                               \
	})

#endif
