/* SPDX-License-Identifier: Apache-2.0 */
#include "env.h"

#include <string.h>

const char *nook_env_find(const char *const *list, const char *name)
{
	size_t len = strlen(name);

	for (const char *const *e = list; e && *e; e++) {
		if (strncmp(*e, name, len) == 0 && (*e)[len] == '=')
			return *e;
	}
	return NULL;
}

void nook_env_set(struct nook_arena *a, struct nook_env *env, const char *assignment)
{
	size_t len = strcspn(assignment, "=");

	for (size_t i = 0; i < env->n; i++) {
		if (strncmp(env->list[i], assignment, len) == 0 && env->list[i][len] == '=') {
			env->list[i] = assignment;
			return;
		}
	}
	*nook_append(a, env->list, env->n) = assignment;
}

void nook_env_set_word(struct nook_arena *a, struct nook_env *env, const char *word,
		       const char *const *caller)
{
	const char *assignment = strchr(word, '=') ? word : nook_env_find(caller, word);

	if (assignment)
		nook_env_set(a, env, assignment);
}
