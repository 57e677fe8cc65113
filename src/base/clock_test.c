/* SPDX-License-Identifier: Apache-2.0 */
#include "clock.h"

#include "own.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <signal.h>
#include <sys/time.h>
#include <time.h>

static void test_it_goes_forward(void **state)
{
	const struct timespec pause = { .tv_nsec = 2500000 };
	int64_t ms = nook_now_ms(), ns = nook_now_ns();

	assert_int_equal(nanosleep(&pause, NULL), 0);
	assert_true(nook_now_ns() - ns >= pause.tv_nsec);
	assert_true(nook_now_ms() - ms >= 2);
	assert_true(nook_now_ns() / 1000000 - nook_now_ms() <= 0); /* the same clock */
}

static void nothing(int signal)
{
	(void)signal;
}

/* It lasts as long as said, whatever interrupts it. */
static void test_patience_lasts(void **state)
{
	static const int64_t cases[] = { -5, 0, 1, 30 };
	const struct sigaction quiet = { .sa_handler = nothing };
	struct sigaction before;

	assert_int_equal(sigaction(SIGALRM, &quiet, &before), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases) * 2; i++) {
		const struct itimerval often = { { 0, i % 2 ? 700 : 0 }, { 0, i % 2 ? 700 : 0 } };
		const struct itimerval never = { 0 };
		int64_t ms = cases[i / 2], began = nook_now_ns();
		unsigned waits = 0;

		assert_int_equal(setitimer(ITIMER_REAL, &often, NULL), 0);
		for (struct nook_patience p = nook_patience(ms); nook_patience_lasts(&p);)
			waits++;
		assert_int_equal(setitimer(ITIMER_REAL, &never, NULL), 0);
		assert_true(nook_now_ns() - began >= ms * 1000000);
		if (ms <= 0)
			assert_int_equal(waits, 0);
	}
	assert_int_equal(sigaction(SIGALRM, &before, NULL), 0);
}

static void test_patience_grows(void **state)
{
	static const int64_t tenths[] = { 1, 2, 4, 8, 16, 32, 50, 50 };
	struct nook_patience p = nook_patience(3600000);

	for (size_t i = 0; i < ARRAY_SIZE(tenths); i++) {
		int64_t began = nook_now_ns();

		assert_true(nook_patience_lasts(&p));
		assert_true(nook_now_ns() - began >= tenths[i] * 100000);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_it_goes_forward),
		cmocka_unit_test(test_patience_lasts),
		cmocka_unit_test(test_patience_grows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
