/* SPDX-License-Identifier: Apache-2.0 */
#include "idmap_fs.h"

#include "base/own.h"

#include <string.h>

/* Not overlay, nfs, 9p, cifs; not fuse and virtiofs, whose servers have to agree (Linux 6.12). */
static const struct {
	const char *fstype;
	unsigned major, minor;
} table[] = {
	{ "ext4", 5, 12 },  { "xfs", 5, 12 },  { "vfat", 5, 12 },    { "btrfs", 5, 15 },
	{ "ntfs3", 5, 15 }, { "f2fs", 5, 18 }, { "erofs", 5, 19 },   { "squashfs", 6, 2 },
	{ "tmpfs", 6, 3 },  { "ceph", 6, 7 },  { "bcachefs", 6, 7 },
};

bool nook_fs_takes_idmap(const char *fstype, unsigned major, unsigned minor)
{
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		if (strcmp(fstype, table[i].fstype) == 0)
			return major > table[i].major ||
			       (major == table[i].major && minor >= table[i].minor);
	}
	return false;
}
