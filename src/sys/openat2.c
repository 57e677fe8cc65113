/* SPDX-License-Identifier: Apache-2.0 */
#include "openat2.h"

#include "call.h"

#include <fcntl.h>

/* One renaming thread costs a few tries; 64 in a row happen to nobody who isn't attacked. */
#define TRIES 64

int nook_openat2(int dirfd, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve)
{
	struct open_how how = { .flags = flags | O_CLOEXEC, .mode = mode, .resolve = resolve };
	long fd = -EAGAIN;

	for (int i = 0; i < TRIES && fd == -EAGAIN; i++)
		fd = NOOK_CALL(SYS_openat2, dirfd, path, &how, sizeof(how));
	return (int)fd;
}
