/* SPDX-License-Identifier: Apache-2.0 */
#include "files.h"

#include "base/file.h"
#include "base/text.h"
#include "leftover_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/stat.h>

static const char *const sample_argv[] = { "sh", "-c", "echo \"\xff\x01\n\"", "", NULL };
static const char *const sample_env[] = { "A=1", "B=\xc3\xa4 '\\", NULL };
static struct nook_plan_cgroup_dir sample_cgroups[] = {
	{ .mount = "/sys/fs/cgroup/unified", .path = "/nook/blue", .v2 = true, .enable = 5 },
	{ .mount = "/sys/fs/cgroup/memory", .path = "/a/b/blue", .by_path = true },
};
static const uint32_t sample_groups[] = { 0, 4294967294u };
static const struct sock_filter sample_filter[] = { { 0x20, 0, 0, 4 }, { 6, 0, 0, 0x7fff0000 } };

static struct nook_record sample(void)
{
	return (struct nook_record){
		.name = "blue",
		.phase = NOOK_PHASE_RUNNING,
		.boot_id = boot_id,
		.keeper = getpid(),
		.pid = getpid(),
		.start_time = UINT64_MAX,
		.created = 1763780592,
		.hostname = "blue",
		.root = "host",
		.range = 0x70000000,
		.cgroups = sample_cgroups,
		.n_cgroups = 2,
		.namespaces = CLONE_NEWUSER | CLONE_NEWNS,
		.argv = sample_argv,
		.env = sample_env,
		.cwd = "/tmp/\xe4",
		.uid = 0,
		.gid = 4294967294u,
		.groups = sample_groups,
		.n_groups = 2,
		.keep_groups = true,
		.caps = { 1, 2, UINT64_C(1) << 40, 0, UINT64_MAX },
		.no_new_privs = true,
		.seccomp_name = "default",
		.seccomp = sample_filter,
		.n_seccomp = 2,
		.seccomp_flags = 8,
		.set_oom_score_adj = true,
		.oom_score_adj = -1000,
	};
}

static void assert_same_texts(const char *const *a, const char *const *b)
{
	for (; *a && *b; a++, b++)
		assert_string_equal(*a, *b);
	assert_true(!*a && !*b);
}

