/* SPDX-License-Identifier: Apache-2.0 */
/* tmpcopyup of ordinary and of hostile directories, between two directories of a tmpfs. */
#include "mounts.h"

#include "base/own.h"
#include "sys/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/xattr.h>

#include <cmocka.h>

struct trees {
	char top[64];
	int from, to;
};

static int setup(void **state)
{
	static struct trees t;

	(void)umask(0);
	(void)snprintf(t.top, sizeof(t.top), "/dev/shm/copy-up-XXXXXX");
	assert_non_null(mkdtemp(t.top));
	assert_int_equal(chdir(t.top), 0);
	assert_true(mkdir("from", 0755) == 0 && mkdir("to", 0755) == 0);
	t.from = open("from", O_PATH | O_CLOEXEC);
	t.to = open("to", O_PATH | O_CLOEXEC);
	assert_true(t.from >= 0 && t.to >= 0);
	*state = &t;
	return 0;
}

static int take_away(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int teardown(void **state)
{
	struct trees *t = *state;

	close_fd(&t->from);
	close_fd(&t->to);
	assert_int_equal(chdir("/"), 0);
	return nftw(t->top, take_away, 16, FTW_DEPTH | FTW_PHYS);
}

static void write_file(const char *path, const char *text, mode_t mode)
{
	auto_close int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static void has_text(const char *path, const char *text)
{
	char is[64] = "";
	auto_close int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_true(read(fd, is, sizeof(is) - 1) >= 0);
	assert_string_equal(is, text);
}

static int copy(struct trees *t, struct nook_error *err)
{
	*err = (struct nook_error){ 0 };
	return nook_copy_up(t->from, t->to, err);
}

/* Everything of them that the copy keeps. */
static void same_looks(const char *name)
{
	char a[128], b[128];
	struct stat x, y;

	(void)snprintf(a, sizeof(a), "from/%s", name);
	(void)snprintf(b, sizeof(b), "to/%s", name);
	assert_int_equal(lstat(a, &x), 0);
	assert_int_equal(lstat(b, &y), 0);
	assert_int_equal(x.st_mode, y.st_mode);
	assert_int_equal(x.st_uid, y.st_uid);
	assert_int_equal(x.st_gid, y.st_gid);
	assert_int_equal(x.st_rdev, y.st_rdev);
	assert_int_equal(x.st_mtim.tv_sec, y.st_mtim.tv_sec);
	assert_int_equal(x.st_mtim.tv_nsec, y.st_mtim.tv_nsec);
	if (!S_ISDIR(x.st_mode))
		assert_int_equal(x.st_size, y.st_size);
}

static void date(const char *path, time_t when)
{
	const struct timespec times[2] = { { when, 5 }, { when, 7 } };

	assert_int_equal(utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW), 0);
}

static void test_all_types_keep_their_looks(void **state)
{
	static const char *const names[] = {
		"dir/file", "dir", "setuid", "link", "dangling", "pipe"
	};
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "from/socket" };
	struct nook_error err;
	auto_close int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(mkdir("from/dir", 02750), 0);
	write_file("from/dir/file", "text", 0640);
	write_file("from/setuid", "s", 0755);
	assert_int_equal(symlink("dir/file", "from/link"), 0);
	assert_int_equal(symlink("/no/where", "from/dangling"), 0);
	assert_int_equal(mkfifo("from/pipe", 0622), 0);
	assert_int_equal(bind(sock, (struct sockaddr *)&address, sizeof(address)), 0);
	if (geteuid() == 0) {
		assert_int_equal(lchown("from/link", 11, 12), 0);
		assert_int_equal(chown("from/setuid", 11, 12), 0);
		assert_int_equal(chown("from/dir", 13, 14), 0);
		assert_int_equal(chown("from/pipe", 15, 16), 0);
	}
	assert_int_equal(chmod("from/setuid", 06755), 0);
	assert_int_equal(chmod("from/dir", 02750), 0);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		char path[64];

		(void)snprintf(path, sizeof(path), "from/%s", names[i]);
		date(path, 1000000 + (time_t)i);
	}

	assert_int_equal(copy(*state, &err), 0);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		same_looks(names[i]);
	same_looks("socket");
	has_text("to/dir/file", "text");
	has_text("to/setuid", "s");

	char text[32] = "";

	assert_int_equal(readlink("to/link", text, sizeof(text)), 8);
	assert_string_equal(text, "dir/file");
}

