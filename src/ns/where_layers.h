/* SPDX-License-Identifier: Apache-2.0 */
/* The layers that an overlay mount says it has: Documentation/filesystems/overlayfs.rst. */
#ifndef NOOK_NS_WHERE_LAYERS_H
#define NOOK_NS_WHERE_LAYERS_H

#include "base/arena.h"

#include <stddef.h>

struct nook_where_layers {
	const char *upper;   /* NULL: read-only */
	const char **lowers; /* the uppermost first; without data-only layers */
	size_t n_lowers;
};

/**
 * nook_where_layers_parse() - from the options of the file system in mountinfo
 * @super: "rw,lowerdir=/a:/b,upperdir=/c"; hostile text
 *
 * Paths are as the one who mounted it wrote them: they may be relative, or of another root.
 */
void nook_where_layers_parse(struct nook_arena *a, const char *super,
			     struct nook_where_layers *ret);

#endif