static void test_comes_back_as_it_was(void **state)
{
	auto_arena struct nook_arena a = { 0 };
	struct nook_state s = NOOK_STATE_NONE;
	struct nook_record r = sample(), back;
	enum nook_life life = NOOK_LIFE_STARTING;
	struct stat st;

	assert_int_equal(nook_arena_init(&a), 0);
	assert_int_equal(nook_state_claim(dir, "blue", &s, NULL), 0);

	/* Claimed, not written. */
	assert_int_equal(nook_state_read(dir, "blue", &a, &back, &life, NULL), 0);
	assert_int_equal(life, NOOK_LIFE_STARTING);
	assert_string_equal(back.name, "blue");
	assert_null(back.argv[0]);

	r.phase = NOOK_PHASE_CREATING;
	assert_int_equal(nook_state_write(&s, &r, NULL), 0);
	assert_int_equal(nook_state_read(dir, "blue", &a, &back, &life, NULL), 0);
	assert_int_equal(life, NOOK_LIFE_STARTING);

	r.phase = NOOK_PHASE_RUNNING;
	assert_int_equal(nook_state_write(&s, &r, NULL), 0);
	assert_int_equal(nook_state_read(dir, "blue", &a, &back, &life, NULL), 0);
	assert_int_equal(life, NOOK_LIFE_GONE); /* we began at another time than it says */

	assert_int_equal(nook_start_time(getpid(), &r.start_time, NULL), 0);
	assert_int_equal(nook_state_write(&s, &r, NULL), 0);
	assert_int_equal(nook_state_read(dir, "blue", &a, &back, &life, NULL), 0);
	assert_int_equal(life, NOOK_LIFE_RUNNING);

	assert_string_equal(back.boot_id, r.boot_id);
	assert_int_equal(back.keeper, r.keeper);
	assert_int_equal(back.pid, r.pid);
	assert_true(back.start_time == r.start_time);
	assert_int_equal(back.created, r.created);
	assert_string_equal(back.hostname, r.hostname);
	assert_string_equal(back.root, r.root);
	assert_int_equal(back.range, r.range);
	assert_int_equal(back.n_cgroups, 2);
	for (size_t i = 0; i < 2; i++) {
		assert_string_equal(back.cgroups[i].mount, r.cgroups[i].mount);
		assert_string_equal(back.cgroups[i].path, r.cgroups[i].path);
		assert_int_equal(back.cgroups[i].v2, r.cgroups[i].v2);
		assert_int_equal(back.cgroups[i].enable, r.cgroups[i].enable);
		assert_int_equal(back.cgroups[i].by_path, r.cgroups[i].by_path);
	}
	assert_int_equal(back.namespaces, r.namespaces);
	assert_same_texts(back.argv, r.argv);
	assert_same_texts(back.env, r.env);
	assert_string_equal(back.cwd, r.cwd);
	assert_int_equal(back.uid, r.uid);
	assert_int_equal(back.gid, r.gid);
	assert_int_equal(back.n_groups, 2);
	assert_memory_equal(back.groups, r.groups, sizeof(sample_groups));
	assert_true(back.keep_groups);
	assert_memory_equal(&back.caps, &r.caps, sizeof(r.caps));
	assert_true(back.no_new_privs);
	assert_string_equal(back.seccomp_name, "default");
	assert_int_equal(back.n_seccomp, 2);
	assert_memory_equal(back.seccomp, sample_filter, sizeof(sample_filter));
	assert_int_equal(back.seccomp_flags, 8);
	assert_true(back.set_oom_score_adj);
	assert_int_equal(back.oom_score_adj, -1000);

	assert_int_equal(fstatat(s.base, "seccomp/blue", &st, 0), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0600);
	assert_int_equal(fstatat(s.base, "containers/blue", &st, 0), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0600);
	assert_int_equal(fstatat(s.base, "containers", &st, 0), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 0700);

	assert_int_equal(nook_state_drop(&s, NULL), 0);
	assert_int_equal(nook_state_read(dir, "blue", &a, &back, &life, NULL), -ENOENT);
	assert_int_equal(cleared, 0);
}

static void test_what_is_not_set_stays_unset(void **state)
{
	auto_arena struct nook_arena a = { 0 };
	struct nook_state s = NOOK_STATE_NONE;
	struct nook_record r = { .name = "x", .boot_id = boot_id }, back;
	enum nook_life life;

	assert_int_equal(nook_arena_init(&a), 0);
	assert_int_equal(nook_state_claim(dir, "x", &s, NULL), 0);
	assert_int_equal(nook_state_write(&s, &r, NULL), 0);
	assert_int_equal(nook_state_read(dir, "x", &a, &back, &life, NULL), 0);
	assert_null(back.hostname);
	assert_null(back.root);
	assert_null(back.cwd);
	assert_null(back.seccomp_name);
	assert_null(back.seccomp);
	assert_null(back.argv[0]);
	assert_null(back.env[0]);
	assert_int_equal(back.n_cgroups, 0);
	assert_int_equal(back.n_groups, 0);
	assert_false(back.set_oom_score_adj);
	assert_int_equal(nook_state_drop(&s, NULL), 0);
}

#define HEAD                                                                                       \
	"{\"version\":1,\"name\":\"h\",\"phase\":\"creating\","                                    \
	"\"boot_id\":\"a1f4899b-fa00-493b-89b4-1f698f94f4dc\",\"keeper\":1,\"pid\":0,"             \
	"\"start_time\":0,\"created\":0,"
