/* SPDX-License-Identifier: Apache-2.0 */
#include "names.h"

#include "base/own.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

static void test_filter(void **state)
{
	static const struct {
		const char *name, *text, *want;
		size_t servers;
	} cases[] = {
		{ "empty", "", "", 0 },
		{ "plain", "nameserver 192.0.2.1\n", "nameserver 192.0.2.1\n", 1 },
		{ "no newline", "nameserver 192.0.2.1", "nameserver 192.0.2.1\n", 1 },
		{ "the stub of systemd-resolved",
		  "# comment\nnameserver 127.0.0.53\noptions edns0 trust-ad\nsearch example.com\n",
		  "search example.com\noptions edns0 trust-ad\n", 0 },
		{ "any loopback",
		  "nameserver 127.1.2.3\nnameserver ::1\nnameserver 0.0.0.0\nnameserver ::\n"
		  "nameserver ::ffff:127.0.0.1\nnameserver 2001:db8::1\n",
		  "nameserver 2001:db8::1\n", 1 },
		{ "of one link",
		  "nameserver fe80::1%eth0\nnameserver fe80::1\nnameserver febf::1\n"
		  "nameserver fec0::1\n",
		  "nameserver fec0::1\n", 1 },
		{ "three at most",
		  "nameserver 192.0.2.1\nnameserver 127.0.0.1\nnameserver 192.0.2.2\n"
		  "nameserver 192.0.2.3\nnameserver 192.0.2.4\n",
		  "nameserver 192.0.2.1\nnameserver 192.0.2.2\nnameserver 192.0.2.3\n", 3 },
		{ "the last search", "search a\ndomain b\nsearch c d\n", "search c d\n", 0 },
		{ "tabs and what follows", "nameserver\t 192.0.2.1 # x\n", "nameserver 192.0.2.1\n",
		  1 },
		{ "no keyword",
		  "nameserver192.0.2.1\n nameserver 192.0.2.1\nNameserver 192.0.2.1\n"
		  "#nameserver 192.0.2.1\nnameserver\nnameserver \nsortlist 1.2.3.4\n",
		  "", 0 },
		{ "no address",
		  "nameserver 192.0.2\nnameserver ns.example.com\nnameserver 1.2.3.4.5\n", "", 0 },
		{ "no text", "search \x1b[2J\nsearch \xff\nnameserver 192.0.2.1\r\n", "", 0 },
	};
	auto_arena struct nook_arena a = { 0 };

	assert_int_equal(nook_arena_init(&a), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *got = NULL;
		size_t n = nook_resolv_filter(&a, cases[i].text, &got);

		if (n != cases[i].servers || strcmp(got, cases[i].want) != 0)
			fail_msg("%s: %zu, %s", cases[i].name, n, got);
	}
}

/* Too long, too many: bounded. */
static void test_bounds(void **state)
{
	auto_arena struct nook_arena a = { 0 };
	const char *got = NULL;

	assert_int_equal(nook_arena_init(&a), 0);

	char *text = nook_alloc(&a, 60000);

	memset(text, 'a', 2000);
	memcpy(text, "search ", 7);
	assert_int_equal(nook_resolv_filter(&a, text, &got), 0);
	assert_string_equal(got, "");

	*text = '\0';
	for (int i = 0; i < 50; i++)
		strcat(text, "options ndots:1\n");
	assert_int_equal(nook_resolv_filter(&a, text, &got), 0);
	assert_int_equal(strlen(got), 8 * strlen("options ndots:1\n"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_filter),
		cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
