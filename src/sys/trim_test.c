/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/trim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

/* KiB resident: counted page by page, unlike those of /proc/PID/status, which are some 200 off. */
static unsigned resident(void)
{
	FILE *file = fopen("/proc/self/smaps_rollup", "re");
	char line[200];
	unsigned kib = 0;

	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "Rss: %u", &kib) == 1)
			break;
	}
	fclose(file);
	assert_true(kib > 0);
	return kib;
}

/* Constants that a fault brings back, more of them than it brings at once; and data that nothing
 * would. */
static const char constants[512][4096] = { [0 ... 511] = { 'c' } };
static char data[4096] = { 'x' };

static unsigned read_all(void)
{
	unsigned sum = 0;

	for (size_t i = 0; i < 512; i++)
		sum += (unsigned char)*(const volatile char *)constants[i];
	return sum;
}

static void test_code_and_constants_go_data_stay(void **state)
{
	data[0] = 'y';
	assert_int_equal(read_all(), 512 * 'c');

	unsigned before = resident();

	nook_trim();
	assert_true(resident() + 1000 < before);
	assert_int_equal(data[0], 'y');
	assert_int_equal(read_all(), 512 * 'c');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_code_and_constants_go_data_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
