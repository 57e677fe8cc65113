/* SPDX-License-Identifier: Apache-2.0 */
/* Which process people mean: a pid, "self", a container's name, a name that is kept. */
#ifndef NOOK_NS_WORDS_H
#define NOOK_NS_WORDS_H

#include "nook/error.h"

/**
 * nook_ns_words_pid() - the process that a word means
 * @word: "123", "self", or the name of a container that runs, or of namespaces that are kept: its
 * first process
 *
 * A number need not be a process that lives. Return: the pid; -EINVAL; -ENOENT; -ESRCH the
 * container does not run.
 */
int nook_ns_words_pid(const char *state_dir, const char *word, struct nook_error *err);

/**
 * nook_ns_words_inner() - the same, where "WORD:PID" means a pid inside of WORD's pid namespace
 *
 * Return: the caller's number of the process; -ESRCH: nobody has it.
 */
int nook_ns_words_inner(const char *state_dir, const char *word, struct nook_error *err);

/* A pid namespace: a path with a slash, or that of a process as nook_ns_words_inner() takes it.
 * Return: a descriptor. */
int nook_ns_words_pidns(const char *state_dir, const char *word, struct nook_error *err);

#endif
