/* SPDX-License-Identifier: Apache-2.0 */
/* The directory that a container sees at NOOK_NOTIFY_INSIDE, and the socket in it. */
#include "oci_notify.h"

#include "base/own.h"
#include "base/text.h"
#include "sys/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#define FOLDER NOOK_NOTIFY_FOLDER
#define SOCKET NOOK_NOTIFY_NAME

static int open_folder(int base, const char *id)
{
	auto_close int all = nook_open_dir_below(base, FOLDER, O_PATH);

	return all < 0 ? all : nook_open_dir_below(all, id, O_RDONLY);
}

int nook_oci_notify_make(int base, const char *id, struct nook_error *err)
{
	int rc = nook_mkdir_below(base, FOLDER, 0700);

	if (rc < 0 && rc != -EEXIST)
		return nook_fail(err, -rc, "mkdir " FOLDER " in the state directory");

	auto_close int all = nook_open_dir_below(base, FOLDER, O_PATH);

	if (all < 0)
		return nook_fail(err, -all, "open " FOLDER " in the state directory");
	rc = nook_mkdir_below(all, id, 0755);
	if (rc < 0 && rc != -EEXIST)
		return nook_fail(err, -rc, "mkdir " FOLDER "/%s in the state directory", id);

	/* Whatever our umask and the program's user are, that one passes through. */
	auto_close int fd = nook_open_dir_below(all, id, O_RDONLY);

	if (fd < 0)
		return nook_fail(err, -fd, "open " FOLDER "/%s in the state directory", id);
	return fchmod(fd, 0755) < 0
		       ? nook_fail(err, errno, "fchmod " FOLDER "/%s in the state directory", id)
		       : 0;
}

int nook_oci_notify_remove(int base, const char *id, struct nook_error *err)
{
	auto_close int all = nook_open_dir_below(base, FOLDER, O_PATH);

	if (all == -ENOENT)
		return 0;
	if (all < 0)
		return nook_fail(err, -all, "open " FOLDER " in the state directory");

	auto_close int fd = nook_open_dir_below(all, id, O_RDONLY);

	if (fd == -ENOENT)
		return 0;
	if (fd < 0)
		return nook_fail(err, -fd, "open " FOLDER "/%s in the state directory", id);
	if (unlinkat(fd, SOCKET, 0) < 0 && errno != ENOENT)
		return nook_fail(err, errno, "unlink " FOLDER "/%s/" SOCKET, id);
	if (unlinkat(all, id, AT_REMOVEDIR) < 0 && errno != ENOENT)
		return nook_fail(err, errno, "rmdir " FOLDER "/%s in the state directory", id);
	return 0;
}

int nook_oci_notify_listen(int base, const char *id, struct nook_error *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	auto_close int dir = open_folder(base, id);

	if (dir == -ENOENT)
		return -ENOENT;
	if (dir < 0)
		return nook_fail(err, -dir, "open " FOLDER "/%s in the state directory", id);

	auto_close int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return nook_fail(err, errno, "socket(AF_UNIX)");
	/* What a `start` that was killed has left. */
	if (unlinkat(dir, SOCKET, 0) < 0 && errno != ENOENT)
		return nook_fail(err, errno, "unlink " FOLDER "/%s/" SOCKET, id);
	(void)nook_format(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/" SOCKET,
			  dir); /* fits, as a path of STATE_DIR need not */
	if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return nook_fail(err, errno, "bind " FOLDER "/%s/" SOCKET, id);
	/* Nobody but the container can come here: STATE_DIR is closed to others. */
	if (fchmodat(dir, SOCKET, 0777, 0) < 0)
		return nook_fail(err, errno, "fchmodat " FOLDER "/%s/" SOCKET, id);
	return move_fd(&fd);
}
