/* SPDX-License-Identifier: Apache-2.0 */
/* What glibc has besides: musl/calls.c. */
#ifndef NOOK_MUSL_STDIO_H
#define NOOK_MUSL_STDIO_H

#include_next <stdio.h>

#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE (1 << 0)
#define RENAME_EXCHANGE  (1 << 1)
#endif

int renameat2(int from, const char *old, int to, const char *name, unsigned flags);

#endif
