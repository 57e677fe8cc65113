/* SPDX-License-Identifier: Apache-2.0 */
/* The relay listens to strangers: what it is left with opens no file and starts no program. */
#include "relay_parts.h"

#include "base/own.h"
#include "sys/call.h"
#include "sys/process.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#endif

/* A sanitizer's own code makes calls that nothing else here does. */
#if defined(ARCH) && !defined(__SANITIZE_ADDRESS__)
static const int calls[] = {
#ifdef SYS_epoll_wait
	SYS_epoll_wait,
#endif
	SYS_epoll_pwait, SYS_epoll_ctl,  SYS_accept4,       SYS_socket,          SYS_connect,
	SYS_setsockopt,  SYS_getsockopt, SYS_sendto,        SYS_recvfrom,        SYS_shutdown,
	SYS_close,       SYS_madvise,    SYS_clock_gettime, SYS_restart_syscall, SYS_exit_group,
	SYS_recvmsg,     SYS_sendmsg,    SYS_rt_sigreturn,
};

#define LOAD(member)                                                                               \
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offsetof(struct seccomp_data, member))
#define ANSWER(value) BPF_STMT(BPF_RET | BPF_K, (value))

/* Sockets of IP only: the machine's own services listen on others. */
static const struct sock_filter socket_rules[] = {
	LOAD(args[0]), /* its low half, on machines of both our kinds */
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_INET, 1, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_INET6, 0, 1),
	ANSWER(SECCOMP_RET_ALLOW),
	ANSWER(SECCOMP_RET_ERRNO | EPERM),
};

static int load_filter(void)
{
	struct sock_filter code[8 + 2 * ARRAY_SIZE(calls) + ARRAY_SIZE(socket_rules)];
	size_t n = 0;

	code[n++] = (struct sock_filter)LOAD(arch);
	code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0);
	code[n++] = (struct sock_filter)ANSWER(SECCOMP_RET_KILL_PROCESS);
	code[n++] = (struct sock_filter)LOAD(nr);
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		if (calls[i] == SYS_socket)
			continue;
		code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
							 (uint32_t)calls[i], 0, 1);
		code[n++] = (struct sock_filter)ANSWER(SECCOMP_RET_ALLOW);
	}
	code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 1, 0);
	code[n++] = (struct sock_filter)ANSWER(SECCOMP_RET_ERRNO | EPERM);
	for (size_t i = 0; i < ARRAY_SIZE(socket_rules); i++)
		code[n++] = socket_rules[i];
	return nook_seccomp_load(code, n, 0);
}
#else
static int load_filter(void)
{
	return 0; /* no numbers of this machine's calls are known, or others are made too */
}
#endif

int nook_relay_confine(struct nook_error *err)
{
	int rc = nook_prctl(PR_SET_NO_NEW_PRIVS, 1, 0);

	if (rc == 0)
		rc = nook_capset(0, 0, 0);
	if (rc == 0)
		rc = load_filter();
	return rc < 0 ? nook_fail(err, -rc, "prctl, capset, seccomp of the relay") : 0;
}
