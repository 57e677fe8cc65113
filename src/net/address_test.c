/* SPDX-License-Identifier: Apache-2.0 */
#include "address.h"

#include "base/own.h"
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include <sys/socket.h>

typedef int parser(const char *text, struct nook_net_addr *ret, struct nook_error *err);

struct parsed {
	const char *text;
	const char *want; /* with its prefix; NULL: refused */
	const char *why;  /* in the refusal or its hint */
};

static void check(parser *parse, const struct parsed *cases, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct parsed *c = &cases[i];
		struct nook_net_addr got, untouched;
		struct nook_error err = { 0 };
		char text[NOOK_NET_TEXT];

		memset(&got, 0x5a, sizeof(got));
		untouched = got;
		int rc = parse(c->text, &got, &err);

		if (!c->want) {
			if (rc != -EINVAL || memcmp(&got, &untouched, sizeof(got)) != 0)
				fail_msg("%s was taken", c->text);
			if (!strstr(err.why, c->why) && !strstr(err.hint, c->why))
				fail_msg("%s: %s | %s", c->text, err.why, err.hint);
			continue;
		}
		if (rc < 0)
			fail_msg("%s: %s", c->text, err.why);
		assert_string_equal(nook_net_text_prefix(&got, text), c->want);
	}
}

static void test_addresses(void **state)
{
	static const struct parsed cases[] = {
		{ "10.88.0.2", "10.88.0.2/32", NULL },
		{ "0.0.0.0", "0.0.0.0/32", NULL },
		{ "255.255.255.255", "255.255.255.255/32", NULL },
		{ "::", "::/128", NULL },
		{ "fd00::2", "fd00::2/128", NULL },
		{ "FD00:0:0::00a2", "fd00::a2/128", NULL },
		{ "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8/128", NULL },
		{ "64:ff9b::10.0.0.1", "64:ff9b::a00:1/128", NULL },
		{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
		  "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128", NULL },
		{ "", NULL, "is no address" },
		{ " 10.0.0.1", NULL, "is no address" },
		{ "10.0.0.1 ", NULL, "is no address" },
		{ "10.0.0.1\n", NULL, "is no address" },
		{ "010.0.0.1", NULL, "is no address" },
		{ "10.0.0.01", NULL, "is no address" },
		{ "10.0.1", NULL, "is no address" },
		{ "10.0.0.0.1", NULL, "is no address" },
		{ "10.0.0.256", NULL, "is no address" },
		{ "10.0.0.-1", NULL, "is no address" },
		{ "10.0.0.+1", NULL, "is no address" },
		{ "10.0.0.", NULL, "is no address" },
		{ "0x0a000001", NULL, "is no address" },
		{ "167772161", NULL, "is no address" },
		{ "localhost", NULL, "is no address" },
		{ "fd00:::1", NULL, "is no address" },
		{ "fd00::1::2", NULL, "is no address" },
		{ "fd00::12345", NULL, "is no address" },
		{ "1:2:3:4:5:6:7", NULL, "is no address" },
		{ "1:2:3:4:5:6:7:8:9", NULL, "is no address" },
		{ "[fd00::1]", NULL, "is no address" },
		{ "fe80::1%eth0", NULL, "Zones" },
		{ "::ffff:10.0.0.1", NULL, "Write 10.0.0.1." },
		{ "::ffff:0a00:0001", NULL, "Write 10.0.0.1." },
		{ "10.0.0.1/24", NULL, "none is wanted" },
		{ "0000:0000:0000:0000:0000:0000:0000:0000:0000", NULL, "is no address" },
		{ "111111111111111111111111111111111111111111111111111111111111", NULL,
		  "is no address" },
	};

	check(nook_net_parse_address, cases, ARRAY_SIZE(cases));
}

