/* SPDX-License-Identifier: Apache-2.0 */
/* In a directory that looks like resctrl: few machines have processors that can do it. */
#include "run/rdt.h"

#include "base/own.h"
#include "base/text.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

static const char *const lines[] = { "L2:0=f", "MB:0=20", NULL };

struct plan_row {
	const char *name;
	struct nook_plan_rdt rdt;
	const char *path, *monitor, *own, *schemata;
	bool must_exist, compare;
};

static const struct plan_row plan_rows[] = {
	{ "a group of its own", { .set = true }, "c1", NULL, "c1", NULL, false, false },
	{ "with limits",
	  { .set = true, .l3 = "L3:0=f", .mem_bw = "MB:0=10" },
	  "c1",
	  NULL,
	  "c1",
	  "L3:0=f\nMB:0=10\n",
	  false,
	  false },
	{ "monitored goes with it",
	  { .set = true, .monitoring = true },
	  "c1",
	  "c1/mon_groups/c1",
	  "c1",
	  NULL,
	  false,
	  false },
	{ "somebody's", { .set = true, .clos_id = "gold" }, "gold", NULL, NULL, NULL, true, false },
	{ "somebody's, monitored",
	  { .set = true, .clos_id = "gold", .monitoring = true },
	  "gold",
	  "gold/mon_groups/c1",
	  "gold/mon_groups/c1",
	  NULL,
	  true,
	  false },
	{ "shared, with limits",
	  { .set = true, .clos_id = "gold", .mem_bw = "MB:0=10" },
	  "gold",
	  NULL,
	  NULL,
	  "MB:0=10\n",
	  false,
	  true },
	{ "the root", { .set = true, .clos_id = "/" }, ".", NULL, NULL, NULL, true, false },
	{ "the root, monitored",
	  { .set = true, .clos_id = "/", .monitoring = true },
	  ".",
	  "mon_groups/c1",
	  "mon_groups/c1",
	  NULL,
	  true,
	  false },
	{ "schemata last",
	  { .set = true, .clos_id = "gold", .l3 = "L3:0=f", .schemata = lines },
	  "gold",
	  NULL,
	  NULL,
	  "L3:0=f\nL2:0=f\nMB:0=20\n",
	  false,
	  true },
	{ "schemata alone are not compared",
	  { .set = true, .clos_id = "gold", .schemata = lines },
	  "gold",
	  NULL,
	  NULL,
	  "L2:0=f\nMB:0=20\n",
	  false,
	  false },
	{ "the older form",
	  { .set = true, .l3 = "MB:0=90\nL3:0=f\n\nL3:1=ff", .mem_bw = "MB:0=10" },
	  "c1",
	  NULL,
	  "c1",
	  "L3:0=f\nL3:1=ff\nMB:0=10\n",
	  false,
	  false },
};

static bool same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static void test_plan(void **state)
{
	auto_arena struct nook_arena a = { 0 };

	(void)state;
	assert_int_equal(nook_arena_init(&a), 0);
	for (size_t i = 0; i < ARRAY_SIZE(plan_rows); i++) {
		const struct plan_row *r = &plan_rows[i];
		struct nook_rdt_group g;

		nook_rdt_group(&a, &r->rdt, "c1", &g);
		if (!same(g.path, r->path) || !same(g.monitor, r->monitor) ||
		    !same(g.own, r->own) || !same(g.schemata, r->schemata) ||
		    g.must_exist != r->must_exist || g.compare != r->compare)
			fail_msg("%s", r->name);
	}
}

struct match_row {
	const char *have, *wanted;
	bool matches;
};

static const struct match_row match_rows[] = {
	{ "    L3:0=7f0;1=1f\n", "L3:0=7f0;1=1f\n", true },
	{ "    L3:0=7f0;1=1f\n", "L3:1=1f\n", true },
	{ "    L3:0=7f0;1=1f\n", "L3:1=1f;0=7F0\n", true },
	{ "    L3:0=007f0;1=1f\n", "L3:0=7f0\n", true },
	{ "    L3:0=7f0;1=1f\n", "L3:0=7f1\n", false },
	{ "    L3:0=7f0;1=1f\n", "L3:2=1f\n", false },
	{ "    L3:0=7f0;1=1f\n", "L3:0=7f\n", false },
	{ "    MB:0= 10;1=100\n    L3:0=f\n", "L3:0=f\nMB:0=10\n", true },
	{ "    MB:0= 10;1=100\n", "MB:0=100\n", false },
	{ "    MB:0=10;1=100\n    L3:0=f\n", "L3:0=f\nMB:1=100\n", true },
	{ "    MB:0=10;1=100\n    L3:0=f\n", "L3:0=f\nMB:1=10\n", false },
	{ "    L3CODE:0=f\n", "L3:0=f\n", false },
	{ "", "L3:0=f\n", false },
	{ "L3:0=f\n", "L3\n", false },
	{ "L3:0=f\n", "", true },
	{ "L3:0\n", "L3:0=f\n", false },
	{ "L3:0=\n", "L3:0=f\n", false },
};

