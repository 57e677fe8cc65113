/* SPDX-License-Identifier: Apache-2.0 */
#include "run/seal.h"
#include "run/seal_parts.h"

#include "base/own.h"
#include "state/state.h"
#include "sys/call.h"
#include "sys/mount.h"
#include "sys/process.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/memfd.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <unistd.h>

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U /* Linux 6.3 */
#endif
#ifndef F_SEAL_EXEC
#define F_SEAL_EXEC 0x0020 /* Linux 6.3 */
#endif

#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

static struct nook_self self;
static int own_mount = NO_FD; /* what we were mapped from anew */
static bool protected;        /* and need not look again */

int nook_seal_take_mount(void)
{
	return move_fd(&own_mount);
}

void nook_seal_arm(char **argv, char **env)
{
	self.argv = argv;
	self.env = env;
	self.env_then = env;
	self.brk = (unsigned long)(uintptr_t)sbrk(0);
}

int nook_seal_with(const char *variable)
{
	static char **made; /* by an earlier call; for as long as we live */
	size_t n = 0;

	while (self.env && self.env[n])
		n++;

	char **env = calloc(n + 2, sizeof(*env));

	if (!self.env || !env) { /* of the library's callers nobody is executed again */
		free(env);
		return self.env ? -ENOMEM : 0;
	}
	memcpy(env, self.env, n * sizeof(*env));
	env[n] = (char *)(uintptr_t)variable;
	free(made);
	self.env = made = env;
	return 0;
}

/* Does a map, as the kernel reads it, have an id of ours on its outside? */
static bool maps(const char *map, uint32_t id)
{
	char *at = (char *)(uintptr_t)map;

	/* Three numbers a line; the text is the plan's own. */
	while (at && *at) {
		(void)strtoul(at, &at, 10);

		unsigned long outside = strtoul(at, &at, 10);
		unsigned long count = strtoul(at, &at, 10);

		if (id >= outside && id - outside < count)
			return true;
		if (*at != '\n')
			break;
		at++;
	}
	return false;
}

static bool joins_userns(const struct nook_plan *plan)
{
	for (size_t i = 0; i < plan->n_joins; i++) {
		if (plan->joins[i].kind == NOOK_NS_USER)
			return true;
	}
	return false;
}

/* Could a program inside write to our file? Whoever owns it may also change its mode. */
static bool writable_inside(const struct nook_plan *plan, const struct stat *st)
{
	const struct nook_plan_userns *u = &plan->userns;

	if (st->st_mode & (S_IWGRP | S_IWOTH)) /* and so an ACL that lets somebody write */
		return true;
	if (u->writer != NOOK_IDMAP_NONE)
		return maps(u->uid_map, st->st_uid);
	if (!joins_userns(plan))
		return true;
	if (u->range)
		return st->st_uid - u->range < NOOK_RANGE_SIZE;
	/* Nobody but root can have mapped root's id. */
	return st->st_uid != 0 || geteuid() == 0;
}

int nook_seal_is_protected(int exe)
{
	struct statfs fs;
	int seals = fcntl(exe, F_GET_SEALS);

	if (seals >= 0 && (seals & F_SEAL_WRITE))
		return 1;
	/* EINVAL: not a memfd; EBADF: of a mount, which like O_PATH opens no file. */
	if (seals < 0 && errno != EINVAL && errno != EBADF)
		return -errno;
	if (fstatfs(exe, &fs) < 0)
		return -errno;
	return (fs.f_flags & ST_RDONLY) != 0;
}

/* Bytes of the file that execve(2) maps: what comes behind is for debuggers. */
static size_t needed_size(int exe, size_t size)
{
	Elf64_Ehdr h;
	size_t end = sizeof(h);

	if (pread(exe, &h, sizeof(h), 0) != sizeof(h) || h.e_ident[EI_CLASS] != ELFCLASS64 ||
	    h.e_phentsize != sizeof(Elf64_Phdr))
		return size;

	for (unsigned i = 0; i < h.e_phnum; i++) {
		Elf64_Phdr p;

		if (pread(exe, &p, sizeof(p), (off_t)(h.e_phoff + i * sizeof(p))) != sizeof(p))
			return size;
		if (p.p_offset + p.p_filesz > end)
			end = p.p_offset + p.p_filesz;
	}
	return end < size ? end : size;
}

