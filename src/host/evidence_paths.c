/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence.h"
#include "base/own.h"
#include "base/text.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>

/* Does the walk end at @path? Return: 0 or the errno. */
static int reach(const char *path, bool more)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return errno;
	return more && !S_ISDIR(st.st_mode) ? ENOTDIR : 0;
}

int nook_evidence_walk(const char *path, char *out, size_t size)
{
	size_t at = 0;

	do {
		at += strspn(path + at, "/");
		at += strcspn(path + at, "/");
		(void)nook_format(out, size, "%.*s", (int)at, path); /* cut: ENOENT at worst */

		int errnum = reach(out, path[at + strspn(path + at, "/")] != '\0');

		if (errnum)
			return errnum;
	} while (path[at]);
	return 0;
}

bool nook_evidence_symlink(const char *root, const char *path, char *out, size_t size, char *target,
			   size_t target_size)
{
	size_t at = 0;

	if (strcmp(root, "/") == 0)
		root = "";
	while (path[at]) {
		at += strspn(path + at, "/");
		at += strcspn(path + at, "/");
		(void)nook_format(out, size, "%s%s%.*s", root, *path == '/' ? "" : "/", (int)at,
				  path); /* cut: no link */

		ssize_t n = readlink(out, target, target_size - 1);

		if (n > 0) {
			target[n] = '\0';
			return true;
		}
	}
	return false;
}

static const struct {
	uint64_t magic;
	const char *name;
} fstypes[] = {
	{ 0x0000ef53, "ext4" },      { 0x58465342, "xfs" },      { 0x9123683e, "btrfs" },
	{ 0x01021994, "tmpfs" },     { 0x794c7630, "overlay" },  { 0xf2f52010, "f2fs" },
	{ 0x00006969, "nfs" },       { 0x65735546, "fuse" },     { 0x00004d44, "vfat" },
	{ 0x2011bab0, "exfat" },     { 0x5346544e, "ntfs" },     { 0x7366746e, "ntfs3" },
	{ 0xff534d42, "cifs" },      { 0xfe534d42, "smb" },      { 0x01021997, "9p" },
	{ 0x2fc12fc1, "zfs" },       { 0x73717368, "squashfs" }, { 0xe0f5e1e2, "erofs" },
	{ 0x0000f15f, "ecryptfs" },  { 0x00c36400, "ceph" },     { 0x858458f6, "ramfs" },
	{ 0x00009fa0, "proc" },      { 0x62656572, "sysfs" },    { 0x00001cd1, "devpts" },
	{ 0x63677270, "cgroup2" },   { 0x0027e0eb, "cgroup" },   { 0x6e736673, "nsfs" },
	{ 0x00009660, "iso9660" },   { 0xca451a4e, "bcachefs" }, { 0x19800202, "mqueue" },
	{ 0x6a656a63, "fakeowner" }, { 0x786f4256, "vboxsf" },   { 0x958458f6, "hugetlbfs" },
};

bool nook_evidence_fstype(const char *path, char *out, size_t size)
{
	struct statfs st;

	if (statfs(path, &st) < 0)
		return false;

	uint64_t magic = (uint32_t)st.f_type;

	for (size_t i = 0; i < ARRAY_SIZE(fstypes); i++) {
		if (fstypes[i].magic == magic) {
			(void)nook_format(out, size, "%s", fstypes[i].name); /* short */
			return true;
		}
	}
	(void)nook_format(out, size, "0x%lx", (unsigned long)magic);
	return true;
}
