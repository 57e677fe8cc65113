/* SPDX-License-Identifier: Apache-2.0 */
/* In network namespaces of its own: one plays the host, others containers. */
#include "links_parts.h"

#include "base/own.h"
#include "base/text.h"
#include "sys/process.h"

#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <cmocka.h>

static int host = NO_FD; /* the network namespace that plays it */

static const struct nook_network blue = {
	.name = "blue",
	.bridge = "nk-blue",
	.mtu = 1400,
	.gateway = { { .family = AF_INET, .prefix = 24, .bytes = { 10, 1, 2, 1 } },
		     { .family = AF_INET6,
		       .prefix = 64,
		       .bytes = { 0xfd, 1, 2, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1 } } },
};

static const struct nook_plan_link eth0 = {
	.kind = NOOK_LINK_PAIR,
	.network = "blue",
	.master = "nk-blue",
	.outside = "nk0a010202",
	.inside = "eth0",
	.mac = { 0x0a, 0x6e, 10, 1, 2, 2 },
	.mtu = 1400,
	.address = { { .family = AF_INET, .prefix = 24, .bytes = { 10, 1, 2, 2 } },
		     { .family = AF_INET6,
		       .prefix = 64,
		       .bytes = { 0xfd, 1, 2, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2 } } },
	.gateway = { { .family = AF_INET, .prefix = 24, .bytes = { 10, 1, 2, 1 } },
		     { .family = AF_INET6,
		       .prefix = 64,
		       .bytes = { 0xfd, 1, 2, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1 } } },
	.from = "--net blue",
};

/* A new network namespace; we are in the host's afterwards. */
static int new_netns(void)
{
	assert_int_equal(nook_unshare(CLONE_NEWNET), 0);

	int fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	if (host >= 0)
		assert_int_equal(nook_setns(host, CLONE_NEWNET), 0);
	return fd;
}

static void enter(int netns)
{
	assert_int_equal(nook_setns(netns, CLONE_NEWNET), 0);
}

/* A host of its own for each test. Who may make no network namespace as he is makes a user
 * namespace. */
