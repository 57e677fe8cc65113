/* SPDX-License-Identifier: Apache-2.0 */
/* What glibc has besides: musl/calls.c. */
#ifndef NOOK_MUSL_SYS_STAT_H
#define NOOK_MUSL_SYS_STAT_H

#include_next <sys/stat.h>
#include <linux/stat.h>

#ifndef ALLPERMS
#define ALLPERMS 07777
#endif

int statx(int dir, const char *path, int flags, unsigned mask, struct statx *ret);

#endif
