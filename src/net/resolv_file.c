/* SPDX-License-Identifier: Apache-2.0 */
#include "hosts_folder.h"
#include "names.h"

#include "base/file.h"
#include "sys/openat2.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define MAX_BYTES 65536

/* Has the file just this text? */
static bool is_text(int fd, const char *text)
{
	char have[MAX_BYTES];
	ssize_t n = pread(fd, have, sizeof(have), 0);

	return n >= 0 && (size_t)n == strlen(text) && memcmp(have, text, (size_t)n) == 0;
}

/* Those who have it mounted keep what they have: it is another file. */
static int write_new(const struct nook_hosts *h, const char *text, struct nook_error *err)
{
	auto_close int fd = nook_hosts_new_file(h, err);

	if (fd < 0)
		return fd;

	int rc = nook_write_fd(fd, text, strlen(text));

	return rc < 0 ? nook_fail(err, -rc, "write " NOOK_RESOLV_FILE " in the state directory")
		      : nook_hosts_finish_file(h, fd, NOOK_RESOLV_FILE, err);
}

int nook_resolv_write(int base, const char *text, struct nook_error *err)
{
	auto_hosts struct nook_hosts h = NOOK_HOSTS_NONE;
	int rc = nook_hosts_open(base, true, &h, err);

	if (rc < 0)
		return rc;
	if (strlen(text) >= MAX_BYTES)
		return nook_refuse(err, EFBIG, "a resolv.conf of %zu bytes is too long",
				   strlen(text));

	auto_close int old = nook_openat2(base, NOOK_RESOLV_FILE, NOOK_OPEN_READ, 0, NOOK_BENEATH);

	if (old >= 0 && is_text(old, text))
		return 0;
	if (old < 0 && old != -ENOENT)
		return nook_fail(err, -old, "open " NOOK_RESOLV_FILE " in the state directory");

	rc = write_new(&h, text, err);
	if (rc < 0)
		nook_hosts_drop_file(&h);
	return rc;
}
