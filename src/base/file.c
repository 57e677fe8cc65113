/* SPDX-License-Identifier: Apache-2.0 */
#include "file.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Reads until the end or until @size bytes are there. */
static int read_all(int fd, char *buf, size_t size, size_t *len)
{
	while (*len < size) {
		ssize_t n = read(fd, buf + *len, size - *len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return 0;
		*len += (size_t)n;
	}
	return 0;
}

int nook_read_fd(struct nook_arena *a, int fd, const char *name, size_t max, char **ret,
		 size_t *ret_len, struct nook_error *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return nook_fail(err, errno, "fstat %s", name);
	if (!S_ISREG(st.st_mode))
		return nook_refuse(err, EINVAL, "%s is not a regular file", name);
	if ((uint64_t)st.st_size > max)
		return nook_refuse(err, EFBIG, "%s has %llu bytes; %zu are allowed", name,
				   (unsigned long long)st.st_size, max);

	/* One byte more than expected, so that the end is seen without another read. The size is a
	 * guess: procfs says 0, and a file may grow meanwhile. */
	size_t size = st.st_size ? (size_t)st.st_size + 1 : 4096;
	size_t len = 0;
	char *text = nook_alloc(a, size + 1);

	for (;;) {
		int rc = read_all(fd, text, size, &len);

		if (rc < 0)
			return nook_fail(err, -rc, "read %s", name);
		if (len > max)
			return nook_refuse(err, EFBIG, "%s has more than the %zu bytes allowed",
					   name, max);
		if (len < size)
			break;

		char *bigger = nook_alloc(a, size * 2 + 1);

		memcpy(bigger, text, len);
		text = bigger;
		size *= 2;
	}

	text[len] = '\0';
	*ret = text;
	if (ret_len)
		*ret_len = len;
	return 0;
}

int nook_write_fd(int fd, const void *data, size_t len)
{
	for (const char *p = data; len > 0;) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}
