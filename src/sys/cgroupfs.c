/* SPDX-License-Identifier: Apache-2.0 */
#include "cgroupfs.h"
#include "base/own.h"
#include "openat2.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

int nook_cgroupfs_mount(const char *mount, bool v2)
{
	auto_close int fd = open(mount, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct statfs fs;

	if (fd < 0)
		return -errno;
	if (fstatfs(fd, &fs) < 0)
		return -errno;
	if (fs.f_type != (v2 ? CGROUP2_SUPER_MAGIC : CGROUP_SUPER_MAGIC))
		return -ENODEV;

	return move_fd(&fd);
}

/* A walk that meets no symlink, no other mount, and does not leave @dir. */
#define INSIDE (RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV)

int nook_cgroupfs_walk(int mount, const char *path, int flags)
{
	while (*path == '/')
		path++;

	return nook_openat2(mount, *path ? path : ".", (unsigned)flags | O_DIRECTORY, 0, INSIDE);
}

int nook_cgroupfs_child(int dir, const char *name)
{
	return nook_openat2(dir, name, O_RDONLY | O_DIRECTORY, 0, INSIDE);
}

/* The directory @dir to read; a description of its own, so that each look starts at the top. */
static DIR *list(int dir)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (!d)
		close_fd(&fd);
	return d;
}

/* The next cgroup, or NULL with errno, 0 at the end. */
static const char *next_child(DIR *d)
{
	struct dirent *e;

	errno = 0;
	while ((e = readdir(d)))
		if (e->d_type == DT_DIR && strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
			return e->d_name;
	return NULL;
}

int nook_cgroupfs_first_child(int dir, char *out)
{
	auto_closedir DIR *d = list(dir);

	if (!d)
		return -errno;

	const char *name = next_child(d);

	if (!name)
		return errno ? -errno : -ENOENT;
	(void)strcpy(out, name); /* d_name has 256 bytes too */
	return 0;
}

int nook_cgroupfs_each_child(int dir, int (*fn)(int child, void *data), void *data)
{
	auto_closedir DIR *d = list(dir);
	const char *name;

	if (!d)
		return -errno;

	while ((name = next_child(d))) {
		auto_close int child = nook_cgroupfs_child(dir, name);

		if (child == -ENOENT)
			continue; /* removed since */
		if (child < 0)
			return child;

		int r = fn(child, data);

		if (r < 0)
			return r;
	}
	return -errno;
}

int nook_cgroupfs_open_events(int dir)
{
	int fd = openat(dir, "cgroup.events", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

ssize_t nook_cgroupfs_read(int dir, const char *file, char *out, size_t size)
{
	auto_close int fd = openat(dir, file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	size_t len = 0;

	if (fd < 0)
		return -errno;

	while (len < size - 1) {
		ssize_t n = read(fd, out + len, size - 1 - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		len += (size_t)n;
	}

	if (len && out[len - 1] == '\n')
		len--;
	out[len] = '\0';
	return (ssize_t)len;
}

int nook_cgroupfs_write(int dir, const char *file, const char *text)
{
	auto_close int fd = openat(dir, file, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
	size_t len = strlen(text);
	ssize_t n;

	if (fd < 0)
		return -errno;

	do
		n = write(fd, text, len);
	while (n < 0 && errno == EINTR);

	if (n < 0)
		return -errno;
	return (size_t)n == len ? 0 : -EIO;
}

int nook_cgroupfs_mkdir(int dir, const char *name)
{
	return mkdirat(dir, name, 0755) < 0 ? -errno : 0;
}

int nook_cgroupfs_rmdir(int dir, const char *name)
{
	return unlinkat(dir, name, AT_REMOVEDIR) < 0 ? -errno : 0;
}

bool nook_cgroupfs_has_word(const char *list, const char *word)
{
	size_t len = strlen(word);

	while (*list) {
		size_t n = strcspn(list, " \n");

		if (n == len && !memcmp(list, word, len))
			return true;
		list += n;
		list += strspn(list, " \n");
	}
	return false;
}
