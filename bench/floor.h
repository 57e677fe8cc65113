/* SPDX-License-Identifier: Apache-2.0 */
/* What the two floor programs share: a call that fails ends them, and says where. */
#ifndef NOOK_BENCH_FLOOR_H
#define NOOK_BENCH_FLOOR_H

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <linux/time_types.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* nook's own default filter and capabilities, as nook has them for these programs: FILTER, CAPS. */
#include "floor_filter.h"

static _Noreturn void fail(const char *file, int line, const char *call)
{
	dprintf(2, "%s:%d: %s: %s\n", file, line, call, strerror(errno));
	_exit(125);
}

/* The value of @call; a negative one ends the program. */
#define DO(call)                                                                                   \
	({                                                                                         \
		long value_ = (long)(call);                                                        \
		if (value_ < 0)                                                                    \
			fail(__FILE__, __LINE__, #call);                                           \
		(int)value_;                                                                       \
	})

static inline int in_root(int root, const char *path)
{
	struct open_how how = { .flags = O_PATH | O_CLOEXEC,
				.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };

	return (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
}

static inline void write_file(int dir, const char *path, int flags, const char *text)
{
	int fd = DO(openat(dir, path, flags | O_WRONLY | O_CLOEXEC, 0600));

	DO(write(fd, text, strlen(text)));
	DO(close(fd));
}

/* The program's credentials: nook's drop_privilege step without its reading back. */
static inline void drop_privilege(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = {
		{ (uint32_t)CAPS, (uint32_t)CAPS, 0 },
		{ (uint32_t)(CAPS >> 32), (uint32_t)(CAPS >> 32), 0 },
	};

	for (unsigned cap = 0; cap <= CAP_LAST_CAP; cap++) {
		if (!(CAPS >> cap & 1))
			DO(prctl(PR_CAPBSET_DROP, cap, 0, 0, 0));
	}
	DO(syscall(SYS_setgroups, 0, NULL));
	DO(syscall(SYS_setresgid, 0, 0, 0));
	DO(syscall(SYS_setresuid, 0, 0, 0));
	DO(syscall(SYS_capset, &header, data));
	DO(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	DO(prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0));
	DO(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0));
}

static inline void load_filter(void)
{
	static const struct sock_filter code[] = { FILTER };
	const struct sock_fprog program = { sizeof(code) / sizeof(code[0]),
					    (struct sock_filter *)(uintptr_t)code };

	DO(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, &program));
}

static inline void detach_from_caller(void)
{
	for (int sig = 1; sig <= 64; sig++)
		(void)signal(sig, SIG_DFL);
	(void)umask(022);
	DO(syscall(SYS_personality, 0));
	DO(syscall(SYS_keyctl, 1 /* JOIN_SESSION_KEYRING */, NULL, 0, 0, 0));
}

static inline int clone_process(uint64_t flags, int cgroup, int *pidfd)
{
	struct clone_args args = { .flags = flags, .exit_signal = SIGCHLD };

	if (pidfd) {
		args.flags |= CLONE_PIDFD;
		args.pidfd = (uintptr_t)pidfd;
	}
	if (cgroup >= 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t)cgroup;
	}
	return DO(syscall(SYS_clone3, &args, sizeof(args)));
}

static inline void tell(int channel, uint32_t message)
{
	DO(send(channel, &message, sizeof(message), MSG_NOSIGNAL));
}

/* 0: the other side has gone. */
static inline ssize_t hear(int channel)
{
	char message[64];

	return DO(recv(channel, message, sizeof(message), 0));
}

/* Until the program ends. Return: its status, as a shell shows it. */
static inline int supervise(int pidfd, pid_t pid, const sigset_t *signals)
{
	struct pollfd p[2] = { { .fd = pidfd, .events = POLLIN } };
	int status;

	p[1].fd = DO(signalfd(-1, signals, SFD_CLOEXEC | SFD_NONBLOCK));
	p[1].events = POLLIN;
	DO(poll(p, 2, -1));
	DO(waitpid(pid, &status, __WALL));
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

#endif
