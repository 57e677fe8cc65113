/* SPDX-License-Identifier: Apache-2.0 */
/* FNV-1a (draft-eastlake-fnv), for names, addresses and tables: it is the same each time and on
 * every machine, and no secret. Who chooses the text can choose the hash, too. */
#ifndef NOOK_BASE_HASH_H
#define NOOK_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#define NOOK_HASH_BEGIN UINT64_C(0xcbf29ce484222325)

/* Goes on from @before: NOOK_HASH_BEGIN, or what stands before @data. */
uint64_t nook_hash(const void *data, size_t len, uint64_t before);
uint64_t nook_hash_text(const char *text);

/* The one of 32 bits: it is no part of the longer one. */
uint32_t nook_hash32_text(const char *text);

#endif
