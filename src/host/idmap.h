/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NOOK_HOST_IDMAP_H
#define NOOK_HOST_IDMAP_H

#include <stdbool.h>
#include <stdint.h>

/* The text of a uid_map or gid_map has each of the ids from @first to @last. A new user namespace
 * can map only ids that its parent has. user_namespaces(7). @text is written into. */
bool nook_own_map_covers(char *text, uint32_t first, uint32_t last);

#endif