static void test_subnets(void **state)
{
	static const struct parsed cases[] = {
		{ "10.88.0.0/24", "10.88.0.0/24", NULL },
		{ "10.0.0.0/8", "10.0.0.0/8", NULL },
		{ "10.0.0.4/30", "10.0.0.4/30", NULL },
		{ "169.254.7.0/24", "169.254.7.0/24", NULL },
		{ "fd00::/64", "fd00::/64", NULL },
		{ "fd12:3456:789a:1::/64", "fd12:3456:789a:1::/64", NULL },
		{ "fd00::/8", "fd00::/8", NULL },
		{ "fd00::4/126", "fd00::4/126", NULL },
		{ "10.88.0.0", NULL, "has no prefix" },
		{ "10.88.0.0/", NULL, "no good prefix" },
		{ "10.88.0.0/24/24", NULL, "no good prefix" },
		{ "10.88.0.0/024", NULL, "no good prefix" },
		{ "10.88.0.0/+24", NULL, "no good prefix" },
		{ "10.88.0.0/ 24", NULL, "no good prefix" },
		{ "10.88.0.0/33", NULL, "no good prefix" },
		{ "10.88.0.0/99999999999999999999", NULL, "no good prefix" },
		{ "10.88.0.0/255.255.255.0", NULL, "no good prefix" },
		{ "fd00::/129", NULL, "no good prefix" },
		{ "/24", NULL, "is no address" },
		{ "", NULL, "has no prefix" },
		{ "10.88.0.1/24", NULL, "The subnet is 10.88.0.0/24." },
		{ "10.88.0.128/24", NULL, "The subnet is 10.88.0.0/24." },
		{ "fd00::1/64", NULL, "The subnet is fd00::/64." },
		{ "10.88.0.0/31", NULL, "no room" },
		{ "10.88.0.0/32", NULL, "no room" },
		{ "fd00::/127", NULL, "no room" },
		{ "fd00::/128", NULL, "no room" },
		{ "0.0.0.0/0", NULL, "too large" },
		{ "8.0.0.0/7", NULL, "too large" },
		{ "::/0", NULL, "too large" },
		{ "0.0.0.0/8", NULL, "this host" },
		{ "127.0.0.0/8", NULL, "loopback" },
		{ "127.9.0.0/16", NULL, "loopback" },
		{ "224.0.0.0/24", NULL, "multicast" },
		{ "255.255.255.0/24", NULL, "reserved" },
		{ "::/64", NULL, "loopback" },
		{ "::ffff:10.0.0.0/120", NULL, "Write 10.0.0.0." },
		{ "fe80::/64", NULL, "link-local" },
		{ "ff02::/64", NULL, "multicast" },
	};

	check(nook_net_parse_subnet, cases, ARRAY_SIZE(cases));
}

static void test_interfaces(void **state)
{
	static const struct parsed cases[] = {
		{ "10.88.0.2/24", "10.88.0.2/24", NULL },
		{ "10.88.0.2/32", "10.88.0.2/32", NULL },
		{ "10.88.0.2/31", "10.88.0.2/31", NULL },
		{ "fd00::2/64", "fd00::2/64", NULL },
		{ "fd00::ffff:ffff:ffff:ffff/64", "fd00::ffff:ffff:ffff:ffff/64", NULL },
		{ "fe80::2/64", "fe80::2/64", NULL },
		{ "10.88.0.2", NULL, "has no prefix" },
		{ "10.88.0.2/0", NULL, "no good prefix" },
		{ "10.88.0.0/24", NULL, "first or last" },
		{ "10.88.0.255/24", NULL, "first or last" },
		{ "fd00::/64", NULL, "first or last" },
		{ "127.0.0.1/8", NULL, "can't be" },
		{ "224.0.0.1/24", NULL, "can't be" },
		{ "0.0.0.0/8", NULL, "can't be" },
		{ "::1/64", NULL, "can't be" },
		{ "ff02::1/64", NULL, "can't be" },
	};

	check(nook_net_parse_interface, cases, ARRAY_SIZE(cases));
}

