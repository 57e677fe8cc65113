/* SPDX-License-Identifier: Apache-2.0 */
/* On a directory that looks like a process' own in procfs: few machines that build nook have the
 * security modules. */
#include "sys/label.h"

#include "base/own.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

struct row {
	const char *name, *file; /* what there is */
	enum nook_label kind;
	const char *label, *text; /* and what must be in it after */
};

static const struct row rows[] = {
	{ "AppArmor", "attr/apparmor/exec", NOOK_LABEL_APPARMOR, "docker-default",
	  "exec docker-default" },
	{ "AppArmor of old", "attr/exec", NOOK_LABEL_APPARMOR, "unconfined", "exec unconfined" },
	{ "SELinux", "attr/exec", NOOK_LABEL_SELINUX, "system_u:system_r:container_t:s0:c1,c2",
	  "system_u:system_r:container_t:s0:c1,c2" },
	{ "SELinux does not take AppArmor's", "attr/apparmor/exec", NOOK_LABEL_SELINUX, "a_t",
	  NULL },
	{ "nothing", "attr/other", NOOK_LABEL_APPARMOR, "a", NULL },
};

static int make_task(char *dir, const char *file)
{
	char path[256];

	assert_non_null(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/attr", dir);
	assert_int_equal(mkdir(path, 0700), 0);
	(void)snprintf(path, sizeof(path), "%s/attr/apparmor", dir);
	assert_int_equal(mkdir(path, 0700), 0);
	(void)snprintf(path, sizeof(path), "%s/%s", dir, file);

	int fd = open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(close(fd), 0);
	fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static void remove_task(const char *dir, const char *file)
{
	const char *const paths[] = { file, "attr/apparmor", "attr", "" };

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		char path[256];

		(void)snprintf(path, sizeof(path), "%s/%s", dir, paths[i]);
		assert_int_equal(remove(path), 0);
	}
}

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char dir[] = "/tmp/nook-label-XXXXXX", text[256] = "";
		struct nook_error err = { 0 };
		auto_close int task = make_task(dir, rows[i].file);
		auto_close int fd = nook_label_open(task, rows[i].kind, &err);

		if (rows[i].text) {
			assert_true(fd >= 0);
			assert_int_equal(nook_label_write(fd, rows[i].kind, rows[i].label, &err),
					 0);
			assert_true(pread(fd, text, sizeof(text) - 1, 0) > 0);
			assert_string_equal(text, rows[i].text);
		} else {
			assert_int_equal(fd, -ENOENT);
			assert_true(err.why[0] && err.hint[0]);
		}
		remove_task(dir, rows[i].file);
	}
}

/* A symlink in the place of the file is not procfs' own. */
static void test_link(void **state)
{
	char dir[] = "/tmp/nook-label-XXXXXX", path[256];
	struct nook_error err = { 0 };
	auto_close int task = make_task(dir, "attr/other");

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/attr/exec", dir);
	assert_int_equal(symlink("other", path), 0);
	assert_int_equal(nook_label_open(task, NOOK_LABEL_SELINUX, &err), -ELOOP);
	assert_int_equal(unlink(path), 0);
	remove_task(dir, "attr/other");
}

/* /dev/null takes whatever is written, and has nothing when it is read: fails closed. */
static void test_read_back(void **state)
{
	struct nook_error err = { 0 };
	auto_close int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	(void)state;
	assert_int_equal(nook_label_write(fd, NOOK_LABEL_SELINUX, "a_t", &err), -EPERM);
	assert_non_null(strstr(err.why, "did not stay"));
}

static void test_too_long(void **state)
{
	static char label[5000];
	struct nook_error err = { 0 };
	auto_close int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	(void)state;
	memset(label, 'a', sizeof(label) - 1);
	assert_int_equal(nook_label_write(fd, NOOK_LABEL_SELINUX, label, &err), -ENAMETOOLONG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_link),
		cmocka_unit_test(test_read_back),
		cmocka_unit_test(test_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
