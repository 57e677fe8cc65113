/* SPDX-License-Identifier: Apache-2.0 */
/* Absolute paths as text: no system call, no normalising. */
#ifndef NOOK_HOST_PATH_H
#define NOOK_HOST_PATH_H

#include <stdbool.h>

/* @path is @dir or below it. */
bool nook_path_within(const char *path, const char *dir);

/* Order in which a directory comes right before all that is below it: strcmp(3) with '/' as the
 * lowest letter. */
int nook_path_compare(const char *a, const char *b);

/* Absolute, with no empty, "." or ".." part and no slash at its end (but "/" itself). */
bool nook_path_is_plain(const char *path);

/* How openat2(2) wants it, below a root: without the leading slashes; "." for "/". */
const char *nook_path_below_root(const char *path);

#endif
