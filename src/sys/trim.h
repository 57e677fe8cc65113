/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NOOK_SYS_TRIM_H
#define NOOK_SYS_TRIM_H

/* Milliseconds that a process of ours has waited when nook_trim() is worth its faults. */
#define NOOK_TRIM_AFTER_MS 200

/**
 * nook_trim() - let go of the program's code and constants, for a process that will wait for long
 *
 * Making a container touches most of the program, and waiting for it a page or two. What is let go
 * is clean and in the page cache: a fault brings back what is needed again. Data stay. Return:
 * nothing: where it is refused, a few hundred KiB more are resident.
 */
void nook_trim(void);

#endif
