/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers of processes and ids of users from one namespace to another: texts of procfs, and the
 * kernel's own answers. */
#ifndef NOOK_NS_TRANSLATE_H
#define NOOK_NS_TRANSLATE_H

#include "base/arena.h"
#include "nook/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The kernel nests 32 pid namespaces below the first, and 33 user namespaces. */
#define NOOK_TRANSLATE_LEVELS 34

/* What /proc/PID/status says of a process: proc_pid_status(5). */
struct nook_translate_status {
	char name[64];
	uint32_t uid[4], gid[4]; /* real, effective, saved, file system */
	size_t n;                /* pid namespaces that it is in, from procfs' own down */
	/* The process group's and the session's are 0 where their leader is no process of the
	 * namespace. */
	int pid[NOOK_TRANSLATE_LEVELS], tgid[NOOK_TRANSLATE_LEVELS];
	int pgid[NOOK_TRANSLATE_LEVELS], sid[NOOK_TRANSLATE_LEVELS];
};

/* Return: 0; -EBADMSG: the kernel does not write that, @err says which line. */
int nook_translate_parse(const char *text, struct nook_translate_status *ret,
			 struct nook_error *err);

/* The id inside that a uid_map or gid_map gives to @outside. Return: 0; -ENOENT: none; -EBADMSG: no
 * such map. */
int nook_translate_id(const char *map, uint32_t outside, uint32_t *ret);
/* Is @inside in the map? A text that is no map has nothing. */
bool nook_translate_has(const char *map, uint32_t inside);

/* ---- of this machine ---- */

/* Directory /proc/PID, O_PATH: it stays this process' and never becomes another's. -ESRCH: no such
 * process, with a sentence. */
int nook_translate_open(int pid, struct nook_error *err);

/* The list of groups may have 65,536. */
#define NOOK_TRANSLATE_STATUS_MAX ((size_t)1 << 20)

/* A small file of procfs below @dir, at most @max bytes. -ESRCH: it has ended. */
int nook_translate_read(struct nook_arena *a, int dir, const char *file, size_t max, char **ret);

/* A namespace of the process, "pid" or "user"; @ret_ino: its inode. */
int nook_translate_ns(int dir, const char *kind, uint64_t *ret_ino);

/* The inode of the caller's own; 0: it can't be read. */
uint64_t nook_translate_own(const char *kind);

/* -EXDEV, with a sentence: /proc is of another pid namespace than ours, so that its numbers are not
 * ours. */
int nook_translate_check(struct nook_error *err);

enum nook_translate_by {
	NOOK_TRANSLATE_ANY,    /* the kernel's answer, else by searching */
	NOOK_TRANSLATE_IOCTL,  /* Linux 6.11 */
	NOOK_TRANSLATE_SEARCH, /* in the status of all processes */
};

/**
 * nook_translate_out() - our number of a process that is @pid in pid namespace @ns
 *
 * Return: it; -ESRCH: nobody has that number there, or nobody that can be seen; -ENOTTY with
 * NOOK_TRANSLATE_IOCTL on an older kernel; others.
 */
int nook_translate_out(int ns, int pid, enum nook_translate_by by);

/**
 * nook_translate_in() - the number in pid namespace @ns of a process that is @pid here
 *
 * Return: it; -ESRCH: it is not in there, or has ended; -EACCES: a search can't tell.
 */
int nook_translate_in(int ns, int pid, enum nook_translate_by by);

#endif
