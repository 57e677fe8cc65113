/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many processes in many namespaces: ns_procs PROCESSES NAMESPACES. Each namespace is of the next
 * of five kinds, and the processes are spread over them. Prints "up" when all are there; they end
 * when stdin does.
 */
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

static const int kinds[] = { CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWNET,
			     CLONE_NEWCGROUP };

static void fail(const char *what)
{
	perror(what);
	_exit(1);
}

/* A process that says it is there, and stays as long as its parent does. */
static void stay(int ready)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || write(ready, "x", 1) != 1)
		fail("stay");
	for (;;)
		pause();
}

/* One namespace: its first process makes the others. */
static void group(int ready, int kind, int processes)
{
	if (unshare(kind) < 0)
		fail("unshare");
	for (int i = 1; i < processes; i++) {
		pid_t pid = fork();

		if (pid < 0)
			fail("fork");
		if (pid == 0)
			stay(ready);
	}
	stay(ready);
}

int main(int argc, char **argv)
{
	int processes = argc > 2 ? atoi(argv[1]) : 0, namespaces = argc > 2 ? atoi(argv[2]) : 0;
	int each = namespaces > 0 ? processes / namespaces : 0, ready[2];
	char byte;

	if (each < 1 || pipe(ready) < 0)
		return 2;
	for (int i = 0; i < namespaces; i++) {
		pid_t pid = fork();

		if (pid < 0)
			fail("fork");
		if (pid == 0)
			group(ready[1], kinds[i % (int)(sizeof(kinds) / sizeof(kinds[0]))], each);
	}
	(void)close(ready[1]); /* so that an end of all of them shows */
	for (int i = 0; i < each * namespaces; i++) {
		if (read(ready[0], &byte, 1) != 1)
			fail("a process did not come up");
	}
	if (puts("up") < 0 || fflush(stdout) != 0)
		return 1;
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	return 0;
}
