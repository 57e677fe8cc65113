/* SPDX-License-Identifier: Apache-2.0 */
/* For unit tests of causes: a machine made of files.
 * cmocka_run_group_tests(tests, make_base, drop_base) */
#ifndef NOOK_HOST_CAUSES_FIXTURE_H
#define NOOK_HOST_CAUSES_FIXTURE_H

#include "causes.h"

#include "base/own.h"
#include "base/text.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <cmocka.h>

static char base[] = "/tmp/nook-causes-test-XXXXXX";
static char proc[64];

static inline void put(const char *path, const char *text, mode_t mode)
{
	char whole[512];

	(void)nook_format(whole, sizeof(whole), "%s/%s", base, path);
	for (char *slash = whole + strlen(base) + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		(void)mkdir(whole, 0755); /* EEXIST */
		*slash = '/';
	}

	auto_close int fd = open(whole, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
}

struct file {
	const char *path, *text;
};

#define ROOT_STATUS                                                                                \
	"Name:\tnook\nCapEff:\t000001ffffffffff\nNoNewPrivs:\t0\nSeccomp:\t0\nSeccomp_filters:"    \
	"\t0\n"
#define MOUNTS "22 1 254:0 / / rw - ext4 /dev/vda rw\n23 22 0:20 / /proc rw - proc proc rw\n"

/* A machine on which nothing is amiss. */
static const struct file sane[] = {
	{ "proc/self/status", ROOT_STATUS },
	{ "proc/self/mountinfo", MOUNTS },
	{ "proc/self/cgroup", "0::/\n" },
	{ "proc/self/limits", "Limit                     Soft Limit           Hard Limit\n"
			      "Max processes             unlimited            unlimited\n"
			      "Max open files            1024                 4096  files\n"
			      "Max address space         unlimited            unlimited\n" },
	{ "proc/self/uid_map", "         0          0 4294967295\n" },
	{ "proc/self/gid_map", "         0          0 4294967295\n" },
	{ "proc/self/setgroups", "allow\n" },
	{ "proc/self/ns/mnt", "" },
	{ "proc/self/ns/cgroup", "" },
	{ "proc/self/ns/ipc", "" },
	{ "proc/self/ns/uts", "" },
	{ "proc/self/ns/net", "" },
	{ "proc/self/ns/pid", "" },
	{ "proc/self/ns/time", "" },
	{ "proc/loadavg", "0.00 0.00 0.00 1/100 4000\n" },
	{ "proc/meminfo", "MemTotal: 8000000 kB\nMemAvailable: 4000000 kB\n" },
	{ "proc/filesystems", "nodev\tproc\nnodev\ttmpfs\n\text4\n" },
	{ "proc/sys/kernel/osrelease", "6.1.0-13-amd64\n" },
	{ "proc/sys/kernel/threads-max", "100000\n" },
	{ "proc/sys/kernel/pid_max", "32768\n" },
	{ "proc/sys/fs/mount-max", "100000\n" },
	{ "proc/sys/fs/file-max", "100000\n" },
	{ "proc/sys/user/max_user_namespaces", "1000\n" },
	{ "cg/pids.max", "max\n" },
	{ "cg/pids.current", "10\n" },
};

static inline void make_sane(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(sane); i++)
		put(sane[i].path, sane[i].text, 0644);
}

static inline int make_base(void **state)
{
	if (!mkdtemp(base))
		return -1;
	(void)nook_format(proc, sizeof(proc), "%s/proc", base);
	return 0;
}

static inline int drop(const char *path)
{
	auto_closedir DIR *dir = opendir(path);

	for (struct dirent *entry; dir && (entry = readdir(dir));) {
		char below[1024];

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		(void)nook_format(below, sizeof(below), "%s/%s", path, entry->d_name);
		if (unlink(below) < 0 && drop(below) < 0)
			return -1;
	}
	return rmdir(path);
}

static inline int drop_base(void **state)
{
	return drop(base);
}

#endif
