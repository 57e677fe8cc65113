/* SPDX-License-Identifier: Apache-2.0 */
#include "process.h"

#include "base/own.h"
#include "call.h"

#include <linux/capability.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>

pid_t nook_clone(uint64_t flags, int cgroup, int *ret_pidfd)
{
	int pidfd = NO_FD;
	struct clone_args args = { .flags = flags };

	if (!(flags & CLONE_PARENT))
		args.exit_signal = SIGCHLD;
	if (ret_pidfd) {
		args.flags |= CLONE_PIDFD;
		args.pidfd = (uintptr_t)&pidfd;
	}
	if (cgroup >= 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t)cgroup;
	}

	long pid = NOOK_CALL(SYS_clone3, &args, sizeof(args));

	if (pid > 0 && ret_pidfd)
		*ret_pidfd = pidfd;
	return (pid_t)pid;
}

pid_t nook_fork(void)
{
	return (pid_t)NOOK_CALL(SYS_clone, SIGCHLD, 0, 0, 0, 0);
}

pid_t nook_clone_files(void)
{
	return (pid_t)NOOK_CALL(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0);
}

pid_t nook_vfork(int (*fn)(void *), void *arg, char *stack, size_t size)
{
	int rc = nook_fault_call("clone, CLONE_VM | CLONE_VFORK");

	if (rc < 0)
		return rc;

	pid_t pid = clone(fn, stack + size, CLONE_VM | CLONE_VFORK | SIGCHLD, arg);

	return pid < 0 ? -errno : pid;
}

pid_t nook_clone_beside(int (*fn)(void *), void *arg, char *stack, size_t size)
{
	int rc = nook_fault_call("clone, CLONE_VM | CLONE_FILES");
	int flags = CLONE_VM | CLONE_FILES;

	if (rc < 0)
		return rc;
#ifdef NOOK_FAULTS
	flags |= CLONE_VFORK;
#endif
	pid_t pid = clone(fn, stack + size, flags, arg);

	return pid < 0 ? -errno : pid;
}

int nook_setns(int fd, uint64_t flags)
{
	return (int)NOOK_CALL(SYS_setns, fd, (int)flags);
}

int nook_unshare(uint64_t flags)
{
	return (int)NOOK_CALL(SYS_unshare, (int)flags);
}

int nook_prctl(int option, unsigned long a, unsigned long b)
{
	return (int)NOOK_CALL(SYS_prctl, option, a, b, 0, 0);
}

int nook_setgroups(const uint32_t *groups, size_t n)
{
	return (int)NOOK_CALL(SYS_setgroups, n, groups);
}

int nook_setresgid(uint32_t gid)
{
	return (int)NOOK_CALL(SYS_setresgid, gid, gid, gid);
}

int nook_setresuid(uint32_t uid)
{
	return (int)NOOK_CALL(SYS_setresuid, uid, uid, uid);
}

static uint32_t low(uint64_t set)
{
	return (uint32_t)set;
}

static uint32_t high(uint64_t set)
{
	return (uint32_t)(set >> 32);
}

int nook_capset(uint64_t effective, uint64_t permitted, uint64_t inheritable)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = {
		{ low(effective), low(permitted), low(inheritable) },
		{ high(effective), high(permitted), high(inheritable) },
	};

	return (int)NOOK_CALL(SYS_capset, &header, data);
}

int nook_capget(uint64_t *effective, uint64_t *permitted, uint64_t *inheritable)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { 0 };
	int rc = (int)NOOK_CALL(SYS_capget, &header, data);

	if (rc < 0)
		return rc;
	*effective = data[0].effective | (uint64_t)data[1].effective << 32;
	*permitted = data[0].permitted | (uint64_t)data[1].permitted << 32;
	*inheritable = data[0].inheritable | (uint64_t)data[1].inheritable << 32;
	return 0;
}

int nook_seccomp_load(const struct sock_filter *code, size_t n, unsigned flags)
{
	struct sock_fprog program = {
		.len = (unsigned short)n,
		.filter = (struct sock_filter *)(uintptr_t)code,
	};

	return (int)NOOK_CALL(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
}

void nook_reset_signal(int sig)
{
	/* The kernel's struct: all zero is SIG_DFL without flags. */
	static const unsigned long by_default[4];

	(void)syscall(SYS_rt_sigaction, sig, by_default, NULL, 8); /* refused for KILL and STOP */
}
