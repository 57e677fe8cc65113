/* SPDX-License-Identifier: Apache-2.0 */
/* The holder, nook-hold: a small process that does nothing but keep namespaces alive. */
#ifndef NOOK_KEEP_HOLD_H
#define NOOK_KEEP_HOLD_H

#include "base/arena.h"
#include "base/own.h"
#include "nook/error.h"

#include <stddef.h>
#include <stdint.h>

struct nook_hold_spec {
	uint64_t clone_flags; /* namespaces that it is to be in, made by its clone */
	const char *hostname; /* NULL: left alone */
	const int *fds; /* that it keeps open, as descriptors NOOK_HOLD_FD, NOOK_HOLD_FD + 1, … */
	size_t n_fds;
	struct nook_arena *arena; /* the caller's, of which the holder keeps no copy */
};
#define NOOK_HOLD_FD 4

struct nook_hold {
	int pid, pidfd;
	int channel;
};
#define NOOK_HOLD_NONE ((struct nook_hold){ .pidfd = NO_FD, .channel = NO_FD })

/**
 * nook_hold_start() - make the holder
 *
 * It is in its namespaces and waits: it ends when the caller does before nook_hold_go(). Its own
 * session, / as its directory, /dev/null as stdin, stdout and stderr. As pid 1 of a new pid
 * namespace it reaps. A new mount namespace is made private.
 */
int nook_hold_start(const struct nook_hold_spec *spec, struct nook_hold *ret,
		    struct nook_error *err);

/* Waits until it has set everything up; after id maps are written, when it has a user namespace. */
int nook_hold_ready(struct nook_hold *h, struct nook_error *err);

/* From here on it lives on its own, with no capability, until SIGKILL, or SIGTERM from outside.
 * Closes
 * @h. */
int nook_hold_go(struct nook_hold *h, struct nook_error *err);

/* Kills and reaps one that has not been let go. Safe on NOOK_HOLD_NONE, and when repeated. */
void nook_hold_end(struct nook_hold *h);

#endif
