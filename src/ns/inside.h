/* SPDX-License-Identifier: Apache-2.0 */
/* What can only be seen from inside of a namespace is looked at by a child process of ours that
 * enters it. */
#ifndef NOOK_NS_INSIDE_H
#define NOOK_NS_INSIDE_H

#include "base/arena.h"
#include "nook/error.h"
#include "nook/kinds.h"

#include <stdint.h>
#include <sys/types.h>

/* A descriptor of a namespace, to be entered by setns(2); entered in the order given. */
struct nook_inside_join {
	enum nook_ns_kind kind;
	int fd;
};

/* A child that has entered, and waits. */
struct nook_inside {
	pid_t pid;
	int channel; /* it ends when this is closed */
};

/* Return: 0; what setns(2) answered; others. nook_inside_end() in any case but failure. */
int nook_inside_begin(const struct nook_inside_join *joins, size_t n, struct nook_inside *ret,
		      struct nook_error *err);
void nook_inside_end(struct nook_inside *inside);

/**
 * nook_inside_call() - run a function in namespaces, and take what it says
 * @fn:  runs in a copy of this process: no malloc, no stdio. Writes its answer to @out and returns
 * 0, or a negative errno
 * @max: bytes of the answer; a longer one is refused
 *
 * Return: 0; what @fn or setns(2) gave; others.
 */
int nook_inside_call(const struct nook_inside_join *joins, size_t n, int (*fn)(int out, void *arg),
		     void *arg, size_t max, struct nook_arena *a, char **ret, size_t *ret_len,
		     struct nook_error *err);

#endif
