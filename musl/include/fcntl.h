/* SPDX-License-Identifier: Apache-2.0 */
/* musl's open(3) sets O_CLOEXEC once more, for kernels that did not know it; its openat(3) does
 * not. */
#ifndef NOOK_MUSL_FCNTL_H
#define NOOK_MUSL_FCNTL_H

#include_next <fcntl.h>

#define open(...) openat(AT_FDCWD, __VA_ARGS__)

#endif
