/* SPDX-License-Identifier: Apache-2.0 */
/* What is written is read again; what is cut short, or lies about its length, is not followed. */
#include "netlink.h"

#include "base/own.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define HEAD sizeof(struct ifinfomsg)

static struct nook_nl nl;

static const struct nlmsghdr *begin(void)
{
	const struct ifinfomsg info = { .ifi_family = AF_UNSPEC };

	nook_nl_clear(&nl);
	nook_nl_begin(&nl, RTM_NEWLINK, NLM_F_CREATE, &info, sizeof(info));
	return (const struct nlmsghdr *)(const void *)nl.data;
}

static void test_written_and_found(void **state)
{
	const struct nlmsghdr *m = begin();
	char text[8];

	nook_nl_put_text(&nl, IFLA_IFNAME, "eth0");
	nook_nl_put(&nl, IFLA_ADDRESS, "abcde", 5); /* and three bytes between */
	size_t info = nook_nl_nest(&nl, IFLA_LINKINFO);
	nook_nl_put_text(&nl, IFLA_INFO_KIND, "veth");
	size_t data = nook_nl_nest(&nl, IFLA_INFO_DATA | NLA_F_NESTED);
	nook_nl_nest_end(&nl, data);
	nook_nl_nest_end(&nl, info);
	nook_nl_put_u32(&nl, IFLA_MTU, 1500);

	assert_int_equal(m->nlmsg_type, RTM_NEWLINK);
	assert_int_equal(m->nlmsg_flags, NLM_F_REQUEST | NLM_F_CREATE);
	assert_int_equal(m->nlmsg_len, nl.used);
	assert_string_equal(nook_nl_text(nook_nl_find(m, HEAD, IFLA_IFNAME), text, sizeof(text)),
			    "eth0");
	assert_int_equal(RTA_PAYLOAD(nook_nl_find(m, HEAD, IFLA_ADDRESS)), 5);
	assert_int_equal(nook_nl_u32(nook_nl_find(m, HEAD, IFLA_MTU), 7), 1500);

	const struct rtattr *nest = nook_nl_find(m, HEAD, IFLA_LINKINFO);

	assert_string_equal(nook_nl_text(nook_nl_find_in(nest, IFLA_INFO_KIND), text, 3), "ve");
	assert_int_equal(RTA_PAYLOAD(nook_nl_find_in(nest, IFLA_INFO_DATA)), 0);
	assert_null(nook_nl_find_in(nest, IFLA_MTU)); /* it is outside */
	assert_null(nook_nl_find(m, HEAD, IFLA_INFO_SLAVE_KIND + 100));
}

/* Without an attribute, or with one that is too short for what is asked of it. */
static void test_values(void **state)
{
	const struct nlmsghdr *m = begin();
	char text[4] = "abc";

	nook_nl_put(&nl, IFLA_MTU, "abc", 3);
	nook_nl_put(&nl, IFLA_IFNAME, "xy", 2); /* no NUL */
	nook_nl_put_u32(&nl, IFLA_MASTER, UINT32_MAX);
	assert_int_equal(nook_nl_u32(nook_nl_find(m, HEAD, IFLA_MTU), 7), 7);
	assert_int_equal(nook_nl_u32(NULL, 7), 7);
	assert_int_equal(nook_nl_int(NULL, -7), -7);
	assert_int_equal(nook_nl_int(nook_nl_find(m, HEAD, IFLA_MASTER), 0), -1);
	assert_string_equal(nook_nl_text(nook_nl_find(m, HEAD, IFLA_IFNAME), text, 4), "xy");
	assert_string_equal(nook_nl_text(NULL, text, 4), "");
	assert_null(nook_nl_find_in(NULL, IFLA_MTU));
}

/* In memory of just this size, so that a sanitizer sees what is read behind it. */
static unsigned count_attributes(const unsigned char *bytes, size_t len)
{
	void *copy = malloc(len ? len : 1);
	size_t left = len;
	unsigned n = 0;

	assert_non_null(copy);
	memcpy(copy, bytes, len);
	for (const struct rtattr *a = nook_nl_attr(copy, left); a;
	     a = nook_nl_next_attr(a, &left)) {
		assert_true((const char *)a + a->rta_len <= (const char *)copy + len);
		n++;
	}
	free(copy);
	return n;
}

static void test_cut_attributes(void **state)
{
	/* One of a byte, one of none, one of four; little or big end first is the machine's. */
	struct {
		struct rtattr a;
		unsigned char one[4];
		struct rtattr b, c;
		unsigned char four[4];
	} whole = { { 5, 1 }, { 1 }, { 4, 2 }, { 8, 3 }, { 4 } };
	static const struct {
		size_t len;
		unsigned n;
	} cuts[] = { { 0, 0 },  { 3, 0 },  { 4, 0 },  { 5, 1 },  { 6, 1 },  { 8, 1 },
		     { 11, 1 }, { 12, 2 }, { 15, 2 }, { 16, 2 }, { 19, 2 }, { 20, 3 } };

	for (size_t i = 0; i < ARRAY_SIZE(cuts); i++)
		assert_int_equal(count_attributes((unsigned char *)&whole, cuts[i].len), cuts[i].n);

	/* Lengths that lie: none, less than a head, more than there is. */
	static const unsigned short lies[] = { 0, 3, 9, 65535 };

	for (size_t i = 0; i < ARRAY_SIZE(lies); i++) {
		whole.c.rta_len = lies[i];
		assert_int_equal(count_attributes((unsigned char *)&whole, sizeof(whole)), 2);
	}
}

