/* SPDX-License-Identifier: Apache-2.0 */
#include "seccomp_profile.h"

#include <stdlib.h>
#include <string.h>

#define MAX_NAME  32 /* the longest has 28 bytes */
#define MAX_EDITS 2

static int compare(const void *key, const void *element)
{
	const struct nook_seccomp_call *call = element;

	return strcmp(key, call->name);
}

const struct nook_seccomp_call *nook_seccomp_find(const char *name)
{
	return bsearch(name, nook_seccomp_calls, nook_n_seccomp_calls,
		       sizeof(nook_seccomp_calls[0]), compare);
}

const struct nook_seccomp_call *nook_seccomp_find_after(const struct nook_seccomp_call *last,
							const char *name)
{
	const struct nook_seccomp_call *end = nook_seccomp_calls + nook_n_seccomp_calls;

	for (int i = 0; last && i < 4 && ++last < end; i++) {
		if (strcmp(last->name, name) == 0)
			return last;
	}
	return nook_seccomp_find(name);
}

static unsigned min(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* Letters to add, drop or replace to get from @a to @b, each at most MAX_NAME long. */
static unsigned edits(const char *a, size_t a_len, const char *b, size_t b_len)
{
	unsigned row[MAX_NAME + 1]; /* from the first i letters of @a to the first j of @b */

	for (size_t j = 0; j <= b_len; j++)
		row[j] = (unsigned)j;
	for (size_t i = 1; i <= a_len; i++) {
		unsigned diagonal = row[0];

		row[0] = (unsigned)i;
		for (size_t j = 1; j <= b_len; j++) {
			unsigned replaced = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			row[j] = min(replaced, min(row[j], row[j - 1]) + 1);
		}
	}
	return row[b_len];
}

const char *nook_seccomp_resembles(const char *name)
{
	size_t len = strnlen(name, MAX_NAME + 1);
	unsigned best = MAX_EDITS + 1;
	const char *found = NULL;

	/* Of two letters, any word is two edits away. */
	if (len > MAX_NAME || len < 3)
		return NULL;

	for (size_t i = 0; i < nook_n_seccomp_calls; i++) {
		const char *known = nook_seccomp_calls[i].name;
		size_t known_len = strnlen(known, MAX_NAME + 1);

		if (known_len > MAX_NAME)
			continue;
		unsigned n = edits(name, len, known, known_len);

		if (n < best) {
			best = n;
			found = known;
		}
	}
	return found;
}
