/* SPDX-License-Identifier: Apache-2.0 */
/* Records of engines' containers: what they hold, whose they are, and hostile ones. */
#include "files.h"

#include "base/file.h"
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* The undo proper is tested where it lives, in src/run/. */
int nook_state_clear(struct nook_state *state, struct nook_error *err)
{
	return nook_files_delete(state, err);
}

static char top[64], dir[128], boot_id[37];

static int make_dir(void **state)
{
	(void)nook_format(top, sizeof(top), "/tmp/nook-engine-test-XXXXXX");
	if (nook_boot_id(boot_id, NULL) < 0 || !mkdtemp(top))
		return -1;
	(void)nook_format(dir, sizeof(dir), "%s/a/b", top); /* parents are made too */
	return 0;
}

/* Entry by entry, so that a test that leaves something behind fails. */
static int remove_dir(void **state)
{
	int base = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	char parent[128];

	for (int f = 0; f < NOOK_FOLDER_COUNT; f++)
		(void)unlinkat(base, nook_folder_name((enum nook_folder)f), AT_REMOVEDIR);
	close_fd(&base);
	(void)nook_format(parent, sizeof(parent), "%s/a", top);
	(void)rmdir(dir);
	(void)rmdir(parent);
	return rmdir(top);
}

static const char *annotations[][2] = { { "org.x", "y" }, { "", "\xff\n" } };
static const char *const none[] = { NULL };
static const char *const notes[] = { "eth0 eth1 7 - 0a up", NULL };
static const struct nook_record_netdevs netdevs = {
	.path = "/run/netns/\xff", .ino = UINT64_MAX, .home = 4026531840, .links = notes
};

static struct nook_record sample(void)
{
	return (struct nook_record){
		.name = "c1",
		.phase = NOOK_PHASE_CREATED,
		.boot_id = boot_id,
		.keeper = getpid(),
		.pid = getpid(),
		.created = 1763780592,
		.created_nsec = 999999999,
		.argv = none,
		.env = none,
		.bundle = "/b",
		.rootfs = "/b/rootfs",
		.oci_version = "1.2.0",
		.process = "{\"cwd\":\"/\"}",
		.hooks = "{\"poststop\":[]}",
		.hook_state = "{\"id\":\"c1\",",
		.annotations = annotations,
		.n_annotations = 2,
		.unit = "x.scope",
		.rdt = "clos",
		.rdt_tasks = "clos/mon_groups/c1",
		.netdevs = &netdevs,
		.start = "0123456789abcdef",
		.no_new_keyring = true,
		.seccomp_listener = "/run/agent",
		.seccomp_listener_data = "a\nb",
	};
}

static void test_comes_back_as_it_was(void **state)
{
	auto_arena struct nook_arena a = { 0 };
	struct nook_state s = NOOK_STATE_NONE;
	struct nook_record r = sample(), back;
	enum nook_life life;

	assert_int_equal(nook_arena_init(&a), 0);
	assert_int_equal(nook_state_claim_new(dir, "c1", &s, NULL), 0);
	assert_int_equal(nook_start_time(getpid(), &r.start_time, NULL), 0);
	assert_int_equal(nook_state_write(&s, &r, NULL), 0);
	assert_int_equal(nook_state_read(dir, "c1", &a, &back, &life, NULL), 0);

	assert_int_equal(back.phase, NOOK_PHASE_CREATED);
	assert_int_equal(back.created_nsec, 999999999);
	assert_string_equal(back.bundle, "/b");
	assert_string_equal(back.rootfs, "/b/rootfs");
	assert_string_equal(back.oci_version, "1.2.0");
	assert_string_equal(back.process, r.process);
	assert_string_equal(back.hooks, r.hooks);
	assert_string_equal(back.hook_state, r.hook_state);
	assert_int_equal(back.n_annotations, 2);
	for (int i = 0; i < 4; i++)
		assert_string_equal(back.annotations[i / 2][i % 2], annotations[i / 2][i % 2]);
	assert_string_equal(back.unit, "x.scope");
	assert_string_equal(back.rdt, "clos");
	assert_string_equal(back.rdt_tasks, "clos/mon_groups/c1");
	assert_string_equal(back.netdevs->path, netdevs.path);
	assert_true(back.netdevs->ino == UINT64_MAX && back.netdevs->home == 4026531840);
	assert_string_equal(back.netdevs->links[0], notes[0]);
	assert_null(back.netdevs->links[1]);
	assert_string_equal(back.start, r.start);
	assert_true(back.no_new_keyring);
	assert_string_equal(back.seccomp_listener, "/run/agent");
	assert_string_equal(back.seccomp_listener_data, "a\nb");

	assert_int_equal(nook_state_drop(&s, NULL), 0);
}

