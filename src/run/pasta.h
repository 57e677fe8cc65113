/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pasta(1) and its keeper. pasta goes on in the background, and tells nobody when the container
 *that it serves has ended: it holds that one's network namespace itself. So it runs in a pid
 *namespace of its own, whose pid 1, the keeper, the kernel kills together with nook; and the pid
 *namespace's end is pasta's.
 *
 *	nook
 *	├── pid 1 of the container
 *	└── nook-pasta     the keeper: in the container's user namespace, root there, pid 1 of a pid
 *	    │              namespace that nobody else is in
 *	    └── pasta      in our network namespace, its tap device in the container's
 */
#ifndef NOOK_RUN_PASTA_H
#define NOOK_RUN_PASTA_H

#include "base/arena.h"
#include "nook/error.h"

#include <sys/types.h>

struct nook_pasta {
	const char *const *argv;  /* ends with --netns; the path is added */
	int userns, netns;        /* the container's */
	int tell;                 /* a pipe: NOOK_PASTA_READY or nothing */
	int words;                /* a pipe: what pasta says until then */
	struct nook_arena *arena; /* the caller's, of which the keeper keeps no copy */

	/* in the keeper's making, in shared memory */
	pid_t keeper;
	int error;        /* errno of the call that failed */
	const char *call; /* its name */
};

#define NOOK_PASTA_READY 'r'

/* In a child made by nook_vfork(), with the struct as argument: enters the user namespace, and
 * makes the keeper, as a child of the caller's. Return: the exit status, 0 when ->keeper is there.
 */
int nook_pasta_make_keeper(void *pasta);

/* ---- its parts, for a pasta that serves more than one container ---- */

/* In a child: of our descriptors, those of @p stay; root in ->userns. Return: 0; 1, with ->error
 * and
 * ->call. ->netns may be any descriptor that is to stay. */
int nook_pasta_enter(struct nook_pasta *p);
/* Becomes pasta, for the network namespace at the path. */
_Noreturn void nook_pasta_exec(const struct nook_pasta *p, const char *netns);

/* From its words, read of the pipe: an error. Return: a negative errno. */
int nook_pasta_failed(int words, struct nook_error *err);

#endif
