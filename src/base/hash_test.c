/* SPDX-License-Identifier: Apache-2.0 */
#include "hash.h"

#include "own.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

/* Names of links, marks in hosts files and MAC addresses are made of these: they may never change.
 * The first three are of the draft's own test vectors. */
static void test_the_same_each_time(void **state)
{
	static const struct {
		const char *text;
		uint64_t hash;
		uint32_t hash32;
	} cases[] = {
		{ "", UINT64_C(0xcbf29ce484222325), 0x811c9dc5 },
		{ "a", UINT64_C(0xaf63dc4c8601ec8c), 0xe40c292c },
		{ "foobar", UINT64_C(0x85944171f73967e8), 0xbf9cf968 },
		{ "\xff\x80", UINT64_C(0x0a9a2607b6f6e56a), 0xee1eea4a }, /* bytes are not signed */
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_true(nook_hash_text(cases[i].text) == cases[i].hash);
		assert_true(nook_hash32_text(cases[i].text) == cases[i].hash32);
	}
}

static void test_in_pieces(void **state)
{
	static const char text[] = "one\0two";
	uint64_t whole = nook_hash(text, sizeof(text), NOOK_HASH_BEGIN);

	for (size_t n = 0; n <= sizeof(text); n++)
		assert_true(nook_hash(text + n, sizeof(text) - n,
				      nook_hash(text, n, NOOK_HASH_BEGIN)) == whole);
	assert_true(whole != nook_hash_text(text)); /* a NUL is a byte like others */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_same_each_time),
		cmocka_unit_test(test_in_pieces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
