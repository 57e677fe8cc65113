/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of CPUs and memory nodes as the kernel writes them: cpuset(7), "List format". */
#ifndef NOOK_BASE_BITS_H
#define NOOK_BASE_BITS_H

#include <stddef.h>

#define NOOK_BITS_MAX 8192 /* the kernel's largest NR_CPUS; of memory nodes there are fewer */

/* A bit for each CPU or node, as sched_setaffinity(2) and set_mempolicy(2) take them. */
struct nook_bits {
	unsigned long word[NOOK_BITS_MAX / (8 * sizeof(long))];
	unsigned last; /* the highest that is set */
};

/**
 * nook_bits_parse() - read a list
 * @text: "0-3,7": numbers below NOOK_BITS_MAX and ranges of them, strictly decimal
 *
 * Return: 0; -EINVAL when it is no such list, an empty one or has a range that runs backwards;
 * -ERANGE for a number that is too large. @ret is untouched on failure.
 */
int nook_bits_parse(const char *text, struct nook_bits *ret);

#endif
