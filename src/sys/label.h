/* SPDX-License-Identifier: Apache-2.0 */
/* What a security module makes of a process from its next execve(2) on: attr/ in its directory of
 * procfs, proc_pid_attr(5). */
#ifndef NOOK_SYS_LABEL_H
#define NOOK_SYS_LABEL_H

#include "nook/error.h"

enum nook_label { NOOK_LABEL_APPARMOR, NOOK_LABEL_SELINUX };

/**
 * nook_label_open() - the file that takes the label
 * @task: the process' directory in a checked procfs, O_PATH
 *
 * Whoever opens it, only the process itself can write to it. Return: a descriptor (CLOEXEC) or a
 * negative errno.
 */
int nook_label_open(int task, enum nook_label kind, struct nook_error *err);

/**
 * nook_label_write() - have the next execve(2) take on @label
 * @fd: from nook_label_open()
 *
 * Read back: a label that did not stick is a failure. Return: 0 or a negative errno.
 */
int nook_label_write(int fd, enum nook_label kind, const char *label, struct nook_error *err);

#endif
