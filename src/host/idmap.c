/* SPDX-License-Identifier: Apache-2.0 */
#include "idmap.h"

#include "base/own.h"
#include "base/text.h"
#include "read.h"

#include <stddef.h>
#include <string.h>

/* The kernel takes no more lines: UID_GID_MAP_MAX_EXTENTS. */
#define MAX_LINES 340

struct extent {
	uint64_t first, end; /* inside; end is the id after the last one */
};

/* "INSIDE OUTSIDE COUNT", each padded with spaces. */
static bool parse_line(char *line, struct extent *ret)
{
	uint64_t number[3];
	size_t n = 0;

	for (char *at = line; *at;) {
		char *word = at + strspn(at, " ");
		char *end = word + strcspn(word, " ");

		at = *end ? end + 1 : end;
		*end = '\0';
		if (!*word)
			continue;
		if (n == ARRAY_SIZE(number) || nook_parse_u64(word, UINT32_MAX, &number[n]) < 0)
			return false;
		n++;
	}

	if (n != ARRAY_SIZE(number))
		return false;

	*ret = (struct extent){ .first = number[0], .end = number[0] + number[2] };
	return true;
}

bool nook_own_map_covers(char *text, uint32_t first, uint32_t last)
{
	struct extent extents[MAX_LINES];
	uint64_t next = first;
	size_t n = 0;

	for (char *line; n < MAX_LINES && (line = nook_next_line(&text));) {
		if (parse_line(line, &extents[n]))
			n++;
	}

	/* Each round goes on past one extent at least, or ends. */
	for (size_t i = 0; i < n && next <= last;) {
		if (extents[i].first <= next && next < extents[i].end) {
			next = extents[i].end;
			i = 0;
		} else {
			i++;
		}
	}
	return next > last;
}
