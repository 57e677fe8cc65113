/* SPDX-License-Identifier: Apache-2.0 */
/* Who has which port of the host: in a network namespace of our own, where nobody else listens. */
#include "ports.h"

#include "base/own.h"
#include "base/text.h"
#include "claims.h"
#include "state/dir_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

/* The undo proper is tested where it lives, in src/run/; here a leftover is its files and ports. */
int nook_state_clear(struct nook_state *state, struct nook_error *err)
{
	int rc = nook_net_release_all(state, err);

	return rc < 0 ? rc : nook_files_delete(state, err);
}

static struct nook_state web, db;

static bool is_apart;

static int begin(void **state)
{
	web = db = NOOK_STATE_NONE;
	if (make_dir(state) < 0 || nook_state_claim(dir, "web", &web, NULL) < 0 ||
	    nook_state_claim(dir, "db", &db, NULL) < 0)
		return -1;
	return mkdirat(web.base, "net", 0700) < 0 || mkdirat(web.base, "net/ports", 0700) < 0 ? -1
											      : 0;
}

/* Fails when a test has left something. */
static int end(void **state)
{
	auto_close int base = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (web.base >= 0 && nook_state_drop(&web, NULL) < 0)
		return -1;
	if (db.base >= 0 && nook_state_drop(&db, NULL) < 0)
		return -1;
	if (unlinkat(base, "net/ports", AT_REMOVEDIR) < 0)
		return -1;
	(void)unlinkat(base, "net", AT_REMOVEDIR);
	return remove_dir(state);
}

static struct nook_net_addr address(const char *text)
{
	struct nook_net_addr a = { 0 };

	if (text)
		assert_int_equal(nook_net_parse_address(text, &a, NULL), 0);
	return a;
}

/* @host: NULL: on all addresses. */
static struct nook_plan_port port(uint8_t protocol, const char *host, uint16_t first,
				  uint16_t count)
{
	return (struct nook_plan_port){
		.protocol = protocol, .host = address(host), .host_port = first, .count = count
	};
}