#define OBJECTS "\"range\":0,\"cgroups\":[],\"namespaces\":0,"
#define PROCESS                                                                                    \
	"\"process\":{\"argv\":[],\"env\":[],\"uid\":0,\"gid\":0,\"groups\":[],"                   \
	"\"keep_groups\":false,\"capabilities\":{\"bounding\":0,\"effective\":0,"                  \
	"\"permitted\":0,\"inheritable\":0,\"ambient\":0},\"no_new_privs\":true"

static const struct {
	const char *name, *text, *why; /* part of err.why; NULL: it is good */
} hostile[] = {
	{ "as it should be", HEAD OBJECTS PROCESS "}}", NULL },
	{ "more than we know", HEAD OBJECTS "\"new\":[1]," PROCESS "}}", NULL },
	{ "empty", "", "too early" },
	{ "cut", HEAD OBJECTS, "too early" },
	{ "zeros", NULL, "NUL" },
	{ "not JSON", "hello", "not JSON" },
	{ "an array", "[]", "is missing" },
	{ "a number", "7", "is missing" },
	{ "null", "null", "is missing" },
	{ "no process", HEAD OBJECTS "\"x\":0}", "an object is missing" },
	{ "process is a list", HEAD OBJECTS "\"process\":[]}", "an object is wanted" },
	{ "deep", HEAD "\"x\":[[[[[[[[[[[[[[]]]]]]]]]]]]]]," OBJECTS PROCESS "}}", "too deep" },
	{ "trailing text", HEAD OBJECTS PROCESS "}}x", "not JSON" },
	{ "version 2", "{\"version\":2}", "version 2" },
	{ "version as text", "{\"version\":\"1\"}", "an integer is wanted" },
	{ "another's name", "{\"version\":1,\"name\":\"other\"}", "container \"other\"" },
	{ "name is a path", "{\"version\":1,\"name\":\"../h\"}", "container \"../h\"" },
	{ "phase", "{\"version\":1,\"name\":\"h\",\"phase\":\"done\"}", "no phase" },
	{ "boot id",
	  "{\"version\":1,\"name\":\"h\",\"phase\":\"running\",\"boot_id\":\"a1f4899b\"}",
	  "no boot id" },
	{ "pid negative", HEAD "\"pid\":-1," OBJECTS PROCESS "}}", "not between" },
	{ "pid too large", HEAD "\"pid\":4194305," OBJECTS PROCESS "}}", "not between" },
	{ "pid of 2^32 + 1", HEAD "\"pid\":4294967297," OBJECTS PROCESS "}}", "not between" },
	{ "pid with a fraction", HEAD "\"pid\":1.0," OBJECTS PROCESS "}}", "an integer" },
	{ "start past 64 bits", HEAD "\"start_time\":18446744073709551616," OBJECTS PROCESS "}}",
	  "passes 64 bits" },
	{ "range askew", HEAD "\"range\":1,\"cgroups\":[],\"namespaces\":0," PROCESS "}}",
	  "no multiple" },
	{ "range of 2^32", HEAD "\"range\":4294967296,\"cgroups\":[]," PROCESS "}}", "above" },
	{ "cgroup is the root",
	  HEAD "\"range\":0,\"cgroups\":[{\"mount\":\"/sys\",\"path\":\"/\",\"v2\":true,"
	       "\"enable\":0}],\"namespaces\":0," PROCESS "}}",
	  "no cgroup" },
	{ "cgroup is the root, twice slashed",
	  HEAD "\"range\":0,\"cgroups\":[{\"mount\":\"/sys\",\"path\":\"//\",\"v2\":true,"
	       "\"enable\":0}],\"namespaces\":0," PROCESS "}}",
	  "no cgroup" },
	{ "cgroup leads back",
	  HEAD "\"range\":0,\"cgroups\":[{\"mount\":\"/sys\",\"path\":\"/a/../..\",\"v2\":true,"
	       "\"enable\":0}],\"namespaces\":0," PROCESS "}}",
	  "no cgroup" },
	{ "cgroup is relative",
	  HEAD "\"range\":0,\"cgroups\":[{\"mount\":\"/sys\",\"path\":\"a\",\"v2\":true,"
	       "\"enable\":0}],\"namespaces\":0," PROCESS "}}",
	  "no cgroup" },
	{ "unknown namespaces", HEAD "\"range\":0,\"cgroups\":[],\"namespaces\":1," PROCESS "}}",
	  "unknown bits" },
	{ "a NUL in a text", HEAD "\"hostname\":\"a\\u0000\"," OBJECTS PROCESS "}}", "NUL" },
	{ "long hostname",
	  HEAD
	  "\"hostname\":"
	  "\"01234567890123456789012345678901234567890123456789012345678901234\"," OBJECTS PROCESS
	  "}}",
	  "65 bytes" },
	{ "uid -1", HEAD OBJECTS PROCESS ",\"uid\":4294967295}}", "above 4294967294" },
	{ "uid as text", HEAD OBJECTS PROCESS ",\"uid\":\"0\"}}", "an integer is wanted" },
	{ "gid of 2^32", HEAD OBJECTS PROCESS ",\"gid\":4294967296}}", "above 4294967294" },
	{ "group -1", HEAD OBJECTS PROCESS ",\"groups\":[0,4294967295]}}", "above 4294967294" },
	{ "argv holds a number", HEAD OBJECTS PROCESS ",\"argv\":[\"a\",1]}}", "a string" },
	{ "argv holds null", HEAD OBJECTS PROCESS ",\"argv\":[null]}}", "not null" },
	{ "no_new_privs is a number", HEAD OBJECTS PROCESS ",\"no_new_privs\":1}}",
	  "true or false" },
	{ "no_new_privs is null", HEAD OBJECTS PROCESS ",\"no_new_privs\":null}}", "missing" },
	{ "oom score", HEAD OBJECTS PROCESS ",\"oom_score_adj\":1001}}", "not between" },
	{ "filter too long",
	  HEAD OBJECTS PROCESS ",\"seccomp\":{\"name\":\"f\",\"instructions\":4097,\"flags\":0}}}",
	  "above 4096" },
	{ "filter that isn't there",
	  HEAD OBJECTS PROCESS ",\"seccomp\":{\"name\":\"f\",\"instructions\":1,\"flags\":0}}}",
	  "seccomp/h" },
};

