/* SPDX-License-Identifier: Apache-2.0 */
#include "net.h"

#include "base/own.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

struct place {
	char dir[64];
	int base;
	struct nook_arena arena;
};

static int set_up(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	(void)nook_format(p->dir, sizeof(p->dir), "/tmp/nook-attached-XXXXXX");
	assert_non_null(mkdtemp(p->dir));
	p->base = open(p->dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_true(p->base >= 0);
	assert_int_equal(nook_arena_open(&p->arena, NULL), 0);
	*state = p;
	return 0;
}

static int tear_down(void **state)
{
	struct place *p = *state;
	char command[128];

	(void)nook_format(command, sizeof(command), "rm -r %s", p->dir);
	assert_int_equal(system(command), 0);
	close_fd(&p->base);
	nook_arena_free(&p->arena);
	free(p);
	return 0;
}

static struct nook_net_addr addr(const char *text)
{
	struct nook_net_addr ret;

	assert_int_equal(nook_net_parse_interface(text, &ret, NULL), 0);
	return ret;
}

static void test_comes_back_as_it_was(void **state)
{
	struct place *p = *state;
	struct nook_plan_link links[] = {
		{ .kind = NOOK_LINK_PAIR,
		  .network = "blue",
		  .master = "nk-blue",
		  .outside = "nk0a010203",
		  .inside = "eth0",
		  .mac = { 0x0a, 0x6e, 10, 1, 2, 3 },
		  .mtu = 1400,
		  .address = { addr("10.1.2.3/16"), addr("fd00::3/64") },
		  .gateway = { addr("10.1.0.1/16") } },
		{ .kind = NOOK_LINK_MACVLAN,
		  .master = "eno1.5",
		  .inside = "lan\xc3\xa4",
		  .mac = { 0x0a, 0, 0, 0, 0, 1 } },
	};
	struct nook_plan_port ports[] = {
		{ .protocol = IPPROTO_TCP,
		  .host_port = 8080,
		  .inside_port = 80,
		  .count = 1,
		  .to = { addr("10.1.2.3/16") } },
		{ .protocol = IPPROTO_UDP,
		  .host = { .family = AF_INET6, .prefix = 128 },
		  .host_port = 65535,
		  .inside_port = 1,
		  .count = 1,
		  .to = { { 0 }, addr("fd00::3/64") } },
	};
	const struct nook_attached in = { "web", "www", links, 2, ports, 2 };
	struct nook_attached out, *all = NULL;
	size_t n = 0;

	assert_int_equal(nook_attached_read(p->base, "web", &p->arena, &out, NULL), -ENOENT);
	assert_int_equal(nook_attached_write(p->base, &in, NULL), 0);
	assert_int_equal(nook_attached_write(p->base, &in, NULL), 0);
	assert_int_equal(nook_attached_list(p->base, &p->arena, &all, &n, NULL, NULL), 0);
	assert_int_equal(n, 1);
	assert_string_equal(all[0].container, "web");
	assert_int_equal(nook_attached_read(p->base, "web", &p->arena, &out, NULL), 0);
	assert_string_equal(out.hostname, "www");
	assert_int_equal(out.n_links, 2);
	assert_int_equal(out.n_ports, 2);
	for (int i = 0; i < 2; i++) {
		const struct nook_plan_link *l = &out.links[i];

		assert_int_equal(l->kind, links[i].kind);
		assert_string_equal(l->master, links[i].master);
		assert_string_equal(l->inside, links[i].inside);
		assert_memory_equal(l->mac, links[i].mac, 6);
		assert_int_equal(l->mtu, links[i].mtu);
		assert_memory_equal(l->address, links[i].address, sizeof(l->address));
		assert_memory_equal(l->gateway, links[i].gateway, sizeof(l->gateway));
		assert_int_equal(out.ports[i].protocol, ports[i].protocol);
		assert_memory_equal(&out.ports[i].host, &ports[i].host, sizeof(ports[i].host));
		assert_int_equal(out.ports[i].host_port, ports[i].host_port);
		assert_int_equal(out.ports[i].inside_port, ports[i].inside_port);
		assert_int_equal(out.ports[i].count, ports[i].count);
		assert_memory_equal(out.ports[i].to, ports[i].to, sizeof(ports[i].to));
	}
	assert_string_equal(out.links[0].network, "blue");
	assert_string_equal(out.links[0].outside, "nk0a010203");
	assert_null(out.links[1].network);

	assert_int_equal(nook_attached_delete(p->base, "web", NULL), 0);
	assert_int_equal(nook_attached_delete(p->base, "web", NULL), 0);
	assert_int_equal(nook_attached_read(p->base, "web", &p->arena, &out, NULL), -ENOENT);
}

#define HEAD "{\"version\":1,\"container\":\"web\","
#define LINK "\"master\":\"nk-blue\",\"inside\":\"eth0\",\"mac\":\"0a:6e:00:00:00:01\",\"mtu\":0"
#define PORT "\"protocol\":\"tcp\",\"host_port\":80,\"inside_port\":80,\"count\":1"

static void test_what_an_enemy_wrote(void **state)
{
	static const char *const bad[] = {
		"",
		"{}",
		"{\"version\":2,\"container\":\"web\",\"links\":[],\"ports\":[]}",
		"{\"version\":1,\"container\":\"other\",\"links\":[],\"ports\":[]}",
		HEAD "\"links\":{},\"ports\":[]}",
		HEAD "\"links\":[],\"ports\":[1]}",
		HEAD "\"links\":[{" LINK
		     ",\"network\":\"../x\",\"outside\":\"nk1\"}],\"ports\":[]}",
		HEAD "\"links\":[{" LINK ",\"network\":\"blue\"}],\"ports\":[]}",
		HEAD "\"links\":[{" LINK
		     ",\"network\":\"blue\",\"outside\":\"a/b\"}],\"ports\":[]}",
		HEAD "\"links\":[{" LINK
		     ",\"network\":\"blue\",\"outside\":\"abcdefghijklmnop\"}],\"ports\":[]}",
		HEAD "\"links\":[{" LINK ",\"ipv4\":\"fd00::1/64\"}],\"ports\":[]}",
		HEAD "\"links\":[{" LINK ",\"ipv4\":\"10.0.0.1/33\"}],\"ports\":[]}",
		HEAD "\"links\":[],\"ports\":[{\"protocol\":\"sctp\",\"host_port\":80,"
		     "\"inside_port\":80,\"count\":1}]}",
		HEAD "\"links\":[],\"ports\":[{" PORT ",\"host\":\"::1/129\"}]}",
		HEAD "\"links\":[],\"ports\":[{\"protocol\":\"tcp\",\"host_port\":65535,"
		     "\"inside_port\":80,\"count\":2}]}",
		HEAD "\"links\":[],\"ports\":[{\"protocol\":\"tcp\",\"host_port\":0,"
		     "\"inside_port\":80,\"count\":1}]}",
	};
	struct place *p = *state;
	const struct nook_attached none = { .container = "web" };
	struct nook_attached out, *all = NULL;
	size_t n = 0;

	assert_int_equal(nook_attached_write(p->base, &none, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct nook_error err = { 0 };
		auto_close int fd =
			openat(p->base, "net/containers/web", O_WRONLY | O_TRUNC | O_CLOEXEC);

		assert_int_equal(write(fd, bad[i], strlen(bad[i])), (int)strlen(bad[i]));
		if (nook_attached_read(p->base, "web", &p->arena, &out, &err) != -EBADMSG)
			fail_msg("taken: %s", bad[i]);
		assert_non_null(strstr(err.why, "container web"));
		assert_int_equal(nook_attached_list(p->base, &p->arena, &all, &n, NULL, NULL), 0);
		assert_int_equal(n, 0);
	}

	/* Nor what is no file. */
	assert_int_equal(unlinkat(p->base, "net/containers/web", 0), 0);
	assert_int_equal(symlinkat("/etc/passwd", p->base, "net/containers/web"), 0);
	assert_int_equal(nook_attached_read(p->base, "web", &p->arena, &out, NULL), -EBADMSG);
	assert_int_equal(unlinkat(p->base, "net/containers/web", 0), 0);
	assert_int_equal(mkfifoat(p->base, "net/containers/web", 0600), 0);
	assert_int_equal(nook_attached_read(p->base, "web", &p->arena, &out, NULL), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_comes_back_as_it_was, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_what_an_enemy_wrote, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
