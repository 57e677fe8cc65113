/* SPDX-License-Identifier: Apache-2.0 */
#include "translate.h"

#include "base/file.h"
#include "base/own.h"
#include "base/text.h"
#include "sys/nsfs.h"
#include "sys/pidns.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

int nook_translate_open(int pid, struct nook_error *err)
{
	char path[32];
	int fd;

	(void)nook_format(path, sizeof(path), "/proc/%d", pid);
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0)
		return fd;
	if (errno == ENOENT) {
		nook_hint(err, "It may have ended meanwhile; `ps` shows the processes that run.");
		return nook_refuse(err, ESRCH, "there is no process %d", pid);
	}
	return nook_fail(err, errno, "open %s", path);
}

int nook_translate_read(struct nook_arena *a, int dir, const char *file, size_t max, char **ret)
{
	auto_close int fd = openat(dir, file, NOOK_OPEN_READ);

	if (fd < 0)
		return errno == ENOENT && faccessat(dir, "stat", F_OK, 0) < 0 ? -ESRCH : -errno;
	return nook_read_fd(a, fd, file, max, ret, NULL, NULL);
}

static uint64_t inode_of(int fd)
{
	struct stat st;

	return fd >= 0 && fstat(fd, &st) == 0 ? st.st_ino : 0;
}

int nook_translate_ns(int dir, const char *kind, uint64_t *ret_ino)
{
	char path[32];
	int fd;

	(void)nook_format(path, sizeof(path), "ns/%s", kind);
	fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	*ret_ino = inode_of(fd);
	return fd;
}

uint64_t nook_translate_own(const char *kind)
{
	char path[48];
	struct stat st;

	(void)nook_format(path, sizeof(path), "/proc/self/ns/%s", kind);
	return stat(path, &st) == 0 ? st.st_ino : 0;
}

int nook_translate_check(struct nook_error *err)
{
	char text[24], own[24];
	ssize_t len = readlink("/proc/self", text, sizeof(text) - 1);

	if (len < 0)
		return nook_fail(err, errno, "readlink /proc/self");
	text[len] = '\0';
	(void)nook_format(own, sizeof(own), "%d", getpid());
	if (strcmp(text, own) == 0)
		return 0;
	nook_hint(err, "Mount a procfs of this pid namespace: mount -t proc proc /proc");
	return nook_refuse(err, EXDEV,
			   "/proc shows another pid namespace than the one that nook runs in, so "
			   "its numbers are not those of processes here");
}

/* ---- where the kernel can't be asked ---- */

/* Inodes of the pid namespaces that a process is in, from its own up to ours. */
static size_t chain_of(int dir, uint64_t *out, size_t size)
{
	uint64_t own = nook_translate_own("pid"), ino = 0;
	auto_close int fd = nook_translate_ns(dir, "pid", &ino);
	size_t n = 0;

	while (fd >= 0 && n < size) {
		out[n++] = ino;
		if (ino == own)
			return n;

		int up = nook_nsfs_parent(fd);

		close_fd(&fd);
		fd = up;
		ino = inode_of(fd);
	}
	return 0;
}

/* A process' number in @ns, by its status. -ESRCH; -EACCES: its namespaces can't be looked at. */
static int search_in(int dir, uint64_t ns)
{
	auto_arena struct nook_arena a = { 0 }; /* of its own: a search reads thousands */
	struct nook_translate_status s;
	uint64_t chain[NOOK_TRANSLATE_LEVELS];
	char *text = NULL;
	int rc = nook_arena_init(&a);

	if (rc == 0)
		rc = nook_translate_read(&a, dir, "status", NOOK_TRANSLATE_STATUS_MAX, &text);
	if (rc == 0)
		rc = nook_translate_parse(text, &s, NULL);
	if (rc < 0)
		return rc;

	size_t n = chain_of(dir, chain, ARRAY_SIZE(chain));

	if (n != s.n)
		return -EACCES;
	for (size_t i = 0; i < n; i++) {
		if (chain[i] == ns)
			return s.pid[n - 1 - i];
	}
	return -ESRCH;
}

static int search_out(uint64_t ns, int pid)
{
	auto_closedir DIR *proc = opendir("/proc");
	struct dirent *e;

	if (!proc)
		return -errno;
	while ((e = readdir(proc))) {
		uint64_t number;

		if (nook_parse_u64(e->d_name, INT_MAX, &number) < 0)
			continue;

		auto_close int dir =
			openat(dirfd(proc), e->d_name, O_PATH | O_DIRECTORY | O_CLOEXEC);

		if (dir >= 0 && search_in(dir, ns) == pid)
			return (int)number;
	}
	return -ESRCH;
}

int nook_translate_out(int ns, int pid, enum nook_translate_by by)
{
	int rc = by == NOOK_TRANSLATE_SEARCH ? -ENOTTY : nook_pidns_from(ns, pid, false);

	/* Before Linux 6.11. */
	if (rc == -ENOTTY && by != NOOK_TRANSLATE_IOCTL)
		return search_out(inode_of(ns), pid);
	return rc;
}

int nook_translate_in(int ns, int pid, enum nook_translate_by by)
{
	int rc = by == NOOK_TRANSLATE_SEARCH ? -ENOTTY : nook_pidns_in(ns, pid, false);

	/* Before Linux 6.11. */
	if (rc == -ENOTTY && by != NOOK_TRANSLATE_IOCTL) {
		auto_close int dir = nook_translate_open(pid, NULL);

		return dir < 0 ? -ESRCH : search_in(dir, inode_of(ns));
	}
	return rc;
}
