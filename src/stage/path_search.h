/* SPDX-License-Identifier: Apache-2.0 */
/* The search of a command in PATH, inside. No allocation. */
#ifndef NOOK_STAGE_PATH_SEARCH_H
#define NOOK_STAGE_PATH_SEARCH_H

#include "nook/error.h"

#include <limits.h>
#include <stdbool.h>

/* The directories: PATH's last value in @env, or those that a root shell has. */
const char *nook_search_dirs(const char *const *env);

/**
 * nook_search_next() - the next file that @name could be
 * @at:   begins as the directories; NULL after the last one
 * @path: receives it, NUL-terminated; one that is too long for any file is left out
 *
 * Return: false when there is no further one.
 */
bool nook_search_next(const char **at, const char *name, char path[PATH_MAX]);

/* What to say when none was there. Return: -ENOENT. */
int nook_search_failed(const char *name, const char *dirs, struct nook_error *err);

#endif
