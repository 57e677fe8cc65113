/* SPDX-License-Identifier: Apache-2.0 */
/* For unit tests of undo: a STATE_DIR, programs and records; cgroups are noted only. */
#ifndef NOOK_RUN_UNDO_RIG_H
#define NOOK_RUN_UNDO_RIG_H

#include "systemd.h"
#include "run/cgroup.h"

#include "base/file.h"
#include "base/text.h"
#include "state/dir_fixture.h"
#include "sys/pidfd.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

/* Cgroups have tests of their own: these note that they were asked for, or fail. */
static char cgroup_calls[200];
static int cgroup_result;

static inline int note_call(const char *call, const struct nook_plan_cgroup_dir *dirs, size_t n,
			    struct nook_error *err)
{
	size_t len = strlen(cgroup_calls);

	for (size_t i = 0; i < n; i++)
		len += nook_format(cgroup_calls + len, sizeof(cgroup_calls) - len, "%s %s%s;", call,
				   dirs[i].mount, dirs[i].path);
	return cgroup_result ? nook_fail(err, -cgroup_result, "%s", call) : 0;
}

int nook_cgroup_kill(const struct nook_plan_cgroup_dir *dirs, size_t n, struct nook_error *err)
{
	return note_call("kill", dirs, n, err);
}

int nook_cgroup_remove_intended(const struct nook_plan_cgroup_dir *dirs, size_t n,
				struct nook_error *err)
{
	return note_call("remove intended", dirs, n, err);
}

int nook_systemd_stop(const char *unit, const char *id, struct nook_error *err)
{
	(void)unit;
	(void)id;
	(void)err;
	return 0;
}

int nook_cgroup_remove(const struct nook_plan_cgroup_dir *dirs, size_t n, struct nook_error *err)
{
	return note_call("remove", dirs, n, err);
}

static char boot_id[37];
#define RANGE (NOOK_RANGE_FIRST + 7 * NOOK_RANGE_SIZE)

static inline int begin(void **state)
{
	cgroup_calls[0] = '\0';
	cgroup_result = 0;
	return nook_boot_id(boot_id, NULL) < 0 ? -1 : make_dir(state);
}

static inline unsigned files_in(enum nook_folder f)
{
	auto_close int base = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int fd = openat(base, nook_folder_name(f), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	auto_closedir DIR *d = fd < 0 ? NULL : fdopendir(fd);
	unsigned n = 0;

	for (struct dirent *e; d && (e = readdir(d));)
		n += e->d_name[0] != '.';
	return n;
}

static inline void assert_nothing_left(void)
{
	for (int f = 0; f < NOOK_FOLDER_COUNT; f++)
		assert_int_equal(files_in((enum nook_folder)f), 0);
}

static struct nook_plan_cgroup_dir cgroups[] = { { .mount = "/m", .path = "/nook/c", .v2 = true } };
static const struct sock_filter filter[] = { { 6, 0, 0, 0x7fff0000 } };

static inline struct nook_record sample(void)
{
	return (struct nook_record){
		.boot_id = boot_id,
		.keeper = getpid(),
		.range = RANGE,
		.cgroups = cgroups,
		.n_cgroups = 1,
		.seccomp_name = "default",
		.seccomp = filter,
		.n_seccomp = 1,
	};
}

/* A program: sleeps until it is killed. Only the test's own end ends it else. */
static inline pid_t start_program(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		(void)nook_close_range(3, ~0u, 0); /* as the stage does: the lock is among them */
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			(void)pause(); /* returns for signals with a handler only */
	}
	assert_true(pid > 0);
	return pid;
}

static inline void write_aside(const struct nook_state *s, const char *path, const char *text)
{
	auto_close int fd = openat(s->base, path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0 || nook_write_fd(fd, text, strlen(text)) < 0)
		_exit(9);
}

static inline void kill_and_reap(pid_t pid)
{
	int status = 0;

	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
}

/* Ended, and by SIGKILL: then it is reaped. */
static inline void assert_was_killed(pid_t pid)
{
	int status = 0;

	assert_int_equal(waitpid(pid, &status, WNOHANG), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static inline void look(enum nook_life *life, int *rc)
{
	auto_arena struct nook_arena a = { 0 };
	struct nook_record r;

	assert_int_equal(nook_arena_init(&a), 0);
	*rc = nook_state_read(dir, "c", &a, &r, life, NULL);
}

#endif
