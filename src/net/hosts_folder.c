/* SPDX-License-Identifier: Apache-2.0 */
#include "hosts_folder.h"

#include "net.h"

#include "sys/openat2.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOCK "net/hosts.lock"
#define NEW  "net/hosts.new"

void nook_hosts_close(struct nook_hosts *h)
{
	close_fd(&h->dir);
	close_fd(&h->lock);
}

int nook_hosts_open(int base, bool make, struct nook_hosts *ret, struct nook_error *err)
{
	struct flock all = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	auto_close int dir = nook_net_folder(base, "hosts", make, err);

	if (dir < 0)
		return dir;

	auto_close int lock = nook_openat2(base, LOCK, O_RDWR | O_CREAT, 0600, NOOK_BENEATH);

	if (lock < 0)
		return nook_fail(err, -lock, "open " LOCK " in the state directory");
	while (fcntl(lock, F_OFD_SETLKW, &all) < 0) {
		if (errno != EINTR)
			return nook_fail(err, errno, "fcntl F_OFD_SETLKW " LOCK);
	}
	ret->base = base;
	ret->dir = move_fd(&dir);
	ret->lock = move_fd(&lock);
	return 0;
}

/* A lease that somebody inside has taken on the file makes this -EWOULDBLOCK, and not wait for it:
 * fcntl(2), "Leases". */
int nook_hosts_open_file(const struct nook_hosts *h, const char *name, struct nook_error *err)
{
	struct stat st;
	auto_close int fd =
		nook_openat2(h->dir, name, O_RDWR | O_NONBLOCK | O_NOCTTY, 0, NOOK_BENEATH);

	if (fd == -ENOENT)
		return -ENOENT;
	if (fd == -EWOULDBLOCK)
		nook_hint(err,
			  "a program in a container on these networks holds a lease on its "
			  "/etc/hosts; the kernel takes it back in /proc/sys/fs/lease-break-time "
			  "seconds");
	if (fd < 0)
		return nook_fail(err, -fd, "open net/hosts/%s in the state directory", name);
	if (fstat(fd, &st) < 0)
		return nook_fail(err, errno, "fstat net/hosts/%s", name);
	if (!S_ISREG(st.st_mode))
		return nook_refuse(err, EINVAL, "net/hosts/%s in the state directory is no file",
				   name);
	return move_fd(&fd);
}

int nook_hosts_new_file(const struct nook_hosts *h, struct nook_error *err)
{
	/* Left by who died, or failed, here: we have the lock. */
	if (unlinkat(h->base, NEW, 0) < 0 && errno != ENOENT)
		return nook_fail(err, errno, "unlink " NEW " in the state directory");

	int fd = nook_openat2(h->base, NEW, O_RDWR | O_CREAT | O_EXCL, 0644, NOOK_BENEATH);

	return fd < 0 ? nook_fail(err, -fd, "open " NEW " in the state directory") : fd;
}

int nook_hosts_finish_file(const struct nook_hosts *h, int fd, const char *path,
			   struct nook_error *err)
{
	/* Whatever the umask: those inside are to read it. */
	if (fchmod(fd, 0644) < 0)
		return nook_fail(err, errno, "fchmod " NEW);
	if (renameat(h->base, NEW, h->base, path) < 0)
		return nook_fail(err, errno, "rename " NEW " to %s", path);
	return 0;
}

void nook_hosts_drop_file(const struct nook_hosts *h)
{
	(void)unlinkat(h->base, NEW, 0); /* the next one that is made begins with that */
}
