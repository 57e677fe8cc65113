/* SPDX-License-Identifier: Apache-2.0 */
/* What json_parse.c needs of json_string.c. */
#ifndef NOOK_BASE_JSON_PARTS_H
#define NOOK_BASE_JSON_PARTS_H

#include "json_tree.h"

struct nook_json_parser {
	const char *text, *at, *end;
	char *own; /* a copy of it, which texts and names of the tree lie in */
	int depth; /* levels that may still be opened */
	struct nook_json_memory memory;
	struct nook_json **items; /* of all levels that are open */
	size_t n, size;           /* in use; there is room for */
	struct nook_error *err;
};

/* The next byte; NUL at the end. */
static inline char nook_json_peek(const struct nook_json_parser *p)
{
	return p->at < p->end ? *p->at : '\0';
}

/* The text is wrong at @at: -EINVAL. */
int nook_json_bad(struct nook_json_parser *p, const char *at, const char *why);
int nook_json_no_memory(struct nook_json_parser *p);

/* Behind the opening quote; afterwards behind the closing one, which has become a NUL. The text is
 * our own copy: no escape is shorter than what it stands for. */
int nook_json_string(struct nook_json_parser *p, const char **ret, size_t *ret_len);

#endif
