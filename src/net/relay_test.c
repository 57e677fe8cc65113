/* SPDX-License-Identifier: Apache-2.0 */
/* The relay between [::1] and a server of our own, which stands in for the container's. */
#include "relay_parts.h"

#include "base/own.h"
#include "base/text.h"
#include "sys/pidfd.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE_MS 20000

static char dir[64];
static struct nook_state nook = { .lock = NO_FD, .name = "web" };
static int container = NO_FD; /* pidfd of what stands in for its pid 1 */
static pid_t container_pid;

static bool have_v6(void)
{
	auto_close int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const struct sockaddr_in6 at = { .sin6_family = AF_INET6,
					 .sin6_addr = IN6ADDR_LOOPBACK_INIT };

	return fd >= 0 && bind(fd, (const struct sockaddr *)&at, sizeof(at)) == 0;
}

static int begin(void **state)
{
	if (!have_v6())
		return 0;
	(void)nook_format(dir, sizeof(dir), "/tmp/nook-relay-test-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	nook.base = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	container_pid = fork();
	if (container_pid == 0) {
		for (;;)
			pause();
	}
	container = nook_pidfd_open(container_pid, 0);
	return container < 0 ? -1 : 0;
}

static int end(void **state)
{
	if (!have_v6())
		return 0;
	(void)kill(container_pid, SIGKILL);
	(void)waitpid(container_pid, NULL, 0);
	close_fd(&container);
	(void)unlinkat(nook.base, "net/relays", AT_REMOVEDIR);
	(void)unlinkat(nook.base, "net", AT_REMOVEDIR);
	close_fd(&nook.base);
	return rmdir(dir);
}

static void patient(int fd)
{
	const struct timeval t = { .tv_sec = PATIENCE_MS / 1000 };

	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t)), 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof(t)), 0);
}

/* A server at 127.0.0.1 or ::1, and its port. */
static int serve(int family, int type, uint16_t *ret_port)
{
	struct sockaddr_in6 at6 = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	struct sockaddr_in at4 = { .sin_family = AF_INET,
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	bool v6 = family == AF_INET6;
	struct sockaddr *at = v6 ? (struct sockaddr *)&at6 : (struct sockaddr *)&at4;
	socklen_t len = v6 ? sizeof(at6) : sizeof(at4);
	int fd = socket(family, type | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, at, len), 0);
	if (type == SOCK_STREAM)
		assert_int_equal(listen(fd, SOMAXCONN), 0);
	assert_int_equal(getsockname(fd, at, &len), 0);
	*ret_port = ntohs(v6 ? at6.sin6_port : at4.sin_port);
	patient(fd);
	return fd;
}

/* A port of ::1 that nobody has. */
static uint16_t free_port(int type)
{
	uint16_t port;
	int fd = serve(AF_INET6, type, &port);

	close_fd(&fd);
	return port;
}

