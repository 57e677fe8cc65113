/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NOOK_BASE_FILE_H
#define NOOK_BASE_FILE_H

#include "arena.h"
#include "nook/error.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What opens a file that may be anything: a FIFO can't make us wait, a terminal can't become ours,
 * and a symlink is refused. */
#define NOOK_OPEN_READ (O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)

/**
 * nook_read_fd() - all of a regular file, from where @fd stands
 * @fd:      opened with NOOK_OPEN_READ, by the caller, who knows how its path may be walked
 * @name:    what to call it in errors
 * @max:     bytes allowed; files of procfs and sysfs, whose size is 0 or wrong, too
 * @ret:     receives the text, with a NUL behind it that @ret_len does not count
 * @ret_len: may be NULL; NULs inside the text show by it
 *
 * Return: 0; -EINVAL not a regular file; -EFBIG larger than @max; what read(2) gives.
 */
int nook_read_fd(struct nook_arena *a, int fd, const char *name, size_t max, char **ret,
		 size_t *ret_len, struct nook_error *err);

/* Did nook_read_fd() refuse what the file is? Else reading failed, which says nothing about the
 * file. */
static inline bool nook_read_refused(int rc)
{
	return rc == -EINVAL || rc == -EFBIG;
}

/* Writes all of @data. Return: 0 or a negative errno; -EIO for a write of nothing. */
int nook_write_fd(int fd, const void *data, size_t len);

#endif
