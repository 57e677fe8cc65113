/* SPDX-License-Identifier: Apache-2.0 */
#include "leases.h"

#include "base/own.h"
#include "base/text.h"
#include "claims.h"
#include "state/files.h"
#include "store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* The undo proper is tested where it lives, in src/run/; here a leftover is its files and leases.
 */
int nook_state_clear(struct nook_state *state, struct nook_error *err)
{
	int rc = nook_net_release_all(state, err);

	return rc < 0 ? rc : nook_files_delete(state, err);
}

static char dir[64];

static int make_dir(void **state)
{
	(void)nook_format(dir, sizeof(dir), "/tmp/nook-leases-test-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static void empty(int base, const char *path)
{
	auto_close int fd = openat(base, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	auto_closedir DIR *d = fd < 0 ? NULL : fdopendir(dup(fd));

	for (const struct dirent *e; d && (e = readdir(d));) {
		if (e->d_name[0] != '.')
			(void)unlinkat(fd, e->d_name, 0);
	}
	(void)unlinkat(base, path, AT_REMOVEDIR);
}

static int remove_dir(void **state)
{
	auto_close int base = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);

	empty(base, "net/addresses");
	empty(base, "net/networks");
	empty(base, "net");
	for (int f = 0; f < NOOK_FOLDER_COUNT; f++)
		empty(base, nook_folder_name((enum nook_folder)f));
	return rmdir(dir);
}

static struct nook_network network(const char *v4, const char *v6)
{
	struct nook_network n = { .name = "blue", .bridge = "nk-blue" };

	if (v4)
		assert_int_equal(nook_net_parse_subnet(v4, &n.subnet[NOOK_NET_V4], NULL), 0);
	if (v6)
		assert_int_equal(nook_net_parse_subnet(v6, &n.subnet[NOOK_NET_V6], NULL), 0);
	nook_net_set_gateways(&n);

	/* Its record: what is removed meanwhile gives no address. */
	auto_close int base = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (base >= 0)
		assert_int_equal(nook_net_record_write(base, &n, NOOK_NET_THERE, NULL), 0);
	return n;
}

/* A lease as a dead container leaves it. */
static void leave(const char *file)
{
	auto_close int base = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	auto_close int folder = nook_net_folder(base, "addresses", true, NULL);

	assert_true(folder >= 0);
	assert_int_equal(symlinkat("dead", folder, file), 0);
}

static const char *found(const struct nook_network *n, unsigned family, unsigned tries)
{
	static char text[NOOK_NET_TEXT];
	struct nook_net_addr addr;
	struct nook_error err = { 0 };
	int rc = nook_net_find_address(dir, n, family, tries, NULL, &addr, &err);

	if (rc == -EADDRNOTAVAIL)
		return "none";
	if (rc < 0)
		fail_msg("%s", err.why);
	return nook_net_text_prefix(&addr, text);
}

static void test_lowest_free(void **state)
{
	static const struct {
		const char *subnet, *taken[6], *want;
	} cases[] = {
		{ "10.88.0.0/24", { NULL }, "10.88.0.2/24" },
		{ "10.88.0.0/24", { "blue:10.88.0.2" }, "10.88.0.3/24" },
		{ "10.88.0.0/24", { "blue:10.88.0.3" }, "10.88.0.2/24" },
		{ "10.88.0.0/24", { "blue:10.88.0.2", "blue:10.88.0.3" }, "10.88.0.4/24" },
		/* Others' and odd ones don't count. */
		{ "10.88.0.0/24", { "red:10.88.0.2", "blu:10.88.0.2" }, "10.88.0.2/24" },
		{ "10.88.0.0/24", { "blue:10.88.1.2", "blue:fd00::2" }, "10.88.0.2/24" },
		{ "10.88.0.0/24",
		  { "blue:", "blue:x", "blue:010.88.0.2", "blue:10.88.0.2:1", "blue10.88.0.2" },
		  "10.88.0.2/24" },
		/* The dead's are taken only when there is no other. */
		{ "10.88.0.0/29", { "blue:10.88.0.2", "blue:10.88.0.4" }, "10.88.0.3/29" },
		{ "10.88.0.0/30", { NULL }, "10.88.0.2/30" },
		{ "10.88.0.0/30", { "blue:10.88.0.2" }, "10.88.0.2/30" },
		{ "10.0.0.0/8", { "blue:10.0.0.2" }, "10.0.0.3/8" },
		{ "fd00::/64", { NULL }, "fd00::2/64" },
		{ "fd00::/64", { "blue:fd00::2", "blue:fd00::3" }, "fd00::4/64" },
		{ "fd00::/64", { "blue:fd00::1:0:0:2" }, "fd00::2/64" },
		{ "fd00::4/126", { NULL }, "fd00::6/126" },
		{ "fd00::4/126", { "blue:fd00::6" }, "fd00::7/126" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		bool v6 = strchr(cases[i].subnet, ':');
		struct nook_network n =
			network(v6 ? NULL : cases[i].subnet, v6 ? cases[i].subnet : NULL);

		assert_int_equal(make_dir(state), 0);
		for (size_t k = 0; k < 6 && cases[i].taken[k]; k++)
			leave(cases[i].taken[k]);
		assert_string_equal(found(&n, v6 ? NOOK_NET_V6 : NOOK_NET_V4, 0), cases[i].want);
		assert_int_equal(remove_dir(state), 0);
	}
}

static struct nook_plan_link link_at(const char *v4, const char *v6)
{
	struct nook_plan_link l = { .network = "blue", .from = "--net blue" };

	if (v4)
		assert_int_equal(nook_net_parse_address(v4, &l.address[NOOK_NET_V4], NULL), 0);
	if (v6)
		assert_int_equal(nook_net_parse_address(v6, &l.address[NOOK_NET_V6], NULL), 0);
	return l;
}

/* Who lives holds its name's lock; of one process, a second open of the file is another holder. */
static void test_claim_and_release(void **state)
{
	struct nook_state web = NOOK_STATE_NONE, db = NOOK_STATE_NONE;
	struct nook_plan_link both = link_at("10.88.0.2", "fd00::2");
	struct nook_plan_link half = link_at("10.88.0.3", "fd00::2");
	struct nook_error err = { 0 };
	struct nook_network n = network("10.88.0.0/29", "fd00::/64");

	assert_int_equal(nook_state_claim(dir, "web", &web, NULL), 0);
	assert_int_equal(nook_state_claim(dir, "db", &db, NULL), 0);
	assert_int_equal(nook_net_claim(&web, &both, NULL), 0);
	assert_int_equal(nook_net_claim(&web, &both, NULL), 0);

	assert_int_equal(nook_net_claim(&db, &half, &err), -EEXIST);
	assert_string_equal(err.why,
			    "the address fd00::2 of network blue is that of container web");
	assert_string_equal(err.where, "--net blue");
	assert_string_equal(err.id, "address-taken");
	assert_string_equal(found(&n, NOOK_NET_V4, 0), "10.88.0.3/29"); /* given back */

	/* Not db's to give. */
	assert_int_equal(nook_net_release(&db, &both, NULL), 0);
	assert_string_equal(found(&n, NOOK_NET_V6, 0), "fd00::3/64");

	assert_int_equal(nook_net_release(&web, &both, NULL), 0);
	assert_int_equal(nook_net_release(&web, &both, NULL), 0);
	assert_string_equal(found(&n, NOOK_NET_V4, 0), "10.88.0.2/29");
	assert_int_equal(nook_net_claim(&db, &half, NULL), 0);
	assert_int_equal(nook_net_release_all(&db, NULL), 0);
	assert_string_equal(found(&n, NOOK_NET_V4, 0), "10.88.0.2/29");
	assert_string_equal(found(&n, NOOK_NET_V6, 0), "fd00::2/64");

	assert_int_equal(nook_state_drop(&web, NULL), 0);
	assert_int_equal(nook_state_drop(&db, NULL), 0);
}

static void test_the_dead_hold_nothing(void **state)
{
	struct nook_state web = NOOK_STATE_NONE, db = NOOK_STATE_NONE;
	struct nook_plan_link two = link_at("10.88.0.2", NULL);
	struct nook_network n = network("10.88.0.0/30", NULL);
	struct nook_error err = { 0 };

	assert_int_equal(nook_state_claim(dir, "web", &web, NULL), 0);
	assert_int_equal(nook_net_claim(&web, &two, NULL), 0);
	assert_string_equal(found(&n, NOOK_NET_V4, 0), "none");
	assert_int_equal(nook_net_check_free(dir, "blue", &two.address[0], NULL, &err),
			 -EADDRINUSE);
	nook_state_close(&web); /* killed */

	assert_string_equal(found(&n, NOOK_NET_V4, 7), "10.88.0.2/30");
	assert_int_equal(nook_net_check_free(dir, "blue", &two.address[0], NULL, NULL), 0);
	assert_int_equal(nook_state_claim(dir, "db", &db, NULL), 0);
	assert_int_equal(nook_net_claim(&db, &two, NULL), 0);
	assert_true(nook_claim_is_mine(&db, NOOK_CLAIM_ADDRESSES, "blue:10.88.0.2"));
	assert_int_equal(nook_net_release_all(&db, NULL), 0);
	assert_int_equal(nook_state_drop(&db, NULL), 0);
}

static void test_a_network_that_is_removed_gives_none(void **state)
{
	struct nook_state web = NOOK_STATE_NONE;
	struct nook_plan_link two = link_at("10.88.0.2", "fd00::2");
	struct nook_network n = network("10.88.0.0/30", "fd00::/64");
	struct nook_error err = { 0 };

	assert_int_equal(nook_state_claim(dir, "web", &web, NULL), 0);
	assert_int_equal(nook_net_record_write(web.base, &n, NOOK_NET_REMOVING, NULL), 0);
	assert_int_equal(nook_net_claim(&web, &two, &err), -ENOENT);
	assert_string_equal(err.why, "there is no network blue");
	assert_false(nook_claim_is_mine(&web, NOOK_CLAIM_ADDRESSES, "blue:10.88.0.2"));
	assert_false(nook_claim_is_mine(&web, NOOK_CLAIM_ADDRESSES, "blue:fd00::2"));
	assert_int_equal(nook_state_drop(&web, NULL), 0);
}

static int note(void *data, const char *file, const struct nook_net_addr *addr,
		struct nook_error *err)
{
	char *text = data, address[NOOK_NET_TEXT];

	if (strcmp(file, "blue:10.88.0.9") == 0)
		return nook_refuse(err, EDOM, "enough");
	(void)nook_format(text + strlen(text), 200 - strlen(text), "%s=%s ", file,
			  addr ? nook_net_text(addr, address) : "none");
	return 0;
}

/* Each on its own, as a folder has no order. */
static void test_each_of_a_network(void **state)
{
	static const struct {
		const char *file, *seen, *with_any; /* NULL: the same */
	} cases[] = {
		{ "blue:10.88.0.2", "blue:10.88.0.2=10.88.0.2 ", NULL },
		{ "blue:fd00::2", "blue:fd00::2=fd00::2 ", NULL },
		{ "blue:2", "", "blue:2=none " },
		{ "blue:", "", "blue:=none " },
		{ "blue", "", NULL },
		{ "blues:10.88.0.2", "", NULL },
		{ "red:10.88.0.2", "", NULL },
	};
	auto_close int base = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct nook_error err = { 0 };
	char text[200] = "", path[100];

	assert_int_equal(nook_leases_each(base, "blue", true, note, text, NULL), 0);
	auto_close int folder = nook_net_folder(base, "addresses", true, NULL);

	assert_true(folder >= 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		(void)nook_format(path, sizeof(path), "net/addresses/%s", cases[i].file);
		assert_int_equal(symlinkat("web", base, path), 0);
		for (int any = 0; any < 2; any++) {
			text[0] = '\0';
			assert_int_equal(nook_leases_each(base, "blue", any, note, text, NULL), 0);
			assert_string_equal(text, any && cases[i].with_any ? cases[i].with_any
									   : cases[i].seen);
		}
		assert_int_equal(unlinkat(base, path, 0), 0);
	}
	assert_int_equal(symlinkat("web", base, "net/addresses/blue:10.88.0.9"), 0);
	assert_int_equal(nook_leases_each(base, "blue", false, note, text, &err), -EDOM);
	assert_string_equal(err.why, "enough");
}

/* All begin at once, and look for an address of the same network; nobody lets go of his before all
 * have one. */
#define STARTERS 200

static int starter(unsigned number, int go, int answer, const struct nook_network *n)
{
	struct nook_state s = NOOK_STATE_NONE;
	struct nook_plan_link l = { .network = "blue" };
	struct nook_net_addr *mine = &l.address[NOOK_NET_V4];
	struct nook_error err = { 0 };
	char name[20], c;
	int rc = -EEXIST;

	(void)nook_format(name, sizeof(name), "c%u", number);
	if (read(go, &c, 1) != 0 || nook_state_claim(dir, name, &s, &err) < 0)
		return 1;
	for (unsigned tries = 0; rc == -EEXIST && tries < 10 * STARTERS; tries++) {
		rc = nook_net_find_address(dir, n, NOOK_NET_V4, tries, NULL, mine, &err);
		if (rc == 0)
			rc = nook_net_claim(&s, &l, &err);
	}
	if (rc < 0 || write(answer, mine->bytes, 4) != 4)
		return 2;
	(void)close(answer);
	(void)pause(); /* holds its lock till it is killed */
	return 0;
}

static void test_many_at_once(void **state)
{
	struct nook_network n = network("10.88.0.0/24", NULL);
	bool seen[256] = { false };
	pid_t pids[STARTERS];
	int go[2], answers[2];

	assert_int_equal(pipe2(go, O_CLOEXEC), 0);
	assert_int_equal(pipe2(answers, O_CLOEXEC), 0);
	for (unsigned i = 0; i < STARTERS; i++) {
		pids[i] = fork();
		assert_true(pids[i] >= 0);
		if (pids[i] == 0) {
			(void)close(go[1]);
			_exit(starter(i, go[0], answers[1], &n));
		}
	}
	(void)close(go[1]);
	(void)close(answers[1]);
	for (unsigned i = 0; i < STARTERS; i++) {
		uint8_t got[4];

		if (read(answers[0], got, 4) != 4)
			fail_msg("only %u of %u have got one", i, STARTERS);
		if (seen[got[3]] || got[3] < 2 || got[3] == 255 || got[2] != 0)
			fail_msg("10.88.%u.%u", got[2], got[3]);
		seen[got[3]] = true;
	}
	for (unsigned i = 0; i < STARTERS; i++) {
		(void)kill(pids[i], SIGKILL);
		assert_int_equal(waitpid(pids[i], NULL, 0), pids[i]);
	}
	(void)close(go[0]);
	(void)close(answers[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lowest_free),
		cmocka_unit_test_setup_teardown(test_claim_and_release, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(test_the_dead_hold_nothing, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(test_a_network_that_is_removed_gives_none, make_dir,
						remove_dir),
		cmocka_unit_test_setup_teardown(test_each_of_a_network, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(test_many_at_once, make_dir, remove_dir),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
