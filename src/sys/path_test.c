/* SPDX-License-Identifier: Apache-2.0 */
/* The resolver on a tree of traps: what a path may reach is inside of the root, or nothing. */
#include "path.h"

#include "base/own.h"
#include "file.h"

#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

static char top[64];
static int root = NO_FD, outside = NO_FD;

static void file(int dir, const char *name)
{
	int fd = openat(dir, name, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	(void)close(fd);
}

/* TOP/root is the root, TOP/secret what must not be reached. */
static int set_up(void **state)
{
	static const char *const links[][2] = {
		{ "abs", "/dir" },
		{ "rel", "dir/sub" },
		{ "up", "../../../../../../../secret" },
		{ "updir", "../.." },
		{ "out", "/secret" },
		{ "dangling", "/not/there" },
		{ "dir/back", "/dir" },
		{ "loop1", "loop2" },
		{ "loop2", "loop1" },
		{ "self", "self" },
		{ "magic", "/proc/self/root" },
		{ "chain", "abs/sub/../../abs" },
	};

	(void)snprintf(top, sizeof(top), "/tmp/nook-path-test-XXXXXX");
	assert_non_null(mkdtemp(top));
	outside = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	file(outside, "secret");
	assert_int_equal(mkdirat(outside, "root", 0755), 0);
	root = openat(outside, "root", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(mkdirat(root, "dir", 0755), 0);
	assert_int_equal(mkdirat(root, "dir/sub", 0755), 0);
	assert_int_equal(mkdirat(root, "proc", 0755), 0);
	file(root, "dir/file");
	for (size_t i = 0; i < ARRAY_SIZE(links); i++)
		assert_int_equal(symlinkat(links[i][1], root, links[i][0]), 0);
	return 0;
}

static int tear_down(void **state)
{
	char command[128];

	close_fd(&root);
	close_fd(&outside);
	(void)snprintf(command, sizeof(command), "rm -rf '%s'", top);
	return system(command);
}

static ino_t inode(int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	return st.st_ino;
}

static ino_t inode_of(const char *below_root)
{
	struct stat st;

	assert_int_equal(fstatat(root, below_root, &st, AT_SYMLINK_NOFOLLOW), 0);
	return st.st_ino;
}

static const struct {
	const char *path;
	const char *is; /* NULL: not reached */
	int rc;
} resolved[] = {
	{ "dir/file", "dir/file", 0 },
	{ "/dir/file", "dir/file", 0 },
	{ "//dir//./file", "dir/file", 0 },
	{ "/", ".", 0 },
	{ "..", ".", 0 },
	{ "/../../dir", "dir", 0 },
	{ "dir/../dir/sub", "dir/sub", 0 },
	{ "abs", "dir", 0 },
	{ "abs/file", "dir/file", 0 },
	{ "rel", "dir/sub", 0 },
	{ "chain", "dir", 0 },
	{ "dir/back/back/back/file", "dir/file", 0 },
	{ "updir", ".", 0 },
	{ "updir/dir", "dir", 0 },
	{ "updir/secret", NULL, -ENOENT },
	{ "up", NULL, -ENOENT },
	{ "out", NULL, -ENOENT },
	{ "../secret", NULL, -ENOENT },
	{ "dangling", NULL, -ENOENT },
	{ "not-there", NULL, -ENOENT },
	{ "", NULL, -ENOENT },
	{ "dir/file/x", NULL, -ENOTDIR },
	{ "loop1", NULL, -ELOOP },
	{ "self/x", NULL, -ELOOP },
	{ "magic", NULL, -ENOENT }, /* of the root's own proc, where nothing is mounted */
};

static void test_resolve(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(resolved); i++) {
		struct nook_error err = { 0 };
		auto_close int fd = nook_resolve(root, resolved[i].path, &err);

		if (resolved[i].is) {
			assert_true(fd >= 0);
			assert_int_equal(inode(fd), inode_of(resolved[i].is));
			assert_true(fcntl(fd, F_GETFL) & O_PATH);
			assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
		} else {
			assert_int_equal(fd, resolved[i].rc);
			assert_int_equal(err.errnum, -resolved[i].rc);
			assert_true(err.why[0]);
		}
	}
	assert_int_equal(nook_resolve(root, "not-there", NULL), -ENOENT);
}

static void test_a_magic_link_leads_nowhere(void **state)
{
	int slash = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct nook_error err = { 0 };

	assert_int_equal(nook_resolve(slash, "/proc/self/root/etc", &err), -ELOOP);
	assert_int_equal(nook_resolve(slash, "/proc/self/fd/0", &err), -ELOOP);
	(void)close(slash);
}

static const struct {
	const char *path;
	enum nook_path_make make;
	int rc;         /* 0: made or there */
	const char *at; /* where it lies then */
	const char *id; /* cause */
} made[] = {
	{ "dir/file", NOOK_PATH_DIR, 0, "dir/file", "" }, /* its type is not looked at */
	{ "new1", NOOK_PATH_DIR, 0, "new1", "" },
	{ "/new2/a//b/./c/", NOOK_PATH_DIR, 0, "new2/a/b/c", "" },
	{ "new3/a/f", NOOK_PATH_FILE, 0, "new3/a/f", "" },
	{ "abs/new4/f", NOOK_PATH_FILE, 0, "dir/new4/f", "" },
	{ "rel/new5", NOOK_PATH_DIR, 0, "dir/sub/new5", "" },
	{ "updir/new6", NOOK_PATH_DIR, 0, "new6", "" }, /* a link's own ".." stays in the root */
	{ "new7", NOOK_PATH_EXISTS, -ENOENT, NULL, "" },
	{ "dangling", NOOK_PATH_DIR, -ELOOP, NULL, "symlink-in-target" },
	{ "dangling", NOOK_PATH_FILE, -ELOOP, NULL, "symlink-in-target" },
	{ "dangling/x/y", NOOK_PATH_DIR, -ELOOP, NULL, "symlink-in-target" },
	{ "up", NOOK_PATH_FILE, -ELOOP, NULL, "symlink-in-target" },
	{ "out", NOOK_PATH_FILE, -ELOOP, NULL, "symlink-in-target" },
	{ "new8/../../x", NOOK_PATH_DIR, -EINVAL, NULL, "" },
	{ "dir/file/x", NOOK_PATH_DIR, -ENOTDIR, NULL, "" },
	{ "loop1/x", NOOK_PATH_DIR, -ELOOP, NULL, "" },
};

static void test_resolve_make(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(made); i++) {
		struct nook_error err = { 0 };
		auto_close int fd = nook_resolve_make(root, made[i].path, made[i].make, &err);

		if (made[i].at) {
			if (fd < 0)
				fail_msg("%s: %s", made[i].path, err.why);
			assert_int_equal(inode(fd), inode_of(made[i].at));
		} else {
			assert_int_equal(fd, made[i].rc);
		}
		assert_string_equal(err.id, made[i].id);
	}

	/* Nothing came to be outside, nor through the links. */
	struct stat st;

	assert_int_equal(fstatat(outside, "x", &st, 0), -1);
	assert_int_equal(fstatat(outside, "new6", &st, 0), -1);
	assert_int_equal(fstatat(root, "secret", &st, 0), -1);
	assert_int_equal(fstatat(root, "not", &st, 0), -1);
	assert_int_equal(fstatat(root, "new3/a/f", &st, 0), 0);
	assert_true(S_ISREG(st.st_mode));
}

