/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NOOK_RUN_PROCFS_H
#define NOOK_RUN_PROCFS_H

#include "nook/error.h"

#include <stdbool.h>

/**
 * nook_procfs_open() - a procfs of our own pid namespace, for what must not be written to an
 * impostor
 * @privileged: mount a private one (subset=pid), which nobody can cover; else the host's /proc,
 * checked to be the root of a procfs
 *
 * Return: a descriptor of its root, or a negative errno.
 */
int nook_procfs_open(bool privileged, struct nook_error *err);

/* Writes @text to PID/@file below @proc in one write(2). */
int nook_procfs_write(int proc, int pid, const char *file, const char *text,
		      struct nook_error *err);

/* Opens PID/ns/@name below @proc: a descriptor of the namespace. */
int nook_procfs_open_ns(int proc, int pid, const char *name, struct nook_error *err);

#endif
