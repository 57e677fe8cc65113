/* SPDX-License-Identifier: Apache-2.0 */
/* Prints floor_filter.h: the filter and the capabilities that nook gives by default, so that the
 * floor programs load the very same without nook's library. */
#include "plan/seccomp.h"

#include <stdio.h>

/* What `nook run` leaves by default: src/plan/caps.c. The bench compares it with a container's. */
#ifndef CAPS
#error "CAPS: the bounding set of a container of nook's, as bench.py read it from /proc"
#endif

int main(void)
{
	struct nook_arena arena;
	struct nook_filter filter;

	if (nook_arena_init(&arena) < 0)
		return 1;
	nook_seccomp_default(&arena, CAPS, &filter);
	printf("#define CAPS 0x%llxULL\n#define FILTER", (unsigned long long)CAPS);
	for (size_t i = 0; i < filter.n; i++)
		printf(" \\\n\t{ 0x%x, %u, %u, 0x%x },", filter.code[i].code, filter.code[i].jt,
		       filter.code[i].jf, filter.code[i].k);
	printf("\n");
	return 0;
}
