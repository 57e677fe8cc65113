/* SPDX-License-Identifier: Apache-2.0 */
#include "bits.h"

#include "text.h"

#include <errno.h>
#include <string.h>

static int parse_number(const char *text, size_t len, unsigned *ret)
{
	char digits[8];
	uint64_t value = 0;

	if (len >= sizeof(digits))
		return -ERANGE;
	memcpy(digits, text, len);
	digits[len] = '\0';

	int rc = nook_parse_u64(digits, NOOK_BITS_MAX - 1, &value);

	if (rc == 0)
		*ret = (unsigned)value;
	return rc;
}

static int parse_range(const char *text, size_t len, unsigned *first, unsigned *last)
{
	const char *dash = memchr(text, '-', len);
	int rc = parse_number(text, dash ? (size_t)(dash - text) : len, first);

	*last = *first;
	if (rc == 0 && dash)
		rc = parse_number(dash + 1, len - (size_t)(dash + 1 - text), last);
	return rc == 0 && *last < *first ? -EINVAL : rc;
}

int nook_bits_parse(const char *text, struct nook_bits *ret)
{
	const unsigned per_word = 8 * sizeof(long);
	struct nook_bits bits = { .last = 0 };

	for (const char *p = text;; p++) {
		size_t len = strcspn(p, ",");
		unsigned first = 0, last = 0;
		int rc = parse_range(p, len, &first, &last);

		if (rc < 0)
			return rc;
		for (unsigned i = first; i <= last; i++)
			bits.word[i / per_word] |= 1UL << (i % per_word);
		if (last > bits.last)
			bits.last = last;
		p += len;
		if (!*p)
			break;
	}
	*ret = bits;
	return 0;
}
