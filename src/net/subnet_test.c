/* SPDX-License-Identifier: Apache-2.0 */
#include "subnet.h"

#include "base/own.h"
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include <sys/socket.h>

/* Any prefix, zero bits behind it or not. */
static struct nook_net_addr read_subnet(const char *text)
{
	struct nook_net_addr addr = { 0 };
	char copy[NOOK_NET_TEXT], *slash;
	uint64_t prefix = 0;

	(void)nook_format(copy, sizeof(copy), "%s", text);
	slash = strchr(copy, '/');
	assert_non_null(slash);
	*slash = '\0';
	assert_int_equal(nook_parse_u64(slash + 1, 128, &prefix), 0);
	assert_int_equal(nook_net_parse_address(copy, &addr, NULL), 0);
	addr.prefix = (uint8_t)prefix;
	return addr;
}

static void test_first_free(void **state)
{
	static const struct {
		const char *taken[5];
		const char *want; /* NULL: none is left */
	} cases[] = {
		{ { NULL }, "10.88.0.0/24" },
		{ { "10.88.0.0/24" }, "10.88.1.0/24" },
		{ { "10.88.1.0/24" }, "10.88.0.0/24" },
		{ { "10.88.0.77/32" }, "10.88.1.0/24" },
		{ { "10.88.0.5/24" }, "10.88.1.0/24" },
		{ { "10.88.0.0/23" }, "10.88.2.0/24" },
		{ { "10.88.0.0/16" }, "10.89.0.0/24" },
		{ { "10.88.0.0/16", "10.89.0.0/24" }, "10.89.1.0/24" },
		{ { "10.88.0.255/32", "10.88.1.0/32" }, "10.88.2.0/24" },
		{ { "10.64.0.0/10" }, "10.128.0.0/24" },
		{ { "10.0.0.0/8" }, "172.16.0.0/24" },
		{ { "10.0.0.0/8", "172.16.0.0/16" }, "172.17.0.0/24" },
		{ { "10.0.0.0/8", "172.16.0.0/12" }, "192.168.0.0/24" },
		{ { "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/17" }, "192.168.128.0/24" },
		{ { "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16" }, NULL },
		/* What takes nothing. */
		{ { "0.0.0.0/0" }, "10.88.0.0/24" },
		{ { "0.0.0.0/1", "128.0.0.0/1" }, "10.88.0.0/24" },
		{ { "10.87.255.0/24", "172.15.0.0/16" }, "10.88.0.0/24" },
		{ { "fd00::/8", "a58::/24" }, "10.88.0.0/24" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct nook_subnet_pool pool = { 0 };
		struct nook_net_addr got = { 0 };
		char text[NOOK_NET_TEXT];

		for (size_t k = 0; k < 5 && cases[i].taken[k]; k++) {
			struct nook_net_addr taken = read_subnet(cases[i].taken[k]);

			nook_subnet_mark(&pool, &taken);
		}
		int rc = nook_subnet_pick(&pool, &got);

		assert_int_equal(rc, cases[i].want ? 0 : -EADDRNOTAVAIL);
		if (cases[i].want)
			assert_string_equal(nook_net_text_prefix(&got, text), cases[i].want);
	}
}

/* Each is taken once, in order, until none is left. */
static void test_all_of_them(void **state)
{
	struct nook_subnet_pool pool = { 0 };
	struct nook_net_addr got, last = { 0 };
	unsigned n = 0;

	while (nook_subnet_pick(&pool, &got) == 0) {
		struct nook_error err = { 0 };
		char text[NOOK_NET_TEXT];

		if (nook_net_parse_subnet(nook_net_text_prefix(&got, text), &got, &err) < 0)
			fail_msg("%s", err.why);
		assert_true(memcmp(got.bytes, last.bytes, 4) > 0);
		last = got;
		nook_subnet_mark(&pool, &got);
		n++;
	}
	assert_int_equal(n, NOOK_SUBNET_SLOTS);
}

static void test_what_stands_in_the_way(void **state)
{
	static const struct {
		const char *wanted, *other;
		bool on_link, want;
	} cases[] = {
		{ "10.5.0.0/24", "10.5.0.0/24", true, true },
		{ "10.5.0.0/24", "10.5.0.7/32", true, true },
		{ "10.5.0.0/24", "10.5.0.1/16", true, true },
		{ "10.5.0.0/24", "10.6.0.0/16", true, false },
		{ "10.5.0.0/24", "0.0.0.0/0", true, false },
		{ "10.5.0.0/24", "0.0.0.0/1", true, false },
		{ "10.5.0.0/24", "10.5.0.0/24", false, true },
		{ "10.5.0.0/24", "10.5.0.128/25", false, true },
		{ "10.5.0.0/24", "10.5.0.0/16", false, false },
		{ "10.5.0.0/24", "10.0.0.0/8", false, false },
		{ "fd00:1::/64", "fd00:1::/64", true, true },
		{ "fd00:1::/64", "fd00::/8", false, false },
		{ "fd00:1::/64", "10.0.0.0/8", true, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct nook_net_addr wanted = read_subnet(cases[i].wanted);
		struct nook_subnet_other other = { .subnet = read_subnet(cases[i].other),
						   .on_link = cases[i].on_link };

		if (nook_subnet_clash(&wanted, &other) != cases[i].want)
			fail_msg("%s and %s", cases[i].wanted, cases[i].other);
	}
}

static void test_local_v6(void **state)
{
	struct nook_net_addr a = { 0 }, b = { 0 }, again;
	char text[NOOK_NET_TEXT];

	assert_int_equal(nook_subnet_choose_v6(&a, NULL), 0);
	assert_int_equal(nook_subnet_choose_v6(&b, NULL), 0);
	assert_int_equal(a.bytes[0], 0xfd);
	assert_int_equal(nook_net_parse_subnet(nook_net_text_prefix(&a, text), &again, NULL), 0);
	assert_int_equal(again.prefix, 64);
	/* Once in 2^40 this fails. */
	assert_false(nook_net_overlap(&a, &b));
}

static void test_other_networks(void **state)
{
	const struct nook_network blue = {
		.name = "blue", .subnet = { [NOOK_NET_V4] = read_subnet("10.201.7.0/24") }
	};
	struct nook_net_addr inside = read_subnet("10.201.7.128/25"), got;
	struct nook_error err = { 0 };

	assert_int_equal(nook_subnet_check(&inside, "--subnet x", &blue, 1, &err), -EADDRINUSE);
	assert_string_equal(err.why,
			    "the subnet 10.201.7.128/25 overlaps 10.201.7.0/24 of network blue");
	assert_string_equal(err.where, "--subnet x");
	assert_string_equal(err.id, "subnet-taken");

	assert_int_equal(nook_subnet_choose(&blue, 1, &got, NULL), 0);
	assert_false(nook_net_overlap(&got, &blue.subnet[NOOK_NET_V4]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_free),
		cmocka_unit_test(test_all_of_them),
		cmocka_unit_test(test_what_stands_in_the_way),
		cmocka_unit_test(test_local_v6),
		cmocka_unit_test(test_other_networks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