static int begin(void **state)
{
	static bool root;

	if (!root && nook_unshare(CLONE_NEWNET) < 0 &&
	    nook_unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
		skip();
	root = true;
	close_fd(&host);
	host = new_netns();
	return 0;
}

static struct nook_link_seen look(const char *link)
{
	auto_close int socket = nook_nl_open();
	struct nook_link_seen seen = { 0 };
	int rc = nook_link_look(socket, link, &seen, NULL);

	if (rc == -ENODEV)
		return (struct nook_link_seen){ 0 };
	assert_int_equal(rc, 0);
	return seen;
}

static bool has_flags(const char *link, int flags)
{
	auto_close int socket = nook_nl_open();
	struct ifreq request = { 0 };

	(void)nook_format(request.ifr_name, sizeof(request.ifr_name), "%s", link);
	assert_int_equal(ioctl(socket, SIOCGIFFLAGS, &request), 0);
	return (request.ifr_flags & flags) == flags;
}

static bool is_up(const char *link)
{
	return has_flags(link, IFF_UP);
}

/* Can a program bind to it? */
static bool is_local(const uint8_t address[16])
{
	auto_close int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in6 at = { .sin6_family = AF_INET6 };

	memcpy(&at.sin6_addr, address, sizeof(at.sin6_addr));
	return bind(fd, (const struct sockaddr *)&at, sizeof(at)) == 0;
}

/* ---- batches ---- */

static void set_up(struct nook_nl *m, int index)
{
	const struct ifinfomsg head = { .ifi_index = index,
					.ifi_flags = IFF_UP,
					.ifi_change = IFF_UP };

	nook_nl_begin(m, RTM_NEWLINK, 0, &head, sizeof(head));
}

static void test_the_first_refusal_is_told_by_its_index(void **state)
{
	auto_close int socket = nook_nl_open();
	struct nook_nl_refusal refusal = { .index = 77 };
	struct nook_nl m;

	nook_nl_clear(&m);
	assert_int_equal(nook_nl_send(socket, &m, &refusal), 0); /* of nothing */
	set_up(&m, 1);
	assert_int_equal(nook_nl_send(socket, &m, &refusal), 0);

	set_up(&m, 99);
	set_up(&m, 98);
	set_up(&m, 1);
	assert_int_equal(nook_nl_send(socket, &m, &refusal), -ENODEV);
	assert_int_equal(refusal.index, 1);

	nook_nl_clear(&m);
	set_up(&m, 1);
	set_up(&m, 99);
	nook_nl_fine(&m, ENODEV);
	assert_int_equal(nook_nl_send(socket, &m, &refusal), 0);
	set_up(&m, 98);
	assert_int_equal(nook_nl_send(socket, &m, NULL), -ENODEV);
	assert_int_equal(nook_nl_send(socket, &m, &refusal), -ENODEV);
	assert_int_equal(refusal.index, 2);
}

static void test_the_kernels_own_words(void **state)
{
	auto_close int socket = nook_nl_open();
	const struct ifinfomsg head = { 0 };
	struct nook_nl_refusal refusal;
	struct nook_nl m;

	nook_nl_clear(&m);
	set_up(&m, 1);
	nook_nl_begin(&m, RTM_NEWLINK, NLM_F_CREATE, &head, sizeof(head));

	size_t info = nook_nl_nest(&m, IFLA_LINKINFO);

	nook_nl_put_text(&m, IFLA_INFO_KIND, "nooks-own");
	nook_nl_nest_end(&m, info);
	assert_int_equal(nook_nl_send(socket, &m, &refusal), -EOPNOTSUPP);
	assert_int_equal(refusal.index, 1);
	assert_string_equal(refusal.why, "Unknown device type");
}

static void test_room(void **state)
{
	struct nook_nl m;
	unsigned n = 0;

	nook_nl_clear(&m);
	for (; nook_nl_room(&m) >= 64; n++)
		set_up(&m, 1);
	assert_true(n >= 32 && n <= NOOK_NL_MESSAGES);
}

static void test_news(void **state)
{
	auto_close int socket = nook_nl_open();
	auto_close int news = nook_nl_follow(RTNLGRP_LINK);
	struct nook_nl m;

	assert_true(news >= 0);
	assert_int_equal(nook_nl_wait(news, 0), -ETIMEDOUT);
	nook_nl_clear(&m);
	set_up(&m, 1);
	assert_int_equal(nook_nl_send(socket, &m, NULL), 0);
	assert_int_equal(nook_nl_wait(news, 5000), 0);
	assert_int_equal(nook_nl_wait(news, 0), -ETIMEDOUT);
}

/* ---- bridges ---- */

static void test_bridge(void **state)
{
	assert_int_equal(nook_link_bridge(&blue, NULL), 0);

	struct nook_link_seen made = look("nk-blue");

	assert_string_equal(made.kind, "bridge");
	assert_string_equal(made.alias, "nook network blue");
	assert_int_equal(made.group, 0);

	assert_int_equal(nook_link_bridge(&blue, NULL), 0); /* again */
	assert_int_equal(look("nk-blue").index, made.index);

	assert_int_equal(nook_link_bridge_remove(&blue, NULL), 0);
	assert_int_equal(look("nk-blue").index, 0);
	assert_int_equal(nook_link_bridge_remove(&blue, NULL), 0);
}

static void test_a_link_of_somebody_elses(void **state)
{
	struct nook_network green = blue;
	struct nook_error err = { 0 };

	assert_int_equal(nook_link_bridge(&blue, NULL), 0);
	green.name = "green";
	assert_int_equal(nook_link_bridge(&green, &err), -EEXIST);
	assert_true(nook_starts(err.why, "there is a link nk-blue on the host"));
	assert_int_equal(nook_link_bridge_remove(&green, NULL), 0);
	assert_string_equal(look("nk-blue").alias, "nook network blue");
}

/* ---- pairs ---- */

static void test_pair(void **state)
{
	auto_close int inside = new_netns();
	struct nook_error err = { 0 };

	assert_int_equal(nook_link_bridge(&blue, NULL), 0);
	assert_int_equal(nook_link_connect(&eth0, "web", inside, &err), 0);
	assert_string_equal(look("nk0a010202").alias, "nook web eth0");
	assert_int_equal(look("eth0").index, 0);

	enter(inside);
	assert_string_equal(look("eth0").kind, "veth");
	assert_int_equal(nook_link_configure(&eth0, 1, NO_FD, &err), 0);
	assert_true(is_up("lo") && is_up("eth0"));
	assert_int_equal(nook_link_settle_inside(&eth0, 1, &err), 0);
	assert_true(is_local(eth0.address[NOOK_NET_V6].bytes));
	enter(host);
	assert_int_equal(nook_link_settle(&eth0, 1, &err), 0);
	assert_true(has_flags("nk0a010202", IFF_UP | IFF_RUNNING));
	assert_true(has_flags("nk-blue", IFF_UP | IFF_RUNNING));

	assert_int_equal(nook_link_disconnect(&eth0, "db", NULL), 0); /* not its */
	assert_int_not_equal(look("nk0a010202").index, 0);
	assert_int_equal(nook_link_disconnect(&eth0, "web", NULL), 0);
	assert_int_equal(look("nk0a010202").index, 0);
	assert_int_equal(nook_link_disconnect(&eth0, "web", NULL), 0);
	enter(inside);
	assert_int_equal(look("eth0").index, 0);
	enter(host);
}

static void test_pair_refused(void **state)
{
	auto_close int inside = new_netns();
	struct nook_plan_link other = eth0;
	struct nook_error err = { 0 };

	assert_int_equal(nook_link_settle(&eth0, 1, &err), 0); /* nothing to wait for */
	assert_int_equal(nook_link_connect(&eth0, "web", inside, &err), -ENODEV); /* no bridge */
	assert_string_equal(err.where, "--net blue");
	assert_int_equal(nook_link_bridge(&blue, NULL), 0);
	assert_int_equal(nook_link_connect(&eth0, "web", inside, NULL), 0);

	/* The host's name is taken: who has it keeps what it has. */
	assert_int_equal(nook_link_connect(&eth0, "db", inside, &err), -EEXIST);
	assert_string_equal(look("nk0a010202").alias, "nook web eth0");

	other.outside = "nk0a010203"; /* the name inside is taken: nothing is left outside */
	assert_int_equal(nook_link_connect(&other, "web", inside, &err), -EEXIST);
	assert_int_equal(look("nk0a010203").index, 0);

	enter(inside);
	other.inside = "eth1"; /* and there is none of this name */
	assert_int_equal(nook_link_configure(&other, 1, NO_FD, &err), -ENODEV);
	other = eth0;
	other.gateway[0].bytes[0] = 11; /* in no subnet of its */
	memset(&err, 0, sizeof(err));
	assert_int_equal(nook_link_configure(&other, 1, NO_FD, &err), -ENETUNREACH);
	assert_string_equal(err.why,
			    "netlink, make the default route by eth0: Network is unreachable");
	enter(host);
}

static void test_macvlan(void **state)
{
	auto_close int inside = new_netns();
	struct nook_network parent = blue; /* any link will do below it; a host's is called so */
	struct nook_plan_link links[2] = { eth0, eth0 };

	parent.bridge = "eth0";
	assert_int_equal(nook_link_bridge(&parent, NULL), 0);
	for (int i = 0; i < 2; i++) {
		links[i].kind = NOOK_LINK_MACVLAN;
		links[i].network = NULL;
		links[i].outside = NULL;
		links[i].master = "eth0";
		links[i].mac[5] += i;
		links[i].address[0].bytes[3] += i;
		links[i].address[1].bytes[15] += i;
		memset(links[i].gateway, 0, sizeof(links[i].gateway));
	}
	links[1].inside = "eth1";
	assert_int_equal(nook_link_connect(&links[0], "web", inside, NULL), 0);
	assert_int_equal(nook_link_connect(&links[1], "web", inside, NULL), 0);
	assert_string_equal(look("eth0").kind, "bridge");
	enter(inside);
	assert_int_equal(nook_link_configure(links, 2, NO_FD, NULL), 0);
	assert_string_equal(look("eth0").kind, "macvlan");
	assert_string_equal(look("eth1").kind, "macvlan");
	enter(host);
	assert_int_equal(nook_link_disconnect(&links[0], "web", NULL), 0);

	links[0].master = "eth7";
	assert_int_equal(nook_link_connect(&links[0], "web", inside, NULL), -ENODEV);
}

/* More than one batch holds. */
static void test_many_links(void **state)
{
	enum { MANY = 20 };
	auto_close int inside = new_netns();
	struct nook_plan_link links[MANY];
	char names[MANY][2][IFNAMSIZ];

	assert_int_equal(nook_link_bridge(&blue, NULL), 0);
	for (unsigned i = 0; i < MANY; i++) {
		links[i] = eth0;
		(void)nook_format(names[i][0], IFNAMSIZ, "nk%u", i);
		(void)nook_format(names[i][1], IFNAMSIZ, "eth%u", i);
		links[i].outside = names[i][0];
		links[i].inside = names[i][1];
		links[i].mac[5] = links[i].address[0].bytes[3] = links[i].address[1].bytes[15] =
			(uint8_t)(i + 2);
		if (i)
			memset(links[i].gateway, 0, sizeof(links[i].gateway));
		assert_int_equal(nook_link_connect(&links[i], "web", inside, NULL), 0);
	}
	enter(inside);
	assert_int_equal(nook_link_configure(links, MANY, NO_FD, NULL), 0);
	for (unsigned i = 0; i < MANY; i++)
		assert_true(is_up(links[i].inside));
	enter(host);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_the_first_refusal_is_told_by_its_index, begin),
		cmocka_unit_test_setup(test_the_kernels_own_words, begin),
		cmocka_unit_test_setup(test_room, begin),
		cmocka_unit_test_setup(test_news, begin),
		cmocka_unit_test_setup(test_bridge, begin),
		cmocka_unit_test_setup(test_a_link_of_somebody_elses, begin),
		cmocka_unit_test_setup(test_pair, begin),
		cmocka_unit_test_setup(test_pair_refused, begin),
		cmocka_unit_test_setup(test_macvlan, begin),
		cmocka_unit_test_setup(test_many_links, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
