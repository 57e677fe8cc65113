/* SPDX-License-Identifier: Apache-2.0 */
#include "nearest.h"

#include "text.h"

#include <string.h>

#define LONGEST 32 /* letters; no option or name of ours is longer */

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Damerau's distance in its restricted form: no letter is moved twice. */
static size_t distance(const char *a, size_t la, const char *b, size_t lb)
{
	size_t d[LONGEST + 1][LONGEST + 1];

	for (size_t i = 0; i <= la; i++)
		d[i][0] = i;
	for (size_t j = 0; j <= lb; j++)
		d[0][j] = j;

	for (size_t i = 1; i <= la; i++) {
		for (size_t j = 1; j <= lb; j++) {
			size_t best = least(d[i - 1][j] + 1, d[i][j - 1] + 1);

			best = least(best, d[i - 1][j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				best = least(best, d[i - 2][j - 2] + 1);
			d[i][j] = best;
		}
	}
	return d[la][lb];
}

const char *nook_nearest(const char *word, const char *(*next)(const void *list, size_t i),
			 const void *list)
{
	size_t len = strlen(word), best = LONGEST, begun = 0;
	const char *near = NULL, *only = NULL, *candidate;

	if (len == 0 || len > LONGEST)
		return NULL;

	for (size_t i = 0; (candidate = next(list, i)); i++) {
		size_t length = strcspn(candidate, " ");

		if (length > LONGEST)
			continue;
		if (len <= length && memcmp(candidate, word, len) == 0) {
			only = candidate;
			begun++;
		}

		size_t away = distance(word, len, candidate, length);

		if (away < best && away * 3 <= length) {
			best = away;
			near = candidate;
		}
	}
	return near ? near : begun == 1 ? only : NULL;
}

static const char *nth_word(const void *list, size_t i)
{
	const char *p = list;

	for (; i > 0 && *p; i--) {
		p += strcspn(p, " ");
		p += strspn(p, " ");
	}
	return *p ? p : NULL;
}

bool nook_nearest_word(const char *word, const char *words, char *out, size_t size)
{
	const char *near = nook_nearest(word, nth_word, words);

	out[0] = '\0';
	if (near)
		(void)nook_format(out, size, "%.*s", (int)strcspn(near, " "),
				  near); /* fits: see LONGEST */
	return near != NULL;
}
