/* SPDX-License-Identifier: Apache-2.0 */
#include "oci_sockets.h"

#include "base/file.h"
#include "base/own.h"
#include "base/text.h"
#include "sys/send_fd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>

/* An engine that doesn't accept must not keep us. */
#define SEND_SECONDS 10

/* Some other engine's file of the same moment; or what one that was killed has left. */
#define PID_FILE_TRIES 16

/* Longer ones by a descriptor of the socket's file, which connect(2) finds below /proc. */
static int address_of(const char *path, bool abstract, struct sockaddr_un *ret, socklen_t *ret_len,
		      int *ret_fd, struct nook_error *err)
{
	size_t len = strlen(path), max = sizeof(ret->sun_path);

	*ret = (struct sockaddr_un){ .sun_family = AF_UNIX };
	*ret_len = sizeof(*ret);
	if (abstract) {
		if (len > max)
			return nook_refuse(err, ENAMETOOLONG, "%s is too long for a socket", path);
		memcpy(ret->sun_path, path, len);
		ret->sun_path[0] = '\0';
		*ret_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
		return 0;
	}
	if (len < max) {
		memcpy(ret->sun_path, path, len);
		return 0;
	}

	*ret_fd = open(path, O_PATH | O_CLOEXEC);
	if (*ret_fd < 0)
		return nook_fail(err, errno, "open the socket %s", path);
	(void)nook_format(ret->sun_path, max, "/proc/self/fd/%d", *ret_fd); /* fits */
	return 0;
}

int nook_oci_connect(const char *path, int type, bool abstract_too, struct nook_error *err)
{
	const struct timeval patience = { .tv_sec = SEND_SECONDS };
	struct sockaddr_un address;
	socklen_t len;
	auto_close int file = NO_FD;
	int rc = address_of(path, abstract_too && path[0] == '@' && path[1], &address, &len, &file,
			    err);

	if (rc < 0)
		return rc;

	auto_close int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return nook_fail(err, errno, "socket(AF_UNIX)");
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) < 0)
		return nook_fail(err, errno, "setsockopt(SO_SNDTIMEO)");
	while (connect(fd, (const struct sockaddr *)&address, len) < 0) {
		if (errno == EINTR)
			continue;
		if (errno == ECONNREFUSED)
			nook_hint(err, "nobody listens there: the socket is one that the caller "
				       "has made and accepts at");
		return nook_fail(err, errno == EAGAIN ? ETIMEDOUT : errno, "connect to %s", path);
	}
	return move_fd(&fd);
}

int nook_oci_send_fd(int sock, const char *text, int fd)
{
	struct iovec iov = { (void *)(uintptr_t)text, strlen(text) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n;

	do
		n = nook_sendmsg_fd(sock, &msg, fd);
	while (n == -EINTR);
	if (n < 0)
		return n == -EAGAIN ? -ETIMEDOUT : (int)n;
	return 0;
}

static int hand_over(const char *path, const char *text, int fd, const char *option,
		     struct nook_error *err)
{
	auto_close int sock = nook_oci_connect(path, SOCK_STREAM, false, err);
	int rc = sock < 0 ? sock : nook_oci_send_fd(sock, text, fd);

	if (sock >= 0 && rc < 0)
		rc = nook_fail(err, -rc, "sendmsg to %s", path);
	if (rc < 0)
		nook_where(err, "%s %s", option, path);
	return rc;
}

int nook_oci_send_console(const char *path, int master, struct nook_error *err)
{
	return hand_over(path, "/dev/ptmx", master, "--console-socket", err);
}

int nook_oci_send_pidfd(const char *path, int pidfd, bool init, struct nook_error *err)
{
	return hand_over(path, init ? "standard" : "setns", pidfd, "--pidfd-socket", err);
}

static int create_beside(int dir, const char *base, char *name, size_t size)
{
	for (int i = 0; i < PID_FILE_TRIES; i++) {
		/* Cut, for a name may be as long as a file system allows. */
		(void)nook_format(name, size, ".%.200s.%d.%d", base, getpid(), i);

		int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
				0644);

		if (fd >= 0 || errno != EEXIST)
			return fd < 0 ? -errno : fd;
	}
	return -EEXIST;
}

/* A file that has no name before it is complete: should we be killed meanwhile, nothing of it is
 * left. Not where a file is there already, nor on every file system: then it is written beside. */
static bool write_nameless(int dir, const char *base, const char *digits, size_t len)
{
	char self[32];
	auto_close int fd = openat(dir, ".", O_WRONLY | O_TMPFILE | O_CLOEXEC, 0644);

	if (fd < 0 || nook_write_fd(fd, digits, len) < 0)
		return false;
	(void)nook_format(self, sizeof(self), "/proc/self/fd/%d", fd); /* fits */
	return linkat(AT_FDCWD, self, dir, base, AT_SYMLINK_FOLLOW) == 0;
}

static int write_beside(int dir, const char *base, int pid, struct nook_error *err)
{
	char name[NAME_MAX + 1], digits[16];
	size_t len = nook_format(digits, sizeof(digits), "%d", pid);

	if (write_nameless(dir, base, digits, len))
		return 0;

	auto_close int fd = create_beside(dir, base, name, sizeof(name));

	if (fd < 0)
		return nook_fail(err, -fd, "create %s", name);

	int rc = nook_write_fd(fd, digits, len);

	if (rc < 0)
		rc = nook_fail(err, -rc, "write %s", name);
	else if (renameat(dir, name, dir, base) < 0)
		rc = nook_fail(err, errno, "rename %s to %s", name, base);
	if (rc < 0)
		(void)unlinkat(dir, name, 0); /* the first failure is the one to tell */
	return rc;
}

int nook_oci_write_pid_file(const char *path, int pid, struct nook_error *err)
{
	const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
	char folder[PATH_MAX] = ".";

	nook_where(err, "--pid-file %s", path);
	if (slash && nook_format(folder, sizeof(folder), "%.*s/", (int)(slash - path), path) + 1 ==
			     sizeof(folder))
		return nook_refuse(err, ENAMETOOLONG, "the path is too long");

	auto_close int dir = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0)
		return nook_fail(err, errno, "open %s", folder);

	int rc = write_beside(dir, base, pid, err);

	if (rc == 0 && err)
		err->where[0] = '\0';
	return rc;
}

int nook_oci_remove_pid_file(const char *path, struct nook_error *err)
{
	/* Twice: a lack of memory may have passed. */
	if (unlink(path) == 0 || errno == ENOENT || unlink(path) == 0 || errno == ENOENT)
		return 0;
	return nook_fail(err, errno, "unlink %s", path);
}
