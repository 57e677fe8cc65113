/* SPDX-License-Identifier: Apache-2.0 */
#include "cgroupfs.h"
#include "base/own.h"
#include "openat2.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
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

int nook_cgroupfs_walk(int mount, const char *path, int flags)
{
	while (*path == '/')
		path++;

	return nook_openat2(mount, *path ? path : ".", (unsigned)flags | O_DIRECTORY, 0,
			    RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS |
				    RESOLVE_NO_XDEV);
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