static void test_matches(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(match_rows); i++) {
		if (nook_rdt_matches(match_rows[i].have, match_rows[i].wanted) !=
		    match_rows[i].matches)
			fail_msg("%s, %s", match_rows[i].have, match_rows[i].wanted);
	}
}

static void put(int root, const char *path, const char *text)
{
	auto_close int fd = openat(root, path, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static const char *get(int root, const char *path)
{
	static char text[256];
	auto_close int fd = openat(root, path, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);

	ssize_t n = read(fd, text, sizeof(text) - 1);

	assert_true(n >= 0);
	text[n] = '\0';
	return text;
}

/* As the kernel fills a new group. */
static void fill(int root, const char *group, const char *schemata)
{
	char path[128];

	(void)nook_format(path, sizeof(path), "%s/schemata", group);
	put(root, path, schemata);
	(void)nook_format(path, sizeof(path), "%s/tasks", group);
	put(root, path, "");
	(void)nook_format(path, sizeof(path), "%s/mon_groups", group);
	assert_int_equal(mkdirat(root, path, 0700), 0);
}

static void empty(int root, const char *group)
{
	static const char *const files[] = { "schemata", "tasks", "mon_groups" };

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		char path[128];

		(void)nook_format(path, sizeof(path), "%s/%s", group, files[i]);
		assert_int_equal(unlinkat(root, path, i == 2 ? AT_REMOVEDIR : 0), 0);
	}
}

static int setup(void **state)
{
	static char dir[32];
	static int root;

	strcpy(dir, "/tmp/nook-rdt-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	root = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	*state = &root;
	return root < 0 ? -1 : 0;
}

static int teardown(void **state)
{
	char path[64] = "", link[32];
	int root = *(int *)*state;

	(void)nook_format(link, sizeof(link), "/proc/self/fd/%d", root);
	if (readlink(link, path, sizeof(path) - 1) < 0 || close(root) < 0)
		return -1;
	return rmdir(path); /* nothing was left */
}

static void test_own_group(void **state)
{
	auto_arena struct nook_arena a = { 0 };
	const struct nook_plan_rdt rdt = { .set = true, .l3 = "L3:0=f" };
	int root = *(int *)*state;
	struct nook_rdt_group g;
	bool is_new = false;

	assert_int_equal(nook_arena_init(&a), 0);
	nook_rdt_group(&a, &rdt, "c1", &g);
	assert_int_equal(nook_rdt_make(root, &g, &is_new, NULL), 0);
	assert_true(is_new);
	fill(root, "c1", "");
	assert_int_equal(nook_rdt_fill(root, &g, 42, NULL), 0);
	assert_string_equal(get(root, "c1/schemata"), "L3:0=f\n");
	assert_string_equal(get(root, "c1/tasks"), "42\n");
	/* what one that was killed has left is taken over */
	assert_int_equal(nook_rdt_make(root, &g, &is_new, NULL), 0);
	assert_false(is_new);
	empty(root, "c1");
	assert_int_equal(nook_rdt_remove_at(root, g.own, NULL), 0);
	assert_int_equal(nook_rdt_remove_at(root, g.own, NULL), 0);
}

static void test_shared_group(void **state)
{
	auto_arena struct nook_arena a = { 0 };
	struct nook_plan_rdt rdt = { .set = true, .clos_id = "gold", .mem_bw = "MB:0=10" };
	int root = *(int *)*state;
	struct nook_error err = { 0 };
	struct nook_rdt_group g;
	bool is_new = false;

	assert_int_equal(nook_arena_init(&a), 0);
	nook_rdt_group(&a, &rdt, "c1", &g);
	assert_int_equal(nook_rdt_make(root, &g, &is_new, NULL), 0);
	assert_true(is_new);
	fill(root, "gold", "    MB:0=10;1=100\n    L3:0=ff\n");

	assert_int_equal(nook_rdt_make(root, &g, &is_new, NULL), 0);
	assert_false(is_new);
	rdt.mem_bw = "MB:0=20";
	nook_rdt_group(&a, &rdt, "c1", &g);
	assert_int_equal(nook_rdt_make(root, &g, &is_new, &err), -EEXIST);
	assert_true(err.why[0] && err.hint[0]);

	rdt = (struct nook_plan_rdt){ .set = true, .clos_id = "gold", .monitoring = true };
	nook_rdt_group(&a, &rdt, "c1", &g);
	assert_int_equal(nook_rdt_make(root, &g, &is_new, NULL), 0);
	put(root, "gold/mon_groups/c1/tasks", "");
	assert_int_equal(nook_rdt_fill(root, &g, 7, NULL), 0);
	assert_string_equal(get(root, "gold/tasks"), "7\n");
	assert_string_equal(get(root, "gold/mon_groups/c1/tasks"), "7\n");
	assert_string_equal(get(root, "gold/schemata"), "    MB:0=10;1=100\n    L3:0=ff\n");
	assert_int_equal(unlinkat(root, "gold/mon_groups/c1/tasks", 0), 0);
	assert_int_equal(nook_rdt_remove_at(root, g.own, NULL), 0);

	empty(root, "gold");
	assert_int_equal(unlinkat(root, "gold", AT_REMOVEDIR), 0);
}

/* The limits of a container that is there, by any of its groups' names. */
static void test_update(void **state)
{
	auto_arena struct nook_arena a = { 0 };
	const struct nook_plan_rdt one = { .l3 = "L3:0=1" },
				   both = { .l3 = "L3:0=3\nMB:0=9", .mem_bw = "MB:0=20" };
	int root = *(int *)*state;

	assert_int_equal(nook_arena_init(&a), 0);
	assert_int_equal(mkdirat(root, "c1", 0700), 0);
	fill(root, "c1", "");
	assert_int_equal(nook_rdt_update_at(root, &a, "c1", &one, NULL), 0);
	assert_string_equal(get(root, "c1/schemata"), "L3:0=1\n");
	assert_int_equal(nook_rdt_update_at(root, &a, "c1/mon_groups/c1", &both, NULL), 0);
	assert_string_equal(get(root, "c1/schemata"), "L3:0=3\nMB:0=20\n");
	put(root, "schemata", "");
	assert_int_equal(nook_rdt_update_at(root, &a, "mon_groups/c1", &one, NULL), 0);
	assert_string_equal(get(root, "schemata"), "L3:0=1\n");
	assert_int_equal(unlinkat(root, "schemata", 0), 0);
	assert_int_equal(nook_rdt_update_at(root, &a, "c2", &one, NULL), -ENOENT);
	empty(root, "c1");
	assert_int_equal(unlinkat(root, "c1", AT_REMOVEDIR), 0);
}

/* What must be there and isn't; and what the kernel has to say. */
static void test_refused(void **state)
{
	auto_arena struct nook_arena a = { 0 };
	const struct nook_plan_rdt rdt = { .set = true, .clos_id = "gold" };
	int root = *(int *)*state;
	struct nook_error err = { 0 };
	struct nook_rdt_group g;
	bool is_new = false;

	assert_int_equal(nook_arena_init(&a), 0);
	nook_rdt_group(&a, &rdt, "c1", &g);
	assert_int_equal(nook_rdt_make(root, &g, &is_new, &err), -ENOENT);
	assert_non_null(strstr(err.hint, "make and fill"));

	assert_int_equal(mkdirat(root, "info", 0700), 0);
	put(root, "info/last_cmd_status", "no room\n");
	err = (struct nook_error){ 0 };
	assert_int_equal(nook_rdt_fill(root, &g, 7, &err), -ENOENT);
	assert_string_equal(err.hint, "the kernel says: no room");
	assert_int_equal(unlinkat(root, "info/last_cmd_status", 0), 0);
	assert_int_equal(unlinkat(root, "info", AT_REMOVEDIR), 0);

	/* a record is no way out */
	assert_int_equal(nook_rdt_remove_at(root, "../nowhere", &err), -EXDEV);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plan),
		cmocka_unit_test(test_matches),
		cmocka_unit_test_setup_teardown(test_own_group, setup, teardown),
		cmocka_unit_test_setup_teardown(test_shared_group, setup, teardown),
		cmocka_unit_test_setup_teardown(test_update, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
