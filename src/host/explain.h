/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of nook_explain(): the rules that lead from a failed call to a cause. */
#ifndef NOOK_HOST_EXPLAIN_H
#define NOOK_HOST_EXPLAIN_H

#include "causes.h"
#include "evidence.h"

/* One error, taken apart. */
struct nook_question {
	struct nook_error *err;
	const struct nook_explain_context *ctx;
	struct nook_evidence evidence;
	char call[32];       /* "clone3"; "" when err->why begins with no call */
	char args[512];      /* between the call and what errno means */
	char path[PATH_MAX]; /* ctx->path, else the first absolute path in args; "" */
	bool inside;         /* it is a path in the container, which is gone by now */
	const char *const *roots;
	size_t n_roots;
};

/*
 * Rules are tried in order, and the first whose look() sees its evidence has answered. @calls are
 * names with blanks around each (" clone3 unshare "); NULL: any call. @errnum 0: any.
 */
struct nook_rule {
	int errnum;
	const char *calls;
	bool (*look)(struct nook_question *q);
};

struct nook_rules {
	const struct nook_rule *rows;
	size_t n;
};

extern const struct nook_rules nook_rules_namespaces;
extern const struct nook_rules nook_rules_cgroup;
extern const struct nook_rules nook_rules_mounts;
extern const struct nook_rules nook_rules_program;
extern const struct nook_rules nook_rules_of_network;
extern const struct nook_rules nook_rules_limits; /* last: capabilities, memory, files, age */

/* Sets cause and hint; true, so that a look() can end with it. @hint "": the first fix of the
 * table. */
bool nook_answer(struct nook_question *q, const char *id, const char *hint, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* Lets a forked child make namespaces (CLONE_NEW* bits of @first, then of @second), and end.
 * Return: 0 or the errno that the kernel gave it. */
int nook_try_namespaces(unsigned long first, unsigned long second);

#endif
