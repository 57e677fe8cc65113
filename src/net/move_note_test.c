/* SPDX-License-Identifier: Apache-2.0 */
/* Notes of links, as a state file may hold them. That links come home:
 * tests/faults/test_net_links.py. */
#include "move_note.h"

#include "base/own.h"
#include "move_parts.h"
#include "sys/netlink.h"
#include "sys/process.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#define MANY 4000

/* Two sockets of one namespace that has nothing but its loopback. */
static void bring_home(const char *note, int expected)
{
	auto_arena struct nook_arena a = { 0 };
	struct nook_error err = { 0 };
	auto_close int here = nook_nl_open(), there = nook_nl_open();
	const struct nook_link_doors d = {
		.here = here, .there = there, .home = NO_FD, .ns = NO_FD
	};

	assert_int_equal(nook_arena_init(&a), 0);
	assert_int_equal(nook_link_bring_home(&d, note, &a, &err), expected);
	assert_int_equal(err.errnum, -expected);
	if (expected < 0)
		assert_int_equal(nook_link_is_there(there, note, &a, NULL), expected);
}

static void test_what_is_in_neither_place(void **state)
{
	bring_home("eth0 eth0 7 - 0a0b0c0d0e0f up", 0);
	bring_home("eth0 in%d 7 veth - down", 0);
	bring_home(
		"eth0 eth1 7 veth 0a0b0c0d0e0f up 2,24,128,0a000001,0a000001,0a0000ff,0 "
		"10,64,0,20010db8000000000000000000000001,20010db8000000000000000000000001,-,256",
		0);
	bring_home("lo lo 1 - 000000000000 up", 0); /* it never left */
}

static void test_garbled_ones(void **state)
{
	static const char *const notes[] = {
		"",
		" ",
		"eth0",
		"eth0 eth0 7 - 0a0b0c0d0e0f",
		"eth0 eth0 7 - 0a0b0c0d0e0f sideways",
		"eth0 eth0 -7 - 0a0b0c0d0e0f up",
		"eth0 eth0 07 - 0a0b0c0d0e0f up",
		"eth0 eth0 4294967296 - 0a0b0c0d0e0f up",
		"eth0 eth0 7 - 0a0b0c0d0e0 up",
		"eth0 eth0 7 - 0A up",
		"eth0 eth0 7 -  up",
		"a-name-of-sixteen eth0 7 - 0a up",
		"eth0 a-name-of-sixteen 7 - 0a up",
		"eth0 eth0 7 a-kind-of-sixteen 0a up",
		("eth0 eth0 7 - "
		 "000102030405060708090a0b0c0d0e0f000102030405060708090a0b0c0d0e0f00 up"),
		"eth0 eth0 7 - 0a up 2",
		"eth0 eth0 7 - 0a up 2,24,128,0a000001,0a000001,0a0000ff",
		"eth0 eth0 7 - 0a up 2,24,128,0a000001,0a000001,0a0000ff,0,",
		"eth0 eth0 7 - 0a up 256,24,128,0a000001,0a000001,0a0000ff,0",
		"eth0 eth0 7 - 0a up 2,24,128,0a000001,0a000001,0a0000ff00,0",
		"eth0 eth0 7 - 0a up 2,24,128,0a000001,0a000001,0a0000ff,0 ",
	};

	for (size_t i = 0; i < ARRAY_SIZE(notes); i++)
		bring_home(notes[i], -EBADMSG);
}

/* What is written can be read. */
static void test_a_note(void **state)
{
	auto_arena struct nook_arena a = { 0 };
	auto_close int here = nook_nl_open();
	const struct nook_link_doors d = {
		.here = here, .there = here, .home = NO_FD, .ns = NO_FD
	};
	const struct nook_link_move lo = { .link = "lo", .name = "in%d" },
				    none = { .link = "eth9", .name = "eth9" };
	const char *note = NULL;

	assert_int_equal(nook_arena_init(&a), 0);
	assert_int_equal(nook_link_note(&d, &lo, &a, &note, NULL), 0);
	assert_string_equal(note, "lo in%d 1 - 000000000000 down");
	bring_home(note, 0);
	assert_int_equal(nook_link_is_there(here, note, &a, NULL), 1);
	assert_int_equal(nook_link_is_there(here, "lo in0 1 - 000000000000 down", &a, NULL), 0);
	assert_int_equal(nook_link_note(&d, &none, &a, &note, NULL), -ENODEV);
}

/* As many as the kernel gives: what is made of them does not grow with their square. */
static void test_many_addresses(void **state)
{
	static struct nook_link_address addresses[MANY];
	auto_arena struct nook_arena a = { 0 };
	auto_close int here = nook_nl_open();
	const struct nook_link_doors d = {
		.here = here, .there = here, .home = NO_FD, .ns = NO_FD
	};
	const struct nook_link_move lo = { .link = "lo", .name = "in%d" };
	const char *note = NULL, *what;
	size_t commas = 0;

	for (unsigned i = 0; i < MANY; i++) {
		const unsigned char ip[4] = { 10, 1, (unsigned char)(i >> 8), (unsigned char)i };

		addresses[i].head =
			(struct ifaddrmsg){ .ifa_family = AF_INET, .ifa_prefixlen = 32 };
		memcpy(addresses[i].local, ip, sizeof(ip));
		memcpy(addresses[i].peer, ip, sizeof(ip));
		addresses[i].local_len = addresses[i].peer_len = sizeof(ip);
	}
	assert_int_equal(nook_arena_init(&a), 0);
	assert_int_equal(nook_link_give(here, 1, addresses, MANY, false, &what, NULL), 0);
	assert_int_equal(nook_link_note(&d, &lo, &a, &note, NULL), 0);
	for (const char *p = note; (p = strchr(p, ',')); p++)
		commas++;
	assert_int_equal(commas, 6 * MANY);
	bring_home(note, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_in_neither_place),
		cmocka_unit_test(test_garbled_ones),
		cmocka_unit_test(test_a_note),
		cmocka_unit_test(test_many_addresses),
	};

	if (nook_unshare(CLONE_NEWNET) < 0)
		return 77; /* not root */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
