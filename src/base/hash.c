/* SPDX-License-Identifier: Apache-2.0 */
#include "hash.h"

#include <string.h>

uint64_t nook_hash(const void *data, size_t len, uint64_t before)
{
	const unsigned char *p = data;

	for (size_t i = 0; i < len; i++)
		before = (before ^ p[i]) * UINT64_C(0x100000001b3);
	return before;
}

uint64_t nook_hash_text(const char *text)
{
	return nook_hash(text, strlen(text), NOOK_HASH_BEGIN);
}

uint32_t nook_hash32_text(const char *text)
{
	uint32_t h = 2166136261u;

	for (; *text; text++)
		h = (h ^ (uint8_t)*text) * 16777619u;
	return h;
}
