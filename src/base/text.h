/* SPDX-License-Identifier: Apache-2.0 */
/* Text without the C library's formatted output, for code that may not allocate; and strict reading
 * of numbers. */
#ifndef NOOK_BASE_TEXT_H
#define NOOK_BASE_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * nook_format() - the part of snprintf(3) that the stage may use: no allocation, no locale
 *
 * Knows %s %c %d %i %u %x %o and %%, with l, ll, z and a width (0-padded or not) on numbers; %.*s
 * and %.Ns. Any other conversion is copied as it stands.
 *
 * Return: length of the text, less than @size: it is cut when it does not fit, and always
 * NUL-terminated (@size >= 1).
 */
size_t nook_format(char *out, size_t size, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
size_t nook_vformat(char *out, size_t size, const char *fmt, va_list ap);

/**
 * nook_parse_u64() - a number as people and configs may write it
 * @text: strictly decimal digits: no sign, space, 0x or leading zero (but "0")
 * @max:  largest value allowed
 *
 * Return: 0; -EINVAL when it is no such number; -ERANGE above @max. @ret is untouched on failure.
 */
int nook_parse_u64(const char *text, uint64_t max, uint64_t *ret);

/* As nook_parse_u64(), with one '-' allowed in front. */
int nook_parse_i64(const char *text, int64_t min, int64_t max, int64_t *ret);

/* A size: nook_parse_u64() with one suffix k, m, g, t (1024^n; also K, KiB, Ki, kb…). -ERANGE past
 * 2^63 - 1. */
int nook_parse_size(const char *text, uint64_t *ret);

/**
 * nook_valid_id() - may @name name a container, network, volume or namespace?
 *
 * [A-Za-z0-9_][A-Za-z0-9_.+-]*, 1 to 255 bytes: never a path, never an option, never "." or "..".
 */
bool nook_valid_id(const char *name);

bool nook_starts(const char *text, const char *prefix);
/* Text after @prefix, or NULL when @text does not begin with it. */
const char *nook_after(const char *text, const char *prefix);

#endif
