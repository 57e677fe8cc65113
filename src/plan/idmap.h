/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NOOK_PLAN_IDMAP_H
#define NOOK_PLAN_IDMAP_H

#include "nook/error.h"
#include "nook/spec.h"

#include <stdbool.h>
#include <stddef.h>

/* The kernel takes 340 lines. */
#define NOOK_IDMAP_MAX_LINES 340

/**
 * nook_idmap_format() - render a map as the kernel reads it
 * @map, @n: lines in the order to write, 1 to 340
 * @out:     receives NUL-terminated text
 * @size:    bytes in @out; 4096 holds any map that the kernel accepts
 *
 * Return: length of the text; -EINVAL when a line is empty, overlaps or passes id 4294967294;
 * -E2BIG past the kernel's limits. user_namespaces(7), "Defining user and group ID mappings".
 */
int nook_idmap_format(const struct nook_idmap *map, size_t n, char *out, size_t size,
		      struct nook_error *err);

/* Does the map give @inside an id outside? */
bool nook_idmap_covers(const struct nook_idmap *map, size_t n, uint32_t inside);

#endif
