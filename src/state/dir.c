/* SPDX-License-Identifier: Apache-2.0 */
/* STATE_DIR and its folders. */
#include "files.h"

#include "base/hash.h"
#include "base/text.h"
#include "sys/openat2.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

const char *nook_folder_name(enum nook_folder f)
{
	static const char *const names[NOOK_FOLDER_COUNT] = {
		[NOOK_FOLDER_RECORDS] = "containers",
		[NOOK_FOLDER_NEW] = "new",
		[NOOK_FOLDER_LOCKS] = "locks",
		[NOOK_FOLDER_SECCOMP] = "seccomp",
		[NOOK_FOLDER_IDS] = "ids",
		[NOOK_FOLDER_START] = "start",
	};

	return names[f];
}

int nook_check_name(const char *name, struct nook_error *err)
{
	if (nook_valid_id(name))
		return 0;

	nook_hint(err, "Letters, digits and _ . + - make a name, a letter, digit or _ first, 255 "
		       "at most.");
	return nook_refuse(err, EINVAL, "\"%.80s\" can't be a container's name", name);
}

void nook_name_aside(const char *name, char out[NOOK_NAME_ASIDE])
{
	(void)nook_format(out, NOOK_NAME_ASIDE, ".%016lx", nook_hash_text(name)); /* fits */
}

/* Refuses a directory that somebody else could have filled. */
static int check_owner(int fd, const char *dir, struct nook_error *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return nook_fail(err, errno, "fstat %s", dir);

	if (st.st_uid != geteuid()) {
		nook_hint(err, "Remove it, or have its owner do so.");
		return nook_refuse(err, EPERM, "%s belongs to user %u, not to us (%u)", dir,
				   st.st_uid, geteuid());
	}
	if (st.st_mode & (S_IWGRP | S_IWOTH)) {
		nook_hint(err, "If you trust what is in it: chmod 700 %s", dir);
		return nook_refuse(err, EPERM, "%s can be written by others (mode %04o)", dir,
				   st.st_mode & 07777);
	}
	return 0;
}

int nook_base_open(const char *state_dir, bool make, struct nook_error *err)
{
	size_t len = strlen(state_dir);
	char dir[4096];

	/* A slash at the end would have the kernel follow a symlink there. */
	while (len > 1 && state_dir[len - 1] == '/')
		len--;
	if (len == 0 || len >= sizeof(dir))
		return nook_refuse(err, len ? ENAMETOOLONG : EINVAL,
				   "the directory for the state is named by %zu bytes", len);
	memcpy(dir, state_dir, len);
	dir[len] = '\0';

	auto_close int fd = open(dir, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT) {
		if (!make)
			return -ENOENT;
		if (mkdir(dir, 0700) < 0 && errno != EEXIST)
			return nook_fail(err, errno, "mkdir %s", dir);
		fd = open(dir, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	}
	if (fd < 0)
		return nook_fail(err, errno, "open %s", dir);

	int rc = check_owner(fd, dir, err);

	return rc < 0 ? rc : move_fd(&fd);
}

int nook_folder_open(int base, enum nook_folder f, bool make, struct nook_error *err)
{
	return nook_folder_open_named(base, nook_folder_name(f), make, err);
}

int nook_folder_open_named(int base, const char *name, bool make, struct nook_error *err)
{
	int fd = nook_openat2(base, name, O_PATH | O_DIRECTORY, 0, NOOK_BENEATH);

	if (fd == -ENOENT) {
		if (!make)
			return -ENOENT;
		if (mkdirat(base, name, 0700) < 0 && errno != EEXIST)
			return nook_fail(err, errno, "mkdir %s in the state directory", name);
		fd = nook_openat2(base, name, O_PATH | O_DIRECTORY, 0, NOOK_BENEATH);
	}
	return fd < 0 ? nook_fail(err, -fd, "open %s in the state directory", name) : fd;
}

int nook_folder_list(int base, const char *path, DIR **ret, struct nook_error *err)
{
	auto_close int fd = nook_openat2(base, path, O_RDONLY | O_DIRECTORY, 0, NOOK_BENEATH);

	if (fd == -ENOENT)
		return -ENOENT;

	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir)
		return nook_fail(err, fd < 0 ? -fd : errno, "open %s in the state directory", path);
	(void)move_fd(&fd); /* closedir closes it */
	*ret = dir;
	return 0;
}

int nook_folder_next(DIR *dir, const char *path, const char **ret, struct nook_error *err)
{
	for (;;) {
		errno = 0;
		const struct dirent *entry = readdir(dir);

		if (!entry)
			return errno ? nook_fail(err, errno, "read %s in the state directory", path)
				     : 0;
		if (entry->d_name[0] == '.')
			continue;
		*ret = entry->d_name;
		return 1;
	}
}

int nook_folder_file(int base, enum nook_folder f, const char *name, int flags)
{
	char path[300];

	(void)nook_format(path, sizeof(path), "%s/%s", nook_folder_name(f),
			  name); /* 255 bytes and a short word fit */
	return nook_openat2(base, path, (uint64_t)flags, flags & O_CREAT ? 0600 : 0, NOOK_BENEATH);
}

/* Takes @base over, also on failure. */
static int open_folders(int base, const char *name, struct nook_state *s, struct nook_error *err)
{
	struct nook_state new = NOOK_STATE_NONE;
	int rc = nook_check_name(name, err);

	(void)nook_format(new.name, sizeof(new.name), "%s", name); /* 255 bytes, else rc < 0 */
	new.base = base;
	for (unsigned i = 0; rc >= 0 && i < ARRAY_SIZE(new.dirs); i++)
		new.dirs[i] = rc = nook_folder_open(new.base, (enum nook_folder)i, true, err);
	if (rc < 0) {
		nook_state_close(&new);
		return rc;
	}

	*s = new;
	return 0;
}

int nook_state_open(const char *state_dir, const char *name, bool make, struct nook_state *s,
		    struct nook_error *err)
{
	int rc = nook_check_name(name, err);
	int base = rc < 0 ? rc : nook_base_open(state_dir, make, err);

	return base < 0 ? base : open_folders(base, name, s, err);
}

int nook_state_open_at(int base, const char *name, struct nook_state *s, struct nook_error *err)
{
	int copy = fcntl(base, F_DUPFD_CLOEXEC, 0);

	return copy < 0 ? nook_fail(err, errno, "fcntl F_DUPFD") : open_folders(copy, name, s, err);
}

struct nook_state nook_state_of(int base, const char *name)
{
	struct nook_state s = NOOK_STATE_NONE;

	s.base = base;
	(void)nook_format(s.name, sizeof(s.name), "%s", name); /* a container's: 255 bytes */
	return s;
}

void nook_state_close(struct nook_state *state)
{
	close_fd(&state->lock);
	for (size_t i = 0; i < ARRAY_SIZE(state->dirs); i++)
		close_fd(&state->dirs[i]);
	close_fd(&state->base);
	state->filter = NULL;
}
