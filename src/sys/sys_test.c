/* SPDX-License-Identifier: Apache-2.0 */
#include "base/own.h"
#include "pidfd.h"
#include "openat2.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

static void test_wait_times_out_then_sees_the_end(void **state)
{
	pid_t pid = fork();

	if (pid == 0) {
		(void)pause(); /* returns only by a signal, and that one kills */
		_exit(0);
	}
	assert_true(pid > 0);

	auto_close int fd = nook_pidfd_open(pid, 0);

	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	assert_int_equal(nook_pidfd_wait(fd, 0), -ETIMEDOUT);
	assert_int_equal(nook_pidfd_wait(fd, 20), -ETIMEDOUT);
	assert_int_equal(nook_pidfd_send_signal(fd, SIGKILL), 0);
	assert_int_equal(nook_pidfd_wait(fd, 5000), 0);
	assert_int_equal(nook_pidfd_send_signal(fd, SIGKILL), 0); /* a zombie takes signals */

	int status = 0;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WTERMSIG(status), SIGKILL);
	assert_int_equal(nook_pidfd_send_signal(fd, 0), -ESRCH);
	assert_int_equal(nook_pidfd_wait(fd, -1), 0);
}

static void ignore(int signal)
{
	(void)signal;
}

static void test_signals_do_not_lengthen_the_wait(void **state)
{
	struct sigaction act = { .sa_handler = ignore };
	struct timespec before, after;
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	struct itimerspec every = { .it_interval.tv_nsec = 5000000, .it_value.tv_nsec = 5000000 };
	timer_t timer;
	auto_close int self = nook_pidfd_open(getpid(), 0);

	assert_int_equal(sigaction(SIGUSR1, &act, NULL), 0);
	assert_int_equal(timer_create(CLOCK_MONOTONIC, &event, &timer), 0);
	assert_int_equal(timer_settime(timer, 0, &every, NULL), 0);
	(void)clock_gettime(CLOCK_MONOTONIC, &before);
	assert_int_equal(nook_pidfd_wait(self, 60), -ETIMEDOUT);
	(void)clock_gettime(CLOCK_MONOTONIC, &after);
	assert_int_equal(timer_delete(timer), 0);

	int64_t ms =
		(after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000;

	assert_true(ms >= 55);
	assert_true(ms < 3000);
}

static void test_bad_arguments(void **state)
{
	assert_int_equal(nook_pidfd_open(0, 0), -EINVAL);
	assert_int_equal(nook_pidfd_open(0x3fffffff, 0), -ESRCH);
	assert_int_equal(nook_pidfd_send_signal(-1, SIGTERM), -EBADF);
	assert_int_equal(nook_pidfd_wait(999, 0), -EBADF);
	assert_int_equal(nook_close_range(5, 4, 0), -EINVAL);
}

static void test_close_range(void **state)
{
	int a = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int high = fcntl(a, F_DUPFD_CLOEXEC, 700);

	assert_int_equal(high, 700);
	assert_int_equal(nook_close_range(700, ~0u, 0), 0);
	assert_int_equal(fcntl(high, F_GETFD), -1);
	assert_true(fcntl(a, F_GETFD) >= 0);
	close_fd(&a);
}

static void test_openat2_stays_below(void **state)
{
	char dir[] = "/tmp/nook-sys-test-XXXXXX";

	assert_non_null(mkdtemp(dir));
	auto_close int base = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);

	assert_true(base >= 0);
	assert_int_equal(symlinkat("/etc", base, "etc"), 0);

	static const struct {
		const char *path;
		uint64_t flags, mode, resolve;
		int result; /* 0: a descriptor */
	} cases[] = {
		{ "new", O_CREAT | O_EXCL | O_WRONLY, 0600, RESOLVE_BENEATH, 0 },
		{ "new", O_CREAT | O_EXCL | O_WRONLY, 0600, RESOLVE_BENEATH, -EEXIST },
		{ "new", O_RDONLY, 0, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS, 0 },
		{ "new", O_RDONLY, 0600, 0, -EINVAL },
		{ "etc/passwd", O_RDONLY, 0, RESOLVE_BENEATH, -EXDEV },
		{ "etc", O_RDONLY, 0, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS, -ELOOP },
		{ "../x", O_RDONLY, 0, RESOLVE_BENEATH, -EXDEV },
		{ "/etc", O_RDONLY, 0, RESOLVE_BENEATH, -EXDEV },
		{ "none", O_RDONLY, 0, RESOLVE_BENEATH, -ENOENT },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		auto_close int fd = nook_openat2(base, cases[i].path, cases[i].flags, cases[i].mode,
						 cases[i].resolve);

		assert_int_equal(fd < 0 ? fd : 0, cases[i].result);
		if (fd >= 0)
			assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	}

	assert_int_equal(unlinkat(base, "new", 0), 0);
	assert_int_equal(unlinkat(base, "etc", 0), 0);
	assert_int_equal(rmdir(dir), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wait_times_out_then_sees_the_end),
		cmocka_unit_test(test_signals_do_not_lengthen_the_wait),
		cmocka_unit_test(test_bad_arguments),
		cmocka_unit_test(test_close_range),
		cmocka_unit_test(test_openat2_stays_below),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
