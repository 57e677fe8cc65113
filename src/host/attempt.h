/* SPDX-License-Identifier: Apache-2.0 */
/* Trying things for real, in a process that takes everything it made with it when it ends. */
#ifndef NOOK_HOST_ATTEMPT_H
#define NOOK_HOST_ATTEMPT_H

#include "nook/error.h"

#include <stdbool.h>

/**
 * nook_attempt() - run @fn in a forked child, and learn how it went
 * @fn:   returns 0 or a negative errno with @err filled; may make namespaces and mounts of its own,
 * and children, which must not outlive it
 * @data: for @fn; what it changes there is lost
 *
 * The child dies with us, and after two seconds at the latest, so that a hanging file system can't
 * make us hang. SIGCHLD must not be ignored. Return: what @fn returned; -ETIMEDOUT; -ECHILD when a
 * signal ended it; others.
 */
int nook_attempt(int (*fn)(void *data, struct nook_error *err), void *data, struct nook_error *err);

/* The same with another patience, in milliseconds. */
int nook_attempt_for(int patience_ms, int (*fn)(void *data, struct nook_error *err), void *data,
		     struct nook_error *err);

/* For attempts: a new user namespace in which our own ids are root's, and the namespaces of
 * @flags (CLONE_NEW*). */
int nook_enter_userns(unsigned long flags, struct nook_error *err);

/* For attempts, in a mount namespace of their own: a new tmpfs over a directory of the host, the
 * working directory in it. Nobody else sees it. */
int nook_enter_tmpfs(struct nook_error *err);

/* Runs @fn in a child of the attempt: for what counts only from the next process on. */
int nook_attempt_in_child(int (*fn)(struct nook_error *err), struct nook_error *err);

/* For attempts that start a program, which must neither read our input nor write into our output.
 */
int nook_attempt_mute(struct nook_error *err);

#endif