static void test_names_too_long(void **state)
{
	char name[NAME_MAX + 2], path[PATH_MAX + 2];
	struct nook_error err = { 0 };

	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(nook_resolve_make(root, name, NOOK_PATH_DIR, &err), -ENAMETOOLONG);

	for (size_t i = 0; i + 1 < sizeof(path); i++)
		path[i] = i % 2 ? '/' : 'p';
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(nook_resolve_make(root, path, NOOK_PATH_DIR, &err), -ENAMETOOLONG);
}

/* ---- a thread that swaps a directory for a link to the outside, again and again ---- */

static volatile bool stop;

static void *swap(void *arg)
{
	while (!stop) {
		(void)renameat2(root, "swap", root, "trap", RENAME_EXCHANGE);
		(void)renameat2(root, "swap", root, "trap", RENAME_EXCHANGE);
	}
	return NULL;
}

static void test_a_race_stays_inside(void **state)
{
	pthread_t thread;
	struct stat st;

	assert_int_equal(mkdirat(root, "swap", 0755), 0);
	assert_int_equal(symlinkat("../..", root, "trap"), 0);
	stop = false;
	assert_int_equal(pthread_create(&thread, NULL, swap, NULL), 0);
	for (int i = 0; i < 3000; i++) {
		char path[48];

		(void)snprintf(path, sizeof(path), "swap/raced-%d/f", i);
		int fd = nook_resolve_make(root, path, NOOK_PATH_FILE, NULL);

		close_fd(&fd); /* made, or refused: but never outside */
		fd = nook_resolve(root, "swap/secret", NULL);
		assert_true(fd < 0);
		fd = nook_open_dir_below(root, "swap", O_RDONLY);
		assert_true(fd < 0 || inode(fd) != inode(outside));
		close_fd(&fd);
	}
	stop = true;
	assert_int_equal(pthread_join(thread, NULL), 0);

	for (int i = 0; i < 3000; i++) {
		char path[48];

		(void)snprintf(path, sizeof(path), "raced-%d", i);
		assert_int_equal(fstatat(outside, path, &st, 0), -1);
	}
}

