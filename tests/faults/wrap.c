/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fault points in the C library's calls, for builds with -Dfaults=true: the linker sends every call
 * of NAME, by nook and by the libraries in it, to __wrap_NAME (ld(1), --wrap; tests/faults/wrapped
 * lists them). The Nth fails, see src/sys/fault.c.
 *
 * Not here: what can't fail by its manual (getpid, sigprocmask with good arguments), close(2),
 * which closes even when it fails, and vfork(2), which a function can't wrap; strace fails them all
 * (tests/faults/test_strace.py).
 */
#include "sys/call.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/types.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/sendfile.h>
#include <sys/xattr.h>
#include <termios.h>

/* @failed: what NAME returns on failure. */
#define WRAP(type, name, failed, params, ...)                                                      \
	type __real_##name params;                                                                 \
	type __wrap_##name params;                                                                 \
	type __wrap_##name params                                                                  \
	{                                                                                          \
		int rc = nook_fault_call(#name);                                                   \
                                                                                                   \
		if (rc < 0) {                                                                      \
			errno = -rc;                                                               \
			return failed;                                                             \
		}                                                                                  \
		return __real_##name(__VA_ARGS__);                                                 \
	}

/* The last argument of these is there or not; what is passed on beyond is not looked at. */
#define WRAP_VARIADIC(name, last_type, params, last_named, ...)                                    \
	int __real_##name params;                                                                  \
	int __wrap_##name params;                                                                  \
	int __wrap_##name params                                                                   \
	{                                                                                          \
		int rc = nook_fault_call(#name);                                                   \
		va_list ap;                                                                        \
                                                                                                   \
		va_start(ap, last_named);                                                          \
		last_type last = va_arg(ap, last_type);                                            \
		va_end(ap);                                                                        \
		if (rc < 0) {                                                                      \
			errno = -rc;                                                               \
			return -1;                                                                 \
		}                                                                                  \
		return __real_##name(__VA_ARGS__, last);                                           \
	}

/* files */
WRAP_VARIADIC(open64, unsigned, (const char *path, int flags, ...), flags, path, flags)
WRAP_VARIADIC(openat64, unsigned, (int dir, const char *path, int flags, ...), flags, dir, path,
	      flags)
WRAP_VARIADIC(fcntl64, uintptr_t, (int fd, int cmd, ...), cmd, fd, cmd)
WRAP_VARIADIC(ioctl, uintptr_t, (int fd, unsigned long request, ...), request, fd, request)
WRAP(ssize_t, read, -1, (int fd, void *buf, size_t n), fd, buf, n)
WRAP(ssize_t, pread64, -1, (int fd, void *buf, size_t n, off64_t at), fd, buf, n, at)
WRAP(ssize_t, write, -1, (int fd, const void *buf, size_t n), fd, buf, n)
WRAP(int, fstat64, -1, (int fd, struct stat64 *st), fd, st)
WRAP(int, stat64, -1, (const char *path, struct stat64 *st), path, st)
WRAP(int, lstat64, -1, (const char *path, struct stat64 *st), path, st)
WRAP(int, fstatat64, -1, (int dir, const char *path, struct stat64 *st, int flags), dir, path, st,
     flags)
WRAP(int, statx, -1, (int dir, const char *path, int flags, unsigned mask, struct statx *st), dir,
     path, flags, mask, st)
WRAP(int, fstatfs64, -1, (int fd, struct statfs64 *st), fd, st)
WRAP(int, statfs64, -1, (const char *path, struct statfs64 *st), path, st)
WRAP(int, statvfs64, -1, (const char *path, struct statvfs64 *st), path, st)
WRAP(int, access, -1, (const char *path, int mode), path, mode)
WRAP(int, faccessat, -1, (int dir, const char *path, int mode, int flags), dir, path, mode, flags)
WRAP(int, mkdir, -1, (const char *path, mode_t mode), path, mode)
WRAP(int, mkdirat, -1, (int dir, const char *path, mode_t mode), dir, path, mode)
WRAP(int, mknodat, -1, (int dir, const char *path, mode_t mode, dev_t dev), dir, path, mode, dev)
WRAP(int, symlinkat, -1, (const char *text, int dir, const char *path), text, dir, path)
WRAP(int, unlinkat, -1, (int dir, const char *path, int flags), dir, path, flags)
WRAP(int, linkat, -1, (int from, const char *a, int to, const char *b, int flags), from, a, to, b,
     flags)
WRAP(int, unlink, -1, (const char *path), path)
WRAP(int, renameat, -1, (int from, const char *a, int to, const char *b), from, a, to, b)
WRAP(int, renameat2, -1, (int from, const char *a, int to, const char *b, unsigned flags), from, a,
     to, b, flags)
WRAP(ssize_t, readlink, -1, (const char *path, char *buf, size_t n), path, buf, n)
WRAP(ssize_t, readlinkat, -1, (int dir, const char *path, char *buf, size_t n), dir, path, buf, n)
WRAP(int, fchown, -1, (int fd, uid_t uid, gid_t gid), fd, uid, gid)
WRAP(int, fchownat, -1, (int dir, const char *path, uid_t uid, gid_t gid, int flags), dir, path,
     uid, gid, flags)
WRAP(int, fchmod, -1, (int fd, mode_t mode), fd, mode)
WRAP(int, flock, -1, (int fd, int how), fd, how)
WRAP(int, ftruncate64, -1, (int fd, off64_t n), fd, n)
WRAP(ssize_t, sendfile64, -1, (int to, int from, off64_t *at, size_t n), to, from, at, n)
WRAP(int, fchmodat, -1, (int dir, const char *path, mode_t mode, int flags), dir, path, mode, flags)
WRAP(ssize_t, getxattr, -1, (const char *path, const char *name, void *v, size_t n), path, name, v,
     n)
WRAP(ssize_t, fgetxattr, -1, (int fd, const char *name, void *v, size_t n), fd, name, v, n)
WRAP(ssize_t, flistxattr, -1, (int fd, char *list, size_t n), fd, list, n)
WRAP(int, fsetxattr, -1, (int fd, const char *name, const void *v, size_t n, int flags), fd, name,
     v, n, flags)
WRAP(int, mount, -1,
     (const char *source, const char *target, const char *type, unsigned long flags,
      const void *data),
     source, target, type, flags, data)
WRAP(int, umount2, -1, (const char *target, int flags), target, flags)
WRAP(int, chroot, -1, (const char *path), path)
WRAP(DIR *, opendir, NULL, (const char *path), path)
WRAP(DIR *, fdopendir, NULL, (int fd), fd)
WRAP(struct dirent64 *, readdir64, NULL, (DIR * dir), dir)
WRAP(int, chdir, -1, (const char *path), path)
WRAP(int, fchdir, -1, (int fd), fd)
WRAP(char *, getcwd, NULL, (char *buf, size_t n), buf, n)
WRAP(int, dup2, -1, (int from, int to), from, to)
WRAP(int, pipe2, -1, (int *fds, int flags), fds, flags)
WRAP(int, memfd_create, -1, (const char *name, unsigned flags), name, flags)

/* sockets and waiting */
WRAP(int, socket, -1, (int domain, int type, int protocol), domain, type, protocol)
WRAP(int, socketpair, -1, (int domain, int type, int protocol, int *fds), domain, type, protocol,
     fds)
WRAP(int, bind, -1, (int fd, const struct sockaddr *at, socklen_t n), fd, at, n)
WRAP(int, listen, -1, (int fd, int n), fd, n)
WRAP(int, connect, -1, (int fd, const struct sockaddr *to, socklen_t n), fd, to, n)
WRAP(int, accept4, -1, (int fd, struct sockaddr *from, socklen_t *n, int flags), fd, from, n, flags)
WRAP(int, setsockopt, -1, (int fd, int level, int name, const void *v, socklen_t n), fd, level,
     name, v, n)
WRAP(ssize_t, send, -1, (int fd, const void *buf, size_t n, int flags), fd, buf, n, flags)
WRAP(ssize_t, recv, -1, (int fd, void *buf, size_t n, int flags), fd, buf, n, flags)
WRAP(ssize_t, sendmsg, -1, (int fd, const struct msghdr *msg, int flags), fd, msg, flags)
WRAP(ssize_t, recvmsg, -1, (int fd, struct msghdr *msg, int flags), fd, msg, flags)
WRAP(int, poll, -1, (struct pollfd * fds, nfds_t n, int timeout), fds, n, timeout)
WRAP(int, signalfd, -1, (int fd, const sigset_t *set, int flags), fd, set, flags)
WRAP(pid_t, waitpid, -1, (pid_t pid, int *status, int options), pid, status, options)
WRAP(int, sigtimedwait, -1, (const sigset_t *set, siginfo_t *info, const struct timespec *timeout),
     set, info, timeout)
WRAP(int, tcgetattr, -1, (int fd, struct termios *t), fd, t)
WRAP(int, tcsetattr, -1, (int fd, int how, const struct termios *t), fd, how, t)

/* processes */
WRAP(pid_t, fork, -1, (void), )
WRAP(int, execve, -1, (const char *path, char *const *argv, char *const *env), path, argv, env)
WRAP(int, kill, -1, (pid_t pid, int sig), pid, sig)
WRAP(pid_t, setsid, -1, (void), )
WRAP(int, setrlimit64, -1, (int resource, const struct rlimit64 *limit), resource, limit)
WRAP(int, sethostname, -1, (const char *name, size_t n), name, n)
WRAP(int, setdomainname, -1, (const char *name, size_t n), name, n)
WRAP(int, personality, -1, (unsigned long persona), persona)
WRAP(int, unshare, -1, (int flags), flags)
WRAP(int, getresuid, -1, (uid_t * r, uid_t *e, uid_t *s), r, e, s)
WRAP(int, getresgid, -1, (gid_t * r, gid_t *e, gid_t *s), r, e, s)
WRAP(int, getgroups, -1, (int n, gid_t *groups), n, groups)

/* memory */
WRAP(void *, mmap64, MAP_FAILED, (void *at, size_t n, int prot, int flags, int fd, off64_t offset),
     at, n, prot, flags, fd, offset)
