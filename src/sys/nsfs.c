/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE 1
#include "nsfs.h"

#include "call.h"

#include <fcntl.h>
#include <linux/nsfs.h>
#include <linux/sockios.h>
#include <string.h>
#include <sys/ioctl.h>

/* Newer than the headers; include/uapi/linux/nsfs.h, sockios.h, if_tun.h of Linux 6.19. */
struct mnt_info {
	uint32_t size, n_mounts;
	uint64_t id;
};
#ifndef NS_GET_MNTNS_ID
#define NS_GET_MNTNS_ID _IOR(NSIO, 0x5, uint64_t)
#endif
#ifndef NS_GET_ID
#define NS_GET_ID _IOR(NSIO, 13, uint64_t)
#endif
#ifndef NS_MNT_GET_INFO
#define NS_MNT_GET_INFO _IOR(NSIO, 10, struct mnt_info)
#define NS_MNT_GET_NEXT _IOR(NSIO, 11, struct mnt_info)
#define NS_MNT_GET_PREV _IOR(NSIO, 12, struct mnt_info)
#endif
#ifndef SIOCGSKNS
#define SIOCGSKNS 0x894c
#endif
#ifndef TUNGETDEVNETNS
#define TUNGETDEVNETNS _IO('T', 227)
#endif
#ifndef FD_NSFS_ROOT
#define FD_NSFS_ROOT (-10003)
#endif
#define FILEID_NSFS 0xf1
#ifndef SYS_listns
#define SYS_listns 470
#endif

struct listns_request {
	uint32_t size, spare;
	uint64_t after;
	uint32_t type, spare2;
	uint64_t owner;
};

struct nsfs_handle {
	uint32_t bytes;
	int32_t type;
	struct {
		uint64_t id;
		uint32_t type, inode;
	} ns;
};

int nook_nsfs_owner(int fd)
{
	return (int)NOOK_CALL(SYS_ioctl, fd, NS_GET_USERNS);
}

int nook_nsfs_parent(int fd)
{
	return (int)NOOK_CALL(SYS_ioctl, fd, NS_GET_PARENT);
}

int nook_nsfs_type(int fd)
{
	return (int)NOOK_CALL(SYS_ioctl, fd, NS_GET_NSTYPE);
}

int nook_nsfs_creator(int fd, uint32_t *ret)
{
	return (int)NOOK_CALL(SYS_ioctl, fd, NS_GET_OWNER_UID, ret);
}

int nook_nsfs_id(int fd, uint64_t *ret)
{
	int rc = (int)NOOK_CALL(SYS_ioctl, fd, NS_GET_ID, ret);

	return rc == -ENOTTY ? (int)NOOK_CALL(SYS_ioctl, fd, NS_GET_MNTNS_ID, ret) : rc;
}

int nook_nsfs_mounts(int fd, uint32_t *ret)
{
	struct mnt_info info = { .size = sizeof(info) };
	int rc = (int)NOOK_CALL(SYS_ioctl, fd, NS_MNT_GET_INFO, &info);

	if (rc == 0)
		*ret = info.n_mounts;
	return rc;
}

int nook_nsfs_next_mnt(int fd, bool back)
{
	struct mnt_info info = { .size = sizeof(info) };

	return (int)NOOK_CALL(SYS_ioctl, fd, back ? NS_MNT_GET_PREV : NS_MNT_GET_NEXT, &info);
}

int nook_nsfs_by_id(uint64_t id, uint32_t type, uint32_t inode)
{
	struct nsfs_handle handle = { .bytes = sizeof(handle.ns),
				      .type = FILEID_NSFS,
				      .ns = { id, type, inode } };

	return (int)NOOK_CALL(SYS_open_by_handle_at, FD_NSFS_ROOT, &handle, O_RDONLY | O_CLOEXEC);
}

ssize_t nook_listns(uint64_t after, uint64_t *ids, size_t n)
{
	struct listns_request request = { .size = sizeof(request), .after = after };

	return (ssize_t)NOOK_CALL(SYS_listns, &request, ids, n, 0);
}

int nook_socket_netns(int fd, bool tun)
{
	return (int)NOOK_CALL(SYS_ioctl, fd, tun ? TUNGETDEVNETNS : SIOCGSKNS);
}