static size_t n_claims(void)
{
	auto_close int fd = openat(web.base, "net/ports", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fdopendir(dup(fd));
	size_t n = 0;

	assert_non_null(d);
	for (const struct dirent *e; (e = readdir(d));)
		n += e->d_name[0] != '.';
	closedir(d);
	return n;
}

static void test_meets(void **state)
{
	static const struct {
		const char *port, *address;
		bool meets;
	} cases[] = {
		{ NULL, NULL, true },
		{ NULL, "10.0.0.1", true },
		{ "fd00::1", NULL, true },
		{ "10.0.0.1", "10.0.0.1", true },
		{ "10.0.0.1", "10.0.0.2", false },
		{ "0.0.0.0", "10.0.0.2", true },
		{ "10.0.0.1", "0.0.0.0", true },
		{ "::", "fd00::1", true },
		{ "fd00::1", "fd00::1", true },
		{ "fd00::1", "fd00::2", false },
		{ "0.0.0.0", "::", false },
		{ "::", "10.0.0.1", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct nook_plan_port p = port(IPPROTO_TCP, cases[i].port, 80, 1);
		struct nook_net_addr a = address(cases[i].address);

		assert_int_equal(nook_port_meets(&p, &a), cases[i].meets);
	}
}

/* Names of files that db holds, and whether they are in the way of web's port. */
static void test_names(void **state)
{
	static const struct {
		const char *file;
		uint8_t protocol;
		const char *host;
		uint16_t first, count;
		bool taken;
	} cases[] = {
		{ "tcp:*:80", IPPROTO_TCP, NULL, 80, 1, true },
		{ "tcp:*:80", IPPROTO_TCP, "127.0.0.1", 80, 1, true },
		{ "tcp:*:80", IPPROTO_UDP, NULL, 80, 1, false },
		{ "udp:*:80", IPPROTO_UDP, "::1", 80, 1, true },
		{ "tcp:*:80", IPPROTO_TCP, NULL, 70, 10, false },
		{ "tcp:*:80", IPPROTO_TCP, NULL, 71, 10, true },
		{ "tcp:*:80", IPPROTO_TCP, NULL, 81, 10, false },
		{ "tcp:*:65535", IPPROTO_TCP, NULL, 1, 65535, true },
		{ "tcp:127.0.0.1:80", IPPROTO_TCP, NULL, 80, 1, true },
		{ "tcp:127.0.0.1:80", IPPROTO_TCP, "0.0.0.0", 80, 1, true },
		{ "tcp:127.0.0.1:80", IPPROTO_TCP, "127.0.0.2", 80, 1, false },
		{ "tcp:127.0.0.1:80", IPPROTO_TCP, "::", 80, 1, false },
		{ "tcp:::1:80", IPPROTO_TCP, "::", 80, 1, true },
		{ "tcp:::1:80", IPPROTO_TCP, "::2", 80, 1, false },
		{ "tcp:fd00::1:80", IPPROTO_TCP, "fd00::1", 80, 1, true },
		/* none of ours */
		{ "tcp:80", IPPROTO_TCP, NULL, 80, 1, false },
		{ "tcp::80", IPPROTO_TCP, NULL, 80, 1, false },
		{ "tcp:*", IPPROTO_TCP, NULL, 80, 1, false },
		{ "tcp:*:", IPPROTO_TCP, NULL, 80, 1, false },
		{ "tcp:*:080", IPPROTO_TCP, NULL, 80, 1, false },
		{ "tcp:*:+80", IPPROTO_TCP, NULL, 80, 1, false },
		{ "tcp:*:65616", IPPROTO_TCP, NULL, 80, 1, false },
		{ "tcp:**:80", IPPROTO_TCP, NULL, 80, 1, false },
		{ "tcp:1.2.3:80", IPPROTO_TCP, NULL, 80, 1, false },
		{ "tcp:1.2.3.4.5:80", IPPROTO_TCP, NULL, 80, 1, false },
		{ "tcp:fd00::1%lo:80", IPPROTO_TCP, NULL, 80, 1, false },
		{ "tcp:0000000000000000000000000000000000000000000000000000000001:80", IPPROTO_TCP,
		  NULL, 80, 1, false },
		{ "sctp:*:80", IPPROTO_TCP, NULL, 80, 1, false },
		{ ":*:80", IPPROTO_TCP, NULL, 80, 1, false },
		{ "*:80", IPPROTO_TCP, NULL, 80, 1, false },
		{ "80", IPPROTO_TCP, NULL, 80, 1, false },
		{ ".tcp:*:80", IPPROTO_TCP, NULL, 80, 1, false },
	};

	if (!is_apart)
		skip();
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct nook_plan_port p =
			port(cases[i].protocol, cases[i].host, cases[i].first, cases[i].count);
		struct nook_error err = { 0 };
		char path[300];

		(void)nook_format(path, sizeof(path), "net/ports/%s", cases[i].file);
		assert_int_equal(symlinkat("db", web.base, path), 0);

		int rc = nook_ports_claim(&web, &p, 1, &err);

		if (rc != (cases[i].taken ? -EADDRINUSE : 0))
			fail_msg("%s: %d %s", cases[i].file, rc, err.why);
		assert_int_equal(nook_port_is_mine(&web, &p), !cases[i].taken);
		if (cases[i].taken)
			assert_non_null(strstr(err.why, "leads to container db already"));
		assert_int_equal(nook_ports_release(&web, &p, 1, NULL), 0);
		assert_int_equal(unlinkat(web.base, path, 0), 0);
		assert_int_equal(n_claims(), 0);
	}
}

static void test_taken_and_given_back(void **state)
{
	const struct nook_plan_port ports[] = { port(IPPROTO_TCP, NULL, 8000, 3),
						port(IPPROTO_UDP, "127.0.0.1", 8000, 1) };
	const struct nook_plan_port inside = port(IPPROTO_TCP, "::1", 8002, 1);

	if (!is_apart)
		skip();
	assert_int_equal(nook_ports_claim(&web, ports, 0, NULL), 0);
	assert_int_equal(nook_ports_claim(&web, ports, 2, NULL), 0);
	assert_int_equal(nook_ports_claim(&web, ports, 2, NULL), 0); /* once more: they are ours */
	assert_int_equal(n_claims(), 4);
	assert_int_equal(nook_ports_claim(&db, &inside, 1, NULL), -EADDRINUSE);
	assert_int_equal(nook_ports_release(&db, ports, 2, NULL), 0); /* not db's: they stay */
	assert_int_equal(n_claims(), 4);
	assert_int_equal(nook_ports_release(&web, ports, 2, NULL), 0);
	assert_int_equal(n_claims(), 0);
	assert_int_equal(nook_ports_claim(&db, &inside, 1, NULL), 0);
	assert_int_equal(nook_ports_release(&db, &inside, 1, NULL), 0);
}

/* All or none: what was taken before the one that can't be had is given back. */
static void test_none_of_them(void **state)
{
	const struct nook_plan_port held = port(IPPROTO_TCP, NULL, 8003, 1);
	const struct nook_plan_port ports[] = { port(IPPROTO_UDP, NULL, 53, 1),
						port(IPPROTO_TCP, NULL, 8000, 5) };
	struct nook_error err = { 0 };

	if (!is_apart)
		skip();
	assert_int_equal(nook_ports_claim(&db, &held, 1, NULL), 0);
	assert_int_equal(nook_ports_claim(&web, ports, 2, &err), -EADDRINUSE);
	assert_string_equal(err.id, "port-taken");
	assert_int_equal(n_claims(), 1);
	assert_true(nook_port_is_mine(&db, &held));
	assert_int_equal(nook_ports_release(&db, &held, 1, NULL), 0);
}

static void test_the_dead_hold_none(void **state)
{
	const struct nook_plan_port all = port(IPPROTO_TCP, NULL, 8000, 2);
	const struct nook_plan_port one = port(IPPROTO_TCP, "::1", 8001, 1);

	if (!is_apart)
		skip();
	assert_int_equal(nook_ports_claim(&db, &all, 1, NULL), 0);
	nook_state_close(&db); /* killed */
	assert_int_equal(nook_ports_claim(&web, &one, 1, NULL), 0);
	assert_int_equal(n_claims(), 1);
	assert_true(faccessat(web.base, "locks/db", F_OK, 0) < 0);
	assert_int_equal(nook_ports_release(&web, &one, 1, NULL), 0);
}

static void test_twice_of_ones_own(void **state)
{
	static const struct {
		struct {
			uint8_t protocol;
			const char *host;
			uint16_t first, count;
		} port[2];
		uint16_t twice; /* 0: none */
	} cases[] = {
		{ { { IPPROTO_TCP, NULL, 80, 1 }, { IPPROTO_TCP, NULL, 80, 1 } }, 80 },
		{ { { IPPROTO_TCP, NULL, 80, 1 }, { IPPROTO_UDP, NULL, 80, 1 } }, 0 },
		{ { { IPPROTO_TCP, NULL, 80, 3 }, { IPPROTO_TCP, "::1", 82, 1 } }, 82 },
		{ { { IPPROTO_TCP, NULL, 80, 3 }, { IPPROTO_TCP, NULL, 83, 1 } }, 0 },
		{ { { IPPROTO_TCP, NULL, 80, 3 }, { IPPROTO_TCP, NULL, 79, 2 } }, 80 },
		{ { { IPPROTO_TCP, "::1", 80, 1 }, { IPPROTO_TCP, "127.0.0.1", 80, 1 } }, 0 },
		{ { { IPPROTO_TCP, NULL, 65535, 1 }, { IPPROTO_TCP, NULL, 65534, 1 } }, 0 },
	};

	if (!is_apart)
		skip();
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct nook_plan_port ports[2];
		struct nook_error err = { 0 };
		char text[80];

		for (int n = 0; n < 2; n++)
			ports[n] = port(cases[i].port[n].protocol, cases[i].port[n].host,
					cases[i].port[n].first, cases[i].port[n].count);
		assert_int_equal(nook_ports_claim(&web, ports, 2, &err),
				 cases[i].twice ? -EADDRINUSE : 0);
		(void)nook_format(text, sizeof(text),
				  "port %u of the host (tcp) is published twice", cases[i].twice);
		assert_string_equal(err.why, cases[i].twice ? text : "");
		assert_int_equal(nook_ports_release(&web, ports, 2, NULL), 0);
		assert_int_equal(n_claims(), 0);
	}
}