static void test_xattrs_where_they_are_allowed(void **state)
{
	struct nook_error err;
	char value[16] = "";

	write_file("from/file", "", 0644);
	if (setxattr("from/file", "user.a", "1", 1, 0) < 0)
		skip(); /* tmpfs before Linux 6.6 */
	assert_int_equal(setxattr("from/file", "user.overlay.opaque", "y", 1, 0), 0);
	assert_int_equal(mkdir("from/dir", 0755), 0);
	assert_int_equal(setxattr("from/dir", "user.b", "22", 2, 0), 0);
	assert_int_equal(copy(*state, &err), 0);
	assert_int_equal(getxattr("to/file", "user.a", value, sizeof(value)), 1);
	assert_int_equal(getxattr("to/dir", "user.b", value, sizeof(value)), 2);
	assert_int_equal(getxattr("to/file", "user.overlay.opaque", value, sizeof(value)), -1);
}

/* More than one getdents64(2) brings, and names as long as names can be. */
static void test_many_entries(void **state)
{
	struct nook_error err;
	char name[300];

	for (int i = 0; i < 300; i++) {
		(void)snprintf(name, sizeof(name), "from/%0*d", i % 250 + 5, i);
		write_file(name, "x", 0600);
	}
	assert_int_equal(copy(*state, &err), 0);

	DIR *dir = opendir("to");
	int n = 0;

	assert_non_null(dir);
	while (readdir(dir))
		n++;
	(void)closedir(dir);
	assert_int_equal(n, 302);
}

static void test_hard_links_become_files(void **state)
{
	struct nook_error err;
	struct stat st;

	write_file("from/a", "same", 0644);
	assert_int_equal(link("from/a", "from/b"), 0);
	assert_int_equal(copy(*state, &err), 0);
	has_text("to/a", "same");
	has_text("to/b", "same");
	assert_int_equal(stat("to/a", &st), 0);
	assert_int_equal(st.st_nlink, 1);
}

/* A terabyte of nothing is nothing. */
static void test_holes_stay_holes(void **state)
{
	struct nook_error err;
	struct stat st;
	auto_close int fd = open("from/sparse", O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	char is[8] = "";

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, "middle", 6, 1L << 30), 6);
	assert_int_equal(ftruncate(fd, 1L << 40), 0);
	assert_int_equal(copy(*state, &err), 0);
	assert_int_equal(stat("to/sparse", &st), 0);
	assert_true(st.st_size == 1L << 40);
	assert_true(st.st_blocks * 512 < 1 << 20);

	auto_close int to = open("to/sparse", O_RDONLY | O_CLOEXEC);

	assert_int_equal(pread(to, is, 6, 1L << 30), 6);
	assert_string_equal(is, "middle");
}

/* What lies outside stays there, whatever leads to it; and a loop of links is only a link. */
static void test_links_lead_nowhere(void **state)
{
	struct nook_error err;
	struct stat st;

	write_file("secret", "secret", 0600);
	assert_int_equal(mkdir("outside", 0755), 0);
	write_file("outside/file", "x", 0644);
	assert_int_equal(symlink("../secret", "from/a"), 0);
	assert_int_equal(symlink("../outside", "from/b"), 0);
	assert_int_equal(symlink(".", "from/c"), 0);
	assert_int_equal(symlink("/proc/self/fd/0", "from/d"), 0);
	assert_int_equal(copy(*state, &err), 0);
	for (char name[] = "to/a"; name[3] <= 'd'; name[3]++) {
		assert_int_equal(lstat(name, &st), 0);
		assert_true(S_ISLNK(st.st_mode));
	}
}

/* It must end, with an error that says where, before descriptors or the stack do. */
static void test_no_deeper_than_128(void **state)
{
	struct nook_error err;
	auto_close int at = open("from", O_PATH | O_CLOEXEC);

	for (int i = 0; i < 200; i++) {
		assert_int_equal(mkdirat(at, "d", 0755), 0);
		int next = openat(at, "d", O_PATH | O_CLOEXEC);

		close_fd(&at);
		at = next;
	}
	assert_int_equal(copy(*state, &err), -ELOOP);
	assert_non_null(strstr(err.why, "d/d/d"));
}

static void test_what_is_in_the_way(void **state)
{
	struct nook_error err;

	write_file("from/a", "new", 0644);
	assert_int_equal(symlink("../secret", "to/a"), 0);
	assert_int_equal(copy(*state, &err), -EEXIST);
	assert_int_equal(access("secret", F_OK), -1);
}

static void test_devices_and_whiteouts(void **state)
{
	struct nook_error err;

	if (mknod("from/null", S_IFCHR | 0640, (1 << 8) | 3) < 0)
		skip();
	assert_int_equal(mknod("from/whiteout", S_IFCHR, 0), 0);
	assert_int_equal(copy(*state, &err), 0);
	same_looks("null");
	same_looks("whiteout");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_all_types_keep_their_looks),
		TEST(test_xattrs_where_they_are_allowed),
		TEST(test_many_entries),
		TEST(test_hard_links_become_files),
		TEST(test_holes_stay_holes),
		TEST(test_links_lead_nowhere),
		TEST(test_no_deeper_than_128),
		TEST(test_what_is_in_the_way),
		TEST(test_devices_and_whiteouts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
