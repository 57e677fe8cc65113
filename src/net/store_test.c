/* SPDX-License-Identifier: Apache-2.0 */
#include "store.h"

#include "base/file.h"
#include "base/own.h"
#include "base/text.h"
#include "state/files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char dir[64];
static int base = NO_FD;
static struct nook_arena arena;

static int make_dir(void **state)
{
	(void)nook_format(dir, sizeof(dir), "/tmp/nook-store-test-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	base = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return nook_arena_init(&arena);
}

static int remove_dir(void **state)
{
	static const char *const files[] = { "net/networks/blue", "net/networks/red", "net/new",
					     "net/lock" };

	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		(void)unlinkat(base, files[i], 0);
	(void)unlinkat(base, "net/networks", AT_REMOVEDIR);
	(void)unlinkat(base, "net", AT_REMOVEDIR);
	close_fd(&base);
	nook_arena_free(&arena);
	return rmdir(dir);
}

static void test_names(void **state)
{
	static const struct {
		const char *name, *bridge; /* NULL: refused */
	} cases[] = {
		{ "nook0", "nook0" },
		{ "nook", "nook" },
		{ "nook-abcdefghij", "nook-abcdefghij" },
		{ "nook-abcdefghijk", "nk-nook--74a495" },
		{ "blue", "nk-blue" },
		{ "a", "nk-a" },
		{ "9", "nk-9" },
		{ "_", "nk-_" },
		{ "abcdefghijkl", "nk-abcdefghijkl" },
		{ "abcdefghijklm", "nk-abcde-8356e8" },
		{ "abcdefghijkln", "nk-abcde-835ba1" },
		{ "abcdefghijklmnopqrstuvwxyz_.-456", "nk-abcde-a21f89" },
		{ "abcdefghijklmnopqrstuvwxyz_.-4567", NULL },
		{ "", NULL },
		{ "-a", NULL },
		{ ".", NULL },
		{ "..", NULL },
		{ "a/b", NULL },
		{ "a b", NULL },
		{ "a+b", NULL },
		{ "a:b", NULL },
		{ "a%d", NULL },
		{ "a\n", NULL },
		{ "\xc3\xa4", NULL },
		{ "host", NULL },
		{ "none", NULL },
		{ "private", NULL },
		{ "bridge", NULL },
		{ "user", NULL },
		{ "macvlan", NULL },
		{ "ns", NULL },
		{ "container", NULL },
		{ "hosts", "nk-hosts" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char bridge[16];
		int rc = nook_net_check_name(cases[i].name, NULL);

		if (rc != (cases[i].bridge ? 0 : -EINVAL))
			fail_msg("%s: %d", cases[i].name, rc);
		if (!cases[i].bridge)
			continue;
		nook_net_bridge_name(cases[i].name, bridge);
		assert_string_equal(bridge, cases[i].bridge);
	}
}

static struct nook_network example(void)
{
	struct nook_network n = { .name = "blue",
				  .bridge = "nk-blue",
				  .internal = true,
				  .mtu = 1400,
				  .created = 1700000000 };

	assert_int_equal(nook_net_parse_subnet("10.9.0.0/16", &n.subnet[NOOK_NET_V4], NULL), 0);
	assert_int_equal(nook_net_parse_subnet("fd09::/64", &n.subnet[NOOK_NET_V6], NULL), 0);
	nook_net_set_gateways(&n);
	return n;
}

static void test_what_is_written_is_read(void **state)
{
	static const enum nook_net_phase phases[] = { NOOK_NET_MAKING, NOOK_NET_THERE,
						      NOOK_NET_REMOVING };
	struct nook_network n = example(), got;
	enum nook_net_phase phase;
	char text[NOOK_NET_TEXT];

	assert_int_equal(nook_net_record_read(base, "blue", &arena, &got, &phase, NULL), -ENOENT);
	for (size_t i = 0; i < ARRAY_SIZE(phases); i++) {
		assert_int_equal(nook_net_record_write(base, &n, phases[i], NULL), 0);
		assert_int_equal(nook_net_record_read(base, "blue", &arena, &got, &phase, NULL), 0);
		assert_int_equal(phase, phases[i]);
	}
	assert_string_equal(got.name, "blue");
	assert_string_equal(got.bridge, "nk-blue");
	assert_string_equal(nook_net_text_prefix(&got.gateway[NOOK_NET_V4], text), "10.9.0.1/16");
	assert_string_equal(nook_net_text_prefix(&got.gateway[NOOK_NET_V6], text), "fd09::1/64");
	assert_true(got.internal && !got.no_nat && got.mtu == 1400 && got.created == 1700000000);

	assert_int_equal(nook_net_record_delete(base, "blue", NULL), 0);
	assert_int_equal(nook_net_record_delete(base, "blue", NULL), 0);
	assert_int_equal(nook_net_record_read(base, "blue", &arena, &got, &phase, NULL), -ENOENT);
}

#define GOOD_SUBNETS "\"subnets\":[\"10.9.0.0/16\"],"
#define END          "\"internal\":false,\"no_nat\":false,\"mtu\":0,\"created\":1}"
#define BEGIN        "{\"version\":1,\"name\":\"blue\",\"phase\":\"there\",\"bridge\":\"nk-blue\","

static void test_odd_records(void **state)
{
	static const struct {
		const char *text, *why; /* NULL: it is good */
	} cases[] = {
		{ BEGIN GOOD_SUBNETS END, NULL },
		{ BEGIN GOOD_SUBNETS "\"later\":{}," END, NULL },
		{ "", "" },
		{ "{}", "version" },
		{ "[]", "" },
		{ "{\"version\":2}", "this nook knows 1" },
		{ "{\"version\":\"1\"}", "" },
		{ "{\"version\":1,\"name\":\"red\"}", "it is that of \"red\"" },
		{ "{\"version\":1,\"name\":\"blue\",\"phase\":\"gone\"}", "is no phase" },
		{ "{\"version\":1,\"name\":\"blue\",\"phase\":\"there\",\"bridge\":\"eth0\"}",
		  "its bridge is called \"eth0\"" },
		{ BEGIN END, "subnets" },
		{ BEGIN "\"subnets\":[]," END, "0 subnets" },
		{ BEGIN "\"subnets\":[\"10.9.0.0/16\",\"10.8.0.0/16\"]," END, "of one family" },
		{ BEGIN "\"subnets\":[\"10.9.0.0/16\",\"fd00::/64\",\"fd01::/64\"]," END,
		  "3 subnets" },
		{ BEGIN "\"subnets\":[\"10.9.0.1/16\"]," END, "not a subnet" },
		{ BEGIN "\"subnets\":[\"0.0.0.0/0\"]," END, "too large" },
		{ BEGIN "\"subnets\":[10]," END, "" },
		{ BEGIN "\"subnets\":\"10.9.0.0/16\"," END, "" },
		{ BEGIN GOOD_SUBNETS "\"internal\":1}", "" },
		{ BEGIN GOOD_SUBNETS "\"internal\":false,\"no_nat\":false,\"mtu\":-1}", "" },
		{ BEGIN GOOD_SUBNETS "\"internal\":false,\"no_nat\":false,\"mtu\":65536}", "" },
		{ BEGIN GOOD_SUBNETS
		  "\"internal\":false,\"no_nat\":false,\"mtu\":0,\"created\":-1}",
		  "" },
		{ BEGIN GOOD_SUBNETS END "x", "" },
		{ "{\"version\":1,\"name\":\"blue\",\"phase\":[[[[[[[[]]]]]]]]}", "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		auto_close int folder = nook_net_folder(base, "networks", true, NULL);
		auto_close int fd =
			openat(folder, "blue", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		struct nook_network got;
		enum nook_net_phase phase;
		struct nook_error err = { 0 };

		assert_int_equal(nook_write_fd(fd, cases[i].text, strlen(cases[i].text)), 0);
		int rc = nook_net_record_read(base, "blue", &arena, &got, &phase, &err);

		if (rc != (cases[i].why ? -EBADMSG : 0))
			fail_msg("%s: %d %s", cases[i].text, rc, err.why);
		if (cases[i].why && !strstr(err.why, cases[i].why))
			fail_msg("%s: %s", cases[i].text, err.why);
		if (cases[i].why)
			assert_string_equal(
				err.hint, "`nook net rm --force blue` removes what is left of it.");
	}
}

/* What is no file is no record, and nobody waits for it. */
static void test_what_is_no_file(void **state)
{
	auto_close int folder = nook_net_folder(base, "networks", true, NULL);
	struct nook_network got;
	enum nook_net_phase phase;

	assert_int_equal(mkfifoat(folder, "blue", 0600), 0);
	assert_int_equal(nook_net_record_read(base, "blue", &arena, &got, &phase, NULL), -EBADMSG);
	assert_int_equal(unlinkat(folder, "blue", 0), 0);
	assert_int_equal(symlinkat("/etc/passwd", folder, "blue"), 0);
	assert_int_equal(nook_net_record_read(base, "blue", &arena, &got, &phase, NULL), -EBADMSG);
	assert_int_equal(unlinkat(folder, "blue", 0), 0);
	assert_int_equal(mkdirat(folder, "blue", 0700), 0);
	assert_int_equal(nook_net_record_read(base, "blue", &arena, &got, &phase, NULL), -EBADMSG);
	assert_int_equal(unlinkat(folder, "blue", AT_REMOVEDIR), 0);
}

static void test_a_folder_that_leads_elsewhere(void **state)
{
	struct nook_error err = { 0 };

	assert_int_equal(symlinkat("/tmp", base, "net"), 0);
	assert_int_equal(nook_net_folder(base, "networks", true, &err), -ELOOP);
	assert_int_equal(nook_net_lock(base, &err), -ELOOP);
	assert_int_equal(unlinkat(base, "net", 0), 0);
}

static void test_all_names(void **state)
{
	struct nook_network n = example();
	const char **names = NULL;
	size_t count = 7;

	assert_int_equal(nook_net_record_names(base, &arena, &names, &count, NULL), 0);
	assert_int_equal(count, 0);
	n.name = "red";
	assert_int_equal(nook_net_record_write(base, &n, NOOK_NET_THERE, NULL), 0);
	n.name = "blue";
	assert_int_equal(nook_net_record_write(base, &n, NOOK_NET_THERE, NULL), 0);
	auto_close int folder = nook_net_folder(base, "networks", false, NULL);

	assert_int_equal(symlinkat("x", folder, "a+b"), 0);
	assert_int_equal(nook_net_record_names(base, &arena, &names, &count, NULL), 0);
	assert_int_equal(unlinkat(folder, "a+b", 0), 0);
	assert_int_equal(count, 2);
	assert_string_equal(names[0], "blue");
	assert_string_equal(names[1], "red");
}

/* The second waits till the first lets go, however it ends. */
static void test_lock(void **state)
{
	int ready[2], status;
	char c = 'x';

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid_t pid = fork();

	if (pid == 0) {
		if (nook_net_lock(base, NULL) < 0 || write(ready[1], &c, 1) != 1)
			_exit(1);
		(void)pause();
	}
	assert_int_equal(read(ready[0], &c, 1), 1);

	auto_close int fd = openat(base, "net/lock", O_RDWR | O_CLOEXEC);

	assert_int_equal(nook_lock_try(fd), -EBUSY);
	(void)kill(pid, SIGKILL);
	auto_close int lock = nook_net_lock(base, NULL);

	assert_true(lock >= 0);
	assert_int_equal(nook_lock_try(fd), -EBUSY);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	(void)close(ready[0]);
	(void)close(ready[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test_setup_teardown(test_what_is_written_is_read, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(test_odd_records, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(test_what_is_no_file, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(test_a_folder_that_leads_elsewhere, make_dir,
						remove_dir),
		cmocka_unit_test_setup_teardown(test_all_names, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(test_lock, make_dir, remove_dir),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
