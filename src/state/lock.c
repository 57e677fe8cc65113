/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who runs a container holds locks/NAME, and the kernel lets go of it when that process dies: no
 * pid is trusted to tell whether it lives.
 *
 * Byte 0 bears an open file description lock, which decides. It keeps threads of one program apart,
 * as the library may be used by several, and it can be asked for without taking it, as flock(2)
 * can't: `nook ps` never gets in the way of a claim. A child has a copy until it closes it.
 *
 * Byte 1 bears a POSIX record lock, only to name the holder: F_GETLK gives its pid in the asker's
 * view, a fork does not inherit it, and it cannot outlive the process. It is lost when the process
 * closes any other descriptor of the file, so that it is missing proves nothing.
 *
 * Byte 2 bears an open file description lock of who changes what a container has while it runs: its
 * holder has byte 0, and takes this one too before it takes the container apart.
 */
#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

#define TRIES       100
#define PATIENCE_MS 300 /* for a keeper that is just dying or cleaning up */

static struct flock one_byte(short type, off_t at)
{
	return (struct flock){ .l_type = type, .l_whence = SEEK_SET, .l_start = at, .l_len = 1 };
}

int nook_lock_try(int fd)
{
	struct flock decides = one_byte(F_WRLCK, 0), names = one_byte(F_WRLCK, 1);

	if (fcntl(fd, F_OFD_SETLK, &decides) < 0)
		return errno == EAGAIN || errno == EACCES ? -EBUSY : -errno;

	(void)fcntl(fd, F_SETLK, &names); /* for the pid only: others do without */
	return 0;
}

int nook_lock_try_change(int fd)
{
	struct flock change = one_byte(F_WRLCK, 2);

	if (fcntl(fd, F_OFD_SETLK, &change) < 0)
		return errno == EAGAIN || errno == EACCES ? -EBUSY : -errno;
	return 0;
}

bool nook_lock_stale(int fd)
{
	struct stat st;

	return fstat(fd, &st) < 0 || st.st_nlink == 0;
}

static int open_lock(int base, const char *name, int flags, struct nook_error *err)
{
	struct stat st;
	auto_close int fd = nook_folder_file(base, NOOK_FOLDER_LOCKS, name,
					     flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);

	if (fd == -ENOENT)
		return -ENOENT;
	if (fd < 0)
		return nook_fail(err, -fd, "open locks/%s in the state directory", name);
	if (fstat(fd, &st) < 0 && fstat(fd, &st) < 0)
		return nook_fail(err, errno, "fstat locks/%s", name);
	if (!S_ISREG(st.st_mode))
		return nook_refuse(err, EINVAL, "locks/%s in the state directory is no file", name);
	return move_fd(&fd);
}

int nook_lock_take(struct nook_state *s, struct nook_error *err)
{
	/* Its holder deletes the file before it lets go, so a lock may be that of a file that is
	 * gone: then look for the new one. */
	for (int i = 0; i < TRIES; i++) {
		auto_close int fd = open_lock(s->base, s->name, O_RDWR | O_CREAT, err);

		if (fd < 0)
			return fd == -ENOENT ? nook_fail(err, ENOENT, "open locks/%s", s->name)
					     : fd;

		int rc = nook_lock_try(fd);

		if (rc < 0 && rc != -EBUSY)
			rc = nook_lock_try(fd);
		if (rc == -EBUSY)
			return rc;
		if (rc < 0)
			return nook_fail(err, -rc, "fcntl F_OFD_SETLK locks/%s", s->name);
		if (!nook_lock_stale(fd)) {
			s->lock = move_fd(&fd);
			return 0;
		}
	}
	return -EBUSY;
}

int nook_lock_look(int fd, struct nook_holder *ret)
{
	struct flock decides = one_byte(F_WRLCK, 0), names = one_byte(F_WRLCK, 1);

	if (fcntl(fd, F_OFD_GETLK, &decides) < 0)
		return -errno;

	*ret = (struct nook_holder){ .held = decides.l_type != F_UNLCK };
	if (ret->held && fcntl(fd, F_GETLK, &names) == 0 && names.l_type != F_UNLCK &&
	    names.l_pid > 0)
		ret->pid = names.l_pid;
	return 0;
}

int nook_lock_holder(int base, const char *name, struct nook_holder *ret, struct nook_error *err)
{
	auto_close int fd = open_lock(base, name, O_RDONLY, err);

	*ret = (struct nook_holder){ 0 };
	if (fd == -ENOENT)
		return 0;
	if (fd < 0)
		return fd;

	int rc = nook_lock_look(fd, ret);

	return rc < 0 ? nook_fail(err, -rc, "fcntl F_OFD_GETLK locks/%s", name) : 0;
}

bool nook_have_file(const struct nook_state *s, enum nook_folder f)
{
	struct stat st;

	/* A look that fails says nothing: what may be there must not be taken for gone, and
	 * dropped; nor is a name to be refused for it, so a lack of memory may pass. */
	for (int i = 0; i < 2; i++) {
		if (fstatat(s->dirs[f], s->name, &st, AT_SYMLINK_NOFOLLOW) == 0)
			return true;
		if (errno == ENOENT)
			return false;
	}
	return true;
}

bool nook_have_record(const struct nook_state *s)
{
	return nook_have_file(s, NOOK_FOLDER_RECORDS);
}

int nook_lock_take_patiently(struct nook_state *s, struct nook_error *err)
{
	const struct timespec slice = { .tv_nsec = 1000000 };

	for (int waited = 0;; waited++) {
		struct nook_holder holder;
		int rc = nook_lock_take(s, err);

		if (rc != -EBUSY)
			return rc;

		rc = nook_lock_holder(s->base, s->name, &holder, err);
		if (rc < 0)
			return rc;
		if (waited >= PATIENCE_MS || (holder.held && holder.pid && nook_have_record(s)))
			return -EBUSY;
		if (holder.held)
			(void)nanosleep(&slice, NULL); /* shorter after a signal */
	}
}
