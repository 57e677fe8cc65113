/* SPDX-License-Identifier: Apache-2.0 */
/* Environments as lists of "NAME=VALUE", environ(7). */
#ifndef NOOK_BASE_ENV_H
#define NOOK_BASE_ENV_H

#include "arena.h"

#include <stddef.h>

/* A list that grows in an arena; = {0} is empty. */
struct nook_env {
	const char **list;
	size_t n;
};

/* The whole "NAME=VALUE" of @name in a NULL-terminated list; NULL: it isn't there, or there is no
 * list. */
const char *nook_env_find(const char *const *list, const char *name);

/* Sets "NAME=VALUE", which is borrowed, in the place of an earlier one of that name. */
void nook_env_set(struct nook_arena *a, struct nook_env *env, const char *assignment);

/* The same for what a user has said: "NAME=VALUE", or "NAME" for what @caller has of that name;
 * what it has not is not set. */
void nook_env_set_word(struct nook_arena *a, struct nook_env *env, const char *word,
		       const char *const *caller);

#endif
