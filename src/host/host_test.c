/* SPDX-License-Identifier: Apache-2.0 */
/* The whole probe on the machine that the test runs on, compared with what the kernel says
 * elsewhere. */
#include "host.h"

#include "base/own.h"
#include "base/text.h"
#include "cgroup.h"
#include "idmap.h"
#include "path.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include <sys/wait.h>

struct world {
	struct nook_arena arena;
	struct nook_spec spec;
	struct nook_host host;
	struct nook_error err;
};

static void probe(struct world *w)
{
	assert_int_equal(nook_arena_init(&w->arena), 0);
	int rc = nook_host_probe(&w->arena, &w->spec, &w->host, &w->err);

	assert_string_equal(w->err.why, "");
	assert_int_equal(rc, 0);
}

/* A hexadecimal line of /proc/self/status. */
static uint64_t status_hex(const char *key)
{
	auto_fclose FILE *f = fopen("/proc/self/status", "re");
	char line[256];

	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		const char *value = nook_after(line, key);

		if (value)
			return strtoull(value, NULL, 16);
	}
	fail();
	return 0;
}

static void test_caller(void **state)
{
	struct world w = { 0 };
	char cwd[4096];

	probe(&w);
	assert_int_equal(w.host.euid, geteuid());
	assert_int_equal(w.host.egid, getegid());
	assert_true(w.host.caps == status_hex("CapEff:"));
	assert_true(w.host.bounding == status_hex("CapBnd:"));

	auto_fclose FILE *f = fopen("/proc/sys/kernel/cap_last_cap", "re");
	unsigned last = 0;

	assert_int_equal(fscanf(f, "%u", &last), 1);
	assert_int_equal(w.host.last_cap, last);
	assert_string_equal(w.host.cwd, getcwd(cwd, sizeof(cwd)));
	assert_ptr_equal(w.host.env, environ);
	assert_non_null(w.host.state_dir);
	nook_arena_free(&w.arena);
}

static void test_root_of_the_host(void **state)
{
	struct world w = { 0 };

	probe(&w);
	assert_true(w.host.account.known);
	assert_int_equal(w.host.account.uid, 0);
	assert_true(w.host.n_dirs > 0);
	assert_string_equal(w.host.dirs[0].path, "/");
	for (size_t i = 0; i < w.host.n_secrets; i++)
		assert_true(nook_path_is_plain(w.host.secrets[i].path));
	for (size_t i = 1; i < w.host.n_secrets; i++)
		assert_false(nook_path_within(w.host.secrets[i].path, w.host.secrets[i - 1].path));
	nook_arena_free(&w.arena);
}

/* Other roots and shared namespaces cost nothing. */
static void test_what_is_not_asked_is_not_probed(void **state)
{
	struct world w = { .spec = {
				   .root = { .kind = NOOK_ROOT_DIR, .dir = { "/", "--root /" } },
				   .ns = { [NOOK_NS_USER] = { .mode = NOOK_NS_SHARE } },
			   } };

	probe(&w);
	assert_int_equal(w.host.n_secrets + w.host.n_dirs + w.host.n_mounts, 0);
	assert_null(w.host.shadow);
	assert_int_equal(w.host.free_range, 0);
	assert_int_equal(w.host.n_subuid, 0);
	assert_null(w.host.newuidmap);
	assert_true(w.host.account.known);
	nook_arena_free(&w.arena);
}

static void test_shared_mounts(void **state)
{
	struct world w = { .spec.ns = { [NOOK_NS_MNT] = { .mode = NOOK_NS_SHARE } } };

	probe(&w);
	assert_int_equal(w.host.n_secrets + w.host.n_dirs + w.host.n_mounts, 0);
	nook_arena_free(&w.arena);
}

/* Run as an ordinary user; the child's assertions are its exit status. */
static void test_an_ordinary_user(void **state)
{
	if (geteuid() != 0)
		skip();

	pid_t pid = fork();

	if (pid == 0) {
		struct world w = { 0 };

		if (setgid(54321) < 0 || setuid(54321) < 0 || nook_arena_init(&w.arena) < 0 ||
		    nook_host_probe(&w.arena, &w.spec, &w.host, &w.err) < 0)
			_exit(1);
		_exit(w.host.euid != 54321 || w.host.caps != 0 || w.host.free_range != 0 ||
		      w.host.home || w.host.n_subuid != 0 ||
		      !strstr(w.host.state_dir, "/nook-54321"));
	}

	int status = 0;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static const struct {
	const char *name, *text;
	uint32_t first, last;
	bool covers;
} maps[] = {
	{ "every id", "         0          0 4294967295\n", 0x70000000, 0x7fffffff, true },
	{ "one", "0 1000 1\n", 0, 0, true },
	{ "one, another", "0 1000 1\n", 1, 1, false },
	{ "in two lines, the later first", "5 100 5\n0 1000 5\n", 0, 9, true },
	{ "a gap", "0 1000 5\n6 100 4\n", 0, 9, false },
	{ "ends too early", "0 0 9\n", 0, 9, false },
	{ "begins too late", "1 0 100\n", 0, 9, false },
	{ "the last id", "4294967294 0 1\n", 4294967294u, 4294967294u, true },
	{ "no map", "", 0, 0, false },
	{ "lines that are none", "0 0\n0 0 x\n0 0 9 9\n\n", 0, 0, false },
};

static void test_maps(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(maps); i++) {
		char text[128];

		print_message("%s\n", maps[i].name);
		(void)nook_format(text, sizeof(text), "%s", maps[i].text);
		assert_int_equal(nook_own_map_covers(text, maps[i].first, maps[i].last),
				 maps[i].covers);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_caller),
		cmocka_unit_test(test_root_of_the_host),
		cmocka_unit_test(test_what_is_not_asked_is_not_probed),
		cmocka_unit_test(test_shared_mounts),
		cmocka_unit_test(test_an_ordinary_user),
		cmocka_unit_test(test_maps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
