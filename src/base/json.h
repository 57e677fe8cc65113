/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON out: a small writer that streams, without a tree. JSON in: a tree (json_tree.h), read
 * strictly by typed helpers that know the place of each value. RFC 8259.
 */
#ifndef NOOK_BASE_JSON_H
#define NOOK_BASE_JSON_H

#include "arena.h"
#include "nook/error.h"

#include <stdbool.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* ---- writing ---- */

/*
 * A document under way. Calls follow its shape and cannot fail one by one: nook_json_finish()
 * tells. Putting a member without a key into an object, or closing more than was opened, is a bug
 * and traps.
 */
struct nook_json_writer {
	FILE *file; /* else into @arena */
	struct nook_arena *arena;
	char *text;
	size_t len, size;
	bool pretty; /* a line a member, indented; else all on one line */
	bool fresh;  /* nothing stands before the next value at this level */
	unsigned depth;
	uint64_t objects; /* bit N: level N is an object */
	int error;        /* positive errno of the first failed write to @file */
};
#define NOOK_JSON_DEPTH 63u

void nook_json_to_arena(struct nook_json_writer *w, struct nook_arena *a, bool pretty);
void nook_json_to_file(struct nook_json_writer *w, FILE *file, bool pretty);

/* @key: name of the member; NULL in arrays and for the document itself. */
void nook_json_object(struct nook_json_writer *w, const char *key);
void nook_json_array(struct nook_json_writer *w, const char *key);
void nook_json_end(struct nook_json_writer *w); /* of the innermost object or array */

void nook_json_put_u64(struct nook_json_writer *w, const char *key, uint64_t value);
void nook_json_put_i64(struct nook_json_writer *w, const char *key, int64_t value);
void nook_json_put_bool(struct nook_json_writer *w, const char *key, bool value);
void nook_json_put_null(struct nook_json_writer *w, const char *key);

/* A string; NULL becomes null. Bytes that are no UTF-8 become U+FFFD, so that every reader takes
 * it. */
void nook_json_put_text(struct nook_json_writer *w, const char *key, const char *text);

/* A string whose bytes come back as they are from nook_json_parse(): paths, arguments and variables
 * need not be UTF-8. For nook's own files only. */
void nook_json_put_bytes(struct nook_json_writer *w, const char *key, const char *text);

/* A NULL-terminated list of such strings; NULL is an empty one. */
void nook_json_put_bytes_list(struct nook_json_writer *w, const char *key,
			      const char *const *texts);

/**
 * nook_json_finish() - end the document with a newline
 * @ret:     into an arena: receives the text; NULL for a file, which is flushed
 * @ret_len: may be NULL
 *
 * Return: 0; the negative errno of the first write to the file that failed.
 */
int nook_json_finish(struct nook_json_writer *w, const char **ret, size_t *ret_len);

/* ---- reading ---- */

struct nook_json;

void nook_json_free(struct nook_json **json);
#define auto_json __attribute__((cleanup(nook_json_free)))

/* A value and where it stands. Made by the helpers below; lives on the reader's stack. */
struct nook_json_value {
	struct nook_json *json;           /* borrowed; NULL: not there */
	const struct nook_json_value *up; /* NULL: the document */
	const char *key;                  /* in @up when that is an object */
	size_t index;                     /* in @up when that is an array */
};

enum nook_json_type {
	NOOK_JSON_NULL,
	NOOK_JSON_BOOL,
	NOOK_JSON_NUMBER,   /* an integer: 1.0 and 1e3 are none */
	NOOK_JSON_FRACTION, /* which nobody reads */
	NOOK_JSON_TEXT,
	NOOK_JSON_ARRAY,
	NOOK_JSON_OBJECT,
};

/* What a missing member means. With OPTIONAL the output stays untouched; null is missing too, as
 * OCI's own readers take it. */
enum nook_json_need { NOOK_JSON_REQUIRED, NOOK_JSON_OPTIONAL };

/**
 * nook_json_parse() - one JSON text, strictly
 * @depth: nesting allowed, 1 to 100
 * @ret:   receives the tree: auto_json
 *
 * Comments, trailing text, single quotes, NaN, leading zeros, numbers past 64 bits and control
 * characters in strings are refused. Bytes need not be UTF-8. The size is the caller's to bound.
 * Return: 0; -EINVAL with the byte where it went wrong; -ENOMEM.
 */
int nook_json_parse(const char *text, size_t len, int depth, struct nook_json **ret,
		    struct nook_error *err);
/* The same in an arena: with it the tree ends, nook_json_free() does nothing, and there is no
 * -ENOMEM. @ret_byte: how far it came; may be NULL. */
int nook_json_parse_in(struct nook_arena *a, const char *text, size_t len, int depth,
		       struct nook_json **ret, size_t *ret_byte, struct nook_error *err);

/* The place for people: "/process/args/0"; "/" for the document. Keys are not escaped. */
size_t nook_json_place(const struct nook_json_value *v, char *out, size_t size);

/* nook_refuse() with @err->where set to the place of @v. Return: -EINVAL. */
int nook_json_refuse(const struct nook_json_value *v, struct nook_error *err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* A member of an object, or an element of an array, of this very type. -EINVAL: missing or of
 * another type, @err->where is the place. */
int nook_json_member(const struct nook_json_value *object, const char *key,
		     enum nook_json_need need, enum nook_json_type type,
		     struct nook_json_value *ret, struct nook_error *err);
int nook_json_element(const struct nook_json_value *array, size_t index, enum nook_json_type type,
		      struct nook_json_value *ret, struct nook_error *err);
size_t nook_json_length(const struct nook_json_value *array); /* 0 when it isn't there */

/* The value itself, when it is of the type and within bounds (inclusive). */
int nook_json_as_u64(const struct nook_json_value *v, uint64_t max, uint64_t *ret,
		     struct nook_error *err);
int nook_json_as_i64(const struct nook_json_value *v, int64_t min, int64_t max, int64_t *ret,
		     struct nook_error *err);
/* Borrowed from the tree. A NUL inside is refused. @max: bytes. */
int nook_json_as_text(const struct nook_json_value *v, size_t max, const char **ret,
		      struct nook_error *err);

/* The same of a member. */
int nook_json_get_bool(const struct nook_json_value *object, const char *key,
		       enum nook_json_need need, bool *ret, struct nook_error *err);
int nook_json_get_u64(const struct nook_json_value *object, const char *key,
		      enum nook_json_need need, uint64_t max, uint64_t *ret,
		      struct nook_error *err);
int nook_json_get_u32(const struct nook_json_value *object, const char *key,
		      enum nook_json_need need, uint32_t max, uint32_t *ret,
		      struct nook_error *err);
int nook_json_get_i64(const struct nook_json_value *object, const char *key,
		      enum nook_json_need need, int64_t min, int64_t max, int64_t *ret,
		      struct nook_error *err);
/* Copies into the arena; without one the text is borrowed from the tree. */
int nook_json_get_text(struct nook_arena *a, const struct nook_json_value *object, const char *key,
		       enum nook_json_need need, size_t max, const char **ret,
		       struct nook_error *err);
/* An array of strings, NULL-terminated, into the arena. */
int nook_json_get_texts(struct nook_arena *a, const struct nook_json_value *object, const char *key,
			enum nook_json_need need, size_t max_texts, size_t max_bytes,
			const char *const **ret, size_t *ret_n, struct nook_error *err);

#endif
