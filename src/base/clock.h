/* SPDX-License-Identifier: Apache-2.0 */
/* The time that only goes forward: CLOCK_MONOTONIC, clock_gettime(2). For waiting, not for dates.
 */
#ifndef NOOK_BASE_CLOCK_H
#define NOOK_BASE_CLOCK_H

#include <stdint.h>

int64_t nook_now_ns(void);
int64_t nook_now_ms(void);

#endif
