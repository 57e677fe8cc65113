/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which instructions of a static program are executed, by it and by what it clones: every step is
 * looked at. A hundred thousand times slower than the program, and it takes no counters, which a
 * virtual machine lacks.
 *
 *	step OUTPUT PROGRAM WORD...
 *
 * OUTPUT gets the addresses, in hexadecimal, rounded down to 4. Programs that PROGRAM executes run
 *on untraced, but PROGRAM itself again.
 */
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define FIRST 0x400000ul /* where static programs lie */
#define SIZE  0x400000ul
#define PIDS  (1 << 22)

static bool seen[SIZE / 4], stepping[PIDS];
static struct stat program;

static bool is_program(int pid)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	return stat(path, &st) == 0 && st.st_ino == program.st_ino && st.st_size == program.st_size;
}

static void note(int pid)
{
	unsigned long ip = (unsigned long)ptrace(PTRACE_PEEKUSER, pid,
						 offsetof(struct user_regs_struct, rip), 0);

	if (ip >= FIRST && ip - FIRST < SIZE)
		seen[(ip - FIRST) / 4] = true;
}

static void stopped(int pid, int status)
{
	int sig = WSTOPSIG(status), event = status >> 16;

	if (event == PTRACE_EVENT_EXEC)
		stepping[pid] = is_program(pid);
	else if (sig == SIGSTOP)
		stepping[pid] = true; /* a new one */
	else if (sig == SIGTRAP && stepping[pid])
		note(pid);
	if (sig == SIGTRAP || sig == SIGSTOP)
		sig = 0;
	ptrace(stepping[pid] ? PTRACE_SINGLESTEP : PTRACE_CONT, pid, 0, sig);
}

int main(int argc, char **argv)
{
	int pid, status;
	FILE *out;

	if (argc < 3 || stat(argv[2], &program) < 0)
		return 2;
	pid = fork();
	if (pid == 0) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		execv(argv[2], argv + 2);
		_exit(127);
	}
	waitpid(pid, &status, __WALL);
	ptrace(PTRACE_SETOPTIONS, pid, 0,
	       PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC |
		       PTRACE_O_EXITKILL);
	ptrace(PTRACE_SINGLESTEP, pid, 0, 0);
	while ((pid = waitpid(-1, &status, __WALL)) > 0) {
		if (WIFSTOPPED(status))
			stopped(pid, status);
	}

	out = fopen(argv[1], "w");
	for (size_t i = 0; out && i < SIZE / 4; i++) {
		if (seen[i])
			fprintf(out, "%lx\n", FIRST + i * 4);
	}
	return out && fclose(out) == 0 ? 0 : 1;
}
