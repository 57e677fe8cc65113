/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NOOK_SYS_OPENAT2_H
#define NOOK_SYS_OPENAT2_H

#include <linux/openat2.h>
#include <stdint.h>

/* How what lies below a directory is reached where whoever can write there is not trusted. */
#define NOOK_BENEATH (RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS)

/**
 * nook_openat2() - openat2(2), Linux 5.6
 * @dirfd:   where @path starts, and with RESOLVE_BENEATH or RESOLVE_IN_ROOT what it can't leave
 * @flags:   O_*; O_CLOEXEC is added
 * @mode:    permission bits with O_CREAT or O_TMPFILE; must be 0 else, the kernel insists
 * @resolve: RESOLVE_*
 *
 * A rename or mount anywhere on the machine while ".." is resolved makes the kernel answer EAGAIN,
 * since it can't tell any more that the walk stayed inside. That is tried again, a bounded number
 * of times: whoever renames without end gets an error and not a hanging nook.
 *
 * Return: a descriptor or a negative errno.
 */
int nook_openat2(int dirfd, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve);

#endif