static void test_hostile_records(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(hostile); i++) {
		auto_arena struct nook_arena a = { 0 };
		struct nook_state s = NOOK_STATE_NONE;
		struct nook_record r;
		enum nook_life life = NOOK_LIFE_RUNNING;
		struct nook_error err = { 0 };
		const char *text = hostile[i].text;
		size_t len = text ? strlen(text) : 100;

		assert_int_equal(nook_arena_init(&a), 0);
		assert_int_equal(nook_state_claim(dir, "h", &s, &err), 0);

		auto_close int fd = openat(s.base, "containers/h",
					   O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

		assert_int_equal(nook_write_fd(fd, text ? text : nook_alloc(&a, len), len), 0);

		int rc = nook_state_read(dir, "h", &a, &r, &life, &err);

		if (rc != (hostile[i].why ? -EBADMSG : 0) ||
		    (rc < 0 && !strstr(err.why, hostile[i].why)))
			fail_msg("%s: %d, %s", hostile[i].name, rc, err.why);
		assert_int_equal(life, NOOK_LIFE_STARTING);
		if (rc < 0)
			assert_non_null(strstr(err.hint, "nook rm --force h"));
		assert_int_equal(nook_state_drop(&s, NULL), 0);
	}
}

static void test_filter_of_another_size(void **state)
{
	auto_arena struct nook_arena a = { 0 };
	struct nook_state s = NOOK_STATE_NONE;
	struct nook_record r = sample(), back;
	enum nook_life life;

	assert_int_equal(nook_arena_init(&a), 0);
	assert_int_equal(nook_state_claim(dir, "blue", &s, NULL), 0);
	assert_int_equal(nook_state_write(&s, &r, NULL), 0);

	auto_close int fd = openat(s.base, "seccomp/blue", O_WRONLY | O_CLOEXEC);

	for (off_t size = 0; size <= 32; size += 4) {
		assert_int_equal(ftruncate(fd, size), 0);
		assert_int_equal(nook_state_read(dir, "blue", &a, &back, &life, NULL),
				 size == 16 ? 0 : -EBADMSG);
	}
	assert_int_equal(nook_state_drop(&s, NULL), 0);
}