/* Its maker ends, and it runs on: that a lock is held or not tells nothing of it. */
static void test_lives_without_a_keeper(void **state)
{
	auto_arena struct nook_arena a = { 0 };
	struct nook_state s = NOOK_STATE_NONE;
	struct nook_record r = sample(), back;
	enum nook_life life;

	assert_int_equal(nook_arena_init(&a), 0);
	assert_int_equal(nook_state_claim_new(dir, "c1", &s, NULL), 0);
	assert_int_equal(nook_start_time(getpid(), &r.start_time, NULL), 0);
	assert_int_equal(nook_state_write(&s, &r, NULL), 0);
	nook_state_close(&s);
	assert_int_equal(nook_state_read(dir, "c1", &a, &back, &life, NULL), 0);
	assert_int_equal(life, NOOK_LIFE_RUNNING);

	/* While it was made its maker's end is its own. */
	assert_int_equal(nook_state_take(dir, "c1", 0, &s, NULL), 0);
	r.phase = NOOK_PHASE_CREATING;
	assert_int_equal(nook_state_write(&s, &r, NULL), 0);
	assert_int_equal(nook_state_read(dir, "c1", &a, &back, &life, NULL), 0);
	assert_int_equal(life, NOOK_LIFE_STARTING);
	nook_state_close(&s);
	assert_int_equal(nook_state_read(dir, "c1", &a, &back, &life, NULL), 0);
	assert_int_equal(life, NOOK_LIFE_GONE);

	/* Another process has the pid now, or another boot the record. */
	r.phase = NOOK_PHASE_CREATED;
	r.start_time++;
	assert_int_equal(nook_state_take(dir, "c1", 0, &s, NULL), 0);
	assert_int_equal(nook_state_write(&s, &r, NULL), 0);
	assert_int_equal(nook_state_read(dir, "c1", &a, &back, &life, NULL), 0);
	assert_int_equal(life, NOOK_LIFE_GONE);
	r.start_time--;
	r.boot_id = "00000000-0000-0000-0000-000000000000";
	assert_int_equal(nook_state_write(&s, &r, NULL), 0);
	assert_int_equal(nook_state_read(dir, "c1", &a, &back, &life, NULL), 0);
	assert_int_equal(life, NOOK_LIFE_GONE);
	assert_int_equal(nook_state_drop(&s, NULL), 0);
}

/* Unlike those of `nook run`, what a dead maker has left keeps its name till it is deleted. */
static void test_an_id_is_taken_until_it_is_deleted(void **state)
{
	struct nook_state s = NOOK_STATE_NONE, second = NOOK_STATE_NONE;
	struct nook_record r = sample();
	struct nook_error err = { 0 };

	assert_int_equal(nook_state_take(dir, "c1", 0, &s, &err), -ENOENT); /* no directory yet */
	assert_int_equal(err.errnum, 0);
	assert_int_equal(nook_state_claim_new(dir, "c1", &s, NULL), 0);
	r.phase = NOOK_PHASE_CREATING;
	assert_int_equal(nook_state_write(&s, &r, NULL), 0);
	assert_int_equal(nook_state_claim_new(dir, "c1", &second, &err), -EEXIST);
	assert_int_equal(nook_state_take(dir, "c1", 5, &second, NULL), -EBUSY);
	nook_state_close(&s);
	assert_int_equal(nook_state_claim_new(dir, "c1", &second, NULL), -EEXIST);

	assert_int_equal(nook_state_take(dir, "c1", 0, &s, NULL), 0);
	assert_int_equal(nook_state_clear(&s, NULL), 0);
	assert_int_equal(nook_state_drop(&s, NULL), 0);
	assert_int_equal(nook_state_take(dir, "c1", 0, &s, NULL), -ENOENT);
	assert_int_equal(nook_state_claim_new(dir, "c1", &s, NULL), 0);
	assert_int_equal(nook_state_drop(&s, NULL), 0);
}

#define HEAD                                                                                       \
	"{\"version\":1,\"name\":\"h\",\"phase\":\"created\",\"boot_id\":"                         \
	"\"01234567-89ab-cdef-0123-456789abcdef\",\"keeper\":1,\"pid\":1,\"start_time\":1,"        \
	"\"created\":1,\"range\":0,\"cgroups\":[],\"namespaces\":0,\"engine\":{"
