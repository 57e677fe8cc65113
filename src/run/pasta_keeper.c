/* SPDX-License-Identifier: Apache-2.0 */
#include "pasta.h"

#include "base/own.h"
#include "base/text.h"
#include "stage/init.h"
#include "sys/pidfd.h"
#include "sys/process.h"
#include "sys/trim.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_ARGS 512

/* ---- pasta itself ---- */

static void say(int words, const char *what, int error)
{
	char text[300];
	size_t len = nook_format(text, sizeof(text), "%s: %s\n", what, strerrordesc_np(error));

	if (write(words, text, len) < 0) /* nobody else to tell */
		_exit(126);
}

/* Waits until the keeper has no rights any more: then its descriptors can be opened by who has
 * fewer than all. */
static void await_keeper(int gate)
{
	char c;

	while (read(gate, &c, 1) < 0 && errno == EINTR)
		;
	(void)close(gate); /* it has no more to say */
}

_Noreturn void nook_pasta_exec(const struct nook_pasta *p, const char *netns)
{
	const char *argv[MAX_ARGS + 2];
	char *env[] = { NULL };
	sigset_t none;
	size_t n = 0;

	while (p->argv[n] && n < MAX_ARGS) {
		argv[n] = p->argv[n];
		n++;
	}
	argv[n++] = netns;
	argv[n] = NULL;
	(void)sigemptyset(&none); /* these can't fail for good arguments */
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	if (dup2(p->words, 1) >= 0 && dup2(p->words, 2) >= 0)
		(void)execve(argv[0], (char *const *)(uintptr_t)argv, env);
	say(p->words, argv[0], errno);
	_exit(127);
}

/* ---- the keeper ---- */

static _Noreturn void give_up(const struct nook_pasta *p, const char *what, int error)
{
	say(p->words, what, error);
	_exit(125);
}

static int own_pid(void)
{
	char text[16];
	ssize_t n = readlink("/proc/self", text, sizeof(text) - 1);
	uint64_t pid = 0;

	text[n > 0 ? n : 0] = '\0';
	return nook_parse_u64(text, INT_MAX, &pid) == 0 ? (int)pid : -1;
}

/*
 * Without rights, and to be looked into by pasta, which has the same user: it opens the network
 * namespace among our descriptors. Nobody else sees us: the container's processes are in a pid
 * namespace beside ours.
 */
static void become_small(const struct nook_pasta *p)
{
	static const char name[] = "nook-pasta";
	int rc = nook_prctl(PR_SET_NAME, (unsigned long)name, 0);

	nook_forget_words(name);
	nook_arena_free(p->arena);
	if (rc == 0)
		rc = nook_capset(0, 0, 0);
	if (rc == 0)
		rc = nook_prctl(PR_SET_DUMPABLE, 1, 0);
	/* The last: what goes before clears it. */
	if (rc == 0)
		rc = nook_prctl(PR_SET_PDEATHSIG, SIGKILL, 0);
	if (rc < 0)
		give_up(p, "prctl, capset of pasta's keeper", -rc);

	struct pollfd reader = { .fd = p->tell };

	if (poll(&reader, 1, 0) == 1 && reader.revents & POLLERR)
		_exit(125); /* our maker has died before that */
}

/* pasta's first process ends when the network is there; the one that serves it becomes our child by
 * that. */
static void await_first(const struct nook_pasta *p, pid_t first)
{
	const char ready = NOOK_PASTA_READY;
	int status;

	while (waitpid(first, &status, 0) < 0) {
		if (errno != EINTR)
			give_up(p, "waitpid(pasta)", errno);
	}
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		_exit(125); /* it has said why */
	if (write(p->tell, &ready, 1) != 1)
		_exit(125);
}

static _Noreturn void be_keeper(struct nook_pasta *p)
{
	char netns[64];
	struct nook_pasta mine = *p;
	int pid = own_pid(), gate[2];

	(void)setsid(); /* we are nobody's leader yet */
	(void)nook_format(netns, sizeof(netns), "/proc/%d/fd/%d", pid, mine.netns);
	if (pipe2(gate, O_CLOEXEC) < 0)
		give_up(&mine, "pipe", errno);

	pid_t first = nook_clone(0, NO_FD, NULL);

	if (first == 0) {
		(void)close(gate[1]);
		await_keeper(gate[0]);
		nook_pasta_exec(&mine, netns);
	}
	if (first < 0)
		give_up(&mine, "clone3", -first);
	(void)close(gate[0]);
	become_small(&mine);
	(void)close(gate[1]); /* go */
	await_first(&mine, first);
	(void)close(mine.tell);
	(void)close(mine.words);
	(void)close(mine.netns);
	(void)poll(NULL, 0, NOOK_TRIM_AFTER_MS);
	nook_trim();
	while (waitpid(-1, NULL, 0) >= 0 || errno == EINTR)
		;
	_exit(0);
}

/* ---- its making ---- */

static int failed(struct nook_pasta *p, int rc, const char *call)
{
	p->error = -rc;
	p->call = call;
	return 1;
}

static int close_others(const struct nook_pasta *p)
{
	const int keep[] = { p->userns, p->netns, p->tell, p->words };

	return nook_close_others(keep, ARRAY_SIZE(keep));
}

/* The caller's streams are not to stay open for as long as we live. */
static int lay_out_streams(void)
{
	auto_close int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int fd = 0; fd <= 2; fd++) {
		if (null < 0 || dup2(null, fd) < 0)
			return -errno;
	}
	return 0;
}

/* Root in there, and nobody outside: as who was root of the host, pasta would be that to the files
 * of the host. */
static int become_root(const struct nook_pasta *p)
{
	int rc = nook_setns(p->userns, CLONE_NEWUSER);

	if (rc == 0) {
		rc = nook_setgroups(NULL, 0);
		if (rc == -EPERM) /* denied there: our own group alone is mapped */
			rc = 0;
	}
	if (rc == 0)
		rc = nook_setresgid(0);
	return rc == 0 ? nook_setresuid(0) : rc;
}

int nook_pasta_enter(struct nook_pasta *p)
{
	int rc = close_others(p);

	if (rc < 0)
		return failed(p, rc, "close_range");
	rc = lay_out_streams();
	if (rc < 0)
		return failed(p, rc, "open /dev/null");
	rc = become_root(p);
	return rc < 0 ? failed(p, rc, "enter the user namespace as its root") : 0;
}

int nook_pasta_make_keeper(void *pasta)
{
	struct nook_pasta *p = pasta;

	if (nook_pasta_enter(p) != 0)
		return 1;

	int rc = nook_unshare(CLONE_NEWPID);

	if (rc < 0)
		return failed(p, rc, "unshare(CLONE_NEWPID)");

	pid_t keeper = nook_clone(CLONE_PARENT, NO_FD, NULL);

	if (keeper == 0)
		be_keeper(p);
	if (keeper < 0)
		return failed(p, keeper, "clone3");
	p->keeper = keeper;
	return 0;
}
