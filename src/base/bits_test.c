/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bits.h"
#include "base/own.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct row {
	const char *text;
	int result;
	unsigned long word0, word1;
	unsigned last;
};

static const struct row rows[] = {
	{ "0", 0, 1, 0, 0 },
	{ "0-3,7", 0, 0x8f, 0, 7 },
	{ "7,0-3", 0, 0x8f, 0, 7 },
	{ "3-3", 0, 8, 0, 3 },
	{ "1,1,0-1", 0, 3, 0, 1 },
	{ "63-64", 0, 1UL << 63, 1, 64 },
	{ "8191", 0, 0, 0, 8191 },
	{ "", -EINVAL, 0, 0, 0 },
	{ ",", -EINVAL, 0, 0, 0 },
	{ "1,", -EINVAL, 0, 0, 0 },
	{ ",1", -EINVAL, 0, 0, 0 },
	{ "1-", -EINVAL, 0, 0, 0 },
	{ "-1", -EINVAL, 0, 0, 0 },
	{ "1-2-3", -EINVAL, 0, 0, 0 },
	{ "3-1", -EINVAL, 0, 0, 0 },
	{ "01", -EINVAL, 0, 0, 0 },
	{ "+1", -EINVAL, 0, 0, 0 },
	{ " 1", -EINVAL, 0, 0, 0 },
	{ "1\n", -EINVAL, 0, 0, 0 },
	{ "0x1", -EINVAL, 0, 0, 0 },
	{ "all", -EINVAL, 0, 0, 0 },
	{ "8192", -ERANGE, 0, 0, 0 },
	{ "0-8192", -ERANGE, 0, 0, 0 },
	{ "00000000001", -ERANGE, 0, 0, 0 },
};

static void test_parse(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct nook_bits bits;

		memset(&bits, 0xaa, sizeof(bits));

		int rc = nook_bits_parse(rows[i].text, &bits);

		if (rc != rows[i].result)
			fail_msg("\"%s\": %d and not %d", rows[i].text, rc, rows[i].result);
		if (rc < 0) {
			assert_int_equal(bits.last, 0xaaaaaaaa);
			continue;
		}
		assert_int_equal(bits.word[0], rows[i].word0);
		assert_int_equal(bits.word[1], rows[i].word1);
		assert_int_equal(bits.last, rows[i].last);
		assert_true(bits.word[bits.last / 64] >> (bits.last % 64) & 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_parse) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
