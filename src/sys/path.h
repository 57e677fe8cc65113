/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one resolver: every path inside a container's root is opened here, against the root's
 * descriptor, and then used by the descriptor that comes back. Nobody joins strings to reach below
 * a root.
 */
#ifndef NOOK_SYS_PATH_H
#define NOOK_SYS_PATH_H

#include "nook/error.h"

#include <stdbool.h>
#include <stdint.h>

enum nook_path_make { NOOK_PATH_EXISTS, NOOK_PATH_DIR, NOOK_PATH_FILE };

/**
 * nook_resolve() - open a path inside a root
 * @root: descriptor of the root directory
 * @path: absolute or relative; taken from the root either way. Symlinks lead inside the root, magic
 * links nowhere.
 *
 * Return: an O_PATH descriptor (CLOEXEC), or a negative errno with @err->why. With @err NULL
 * nothing is noted: for things that may be missing.
 */
int nook_resolve(int root, const char *path, struct nook_error *err);

/**
 * nook_resolve_make() - the same, making what is missing
 * @make: what the last component becomes when nothing is there: a directory (0755) or an empty file
 * (0644); directories above it are made alike
 *
 * A component that exists as a dangling symlink is refused (cause "symlink-in-target"): creating
 * through it could land anywhere. A ".." is refused. When the thing is there, its type is not
 * looked at.
 */
int nook_resolve_make(int root, const char *path, enum nook_path_make make, struct nook_error *err);

/* Is the thing behind @fd a directory? 1, 0 or a negative errno. */
int nook_is_dir(int fd);

#endif
