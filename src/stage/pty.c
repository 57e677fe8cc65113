/* SPDX-License-Identifier: Apache-2.0 */
/* A terminal is always a new pty of the container's own devpts, and its slave comes by ioctl, never
 * by a name. */
#include "pty.h"

#include "base/own.h"
#include "sys/openat2.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#ifndef DEVPTS_SUPER_MAGIC
#define DEVPTS_SUPER_MAGIC 0x1cd1
#endif

static int open_devpts(struct nook_stage *s, struct nook_error *err)
{
	if (s->pts >= 0)
		return fcntl(s->pts, F_DUPFD_CLOEXEC, 3);

	/* We have entered somebody's mounts: what stands there must be a devpts. */
	auto_close int fd = nook_openat2(AT_FDCWD, "/dev/pts", O_PATH | O_DIRECTORY, 0,
					 RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
	struct statfs fs;

	if (fd < 0)
		return nook_fail(err, -fd, "open /dev/pts in the container");
	if (fstatfs(fd, &fs) < 0)
		return nook_fail(err, errno, "fstatfs /dev/pts");
	if (fs.f_type != DEVPTS_SUPER_MAGIC)
		return nook_refuse(err, ENODEV, "/dev/pts in the container is not a devpts");
	return move_fd(&fd);
}

int nook_pty_open(struct nook_stage *s, struct nook_error *err)
{
	if (s->console >= 0)
		return 0;

	auto_close int devpts = open_devpts(s, err);

	if (devpts < 0)
		return devpts;

	auto_close int master =
		nook_openat2(devpts, "ptmx", O_RDWR | O_NOCTTY | O_NOFOLLOW, 0,
			     RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS);
	struct stat st;
	int unlocked = 0;

	if (master < 0)
		return nook_fail(err, -master, "open /dev/pts/ptmx in the container");
	if (fstat(master, &st) < 0)
		return nook_fail(err, errno, "fstat /dev/pts/ptmx");
	if (!S_ISCHR(st.st_mode) || st.st_rdev != makedev(5, 2))
		return nook_refuse(err, ENODEV,
				   "/dev/pts/ptmx in the container is not the pty multiplexer");
	if (ioctl(master, TIOCSPTLCK, &unlocked) < 0)
		return nook_fail(err, errno, "ioctl(TIOCSPTLCK)");

	auto_close int slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);

	if (slave < 0)
		return nook_fail(err, errno, "ioctl(TIOCGPTPEER)");

	uint32_t uid = s->plan->process.uid;

	if (uid != 0 && fchown(slave, uid, (gid_t)-1) < 0)
		return nook_fail(err, errno, "fchown the terminal to %u", uid);

	const struct nook_plan_process *p = &s->plan->process;
	struct winsize size = { .ws_row = p->rows, .ws_col = p->columns };

	if ((p->rows || p->columns) && ioctl(master, TIOCSWINSZ, &size) < 0)
		return nook_fail(err, errno, "ioctl(TIOCSWINSZ, %ux%u)", p->columns, p->rows);

	s->console = move_fd(&slave);
	s->walk.send_fd = move_fd(&master);
	return 0;
}
