/* SPDX-License-Identifier: Apache-2.0 */
#include "read.h"

#include "base/own.h"
#include "sys/openat2.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

/* Reads until the end of the file or until @size bytes are there. */
static ssize_t read_full(int fd, char *out, size_t size)
{
	size_t len = 0;

	while (len < size) {
		ssize_t n = read(fd, out + len, size - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	return (ssize_t)len;
}

int nook_read_text(struct nook_arena *a, int root, const char *path, size_t max, char **ret)
{
	/* O_NONBLOCK: a fifo is opened without waiting for its other end, and then refused. */
	auto_close int fd = nook_openat2(root, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY,
					 0, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
	struct stat st;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -ENXIO;
	if (st.st_size < 0 || (uint64_t)st.st_size > max)
		return -EFBIG;

	/* A file that grows under us is taken as long as it was. */
	char *text = nook_alloc(a, (size_t)st.st_size + 1);
	ssize_t len = read_full(fd, text, (size_t)st.st_size);

	if (len < 0)
		return (int)len;
	if (memchr(text, '\0', (size_t)len))
		return -EINVAL;

	*ret = text;
	return 0;
}

int nook_read_proc(struct nook_arena *a, const char *path, size_t max, char **ret)
{
	auto_close int fd = open(path, O_RDONLY | O_NOCTTY | O_CLOEXEC);
	char *text = NULL;
	size_t size = 16384, len = 0;

	if (fd < 0)
		return -errno;

	for (;; size *= 2) {
		if (size > max)
			return -EFBIG;

		char *bigger = nook_alloc(a, size);

		if (len)
			memcpy(bigger, text, len);
		text = bigger;

		ssize_t n = read_full(fd, text + len, size - 1 - len);

		if (n < 0)
			return (int)n;
		len += (size_t)n;
		if (len < size - 1)
			break;
	}

	if (memchr(text, '\0', len))
		return -EINVAL;
	*ret = text;
	return 0;
}

char *nook_next_line(char **at)
{
	char *line = *at;

	if (!line || !*line)
		return NULL;

	char *end = strchrnul(line, '\n');

	*at = *end ? end + 1 : end;
	*end = '\0';
	return line;
}

size_t nook_split(char *text, char separator, char **fields, size_t max)
{
	size_t n = 0;

	for (char *next = text; next;) {
		char *field = next;

		next = strchr(field, separator);
		if (n == max)
			return max + 1;
		if (next)
			*next++ = '\0';
		fields[n++] = field;
	}
	return n;
}
