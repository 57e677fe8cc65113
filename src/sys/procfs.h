/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What nook writes to procfs and opens there must be the kernel's own: a root that was checked, and
 * from it only paths that cross no mount and follow no link. proc(5)
 */
#ifndef NOOK_SYS_PROCFS_H
#define NOOK_SYS_PROCFS_H

#include "nook/error.h"

#include <stdbool.h>
#include <sys/types.h>

/**
 * nook_procfs_open() - a procfs of our own pid namespace
 * @privileged: mount a private one (subset=pid), which nobody can cover; else the host's /proc,
 * checked to be the root of a procfs
 *
 * Return: a descriptor of its root, or a negative errno.
 */
int nook_procfs_open(bool privileged, struct nook_error *err);

/* Our own directory below @proc, O_PATH. */
int nook_procfs_self(int proc, struct nook_error *err);

/* The directory of process @pid below @proc, O_PATH. */
int nook_procfs_task(int proc, int pid, struct nook_error *err);

/* Writes all of @text in one write(2): to PID/@file below @proc, or to @file below @dir. */
int nook_procfs_write(int proc, int pid, const char *file, const char *text,
		      struct nook_error *err);
int nook_procfs_write_at(int dir, const char *file, const char *text, struct nook_error *err);

/* PID/ns/@name below @proc, or ns/@name below @dir: a descriptor of the namespace. */
int nook_procfs_open_ns(int proc, int pid, const char *name, struct nook_error *err);
int nook_procfs_open_ns_at(int dir, const char *name, struct nook_error *err);

/* PID/root below @proc: an O_PATH descriptor of the process' root directory. */
int nook_procfs_open_root(int proc, int pid, struct nook_error *err);

/* Sets the mode of what our own descriptor @fd names, which may be an O_PATH one of no symlink. */
int nook_procfs_chmod(int proc, int fd, mode_t mode, struct nook_error *err);

#endif
