/* SPDX-License-Identifier: Apache-2.0 */
#include "procfs.h"

#include "base/own.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static int proc = NO_FD;

static void test_open(void **state)
{
	struct nook_error err = { 0 };
	struct stat st;

	proc = nook_procfs_open(false, &err);
	assert_true(proc >= 0);
	assert_int_equal(fstat(proc, &st), 0);
	assert_int_equal(st.st_ino, 1);
}

static void test_self(void **state)
{
	struct nook_error err = { 0 };
	auto_close int self = nook_procfs_self(proc, &err);
	struct stat ours, its;

	assert_true(self >= 0);
	assert_int_equal(stat("/proc/self/", &ours), 0);
	assert_int_equal(fstat(self, &its), 0);
	assert_int_equal(ours.st_ino, its.st_ino);
}

static void test_namespaces(void **state)
{
	struct nook_error err = { 0 };
	auto_close int self = nook_procfs_self(proc, &err);
	auto_close int a = nook_procfs_open_ns(proc, getpid(), "uts", &err);
	auto_close int b = nook_procfs_open_ns_at(self, "uts", &err);
	struct stat sa, sb;

	assert_true(a >= 0 && b >= 0);
	assert_int_equal(fstat(a, &sa), 0);
	assert_int_equal(fstat(b, &sb), 0);
	assert_int_equal(sa.st_ino, sb.st_ino);
	assert_int_equal(nook_procfs_open_ns(proc, getpid(), "nothing", &err), -ENOENT);
	assert_int_equal(nook_procfs_open_ns(proc, 0, "uts", &err), -ENOENT);
}

static void test_root(void **state)
{
	struct nook_error err = { 0 };
	auto_close int root = nook_procfs_open_root(proc, getpid(), &err);
	struct stat a, b;

	assert_true(root >= 0);
	assert_int_equal(fstat(root, &a), 0);
	assert_int_equal(stat("/", &b), 0);
	assert_int_equal(a.st_ino, b.st_ino);
}

static void test_write(void **state)
{
	struct nook_error err = { 0 };
	char name[16] = "";

	assert_int_equal(nook_procfs_write(proc, getpid(), "comm", "renamed", &err), 0);
	auto_close int fd = open("/proc/self/comm", O_RDONLY | O_CLOEXEC);

	assert_true(read(fd, name, sizeof(name) - 1) > 0);
	assert_string_equal(name, "renamed\n");

	/* Neither out of it nor over a link. */
	assert_true(nook_procfs_write(proc, getpid(), "cwd/x", "x", &err) < 0);
	assert_true(nook_procfs_write(proc, getpid(), "../../etc/x", "x", &err) < 0);
	assert_true(nook_procfs_write_at(proc, "self/comm", "x", &err) < 0);
	assert_int_equal(nook_procfs_write(proc, getpid(), "nothing", "x", &err), -ENOENT);
}

static void test_chmod(void **state)
{
	char path[] = "/tmp/nook-procfs-XXXXXX";
	struct nook_error err = { 0 };
	auto_close int file = mkstemp(path);
	auto_close int node = open(path, O_PATH | O_CLOEXEC);
	struct stat st;

	assert_true(file >= 0 && node >= 0);
	assert_int_equal(unlink(path), 0); /* what it names, not what has the name */
	assert_int_equal(nook_procfs_chmod(proc, node, 04751, &err), 0);
	assert_int_equal(fstat(file, &st), 0);
	assert_int_equal(st.st_mode, S_IFREG | 04751);
	assert_int_equal(nook_procfs_chmod(proc, 1 << 20, 0600, &err), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_open),       cmocka_unit_test(test_self),
		cmocka_unit_test(test_namespaces), cmocka_unit_test(test_root),
		cmocka_unit_test(test_write),      cmocka_unit_test(test_chmod),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
