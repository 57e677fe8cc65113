/* SPDX-License-Identifier: Apache-2.0 */
/* What this machine allows this user, found by trying: `nook check`. */
#ifndef NOOK_HOST_PROBES_H
#define NOOK_HOST_PROBES_H

#include "base/arena.h"
#include "nook/error.h"

#include <stdbool.h>
#include <stddef.h>

enum nook_verdict {
	NOOK_VERDICT_YES,
	NOOK_VERDICT_PARTLY, /* works, with less */
	NOOK_VERDICT_NO,
	NOOK_VERDICT_FACT, /* neither good nor bad: the detail says it */
};

/* One line of `nook check`. Texts are static or in the arena; "" for none. */
struct nook_probe {
	const char *group; /* "namespaces": lines of a group follow each other */
	const char *id;    /* stable, for scripts: "namespace.net" */
	const char *title; /* for people: "net" */
	enum nook_verdict verdict;
	bool needed;        /* `nook run` without options needs it */
	const char *detail; /* what was found; for a no, the call that failed */
	const char *why;    /* the cause, a sentence */
	const char *cause;  /* its id in the table of causes */
	const char *fix;    /* what to do */
};

struct nook_probes {
	struct nook_arena *arena;
	struct nook_probe *rows;
	size_t n;
};

/**
 * nook_probe_machine() - try everything
 *
 * Each thing is really done, in a process of its own that takes it along when it ends: nothing is
 * left behind, and what hangs is given up after two seconds. Takes about 10 ms. Never fails: what
 * can't be found out is a line that says so.
 */
void nook_probe_machine(struct nook_arena *a, struct nook_probes *ret);

/* Adds a line for how an attempt went; a failure is explained from @err. */
struct nook_probe *nook_probe_outcome(struct nook_probes *p, const char *group, const char *id,
				      const char *title, int rc, struct nook_error *err,
				      bool new_userns);

/* Would `nook run` work for this user with its defaults, as far as the probes tell? */
bool nook_probes_suffice(const struct nook_probes *probes);

#endif
