/* SPDX-License-Identifier: Apache-2.0 */
/* A profile from a file, read but not yet a program. */
#ifndef NOOK_PLAN_SECCOMP_PROFILE_H
#define NOOK_PLAN_SECCOMP_PROFILE_H

#include "base/arena.h"
#include "nook/error.h"
#include "seccomp.h"
#include "seccomp_emit.h"
#include "seccomp_table.h"

/* One element of "syscalls" that applies here. */
struct nook_seccomp_rule {
	const struct nook_seccomp_call **calls;
	size_t n_calls;
	uint32_t action; /* SECCOMP_RET_* with its data */
	const struct nook_seccomp_cond *conds;
	size_t n_conds;
	bool any; /* one of @conds suffices: engines read two conditions on one argument so */
};

struct nook_seccomp_profile {
	uint32_t action;                   /* for calls that no rule names */
	bool machines[NOOK_MACHINE_COUNT]; /* the native one is always set */
	unsigned flags;                    /* SECCOMP_FILTER_FLAG_* */
	bool newer_unknown;                /* numbers above all that have a rule answer ENOSYS */
	struct nook_seccomp_rule *rules;
	size_t n_rules;
};

/* What the conditions of a profile are held against. */
struct nook_seccomp_facts {
	uint64_t caps;         /* bounding set */
	unsigned major, minor; /* kernel */
};

/**
 * nook_seccomp_parse() - read a profile's text
 * @text, @len: JSON
 * @name:       the file, for errors
 *
 * Return: 0; -EINVAL with err->where "PLACE in NAME".
 */
int nook_seccomp_parse(struct nook_arena *a, const char *text, size_t len, const char *name,
		       const struct nook_seccomp_facts *facts, struct nook_seccomp_profile *ret,
		       struct nook_error *err);

/**
 * nook_seccomp_compile() - make a program of a profile
 *
 * For each call: the first rule without conditions decides alone; else the first rule whose
 * conditions hold; else the profile's action. Rules without conditions that say what the profile's
 * action says anyway are left out. All this is as the engines have it through libseccomp, but for
 * rules that contradict each other, where libseccomp keeps no order.
 *
 * Return: 0; -E2BIG when the program gets longer than the kernel takes.
 */
int nook_seccomp_compile(struct nook_arena *a, const struct nook_seccomp_profile *profile,
			 struct nook_filter *ret);

/* Call of this name; NULL when no machine has one. */
const struct nook_seccomp_call *nook_seccomp_find(const char *name);

/* The same, quicker when the profile's names are sorted: @last is what was found before this, or
 * NULL. */
const struct nook_seccomp_call *nook_seccomp_find_after(const struct nook_seccomp_call *last,
							const char *name);

/* The known name that is the least edits away from @name, NULL when none is near. */
const char *nook_seccomp_resembles(const char *name);

#endif
