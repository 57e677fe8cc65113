/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why things fail: the known causes as a table, and the probes that tell which one it was.
 * docs/errors.md is this table as text (`nook check --explain-all --markdown`).
 */
#ifndef NOOK_HOST_CAUSES_H
#define NOOK_HOST_CAUSES_H

#include "nook/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All texts are static. Commands stand between backquotes. */
struct nook_known_cause {
	const char *id; /* stable for ever: [a-z0-9-], at most 39 bytes; scripts compare it */
	const char *title;
	const char *meaning; /* one sentence: what is so, and what that forbids */
	const char *see;     /* how to see it; lines */
	const char *fix;     /* what helps; lines, the best first */
	const char *since;   /* the kernel from which on it matters; "" always */
};

/* NULL when no cause has this id. */
const struct nook_known_cause *nook_known_cause(const char *id);

/* The table in the order of docs/errors.md: @index from 0, NULL past the end. */
const struct nook_known_cause *nook_known_cause_at(size_t index);

/**
 * struct nook_explain_context - what the caller knows of the failed step
 * @engine:     the words were an engine's: no remedy is in nook's own options
 * @new_userns: a new user namespace was asked for, so privilege outside was not expected
 * @path:       the host's path that the step worked on; NULL: the one in err->why
 * @roots:      where the container's files stand on the host, the topmost layer first; none: "/"
 * @changes:    where the writable layer is kept on the host; NULL: on a tmpfs of the container's
 * @command:    the program to run, as asked; NULL: the path in err->why
 * @proc, @sys: where to look; NULL: "/proc" and "/sys". Unit tests give directories of their own.
 *
 * All borrowed. A zeroed one is good.
 */
struct nook_explain_context {
	bool engine;
	bool new_userns;
	const char *path;
	const char *const *roots;
	size_t n_roots;
	const char *command;
	const char *changes;
	const char *proc, *sys;
};

/**
 * nook_explain() - find the likely cause of an error by looking at the machine
 * @err: as the failed step left it: @why begins with the name of the call
 * @ctx: may be NULL
 *
 * Fills @id, @cause and @hint where they are empty; @hint is never empty afterwards, unless
 * @errnum is 0. A cause is named only when a probe saw it: a sysctl's value, a full cgroup, a
 * missing capability. Looks without changing: reads files, and for the limits on namespaces lets a
 * forked child try. Takes 0.1 to 5 ms.
 */
void nook_explain(struct nook_error *err, const struct nook_explain_context *ctx);

#endif