static struct nook_net_addr with_prefix(const char *text)
{
	struct nook_net_addr addr = { 0 };
	char copy[NOOK_NET_TEXT], *slash;
	uint64_t prefix = 0;

	(void)nook_format(copy, sizeof(copy), "%s", text);
	slash = strchr(copy, '/');
	if (slash) {
		*slash = '\0';
		assert_int_equal(nook_parse_u64(slash + 1, 128, &prefix), 0);
	}
	assert_int_equal(nook_net_parse_address(copy, &addr, NULL), 0);
	if (slash)
		addr.prefix = (uint8_t)prefix;
	return addr;
}

static void test_who_is_in_what(void **state)
{
	static const struct {
		const char *subnet, *address;
		bool contains, usable;
	} cases[] = {
		{ "10.88.0.0/24", "10.88.0.2", true, true },
		{ "10.88.0.0/24", "10.88.0.0", true, false },
		{ "10.88.0.0/24", "10.88.0.255", true, false },
		{ "10.88.0.0/24", "10.88.1.0", false, false },
		{ "10.88.0.0/23", "10.88.1.0", true, true },
		{ "10.88.0.0/23", "10.88.1.255", true, false },
		{ "10.88.0.128/25", "10.88.0.127", false, false },
		{ "10.0.0.4/30", "10.0.0.6", true, true },
		{ "10.0.0.4/30", "10.0.0.7", true, false },
		{ "10.0.0.4/31", "10.0.0.4", true, true },
		{ "10.0.0.4/31", "10.0.0.5", true, true },
		{ "10.0.0.4/32", "10.0.0.4", true, true },
		{ "fd00::/64", "fd00::", true, false },
		{ "fd00::/64", "fd00::ffff:ffff:ffff:ffff", true, true },
		{ "fd00::/64", "fd00:0:0:1::", false, false },
		{ "fd00::/61", "fd00:0:0:7::1", true, true },
		{ "fd00::/61", "fd00:0:0:8::1", false, false },
		{ "fd00::/127", "fd00::", true, true },
		{ "10.0.0.0/8", "fd00::1", false, false },
		{ "a00::/8", "10.0.0.1", false, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct nook_net_addr subnet = with_prefix(cases[i].subnet);
		struct nook_net_addr addr = with_prefix(cases[i].address);

		if (nook_net_contains(&subnet, &addr) != cases[i].contains ||
		    nook_net_usable(&subnet, &addr) != cases[i].usable)
			fail_msg("%s in %s", cases[i].address, cases[i].subnet);
	}
}

static void test_overlap(void **state)
{
	static const struct {
		const char *a, *b;
		bool want;
	} cases[] = {
		{ "10.88.0.0/24", "10.88.0.0/16", true },
		{ "10.88.0.0/24", "10.88.1.0/24", false },
		{ "10.88.0.0/24", "0.0.0.0/0", true },
		{ "10.88.0.0/25", "10.88.0.128/25", false },
		{ "10.88.0.0/24", "10.88.0.7", true },
		{ "fd00::/64", "fd00::/48", true },
		{ "fd00::/64", "fd00:0:0:1::/64", false },
		{ "fd00::/64", "10.0.0.0/8", false },
		{ "::/0", "0.0.0.0/0", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct nook_net_addr a = with_prefix(cases[i].a), b = with_prefix(cases[i].b);

		if (nook_net_overlap(&a, &b) != cases[i].want ||
		    nook_net_overlap(&b, &a) != cases[i].want)
			fail_msg("%s and %s", cases[i].a, cases[i].b);
	}
}

static void test_nothing_is_in_nothing(void **state)
{
	struct nook_net_addr none = { 0 }, all = { .family = AF_INET };
	char text[NOOK_NET_TEXT];

	assert_false(nook_net_contains(&none, &none));
	assert_false(nook_net_overlap(&none, &none));
	assert_false(nook_net_contains(&all, &none));
	assert_string_equal(nook_net_text(&none, text), "-");
	assert_string_equal(nook_net_text_prefix(&none, text), "-");
}

static void test_counting(void **state)
{
	static const struct {
		const char *subnet;
		uint64_t size, n;
		const char *nth;
	} cases[] = {
		{ "10.88.0.0/24", 256, 0, "10.88.0.0/24" },
		{ "10.88.0.0/24", 256, 255, "10.88.0.255/24" },
		{ "10.88.0.0/16", 65536, 258, "10.88.1.2/16" },
		{ "10.0.0.0/8", 16777216, 16777215, "10.255.255.255/8" },
		{ "10.0.0.8/29", 8, 3, "10.0.0.11/29" },
		{ "10.0.0.8/32", 1, 0, "10.0.0.8/32" },
		{ "0.0.0.0/0", UINT64_C(1) << 32, 0x01020304, "1.2.3.4/0" },
		{ "fd00::/64", UINT64_MAX, 1, "fd00::1/64" },
		{ "fd00::/65", UINT64_C(1) << 63, 2, "fd00::2/65" },
		{ "fd00::/64", UINT64_MAX, UINT64_MAX, "fd00::ffff:ffff:ffff:ffff/64" },
		{ "fd00::/8", UINT64_MAX, 65536, "fd00::1:0/8" },
		{ "fd00::70/124", 16, 15, "fd00::7f/124" },
		/* What lies behind the prefix does not count. */
		{ "10.88.0.77/24", 256, 2, "10.88.0.2/24" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct nook_net_addr subnet = with_prefix(cases[i].subnet);
		struct nook_net_addr nth = nook_net_nth(&subnet, cases[i].n);
		char text[NOOK_NET_TEXT];

		assert_string_equal(nook_net_text_prefix(&nth, text), cases[i].nth);
		if (nook_net_size(&subnet) != cases[i].size)
			fail_msg("%s", cases[i].subnet);
	}
}

static void test_hardware_addresses(void **state)
{
	static const struct {
		const char *text, *want; /* NULL: refused */
	} cases[] = {
		{ "02:42:0a:58:00:02", "02:42:0a:58:00:02" },
		{ "0A:6E:FF:00:aB:Cd", "0a:6e:ff:00:ab:cd" },
		{ "00:00:00:00:00:01", "00:00:00:00:00:01" },
		{ "00:00:00:00:00:00", NULL },
		{ "01:00:5e:00:00:01", NULL },
		{ "ff:ff:ff:ff:ff:ff", NULL },
		{ "02:42:0a:58:00", NULL },
		{ "02:42:0a:58:00:02:03", NULL },
		{ "02-42-0a-58-00-02", NULL },
		{ "02:42:0a:58:0:002", NULL },
		{ "02420a580002", NULL },
		{ "0g:42:0a:58:00:02", NULL },
		{ "02:42:0a:58:00:0", NULL },
		{ "02:42:0a:58:00:02 ", NULL },
		{ " 2:42:0a:58:00:02", NULL },
		{ "", NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint8_t mac[6] = { 0 };
		char text[18];
		struct nook_error err = { 0 };
		int rc = nook_net_parse_mac(cases[i].text, mac, &err);

		if (rc != (cases[i].want ? 0 : -EINVAL))
			fail_msg("%s: %d", cases[i].text, rc);
		if (cases[i].want)
			assert_string_equal(nook_net_mac_text(mac, text), cases[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses),  cmocka_unit_test(test_subnets),
		cmocka_unit_test(test_interfaces), cmocka_unit_test(test_who_is_in_what),
		cmocka_unit_test(test_overlap),    cmocka_unit_test(test_nothing_is_in_nothing),
		cmocka_unit_test(test_counting),   cmocka_unit_test(test_hardware_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
