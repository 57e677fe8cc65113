/* SPDX-License-Identifier: Apache-2.0 */
/* Making processes, and what they are: clone3(2), setns(2), unshare(2), prctl(2), credentials(7).
 * Negative errno. */
#ifndef NOOK_SYS_PROCESS_H
#define NOOK_SYS_PROCESS_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sched.h>
#include <sys/types.h>

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif
#ifndef CLONE_INTO_CGROUP
#define CLONE_INTO_CGROUP 0x200000000ULL
#endif

/**
 * nook_clone() - fork into new namespaces
 * @flags:     CLONE_*; CLONE_PIDFD and CLONE_INTO_CGROUP are added as the other arguments ask
 * @cgroup:    O_PATH descriptor of a v2 cgroup to be born in, or NO_FD
 * @ret_pidfd: receives the child's pidfd, CLOEXEC; NULL: not wanted
 *
 * The C library is told nothing: the child must not use what caches thread ids (raise(3), abort(3),
 * stdio locks). With CLONE_PARENT the child is our parent's, and the caller gets no SIGCHLD for it.
 *
 * Return: the pid in the parent, 0 in the child, or a negative errno.
 */
pid_t nook_clone(uint64_t flags, int cgroup, int *ret_pidfd);

/* The plain old clone(2): seccomp profiles refuse clone3(2), whose flags they can't see. As
 * nook_clone() else. */
pid_t nook_fork(void);

/* The same for a child that shares our descriptors. */
pid_t nook_clone_files(void);

/**
 * nook_vfork() - a child in our memory, on a stack of its own, while we are suspended
 * @fn: what it does; its return value is the exit status. It may execute a program, and must leave
 * our memory as it wants us to find it
 * @stack, @size: at least 16 KiB, aligned to 16
 *
 * Spares the copy of our page tables. Return: as nook_clone(); when it comes, the child has
 * executed or ended.
 */
pid_t nook_vfork(int (*fn)(void *), void *arg, char *stack, size_t size);

/**
 * nook_clone_beside() - the same, while we go on: a child in our memory with our descriptors
 *
 * It makes raw calls only. @stack has to last until it was waited for, which takes __WALL, as its
 * end sends no signal. In a build with fault points we are suspended, so that calls have one order.
 */
pid_t nook_clone_beside(int (*fn)(void *), void *arg, char *stack, size_t size);

int nook_setns(int fd, uint64_t flags);
int nook_unshare(uint64_t flags);
int nook_prctl(int option, unsigned long a, unsigned long b);

int nook_setgroups(const uint32_t *groups, size_t n);
/* All three ids; of this thread: there is only one. */
int nook_setresgid(uint32_t gid);
int nook_setresuid(uint32_t uid);

/* Of this process. Sets are bits 1 << CAP_*. capset(2) version 3. */
int nook_capset(uint64_t effective, uint64_t permitted, uint64_t inheritable);
int nook_capget(uint64_t *effective, uint64_t *permitted, uint64_t *inheritable);

/* Return: 0, or with SECCOMP_FILTER_FLAG_NEW_LISTENER the notify descriptor (CLOEXEC); a negative
 * errno. */
int nook_seccomp_load(const struct sock_filter *code, size_t n, unsigned flags);

/* A signal by default, also one of the C library's own two, 32 and 33: sigaction(3) refuses these,
 * and posix_spawn(3) of our caller may have left them ignored. */
void nook_reset_signal(int sig);

#endif
