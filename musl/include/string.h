/* SPDX-License-Identifier: Apache-2.0 */
/* What glibc has besides: musl/errno_text.c. */
#ifndef NOOK_MUSL_STRING_H
#define NOOK_MUSL_STRING_H

#include_next <string.h>

const char *strerrorname_np(int errnum);
const char *strerrordesc_np(int errnum);

#endif
