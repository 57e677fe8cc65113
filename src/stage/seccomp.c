/* SPDX-License-Identifier: Apache-2.0 */
/* The system calls that the program may make: seccomp(2). */
#include "stage.h"

#include "base/own.h"
#include "sys/process.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef SECCOMP_FILTER_FLAG_TSYNC
#define SECCOMP_FILTER_FLAG_TSYNC (1UL << 0)
#endif

bool nook_seccomp_early(const struct nook_plan *plan)
{
	return plan->process.seccomp && !plan->process.no_new_privs && !plan->process.seccomp_late;
}

bool nook_seccomp_told(const struct nook_plan *plan)
{
	return plan->process.seccomp && plan->process.seccomp_listener;
}

static int fail_load(const struct nook_plan_process *p, int error, struct nook_error *err)
{
	if (error == EBUSY)
		nook_hint(err, "nook itself runs under a filter that asks somebody; the kernel "
			       "allows one such filter for a process");
	return nook_fail(err, error, "seccomp(SET_MODE_FILTER, %zu instructions)", p->n_seccomp);
}

static int load_plain(const struct nook_plan_process *p, struct nook_error *err)
{
	int rc = nook_seccomp_load(p->seccomp, p->n_seccomp, p->seccomp_flags);

	return rc < 0 ? fail_load(p, -rc, err) : 0;
}

/* What we and our helper say to each other, in a page that we share: a descriptor, or these. */
enum { NOT_YET = -1, FAILED = -2, PASSED_ON = -3 };

#define HELPER_SECONDS 10

static _Noreturn void be_helper(const struct nook_stage *s, pid_t parent, atomic_int *said)
{
	static const struct timespec nap = { 0, 100000 };
	int fd;

	/* Should it be gone already, nobody will ever say anything. */
	if (nook_prctl(PR_SET_PDEATHSIG, SIGKILL, 0) < 0 || getppid() != parent)
		_exit(1);
	while ((fd = atomic_load(said)) == NOT_YET)
		(void)nanosleep(&nap, NULL); /* cut short, it looks once more */
	if (fd < 0)
		_exit(0);

	int rc = nook_send(s->walk.channel, NOOK_MSG_FILTERED, NULL, 0, fd);

	(void)close(fd); /* ours too: we have these in common */
	if (rc == 0)
		atomic_store(said, PASSED_ON);
	_exit(rc < 0);
}

/* Without a system call but the clock, which is none: the filter may refuse all of them. */
static bool passed_on(atomic_int *said)
{
	struct timespec now, begin;

	(void)clock_gettime(CLOCK_MONOTONIC, &begin); /* can't fail for this clock */
	do {
		(void)clock_gettime(CLOCK_MONOTONIC, &now);
		if (atomic_load(said) == PASSED_ON)
			return true;
	} while (now.tv_sec - begin.tv_sec < HELPER_SECONDS);
	return false;
}

static int wait_helper(pid_t pid, atomic_int *said, struct nook_error *err)
{
	int status = 0;
	pid_t got;

	while ((got = waitpid(pid, &status, __WALL)) < 0 && errno == EINTR)
		;
	if (got < 0 && passed_on(said))
		return 0;
	return got == pid && status == 0 ? 0
					 : nook_refuse(err, EIO,
						       "the helper that passes the filter's notify "
						       "descriptor on ended with status 0x%x",
						       status);
}

/*
 * Whoever is asked about system calls gets the filter's descriptor from outside. Once the filter is
 * loaded, the very call that would send it may have to be asked about: so a helper does that, who
 * shares our descriptors and is not filtered.
 */
static int load_told(struct nook_stage *s, struct nook_error *err)
{
	const struct nook_plan_process *p = &s->plan->process;
	atomic_int *said = mmap(NULL, sizeof(*said), PROT_READ | PROT_WRITE,
				MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (said == MAP_FAILED)
		return nook_fail(err, errno, "mmap of a shared page");
	atomic_store(said, NOT_YET);

	pid_t parent = getpid(), helper = nook_clone_files();

	if (helper == 0)
		be_helper(s, parent, said);
	if (helper < 0)
		return nook_fail(err, -helper, "clone(CLONE_FILES)");

	/* There is one thread to filter; the kernel takes one of these flags only. */
	unsigned flags =
		(p->seccomp_flags & ~SECCOMP_FILTER_FLAG_TSYNC) | SECCOMP_FILTER_FLAG_NEW_LISTENER;
	int fd = nook_seccomp_load(p->seccomp, p->n_seccomp, flags);

	atomic_store(said, fd < 0 ? FAILED : fd);

	int rc = wait_helper(helper, said, err);

	/* The page stays till execve: munmap(2) may be asked about as well. */
	return fd < 0 ? fail_load(p, -fd, err) : rc;
}

int load_seccomp(void *ctx, struct nook_error *err)
{
	struct nook_stage *s = ctx;

	return nook_seccomp_told(s->plan) ? load_told(s, err) : load_plain(&s->plan->process, err);
}

void nook_show_seccomp(const struct nook_plan *plan, struct nook_rows *rows)
{
	if (nook_seccomp_told(plan))
		nook_show(rows, "only the system calls that it allows, or that another allows",
			  "clone(FILES), seccomp(SET_MODE_FILTER, NEW_LISTENER, \"%s\"), sendmsg",
			  plan->process.seccomp_name);
	else
		nook_show(rows, "only the system calls that it allows",
			  "seccomp(SET_MODE_FILTER, \"%s\")", plan->process.seccomp_name);
}

void load_seccomp_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	nook_show_seccomp(plan, rows);
}
