/* SPDX-License-Identifier: Apache-2.0 */
/* Values that people give to options, read strictly. Each refusal says what was wrong and what is
 * right; the caller adds the place (nook_where). */
#ifndef NOOK_SPEC_VALUES_H
#define NOOK_SPEC_VALUES_H

#include "base/arena.h"
#include "nook/error.h"
#include "nook/spec.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A number from @min to @max: nook_parse_i64(). */
int nook_value_i64(const char *text, int64_t min, int64_t max, int64_t *ret,
		   struct nook_error *err);

/* Bytes, 4096 or more: nook_parse_size(). */
int nook_value_size(const char *text, uint64_t *ret, struct nook_error *err);

/* A decimal fraction with at most three places, in thousandths: "1.5" is 1500. */
int nook_value_milli(const char *text, uint64_t min, uint64_t max, uint64_t *ret,
		     struct nook_error *err);

/* A path inside the container: absolute, no "..", less than 4096 bytes. */
int nook_value_inside(const char *path, struct nook_error *err);

/* Do two such paths say the same place: "/a/b" and "//a/./b/"? */
bool nook_value_same_path(const char *a, const char *b);

/* A path of the host: not empty, less than 4096 bytes. */
int nook_value_path(const char *path, struct nook_error *err);

/* "NAME" or "NAME=VALUE" with a name that is not empty. */
int nook_value_env(const char *text, struct nook_error *err);

/* "NAME" or "UID", either with ":GROUP" when @group is allowed. A number is strict and at most
 * 4294967294, and what begins with a digit is a number. */
int nook_value_user(const char *text, bool group, struct nook_error *err);

/* A host name: 1 to 64 letters, digits, "-", "_" and ".", none of the marks in front. */
int nook_value_hostname(const char *text, struct nook_error *err);

/* "mnt" or "mount", "net" or "network", "uts", "ipc", "pid", "user", "cgroup", "time". */
int nook_value_kind(const char *text, enum nook_ns_kind *ret, struct nook_error *err);

/**
 * nook_value_fields() - split at ':'
 * @text:    "\:" is a colon and "\\" a backslash in a field; any other backslash stands for itself
 * @fields:  receives NUL-terminated fields in the arena
 * @max:     entries in @fields; the last one takes what is left, unsplit, its escapes as they are
 *
 * Return: number of fields, 1 to @max.
 */
size_t nook_value_fields(struct nook_arena *a, const char *text, const char **fields, size_t max);

/* The next item of a comma-separated list in @at, which moves on; NULL after the last. An empty
 * item is returned as "". */
const char *nook_value_item(struct nook_arena *a, const char **at);

#endif
