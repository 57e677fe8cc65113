/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NOOK_SPEC_WORDS_H
#define NOOK_SPEC_WORDS_H

#include "base/arena.h"
#include "base/option.h"
#include "nook/container.h"
#include "nook/error.h"
#include "nook/spec.h"

#include <stdbool.h>

/* The words of `nook run`. */
struct nook_run_words {
	struct nook_spec spec;
	bool help; /* --help: then nothing else was checked */
	bool plan;
	enum nook_plan_format plan_format;
	bool trace;
};

/* The words of `nook exec`. */
struct nook_exec_words {
	struct nook_exec_spec spec;
	bool help;
	bool trace;
};

extern const struct nook_option_table nook_run_table, nook_exec_table;

/**
 * nook_words_run() - read the words of `nook run`
 * @a:    arena for what @ret holds; texts of @argv are borrowed
 * @argv: words after "run", NULL-terminated
 * @ret:  what was asked; what nobody said is unset, for the plan to decide
 * @err:  the words (where) and what is wrong with them
 *
 * Looks at the words only: not at the machine, nor at any file. Return: 0; -EINVAL, -ERANGE and
 * others for words that can't be meant.
 */
int nook_words_run(struct nook_arena *a, char **argv, struct nook_run_words *ret,
		   struct nook_error *err);

/* The same for `nook exec [OPTION...] NAME COMMAND [ARGUMENT...]`. */
int nook_words_exec(struct nook_arena *a, char **argv, struct nook_exec_words *ret,
		    struct nook_error *err);

/* "NAME[:OPTION,...]" or "macvlan:LINK[:OPTION,...]": a link as --net takes it; ret->from is the
 * caller's to set. */
int nook_link_read(struct nook_arena *a, const char *text, struct nook_link_spec *ret,
		   struct nook_error *err);
/* "[IP:]HOSTPORT[-LAST]:PORT[-LAST][/udp]": what --publish takes; ret->from is the caller's to set.
 */
int nook_publish_read(struct nook_arena *a, const char *text, struct nook_port_spec *ret,
		      struct nook_error *err);

#endif