static int connect_to(uint16_t port, int type)
{
	const struct sockaddr_in6 at = { .sin6_family = AF_INET6,
					 .sin6_port = htons(port),
					 .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	int fd = socket(AF_INET6, type | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	patient(fd);
	if (connect(fd, (const struct sockaddr *)&at, sizeof(at)) < 0) {
		int error = errno;

		close_fd(&fd);
		return -error;
	}
	return fd;
}

static struct nook_plan_port port_to(int family, uint8_t protocol, uint16_t inside)
{
	struct nook_plan_port p = { .protocol = protocol,
				    .host_port = free_port(protocol == IPPROTO_TCP ? SOCK_STREAM
										   : SOCK_DGRAM),
				    .inside_port = inside,
				    .count = 1 };
	bool v6 = family == AF_INET6;

	assert_int_equal(nook_net_parse_address(v6 ? "::1" : "127.0.0.1",
						&p.to[v6 ? NOOK_NET_V6 : NOOK_NET_V4], NULL),
			 0);
	return p;
}

static void start(const struct nook_plan_port *ports, size_t n)
{
	struct nook_error err = { 0 };

	if (nook_relay_start(&nook, ports, n, container, &err) < 0)
		fail_msg("%s", err.why);
}

/* A server inside, and a port of the host that is relayed to it. */
static int serve_relayed(int family, int type, struct nook_plan_port *ret)
{
	uint16_t inside;
	int server = serve(family, type, &inside);

	*ret = port_to(family, type == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP, inside);
	start(ret, 1);
	return server;
}

static void stop(void)
{
	struct nook_error err = { 0 };

	if (nook_relay_stop(&nook, &err) < 0)
		fail_msg("%s", err.why);
}

static int relay_pid(void)
{
	char text[64];
	ssize_t n = readlinkat(nook.base, "net/relays/web", text, sizeof(text) - 1);

	if (n < 0)
		return 0;
	text[n] = '\0';
	return atoi(text);
}

static void must_read(int fd, const char *text)
{
	char got[64] = "";
	ssize_t n = recv(fd, got, strlen(text), MSG_WAITALL);

	assert_int_equal(n, strlen(text));
	assert_memory_equal(got, text, strlen(text));
}

static void test_tcp(void **state)
{
	static const int families[] = { AF_INET, AF_INET6 };

	if (!have_v6())
		skip();
	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		struct nook_plan_port p;
		auto_close int server = serve_relayed(families[i], SOCK_STREAM, &p);

		auto_close int client = connect_to(p.host_port, SOCK_STREAM);
		auto_close int served = accept4(server, NULL, NULL, SOCK_CLOEXEC);

		assert_true(client >= 0 && served >= 0);
		patient(served);
		assert_int_equal(send(client, "hello", 5, 0), 5);
		must_read(served, "hello");
		/* One direction ends, and the other goes on. */
		assert_int_equal(shutdown(client, SHUT_WR), 0);
		assert_int_equal(recv(served, &(char){ 0 }, 1, 0), 0);
		assert_int_equal(send(served, "answer", 6, 0), 6);
		must_read(client, "answer");
		close_fd(&served);
		assert_int_equal(recv(client, &(char){ 0 }, 1, 0), 0);
		stop();
	}
}

/* More than all buffers on the way hold, while the other side does not read yet. */
static void test_much(void **state)
{
	enum { MUCH = 32 << 20, PIECE = 1 << 16 };
	static char piece[PIECE];
	struct nook_plan_port p;

	if (!have_v6())
		skip();

	auto_close int server = serve_relayed(AF_INET, SOCK_STREAM, &p);

	auto_close int client = connect_to(p.host_port, SOCK_STREAM);
	auto_close int served = accept4(server, NULL, NULL, SOCK_CLOEXEC);
	pid_t writer = fork();

	assert_true(client >= 0 && served >= 0 && writer >= 0);
	if (writer == 0) {
		for (int i = 0; i < MUCH / PIECE; i++) {
			memset(piece, i, PIECE);
			for (ssize_t at = 0, n; at < PIECE; at += n) {
				n = send(client, piece + at, (size_t)(PIECE - at), 0);
				if (n <= 0)
					_exit(1);
			}
		}
		_exit(shutdown(client, SHUT_RDWR) < 0);
	}
	patient(served);
	for (int i = 0; i < MUCH / PIECE; i++) {
		assert_int_equal(recv(served, piece, PIECE, MSG_WAITALL), PIECE);
		assert_int_equal((unsigned char)piece[0], i % 256);
		assert_int_equal((unsigned char)piece[PIECE - 1], i % 256);
	}
	assert_int_equal(recv(served, piece, 1, 0), 0);

	int status;

	assert_int_equal(waitpid(writer, &status, 0), writer);
	assert_int_equal(status, 0);
	stop();
}

/* As many as it serves at a time, and some more, one after another's end. */
static void test_many(void **state)
{
	enum { MORE = NOOK_RELAY_CONNECTIONS + 20 };
	static int clients[MORE];
	struct nook_plan_port p;

	if (!have_v6())
		skip();

	auto_close int server = serve_relayed(AF_INET, SOCK_STREAM, &p);
	for (int i = 0; i < MORE; i++) {
		clients[i] = connect_to(p.host_port, SOCK_STREAM);
		assert_true(clients[i] >= 0);
	}
	for (int i = 0; i < MORE; i++) {
		auto_close int served = accept4(server, NULL, NULL, SOCK_CLOEXEC);

		assert_true(served >= 0);
		assert_int_equal(send(served, "x", 1, 0), 1);
		must_read(clients[i], "x");
		close_fd(&clients[i]);
	}
	stop();
}

static void test_nobody_inside(void **state)
{
	uint16_t inside;

	if (!have_v6())
		skip();

	int server = serve(AF_INET, SOCK_STREAM, &inside);
	struct nook_plan_port p = port_to(AF_INET, IPPROTO_TCP, inside);

	close_fd(&server);
	start(&p, 1);

	auto_close int client = connect_to(p.host_port, SOCK_STREAM);

	/* A reset may come before connect(2) has returned. */
	assert_true(client >= 0 || client == -ECONNRESET);
	if (client >= 0)
		assert_true(recv(client, &(char){ 0 }, 1, 0) <= 0);
	stop();
}

static void test_udp(void **state)
{
	struct nook_plan_port p;

	if (!have_v6())
		skip();

	auto_close int server = serve_relayed(AF_INET, SOCK_DGRAM, &p);

	auto_close int one = connect_to(p.host_port, SOCK_DGRAM);
	auto_close int two = connect_to(p.host_port, SOCK_DGRAM);
	const int clients[] = { one, two };
	static const char *const texts[] = { "one", "two" };
	struct sockaddr_in from[2];

	for (int i = 0; i < 2; i++) {
		char got[8];
		socklen_t len = sizeof(from[i]);

		assert_int_equal(send(clients[i], texts[i], 3, 0), 3);
		assert_int_equal(
			recvfrom(server, got, sizeof(got), 0, (struct sockaddr *)&from[i], &len),
			3);
		assert_memory_equal(got, texts[i], 3);
	}
	/* Answers find who has asked, whatever their order. */
	for (int i = 1; i >= 0; i--)
		assert_int_equal(sendto(server, texts[i], 3, 0, (struct sockaddr *)&from[i],
					sizeof(from[i])),
				 3);
	for (int i = 0; i < 2; i++)
		must_read(clients[i], texts[i]);
	stop();
}

static void test_which_ports(void **state)
{
	static const struct {
		const char *host;
		bool inside, wanted;
	} cases[] = {
		{ NULL, true, true },         { "::", true, true },
		{ "::1", true, true },        { "0.0.0.0", true, false },
		{ "127.0.0.1", true, false }, { "2001:db8::1", true, false },
		{ NULL, false, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct nook_plan_port p = { .protocol = IPPROTO_TCP, .count = 1 };

		if (cases[i].host)
			assert_int_equal(nook_net_parse_address(cases[i].host, &p.host, NULL), 0);
		if (cases[i].inside)
			p.to[NOOK_NET_V4].family = AF_INET;
		assert_int_equal(nook_relay_wanted(&p, 1), cases[i].wanted);
	}
}

static void test_port_taken(void **state)
{
	uint16_t inside;
	struct nook_error err = { 0 };

	if (!have_v6())
		skip();

	auto_close int other = serve(AF_INET6, SOCK_STREAM, &inside);
	struct nook_plan_port p = port_to(AF_INET, IPPROTO_TCP, 80);

	(void)other; /* it is there */
	p.host_port = inside;
	assert_int_equal(nook_relay_start(&nook, &p, 1, container, &err), -EADDRINUSE);
	assert_string_equal(err.id, "port-taken");
	assert_int_equal(relay_pid(), 0);
}

/* It ends with the container, and when it is told to; its ports are free then. */
static void test_end(void **state)
{
	struct nook_plan_port p;

	if (!have_v6())
		skip();

	auto_close int server = serve_relayed(AF_INET, SOCK_STREAM, &p);

	(void)server; /* it is there */

	int first = relay_pid();

	assert_true(first > 0);
	start(&p, 1); /* anew, on the same port */
	assert_true(relay_pid() > 0 && relay_pid() != first);
	stop();
	assert_int_equal(relay_pid(), 0);
	assert_int_equal(connect_to(p.host_port, SOCK_STREAM), -ECONNREFUSED);
	stop();

	start(&p, 1);

	auto_close int relay = nook_pidfd_open(relay_pid(), 0);

	assert_int_equal(kill(container_pid, SIGKILL), 0);
	assert_int_equal(nook_pidfd_wait(relay, PATIENCE_MS), 0);
	stop();
}

/* Others' processes are not ended, whatever the note says. */
static void test_notes(void **state)
{
	static const char *const notes[] = { "x", ":", "1", "0:5", "-1:5", "4194305:1", "1:x", "" };

	if (!have_v6())
		skip();
	for (size_t i = 0; i < ARRAY_SIZE(notes); i++) {
		char text[64];
		auto_close int folder = nook_net_folder(nook.base, "relays", true, NULL);

		assert_true(folder >= 0);
		/* the last: a process that is there, and was not started then */
		(void)nook_format(text, sizeof(text), "%d:1", (int)container_pid);
		assert_int_equal(
			symlinkat(notes[i][0] ? notes[i] : text, nook.base, "net/relays/web"), 0);
		stop();
		assert_int_equal(relay_pid(), 0);
		assert_int_equal(kill(container_pid, 0), 0);
		assert_int_equal(nook_pidfd_wait(container, 0), -ETIMEDOUT);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_tcp, begin, end),
		cmocka_unit_test_setup_teardown(test_much, begin, end),
		cmocka_unit_test_setup_teardown(test_many, begin, end),
		cmocka_unit_test_setup_teardown(test_nobody_inside, begin, end),
		cmocka_unit_test_setup_teardown(test_udp, begin, end),
		cmocka_unit_test(test_which_ports),
		cmocka_unit_test_setup_teardown(test_port_taken, begin, end),
		cmocka_unit_test_setup_teardown(test_end, begin, end),
		cmocka_unit_test_setup_teardown(test_notes, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
