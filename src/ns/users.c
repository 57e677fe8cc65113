/* SPDX-License-Identifier: Apache-2.0 */
/* Who is in a namespace or has it open, by a walk through /proc. */
#include "pins.h"

#include "base/text.h"
#include "ns/kinds.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

/* Which of @n's namespaces the file is. */
static uint32_t match(const struct nook_ns_name *n, const struct stat *st)
{
	for (size_t i = 0; i < n->n_held; i++) {
		if (n->held[i].ino == st->st_ino && n->held[i].dev == st->st_dev)
			return NOOK_NS_BIT(n->held[i].kind);
	}
	return 0;
}

/* Return: the kinds that it is in; negative errno when it can't be looked at. */
static int look_links(int ns, const struct nook_ns_name *n, uint32_t *ret)
{
	for (size_t i = 0; i < n->n_held; i++) {
		struct stat st;

		if (fstatat(ns, nook_ns_kinds[n->held[i].kind].name, &st, 0) == 0)
			*ret |= match(n, &st);
		else if (errno != ENOENT)
			return -errno;
	}
	return 0;
}

/* Ended, and not yet waited for: it holds nothing, but its links to pid and user still show. */
static bool is_zombie(int pid)
{
	char text[512];
	auto_close int fd = openat(pid, "stat", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	text[n > 0 ? n : 0] = '\0';

	const char *end = strrchr(text, ')'); /* the name before it may hold anything */

	return !end || end[1] != ' ' || end[2] == 'Z' || end[2] == 'X';
}

static int open_dir(int at, const char *path, DIR **ret)
{
	auto_close int fd = openat(at, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	*ret = fdopendir(fd);
	if (!*ret)
		return -errno;
	(void)move_fd(&fd); /* closedir closes it */
	return 0;
}

static void look_fds(int pid, const struct nook_ns_name *n, uint32_t *ret)
{
	auto_closedir DIR *dir = NULL;

	if (open_dir(pid, "fd", &dir) < 0)
		return; /* its links were seen: it has just ended */
	for (const struct dirent *e; (e = readdir(dir));) {
		struct stat st;

		if (e->d_name[0] != '.' && fstatat(dirfd(dir), e->d_name, &st, 0) == 0)
			*ret |= match(n, &st);
	}
}

/* -ENOENT, -ESRCH: it has ended. */
static int look_at(int proc, const char *pid, const struct nook_ns_name *n, uint32_t *ret)
{
	auto_close int dir = openat(proc, pid, O_PATH | O_DIRECTORY | O_CLOEXEC);
	auto_close int ns = dir < 0 ? -errno : openat(dir, "ns", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0 || ns < 0)
		return -errno;

	int rc = look_links(ns, n, ret);

	if (rc == 0)
		look_fds(dir, n, ret);
	if (*ret && is_zombie(dir))
		*ret = 0;
	return rc;
}

int nook_pins_users(const struct nook_ns_name *n, struct nook_arena *a, struct nook_ns_user **ret,
		    size_t *ret_n, size_t *ret_hidden, struct nook_error *err)
{
	struct nook_ns_user *users = NULL;
	size_t n_users = 0, hidden = 0;
	auto_closedir DIR *proc = NULL;
	int rc = open_dir(AT_FDCWD, "/proc", &proc);

	if (rc < 0)
		return nook_fail(err, -rc, "open /proc");

	for (;;) {
		uint32_t kinds = 0;
		uint64_t pid = 0;

		errno = 0;
		const struct dirent *e = readdir(proc);

		if (!e && errno)
			return nook_fail(err, errno, "read /proc");
		if (!e)
			break;
		if (nook_parse_u64(e->d_name, 4194304, &pid) < 0 || (int)pid == n->holder ||
		    (int)pid == getpid())
			continue;
		rc = look_at(dirfd(proc), e->d_name, n, &kinds);
		if (rc == -EACCES || rc == -EPERM)
			hidden++;
		if (kinds)
			*nook_append(a, users, n_users) =
				(struct nook_ns_user){ .pid = (int)pid, .kinds = kinds };
	}

	*ret = users;
	*ret_n = n_users;
	*ret_hidden = hidden;
	return 0;
}
