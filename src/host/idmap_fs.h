/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NOOK_HOST_IDMAP_FS_H
#define NOOK_HOST_IDMAP_FS_H

#include <stdbool.h>

/* Does this kernel mount a file system of the type with mapped ids? FS_ALLOW_IDMAP in the kernel's
 * source. What is not known to do so does not. */
bool nook_fs_takes_idmap(const char *fstype, unsigned major, unsigned minor);

#endif
