/* SPDX-License-Identifier: Apache-2.0 */
#include "clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_it_goes_forward),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
