/* SPDX-License-Identifier: Apache-2.0 */
#include "files.h"

#include "base/file.h"
#include "base/text.h"
#include "dir_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <signal.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* The undo proper is tested where it lives, in src/run/; here a leftover is its files and ranges.
 */
int nook_state_clear(struct nook_state *state, struct nook_error *err)
{
	int rc = nook_range_release_all(state, err);

	return rc < 0 ? rc : nook_files_delete(state, err);
}

#define SLOT(n) (NOOK_RANGE_FIRST + (n)*NOOK_RANGE_SIZE)

static void test_what_etc_gives_away(void **state)
{
	static const struct {
		const char *name, *file, *text;
		unsigned slots[4], n; /* marked */
	} cases[] = {
		{ "nothing", "subuid", "", { 0 }, 0 },
		{ "far below", "subuid", "me:100000:65536\n", { 0 }, 0 },
		{ "one slot", "subuid", "me:1879048192:65536\n", { 0 }, 1 },
		{ "without a newline", "subgid", "me:1879048192:65536", { 0 }, 1 },
		{ "across two", "subgid", "me:1879048193:65536\n", { 0, 1 }, 2 },
		{ "reaching in from below", "subuid", "me:1000000000:879048193\n", { 0 }, 1 },
		{ "ends just before", "subuid", "me:1000000000:879048192\n", { 0 }, 0 },
		{ "reaching out above", "subuid", "me:2147418112:4294967295\n", { 4095 }, 1 },
		{ "above", "subuid", "me:2147483648:65536\n", { 0 }, 0 },
		{ "count 0", "subuid", "me:1879048192:0\n", { 0 }, 0 },
		{ "no count", "subuid", "me:1879048192\n1:1879113728:1\n", { 1 }, 1 },
		{ "count is no number", "subuid", "me:1879048192:x1\n", { 0 }, 0 },
		{ "start is no number", "subuid", "me:0x70000000:65536\n", { 0 }, 0 },
		{ "huge", "subuid", "me:99999999999999999999999:99999999999999\n", { 0 }, 0 },
		{ "second line", "subuid", "a:1:2\n\n:\nb:1879048192:131073\n", { 0, 1, 2 }, 3 },
		{ "account", "passwd", "x:x:1879048200:1879113729::/:\n", { 0, 1 }, 2 },
		{ "account of root", "passwd", "root:x:0:0:1879048200:/root:/bin/sh\n", { 0 }, 0 },
		{ "group", "group", "x:x:2147483647:1879048192\n", { 4095 }, 1 },
		{ "not read", "shadow", "x:1879048192:65536\n", { 0 }, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t taken[NOOK_RANGE_SLOTS / 64] = { 0 }, want[NOOK_RANGE_SLOTS / 64] = { 0 };
		char at[] = "/tmp/nook-etc-test-XXXXXX";

		assert_non_null(mkdtemp(at));
		auto_close int etc = open(at, O_PATH | O_DIRECTORY | O_CLOEXEC);
		auto_close int fd =
			openat(etc, cases[i].file, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);

		assert_int_equal(nook_write_fd(fd, cases[i].text, strlen(cases[i].text)), 0);
		for (unsigned n = 0; n < cases[i].n; n++)
			want[cases[i].slots[n] / 64] |= UINT64_C(1) << cases[i].slots[n] % 64;

		assert_int_equal(nook_range_mark_etc(etc, taken, NULL), 0);
		if (memcmp(taken, want, sizeof(want)) != 0)
			fail_msg("%s", cases[i].name);
		assert_int_equal(unlinkat(etc, cases[i].file, 0), 0);
		assert_int_equal(rmdir(at), 0);
	}
}

/* A line that lies across the end of a read. */
static void test_etc_in_many_reads(void **state)
{
	char at[] = "/tmp/nook-etc-test-XXXXXX", line[64];
	uint64_t taken[NOOK_RANGE_SLOTS / 64] = { 0 };

	assert_non_null(mkdtemp(at));
	auto_close int etc = open(at, O_PATH | O_DIRECTORY | O_CLOEXEC);
	auto_close int fd = openat(etc, "subuid", O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);

	for (unsigned i = 0; i < 4096; i += 2) {
		size_t len = nook_format(line, sizeof(line), "user%u:%u:65536\n", i, SLOT(i));

		assert_int_equal(nook_write_fd(fd, line, len), 0);
	}
	assert_int_equal(nook_range_mark_etc(etc, taken, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(taken); i++)
		assert_true(taken[i] == UINT64_C(0x5555555555555555));
	assert_int_equal(unlinkat(etc, "subuid", 0), 0);
	assert_int_equal(rmdir(at), 0);
}

static void test_claim_and_release(void **state)
{
	struct nook_state s = NOOK_STATE_NONE, t = NOOK_STATE_NONE;
	struct nook_error err = { 0 };
	uint32_t first = 0;

	assert_int_equal(nook_range_find("/tmp/nook-no-such-dir", &first, NULL), 0);

	assert_int_equal(nook_state_claim(dir, "a", &s, NULL), 0);
	assert_int_equal(nook_state_claim(dir, "b", &t, NULL), 0);
	assert_int_equal(nook_range_find(dir, &first, NULL), 0);
	assert_true(first >= 2000200000u && first <= 0x7fff0000u && first % 65536 == 0);

	assert_int_equal(nook_range_claim(&s, first, NULL), 0);
	assert_int_equal(nook_range_claim(&s, first, NULL), 0);
	assert_int_equal(nook_range_claim(&t, first, &err), -EEXIST);
	assert_non_null(strstr(err.why, "held by container a"));
	assert_int_equal(nook_range_release(&t, first, NULL), 0); /* not b's: stays */
	assert_int_equal(nook_range_claim(&t, first, NULL), -EEXIST);
	assert_int_equal(nook_range_release(&s, first, NULL), 0);
	assert_int_equal(nook_range_release(&s, first, NULL), 0);
	assert_int_equal(nook_range_claim(&t, first, NULL), 0);

	/* b dies: a gets its range. */
	nook_state_close(&t);
	assert_int_equal(nook_range_claim(&s, first, NULL), 0);
	assert_int_equal(nook_state_claim(dir, "b", &t, NULL), 0);
	assert_int_equal(nook_range_claim(&t, first, NULL), -EEXIST);
	assert_int_equal(nook_state_drop(&t, NULL), 0);
	assert_int_equal(nook_range_release(&s, first, NULL), 0);
	assert_int_equal(nook_state_drop(&s, NULL), 0);

	static const uint32_t bad[] = { 0, 65536, SLOT(0) + 1, SLOT(0) - 65536,
					SLOT(4095) + 65536 };

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(nook_range_claim(&s, bad[i], NULL), -EINVAL);
}

/* A user namespace without a process: nobody's death frees its range. */
static void test_kept_and_no_more(void **state)
{
	struct nook_state s = NOOK_STATE_NONE;
	struct nook_error err = { 0 };
	char longest[256];

	memset(longest, 'x', 255);
	longest[255] = '\0';
	assert_int_equal(nook_state_claim(dir, "a", &s, NULL), 0);
	assert_int_equal(nook_range_keep(s.base, longest, SLOT(9), NULL), 0);
	assert_int_equal(nook_range_keep(s.base, "x", SLOT(9), &err), -EEXIST);
	assert_int_equal(nook_range_keep(s.base, "x", 1, NULL), -EINVAL);
	assert_int_equal(nook_range_claim(&s, SLOT(9), NULL), -EEXIST);
	assert_int_equal(nook_range_unkeep(s.base, "x", SLOT(9), NULL), 0); /* not x's: stays */
	assert_int_equal(nook_range_claim(&s, SLOT(9), NULL), -EEXIST);
	assert_int_equal(nook_range_unkeep(s.base, longest, SLOT(9), NULL), 0);
	assert_int_equal(nook_range_claim(&s, SLOT(9), NULL), 0);
	assert_int_equal(nook_range_release(&s, SLOT(9), NULL), 0);
	assert_int_equal(nook_state_drop(&s, NULL), 0);
}

/* Who has no descriptor left can still clean up. */
static void test_cleaning_up_needs_no_descriptor(void **state)
{
	struct nook_state s = NOOK_STATE_NONE;
	struct rlimit before, none;

	assert_int_equal(nook_state_claim(dir, "a", &s, NULL), 0);
	assert_int_equal(nook_range_claim(&s, SLOT(9), NULL), 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = (struct rlimit){ .rlim_cur = 3, .rlim_max = before.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	int fd = open("/", O_PATH | O_CLOEXEC), error = errno;
	int released = nook_range_release(&s, SLOT(9), NULL), dropped = nook_state_drop(&s, NULL);

	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(fd, -1);
	assert_int_equal(error, EMFILE);
	assert_int_equal(released, 0);
	assert_int_equal(dropped, 0);
}

static void hold(int ids, unsigned slot, const char *name)
{
	char file[16];

	(void)nook_format(file, sizeof(file), "%u", SLOT(slot));
	assert_int_equal(symlinkat(name, ids, file), 0);
}

static void free_slot(int ids, unsigned slot)
{
	char file[16];

	(void)nook_format(file, sizeof(file), "%u", SLOT(slot));
	assert_int_equal(unlinkat(ids, file, 0), 0);
}

/* One left: it is found, wherever. None left: it is said. */
static void test_when_nearly_all_are_taken(void **state)
{
	static const unsigned lone[] = { 0, 1, 1847, 1848, 1849, 4095 };
	struct nook_state s = NOOK_STATE_NONE;
	struct nook_error err = { 0 };
	uint32_t first = 7;

	assert_int_equal(nook_state_claim(dir, "a", &s, NULL), 0);
	auto_close int ids = openat(s.base, "ids", O_PATH | O_DIRECTORY | O_CLOEXEC);

	for (unsigned slot = 0; slot < NOOK_RANGE_SLOTS; slot++)
		hold(ids, slot, "a");
	assert_int_equal(nook_range_find(dir, &first, &err), -EUSERS);
	assert_int_equal(first, 7);

	for (size_t i = 0; i < ARRAY_SIZE(lone); i++) {
		free_slot(ids, lone[i]);
		assert_int_equal(nook_range_find(dir, &first, &err), 0);
		assert_int_equal(first, SLOT(lone[i]));
		hold(ids, lone[i], "a");
	}

	/* What is no link, or names nothing, is not ours to take. */
	free_slot(ids, 5);
	hold(ids, 5, "../x");
	free_slot(ids, 6);
	assert_int_equal(mkdirat(ids, "1879441408", 0700), 0); /* slot 6 */
	assert_int_equal(nook_range_find(dir, &first, &err), -EUSERS);
	assert_true(nook_range_claim(&s, SLOT(5), &err) < 0);
	assert_true(nook_range_claim(&s, SLOT(6), &err) < 0);
	assert_int_equal(unlinkat(ids, "1879441408", AT_REMOVEDIR), 0);
	hold(ids, 6, "a");

	/* A dead container's counts as free. */
	free_slot(ids, 5);
	hold(ids, 5, "dead");
	assert_int_equal(nook_range_find(dir, &first, &err), 0);
	assert_int_equal(first, SLOT(5));
	assert_int_equal(nook_range_claim(&s, first, &err), 0);

	assert_int_equal(nook_range_release_all(&s, NULL), 0);
	assert_int_equal(nook_state_drop(&s, NULL), 0);
}

#define CHILDREN 8
#define ROUNDS   40
#define RANGES   12u

/* A child that takes names and ranges from a few, holds them for a moment, and now and then dies
 * with them: no range may ever be in two hands. */
static void fight(unsigned child, volatile int *owners)
{
	unsigned seed = child + 1;

	for (int round = 0; round < ROUNDS; round++) {
		struct nook_state s = NOOK_STATE_NONE;
		char name[16];

		seed = seed * 1103515245u + 12345u;
		unsigned slot = (seed >> 16) % RANGES;

		(void)nook_format(name, sizeof(name), "c%u", (seed >> 8) % CHILDREN);
		int rc = nook_state_claim(dir, name, &s, NULL);

		if (rc == -EEXIST)
			continue;
		if (rc < 0)
			_exit(1);

		rc = nook_range_claim(&s, SLOT(slot), NULL);
		if (rc < 0 && rc != -EEXIST)
			_exit(2);
		if (rc == 0) {
			/* By the pid of who has it: a dead owner may be replaced, a living one
			 * not. */
			int before = __atomic_exchange_n(&owners[slot], getpid(), __ATOMIC_SEQ_CST);

			if (before && before != getpid() && kill(before, 0) == 0)
				_exit(3);
			if (round == ROUNDS - 1 && child % 2) {
				/* A zombie's pid still answers, so say that we go. */
				__atomic_store_n(&owners[slot], 0, __ATOMIC_SEQ_CST);
				(void)raise(SIGKILL);
			}
			(void)usleep(seed >> 20 & 255);
			if (!__atomic_compare_exchange_n(&owners[slot], &(int){ getpid() }, 0,
							 false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
				_exit(4);
			if (nook_range_release(&s, SLOT(slot), NULL) < 0)
				_exit(5);
		}
		if (nook_state_drop(&s, NULL) < 0)
			_exit(6);
	}
	_exit(0);
}

static void test_many_at_once(void **state)
{
	volatile int *owners = mmap(NULL, RANGES * sizeof(int), PROT_READ | PROT_WRITE,
				    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pids[CHILDREN];

	assert_ptr_not_equal(owners, MAP_FAILED);
	for (unsigned i = 0; i < CHILDREN; i++) {
		pids[i] = fork();
		if (pids[i] == 0)
			fight(i, owners);
		assert_true(pids[i] > 0);
	}

	for (unsigned left = CHILDREN; left > 0; left--) {
		int status = 0;

		assert_true(wait(&status) > 0);
		if (WIFEXITED(status))
			assert_int_equal(WEXITSTATUS(status), 0);
		else
			assert_int_equal(WTERMSIG(status), SIGKILL);
	}

	/* What the dead held can be had, and nothing else is left. */
	for (unsigned i = 0; i < CHILDREN; i++) {
		struct nook_state s = NOOK_STATE_NONE;
		char name[16];

		(void)nook_format(name, sizeof(name), "c%u", i);
		assert_int_equal(nook_state_claim(dir, name, &s, NULL), 0);
		for (unsigned slot = 0; slot < RANGES; slot++) {
			assert_int_equal(nook_range_claim(&s, SLOT(slot), NULL), 0);
			assert_int_equal(nook_range_release(&s, SLOT(slot), NULL), 0);
		}
		assert_int_equal(nook_state_drop(&s, NULL), 0);
	}
	assert_int_equal(munmap((void *)owners, RANGES * sizeof(int)), 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, make_dir, remove_dir)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_etc_gives_away),
		cmocka_unit_test(test_etc_in_many_reads),
		TEST(test_claim_and_release),
		TEST(test_kept_and_no_more),
		TEST(test_cleaning_up_needs_no_descriptor),
		TEST(test_when_nearly_all_are_taken),
		TEST(test_many_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