/* ---- src/sys/file.h: nothing is followed ---- */

static void test_below_follows_nothing(void **state)
{
	static const char *const refused[] = {
		"abs/x", "rel/x", "updir/x", "../x", "/x", "magic/x"
	};

	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		assert_true(nook_mkdir_below(root, refused[i], 0755) < 0);
		assert_true(nook_create_below(root, refused[i], 0644) < 0);
		assert_true(nook_open_below(root, refused[i]) < 0);
	}
}

static void test_below(void **state)
{
	struct stat st;
	int fd;

	assert_int_equal(nook_mkdir_below(root, "b", 0755), 0);
	assert_int_equal(nook_mkdir_below(root, "b", 0755), -EEXIST);
	assert_int_equal(nook_mkdir_below(root, "b/c", 0700), 0);
	assert_int_equal(nook_mkdir_below(root, "b/x/c", 0700), -ENOENT);
	assert_int_equal(nook_symlink_below(root, "b/link", "/anywhere"), 0);
	assert_int_equal(nook_symlink_below(root, "b/link", "/anywhere"), -EEXIST);
	assert_int_equal(nook_create_below(root, "b/link", 0644), -EEXIST);
	assert_true(nook_open_dir_below(root, "abs", O_PATH) < 0);
	assert_int_equal(nook_open_below(root, "b/link"), -ELOOP);
	assert_int_equal(nook_open_dir_below(root, "dir/file", O_PATH), -ENOTDIR);

	fd = nook_create_below(root, "b/c/file", 0600);
	assert_true(fd >= 0);
	assert_int_equal(nook_own(fd, (uid_t)-1, (gid_t)-1, 0640), 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	close_fd(&fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_resolve),
		cmocka_unit_test(test_a_magic_link_leads_nowhere),
		cmocka_unit_test(test_resolve_make),
		cmocka_unit_test(test_names_too_long),
		cmocka_unit_test(test_a_race_stays_inside),
		cmocka_unit_test(test_below_follows_nothing),
		cmocka_unit_test(test_below),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