#define TAIL                                                                                       \
	"},\"process\":{\"argv\":[],\"env\":[],\"uid\":0,\"gid\":0,\"groups\":[],\"keep_groups\":" \
	"false,"                                                                                   \
	"\"capabilities\":{\"bounding\":0,\"effective\":0,\"permitted\":0,\"inheritable\":0,"      \
	"\"ambient\":0},\"no_new_privs\":false}}"
#define GOOD                                                                                       \
	"\"bundle\":\"/b\",\"oci_version\":\"1.0.2\",\"start\":\"0123456789abcdef\","              \
	"\"created_nsec\":0,\"no_new_keyring\":false,\"annotations\":[]"

static const struct {
	const char *name, *text, *why; /* NULL: taken */
} hostile[] = {
	{ "as it should be", HEAD GOOD TAIL, NULL },
	{ "no bundle", HEAD "\"x\":1" TAIL, "missing" },
	{ "bundle is a number", HEAD GOOD ",\"bundle\":1" TAIL, "a string" },
	{ "start leads out", HEAD GOOD ",\"start\":\"../../etc/passwd\"" TAIL, "names no socket" },
	{ "start is short", HEAD GOOD ",\"start\":\"0\"" TAIL, "names no socket" },
	{ "start is upper case", HEAD GOOD ",\"start\":\"0123456789ABCDEF\"" TAIL,
	  "names no socket" },
	{ "annotations are odd", HEAD GOOD ",\"annotations\":[\"a\"]" TAIL, "no value" },
	{ "annotations are numbers", HEAD GOOD ",\"annotations\":[1,2]" TAIL, "a string" },
	{ "nanoseconds", HEAD GOOD ",\"created_nsec\":1000000000" TAIL, "not between" },
};

static void test_hostile_records(void **state)
{
	auto_arena struct nook_arena a = { 0 };
	struct nook_state s = NOOK_STATE_NONE;

	assert_int_equal(nook_arena_init(&a), 0);
	assert_int_equal(nook_state_claim_new(dir, "h", &s, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(hostile); i++) {
		struct nook_error err = { 0 };
		struct nook_record r;
		auto_close int fd = nook_folder_file(s.base, NOOK_FOLDER_RECORDS, "h",
						     O_WRONLY | O_CREAT | O_TRUNC);

		assert_int_equal(nook_write_fd(fd, hostile[i].text, strlen(hostile[i].text)), 0);

		int rc = nook_record_load(s.base, "h", NOOK_RECORD_ALL, &a, &r, &err);

		if (rc != (hostile[i].why ? -EBADMSG : 0) ||
		    (hostile[i].why && !strstr(err.why, hostile[i].why)))
			fail_msg("%s: %d, %s", hostile[i].name, rc, err.why);
	}
	assert_int_equal(nook_state_clear(&s, NULL), 0);
	assert_int_equal(nook_state_drop(&s, NULL), 0);
}

/* A stage that waits for its start is a child that has executed nothing. */
static void test_has_executed(void **state)
{
	int status, pid = fork();

	(void)state;
	if (pid == 0) {
		for (;;)
			pause();
	}
	assert_true(pid > 0);
	assert_int_equal(nook_has_executed(pid, NULL), 0);
	assert_int_equal(nook_has_executed(getpid(), NULL), 1);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(nook_has_executed(pid, NULL), -ESRCH);
}

/* What can't be looked at is not said to have ended: somebody might delete it. */
static void test_not_known(void **state)
{
	const struct nook_holder nobody = { 0 };
	struct nook_record r = sample();
	struct rlimit limit, no_files = { 0 };
	enum nook_life life = NOOK_LIFE_STARTING;

	(void)state;
	assert_int_equal(nook_start_time(getpid(), &r.start_time, NULL), 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	no_files.rlim_max = limit.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &no_files), 0);

	int rc = nook_life_of(&r, &nobody, boot_id, &life, NULL);

	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_int_equal(rc, -EMFILE);
	assert_int_equal(life, NOOK_LIFE_STARTING);
	assert_int_equal(nook_life_of(&r, &nobody, boot_id, &life, NULL), 0);
	assert_int_equal(life, NOOK_LIFE_RUNNING);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_comes_back_as_it_was, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(test_lives_without_a_keeper, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(test_an_id_is_taken_until_it_is_deleted, make_dir,
						remove_dir),
		cmocka_unit_test_setup_teardown(test_hostile_records, make_dir, remove_dir),
		cmocka_unit_test(test_has_executed),
		cmocka_unit_test_setup_teardown(test_not_known, make_dir, remove_dir),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