/* What stands in the place of a record must neither be followed nor hang us. */
static void test_no_regular_file(void **state)
{
	auto_arena struct nook_arena a = { 0 };
	struct nook_state s = NOOK_STATE_NONE;
	struct nook_state_entry *entries = NULL;
	struct nook_record r = sample();
	enum nook_life life;
	struct nook_error err = { 0 };
	size_t n = 0;

	assert_int_equal(nook_arena_init(&a), 0);
	assert_int_equal(nook_state_claim(dir, "blue", &s, NULL), 0);
	assert_int_equal(nook_state_write(&s, &r, NULL), 0);
	assert_int_equal(mkfifoat(s.base, "containers/fifo", 0600), 0);
	assert_int_equal(symlinkat("blue", s.base, "containers/link"), 0);
	assert_int_equal(symlinkat("/etc/passwd", s.base, "containers/passwd"), 0);
	assert_int_equal(mkdirat(s.base, "containers/dir", 0700), 0);
	assert_int_equal(mknodat(s.base, "containers/.hidden", S_IFREG | 0600, 0), 0);

	static const char *const odd[] = { "fifo", "link", "passwd", "dir" };

	for (size_t i = 0; i < ARRAY_SIZE(odd); i++) {
		assert_int_equal(nook_state_read(dir, odd[i], &a, &r, &life, &err), -EBADMSG);
		assert_int_equal(life, NOOK_LIFE_GONE);
	}

	assert_int_equal(nook_state_list(dir, &a, &entries, &n, &err), 0);
	assert_int_equal(n, 5);
	for (size_t i = 0; i < n; i++) {
		bool good = strcmp(entries[i].record.name, "blue") == 0;

		assert_int_equal(entries[i].error.errnum, good ? 0 : EBADMSG);
		assert_true(i == 0 ||
			    strcmp(entries[i - 1].record.name, entries[i].record.name) < 0);
	}

	assert_int_equal(unlinkat(s.base, "containers/fifo", 0), 0);
	assert_int_equal(unlinkat(s.base, "containers/link", 0), 0);
	assert_int_equal(unlinkat(s.base, "containers/passwd", 0), 0);
	assert_int_equal(unlinkat(s.base, "containers/.hidden", 0), 0);
	assert_int_equal(unlinkat(s.base, "containers/dir", AT_REMOVEDIR), 0);
	assert_int_equal(nook_state_drop(&s, NULL), 0);
}

static void test_no_room_for_huge_arguments(void **state)
{
	auto_arena struct nook_arena a = { 0 };
	struct nook_state s = NOOK_STATE_NONE;
	struct nook_record r = sample();
	struct nook_error err = { 0 };
	char *big = NULL;

	assert_int_equal(nook_arena_init(&a), 0);
	big = nook_alloc(&a, NOOK_RECORD_BYTES + 1);
	memset(big, 'x', NOOK_RECORD_BYTES);

	const char *const argv[] = { big, NULL };

	r.argv = argv;
	assert_int_equal(nook_state_claim(dir, "blue", &s, NULL), 0);
	assert_int_equal(nook_state_write(&s, &r, &err), -E2BIG);
	assert_false(nook_have_record(&s));
	assert_int_equal(nook_state_drop(&s, NULL), 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, remove_dir)
	const struct CMUnitTest tests[] = {
		TEST(test_comes_back_as_it_was), TEST(test_what_is_not_set_stays_unset),
		TEST(test_hostile_records),      TEST(test_filter_of_another_size),
		TEST(test_no_regular_file),      TEST(test_no_room_for_huge_arguments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
