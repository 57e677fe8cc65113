/* SPDX-License-Identifier: Apache-2.0 */
#include "print.c"

#include "base/own.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

int oci_failed(const struct oci *o, const struct nook_error *err)
{
	(void)o;
	(void)err;
	return OCI_FAILURE;
}

static const struct {
	int64_t seconds;
	unsigned nanoseconds;
	const char *text;
} times[] = {
	{ 0, 0, "1970-01-01T00:00:00Z" },
	{ -1, 0, "1969-12-31T23:59:59Z" },
	{ 951782400, 0, "2000-02-29T00:00:00Z" },
	{ 951868800, 0, "2000-03-01T00:00:00Z" },
	{ 1077926399, 0, "2004-02-27T23:59:59Z" },
	{ 1735689599, 0, "2024-12-31T23:59:59Z" },
	{ 1795329104, 0, "2026-11-22T06:31:44Z" },
	{ 1795329104, 500000000, "2026-11-22T06:31:44.5Z" },
	{ 1795329104, 10, "2026-11-22T06:31:44.00000001Z" },
	{ 1795329104, 999999999, "2026-11-22T06:31:44.999999999Z" },
	{ 4107542400, 0, "2100-03-01T00:00:00Z" }, /* no leap year */
	{ 253402300799, 0, "9999-12-31T23:59:59Z" },
};

static void test_times(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
		char text[40];

		oci_time_text(times[i].seconds, times[i].nanoseconds, text);
		assert_string_equal(text, times[i].text);
	}
}

static const struct {
	const char *text;
	int result;
	int64_t nanoseconds;
} durations[] = {
	{ "5s", 0, 5000000000 },
	{ "0", 0, 0 },
	{ "500ms", 0, 500000000 },
	{ "1m30s", 0, 90000000000 },
	{ "1.5h", 0, 5400000000000 },
	{ ".5s", 0, 500000000 },
	{ "1.s", 0, 1000000000 },
	{ "3us", 0, 3000 },
	{ "3\u00b5s", 0, 3000 },
	{ "7ns", 0, 7 },
	{ "1.0000000001s", 0, 1000000000 },
	{ "100h", 0, 360000000000000 },
	{ "", -EINVAL, 0 },
	{ "5", -EINVAL, 0 },
	{ "s", -EINVAL, 0 },
	{ ".s", -EINVAL, 0 },
	{ "-5s", -EINVAL, 0 },
	{ "5 s", -EINVAL, 0 },
	{ "5d", -EINVAL, 0 },
	{ "5sec", -EINVAL, 0 },
	{ "3000000h", -EINVAL, 0 },
	{ "2562047h2562047h", -EINVAL, 0 },
	{ "99999999999999999999s", -EINVAL, 0 },
};

static void test_durations(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(durations); i++) {
		int64_t value = 0;
		int rc = oci_duration(durations[i].text, &value);

		if (rc != durations[i].result || value != durations[i].nanoseconds)
			fail_msg("\"%s\": %d, %ld", durations[i].text, rc, (long)value);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_durations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
