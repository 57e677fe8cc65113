/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tree of a JSON text, as nook_json_parse() makes it: nodes, names and texts lie in a few
 * blocks of memory that are freed at once by nook_json_free(). What reads strictly, by type and
 * bounds, is in json.h; this is for those who walk a tree.
 */
#ifndef NOOK_BASE_JSON_TREE_H
#define NOOK_BASE_JSON_TREE_H

#include "json.h"

struct nook_json {
	unsigned char type; /* enum nook_json_type */
	bool truth;         /* BOOL: its value; NUMBER: it is below 0 */
	unsigned key_len;
	const char *key; /* of a member of an object: no NUL in it, one behind it */
	union {
		uint64_t number; /* NUMBER; below 0 in two's complement */
		struct {         /* TEXT, with a NUL behind it; FRACTION: as it was written */
			const char *text;
			size_t len;
		};
		struct { /* ARRAY, and OBJECT in the order of the text, each name once */
			struct nook_json **items;
			size_t n;
			struct nook_json *
				*sorted; /* a large OBJECT's by name; NULL: search @items */
		};
	};
};

/* What is not there, and null, is NULL here. */
static inline struct nook_json *nook_json_unless_null(struct nook_json *json)
{
	return json && json->type != NOOK_JSON_NULL ? json : NULL;
}

static inline enum nook_json_type nook_json_type(const struct nook_json *json)
{
	return json ? (enum nook_json_type)json->type : NOOK_JSON_NULL;
}

/* Members of an object, elements of an array; 0 for all else. */
static inline size_t nook_json_size(const struct nook_json *json)
{
	enum nook_json_type type = nook_json_type(json);

	return type == NOOK_JSON_ARRAY || type == NOOK_JSON_OBJECT ? json->n : 0;
}

/* An element of an array; NULL behind its end. */
static inline struct nook_json *nook_json_at(const struct nook_json *array, size_t index)
{
	return index < nook_json_size(array) ? nook_json_unless_null(array->items[index]) : NULL;
}

/* A member of an object; NULL for anything else. @ret_there, which may be NULL: it is there, be it
 * as null. */
struct nook_json *nook_json_find(const struct nook_json *object, const char *key, bool *ret_there);

/* The same as a text of one line, in the arena: what nook_json_parse() makes this tree of. */
const char *nook_json_compact(struct nook_arena *a, const struct nook_json *json);

/* ---- for the parser ---- */

/* Blocks of memory that end together. */
struct nook_json_memory {
	struct nook_arena *arena;       /* if any: nothing is given back */
	struct nook_json_block *blocks; /* the newest */
	size_t left;                    /* bytes of it */
	size_t next;                    /* how large the next one will be */
};

/* Return: aligned for any node, not zeroed; NULL: there is no more. */
void *nook_json_take(struct nook_json_memory *m, size_t size);
void nook_json_give_back(struct nook_json_memory *m);

/* Fills @object with @n members, the last of each name. Return: false: there is no memory. */
bool nook_json_fill_object(struct nook_json_memory *m, struct nook_json *object,
			   struct nook_json **members, size_t n);

/* Up to here members are searched one by one. */
#define NOOK_JSON_FEW 32

#endif