static int new_memfd(void)
{
	unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
	int fd = (int)NOOK_CALL(SYS_memfd_create, "nook", flags | MFD_EXEC);

	/* Before Linux 6.3 every memfd can be executed. */
	return fd == -EINVAL ? (int)NOOK_CALL(SYS_memfd_create, "nook", flags) : fd;
}

static int sealed_copy(int exe, size_t size, struct nook_error *err)
{
	auto_close int fd = new_memfd();

	if (fd == -EACCES)
		nook_hint(err, "the sysctl vm.memfd_noexec is 2: set it to 1, or let root install "
			       "nook, so that the container's root can't write to its file");
	if (fd < 0)
		return nook_fail(err, -fd, "memfd_create(a copy of nook)");

	for (size_t left = size; left > 0;) {
		ssize_t n = sendfile(fd, exe, NULL, left);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return nook_fail(err, n < 0 ? errno : EIO, "sendfile(nook to its copy)");
		left -= (size_t)n;
	}

	if (fcntl(fd, F_ADD_SEALS, SEALS | F_SEAL_EXEC) < 0 && fcntl(fd, F_ADD_SEALS, SEALS) < 0)
		return nook_fail(err, errno, "fcntl(F_ADD_SEALS) of nook's copy");
	if (nook_seal_is_protected(fd) != 1)
		return nook_refuse(err, EPERM, "nook's copy in memory is not sealed after it was");
	return move_fd(&fd);
}

static int read_only_mount(struct nook_error *err)
{
	auto_close int fd = nook_open_tree(AT_FDCWD, NOOK_SELF, false, true);

	if (fd < 0)
		return nook_fail(err, -fd, "open_tree(" NOOK_SELF ")");

	int rc = nook_mount_setattr(
		fd, false, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, 0, 0, NO_FD);

	if (rc < 0)
		return nook_fail(err, -rc, "mount_setattr(RDONLY) of nook's own file");
	if (nook_seal_is_protected(fd) != 1)
		return nook_refuse(err, EPERM, "nook's own file is not read-only after it was set");
	return move_fd(&fd);
}

/*
 * The mount spares a copy but is root's to make, and root's to change: where the program could undo
 * it, or reach the file by another of its mounts, only the memfd will do.
 */
static bool mount_suffices(const struct nook_plan *plan)
{
	const struct nook_plan_caps *c = &plan->process.caps;
	uint64_t strong = 1ULL << CAP_SYS_ADMIN | 1ULL << CAP_DAC_READ_SEARCH;

	return geteuid() == 0 && !((c->bounding | c->permitted | c->ambient) & strong);
}

static int make_copy(const struct nook_plan *plan, int exe, const struct stat *st,
		     bool *ret_mounted, struct nook_error *err)
{
	size_t size = needed_size(exe, (size_t)st->st_size);
	struct nook_error other = { 0 };
	int fd = -EPERM;

	if (mount_suffices(plan))
		fd = read_only_mount(&other);
	*ret_mounted = fd >= 0;
	if (fd < 0)
		fd = sealed_copy(exe, size, err);
	/* memfd_create is forbidden: the mount is still better than nothing for root. */
	if (fd == -EACCES && geteuid() == 0 && !mount_suffices(plan))
		fd = read_only_mount(&other);
	return fd;
}

int nook_seal_self(const struct nook_plan *plan, struct nook_error *err)
{
	struct stat st;

	if (!self.argv || protected)
		return 0;
	if (stat(NOOK_SELF, &st) < 0)
		return nook_fail(err, errno, "stat " NOOK_SELF);
	if (!writable_inside(plan, &st))
		return 0;

	auto_close int exe = open(NOOK_SELF, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (exe < 0)
		return nook_fail(err, errno, "open " NOOK_SELF);

	int done = nook_seal_is_protected(exe);

	if (done < 0)
		return nook_fail(err, -done, "look at " NOOK_SELF);
	if (done) {
		/* A program that is executed by descriptor is named by its number. */
		(void)nook_prctl(PR_SET_NAME, (unsigned long)(uintptr_t) "nook", 0);
		protected = true;
		return 0;
	}

	bool mounted = false;
	auto_close int copy = make_copy(plan, exe, &st, &mounted, err);

	if (copy < 0)
		return copy;
	if (mounted && nook_seal_switch(&self, copy, exe) == 0) {
		own_mount = move_fd(&copy);
		protected = true;
		return 0;
	}

	long rc = NOOK_CALL(SYS_execveat, copy, "", self.argv, self.env, AT_EMPTY_PATH);

	return nook_fail(err, (int)-rc, "execveat(nook's protected copy)");
}
