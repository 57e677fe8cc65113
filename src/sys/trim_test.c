/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/trim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

/* RssFile in KiB. */
static unsigned file_pages(void)
{
	FILE *file = fopen("/proc/self/status", "re");
	char line[200];
	unsigned kib = 0;

	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "RssFile: %u", &kib) == 1)
			break;
	}
	fclose(file);
	assert_true(kib > 0);
	return kib;
}

/* Constants that only a fault brings back, and data that nothing would. */
static const char constants[3 * 4096] = { [0] = 'a', [4096] = 'b', [8192] = 'c' };
static char data[4096] = { 'x' };

static void test_code_and_constants_go_data_stay(void **state)
{
	const volatile char *read = constants;

	data[0] = 'y';
	assert_int_equal(read[0] + read[4096] + read[8192], 'a' + 'b' + 'c');

	unsigned before = file_pages();

	nook_trim();
	assert_true(file_pages() < before);
	assert_int_equal(data[0], 'y');
	assert_int_equal(read[0] + read[4096] + read[8192], 'a' + 'b' + 'c');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_code_and_constants_go_data_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
