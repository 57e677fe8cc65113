/* SPDX-License-Identifier: Apache-2.0 */
/* Small files as text. What they hold is hostile: bounded, regular, nothing followed at the end. */
#ifndef NOOK_HOST_READ_H
#define NOOK_HOST_READ_H

#include "base/arena.h"

#include <stddef.h>

/* Accounts, groups and ranges of ids: far more than any real file. */
#define NOOK_READ_MAX ((size_t)4 << 20)

/**
 * nook_read_text() - the text of a regular file below a root
 * @root: descriptor of the directory that "/" and ".." of @path and of symlinks on the way mean
 * @path: a symlink as its last part is not followed
 * @max:  most bytes
 * @ret:  receives the text, NUL-terminated, which the caller may write into
 *
 * Return: 0; -ENOENT; -ELOOP a symlink; -ENXIO a fifo, socket, device or directory; -EFBIG; -EINVAL
 * a NUL in it; others.
 */
int nook_read_text(struct nook_arena *a, int root, const char *path, size_t max, char **ret);

/* As nook_read_text(), for a file of procfs, whose size no stat tells. */
int nook_read_proc(struct nook_arena *a, const char *path, size_t max, char **ret);

/* Takes the next line off *@at and ends it with NUL. NULL at the end. */
char *nook_next_line(char **at);

/* Splits at every @separator into at most @max fields. Return: how many; @max + 1 when there are
 * more. */
size_t nook_split(char *text, char separator, char **fields, size_t max);

#endif
