/* SPDX-License-Identifier: Apache-2.0 */
/* Where a path of the host really leads. */
#ifndef NOOK_HOST_PLACE_H
#define NOOK_HOST_PLACE_H

#include "prober.h"

struct nook_place {
	const char *path; /* from p->root, with no symlink in it */
	bool is_dir;
	uint64_t dev, ino;
};

/**
 * nook_place_find() - follow a path to its end
 * @path: absolute; symlinks in it are followed inside of p->root, the last one too
 *
 * Return: 0; -ENOENT, -ENOTDIR, -EACCES and others of openat2(2).
 */
int nook_place_find(struct nook_prober *p, const char *path, struct nook_place *ret);

#endif
