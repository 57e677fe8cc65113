/* SPDX-License-Identifier: Apache-2.0 */
/*
 * floor_exec PID CGROUP RECORD WORD…: what the kernel must do for `nook exec`, and nothing else:
 * join the namespaces of PID, the container's pid 1, enter the cgroup, and execute WORD… there with
 * the container's credentials. RECORD is the file that tells nook of the container: read here, not
 * understood.
 */
#include "floor.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/signalfd.h>

#define NAMESPACES                                                                                 \
	(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWIPC | CLONE_NEWUTS |             \
	 CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWTIME)

static _Noreturn void program(int channel, char **argv, const sigset_t *mask)
{
	DO(prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0));
	hear(channel);
	DO(syscall(SYS_setgroups, 0, NULL));
	DO(syscall(SYS_setresgid, 0, 0, 0));
	DO(syscall(SYS_setresuid, 0, 0, 0));
	detach_from_caller();
	DO(chdir("/"));
	drop_privilege();
	tell(channel, 2);
	load_filter();
	DO(setsid());
	DO(syscall(SYS_close_range, 3, ~0u, 4 /* CLOSE_RANGE_CLOEXEC */));
	DO(sigprocmask(SIG_SETMASK, mask, NULL));
	DO(execve(argv[0], argv, (char *[]){ "PATH=/bin", "HOME=/root", NULL }));
	_exit(127);
}

static void read_record(const char *path)
{
	static char record[16384];
	int fd = DO(open(path, O_RDONLY | O_CLOEXEC));

	DO(read(fd, record, sizeof(record)));
	DO(close(fd));
}

int main(int argc, char **argv)
{
	int channel[2], status;
	pid_t pid;
	sigset_t signals, before;

	if (argc < 5)
		return 2;

	DO(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0));
	read_record(argv[3]);
	int target = DO(syscall(SYS_pidfd_open, atoi(argv[1]), 0));
	int into = DO(open(argv[2], O_PATH | O_DIRECTORY | O_CLOEXEC));

	DO(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channel));
	(void)sigfillset(&signals);
	(void)sigdelset(&signals, SIGCHLD);
	DO(sigprocmask(SIG_BLOCK, &signals, &before));

	/* The joiner can't enter a pid namespace itself, only its child can; CLONE_PARENT makes
	 * that our child. */
	pid_t joiner = clone_process(0, -1, NULL);

	if (joiner == 0) {
		DO(close(channel[0]));
		DO(syscall(SYS_setns, target, NAMESPACES));

		struct clone_args args = {
			.flags = CLONE_PARENT | CLONE_INTO_CGROUP,
			.cgroup = (uint64_t)into,
		};
		pid = DO(syscall(SYS_clone3, &args, sizeof(args)));

		if (pid == 0)
			program(channel[1], argv + 4, &before);
		DO(send(channel[1], &pid, sizeof(pid), MSG_NOSIGNAL));
		_exit(0);
	}
	DO(close(channel[1]));
	DO(waitpid(joiner, &status, __WALL));
	DO(recv(channel[0], &pid, sizeof(pid), 0));

	struct pollfd p[2] = { { .events = POLLIN }, { .events = POLLIN } };

	p[0].fd = DO(syscall(SYS_pidfd_open, pid, 0));
	tell(channel[0], 1);
	hear(channel[0]);
	if (hear(channel[0]) != 0) /* the end: the program runs */
		return 125;

	p[1].fd = DO(signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
	DO(poll(p, 2, -1));
	DO(waitpid(pid, &status, __WALL));
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