/* Programs that listen: [::] of both families is in everybody's way. */
static void test_programs_of_the_host(void **state)
{
	static const struct {
		int family, type;
		bool v6_only;
		uint8_t protocol;
		const char *host;
		uint16_t first, count;
		bool taken;
	} cases[] = {
		{ AF_INET, SOCK_STREAM, false, IPPROTO_TCP, NULL, 8080, 1, true },
		{ AF_INET, SOCK_STREAM, false, IPPROTO_UDP, NULL, 8080, 1, false },
		{ AF_INET, SOCK_DGRAM, false, IPPROTO_UDP, "127.0.0.1", 8080, 1, true },
		{ AF_INET, SOCK_STREAM, false, IPPROTO_TCP, NULL, 8079, 2, true },
		{ AF_INET, SOCK_STREAM, false, IPPROTO_TCP, NULL, 8081, 2, false },
		{ AF_INET, SOCK_STREAM, false, IPPROTO_TCP, "::1", 8080, 1, false },
		{ AF_INET6, SOCK_STREAM, true, IPPROTO_TCP, "127.0.0.1", 8080, 1, false },
		{ AF_INET6, SOCK_STREAM, true, IPPROTO_TCP, "::1", 8080, 1, true },
		{ AF_INET6, SOCK_STREAM, false, IPPROTO_TCP, "127.0.0.1", 8080, 1, true },
	};

	if (!is_apart)
		skip();
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct nook_plan_port p =
			port(cases[i].protocol, cases[i].host, cases[i].first, cases[i].count);
		struct sockaddr_in6 at6 = { .sin6_family = AF_INET6, .sin6_port = htons(8080) };
		struct sockaddr_in at4 = { .sin_family = AF_INET, .sin_port = htons(8080) };
		bool v6 = cases[i].family == AF_INET6;
		auto_close int fd = socket(cases[i].family, cases[i].type | SOCK_CLOEXEC, 0);
		const int only = cases[i].v6_only;

		if (fd < 0 && errno == EAFNOSUPPORT)
			continue;
		assert_true(fd >= 0);
		if (v6)
			assert_int_equal(
				setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof(only)), 0);
		assert_int_equal(bind(fd, v6 ? (struct sockaddr *)&at6 : (struct sockaddr *)&at4,
				      v6 ? sizeof(at6) : sizeof(at4)),
				 0);
		if (cases[i].type == SOCK_STREAM)
			assert_int_equal(listen(fd, 1), 0);
		assert_int_equal(nook_ports_claim(&web, &p, 1, NULL),
				 cases[i].taken ? -EADDRINUSE : 0);
		assert_int_equal(n_claims(), cases[i].taken ? 0 : cases[i].count);
		assert_int_equal(nook_ports_release(&web, &p, 1, NULL), 0);
	}
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_meets),    TEST(test_names),
		TEST(test_taken_and_given_back), TEST(test_none_of_them),
		TEST(test_the_dead_hold_none),   TEST(test_twice_of_ones_own),
		TEST(test_programs_of_the_host),
	};

	is_apart = unshare(CLONE_NEWNET) == 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