static void test_cut_messages(void **state)
{
	struct {
		struct nlmsghdr a;
		unsigned char one[4];
		struct nlmsghdr b;
	} whole = { { .nlmsg_len = 17 }, { 1 }, { .nlmsg_len = 16 } };
	static const struct {
		size_t len;
		unsigned n;
	} cuts[] = { { 0, 0 },  { 15, 0 }, { 16, 0 }, { 17, 1 },
		     { 18, 1 }, { 20, 1 }, { 35, 1 }, { 36, 2 } };
	static const uint32_t lies[] = { 0, 15, 17, UINT32_MAX };

	for (size_t i = 0; i < ARRAY_SIZE(cuts) + ARRAY_SIZE(lies); i++) {
		bool lie = i >= ARRAY_SIZE(cuts);
		size_t left = lie ? sizeof(whole) : cuts[i].len;
		char *copy = malloc(left ? left : 1);
		unsigned n = 0;

		if (lie)
			whole.b.nlmsg_len = lies[i - ARRAY_SIZE(cuts)];
		assert_non_null(copy);
		memcpy(copy, &whole, left);
		for (const struct nlmsghdr *m = nook_nl_message(copy, left); m;
		     m = nook_nl_next_message(m, &left))
			n++;
		assert_int_equal(n, lie ? 1 : cuts[i].n);
		free(copy);
	}
}

/* The kernel's words behind an error, whether it repeats our message or not. */
static void test_why(void **state)
{
	static const struct {
		uint16_t flags;
		uint32_t repeated; /* bytes that it says it repeats */
		bool cut;
		const char *why;
	} cases[] = {
		{ NLM_F_ACK_TLVS | NLM_F_CAPPED, 999, false, "no such" },
		{ NLM_F_ACK_TLVS, NLMSG_HDRLEN, false, "no such" },
		{ NLM_F_ACK_TLVS, 0, false, "no such" },
		{ NLM_F_ACK_TLVS, NLMSG_HDRLEN + 4096, false, "" },
		{ NLM_F_ACK_TLVS, UINT32_MAX, false, "" },
		{ 0, NLMSG_HDRLEN, false, "" },
		{ NLM_F_ACK_TLVS | NLM_F_CAPPED, 0, true, "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct {
			struct nlmsghdr head;
			struct nlmsgerr error;
			struct rtattr attr;
			char text[8];
		} m = { .head = { .nlmsg_len =
					  cases[i].cut ? NLMSG_HDRLEN + sizeof(m.error) : sizeof(m),
				  .nlmsg_flags = cases[i].flags },
			.error = { .error = -19, .msg = { .nlmsg_len = cases[i].repeated } },
			.attr = { sizeof(m.attr) + 8, NLMSGERR_ATTR_MSG },
			.text = "no such" };
		char why[16] = "before";

		nook_nl_why(&m.head, why, sizeof(why));
		assert_string_equal(why, cases[i].why);
	}
}

static int count(void *data, const struct nlmsghdr *m)
{
	unsigned *n = data;

	*n += m->nlmsg_type == RTM_NEWLINK;
	return 0;
}

/* Of the kernel that we are on: lo is everywhere. */
static void test_asked(void **state)
{
	const struct ifinfomsg all = { .ifi_family = AF_UNSPEC };
	auto_close int fd = nook_nl_open();
	struct nook_nl_refusal why = { 0 };
	unsigned links = 0;
	char name[16];

	assert_true(fd >= 0);
	nook_nl_clear(&nl);
	nook_nl_begin(&nl, RTM_GETLINK, NLM_F_DUMP, &all, sizeof(all));
	assert_int_equal(nook_nl_ask(fd, &nl, count, &links, &why), 0);
	assert_true(links >= 1);

	nook_nl_clear(&nl);
	nook_nl_begin(&nl, RTM_GETLINK, 0, &all, sizeof(all));
	nook_nl_put_text(&nl, IFLA_IFNAME, "nook-not-there");
	assert_int_equal(nook_nl_ask(fd, &nl, NULL, NULL, &why), -ENODEV);
	assert_int_equal(why.index, 0);

	int lo = nook_nl_index(fd, "lo");

	assert_true(lo > 0);
	assert_int_equal(nook_nl_name(fd, lo, name), 0);
	assert_string_equal(name, "lo");
	assert_int_equal(nook_nl_index(fd, "nook-not-there"), -ENODEV);
	assert_int_equal(nook_nl_index(fd, "a-name-that-no-link-can-have"), -ENODEV);
	assert_true(nook_nl_name(fd, INT32_MAX, name) < 0);
}

static void test_room(void **state)
{
	begin();
	while (nook_nl_room(&nl) >= 8)
		nook_nl_put_u32(&nl, IFLA_MTU, 1);
	assert_true(nl.used <= NOOK_NL_BYTES && nl.used > NOOK_NL_BYTES - 8);
	begin();
	for (unsigned i = 1; i < NOOK_NL_MESSAGES; i++)
		nook_nl_begin(&nl, RTM_GETLINK, 0, NULL, 0);
	assert_int_equal(nook_nl_room(&nl), 0); /* as many as there may be */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_written_and_found),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_cut_attributes),
		cmocka_unit_test(test_cut_messages),
		cmocka_unit_test(test_why),
		cmocka_unit_test(test_asked),
		cmocka_unit_test(test_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
