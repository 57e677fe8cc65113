/* SPDX-License-Identifier: Apache-2.0 */
#include "kinds.h"

#include "base/own.h"

#include <fcntl.h>
#include <linux/nsfs.h>
#include <stdio.h>
#include <sys/ioctl.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_names(void **state)
{
	for (int k = 0; k < NOOK_NS_COUNT; k++) {
		assert_int_equal(nook_ns_kind(nook_ns_kinds[k].name), k);
		assert_int_equal(nook_ns_kind(nook_ns_kinds[k].words), k);
		assert_non_null(strstr(nook_ns_kinds[k].man, "_namespaces(7)"));
		assert_ptr_equal(strstr(nook_ns_kinds[k].flag_name, "CLONE_NEW"),
				 nook_ns_kinds[k].flag_name);
	}
	assert_int_equal(nook_ns_kind("mount"), NOOK_NS_MNT);
	assert_int_equal(nook_ns_kind(""), -1);
	assert_int_equal(nook_ns_kind("MNT"), -1);
	assert_int_equal(nook_ns_kind("pid_for_children"), -1);
}

/* The table against the kernel: the file's namespace is of the flag's kind. */
static void test_the_kernel_agrees(void **state)
{
	for (int k = 0; k < NOOK_NS_COUNT; k++) {
		char path[64];

		(void)snprintf(path, sizeof(path), "/proc/self/ns/%s", nook_ns_kinds[k].name);
		int fd = open(path, O_RDONLY | O_CLOEXEC);

		assert_true(fd >= 0);
		assert_int_equal(ioctl(fd, NS_GET_NSTYPE), nook_ns_kinds[k].clone_flag);
		(void)close(fd);

		(void)snprintf(path, sizeof(path), "/proc/sys/user/%s", nook_ns_kinds[k].sysctl);
		assert_int_equal(access(path, F_OK), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_the_kernel_agrees),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
