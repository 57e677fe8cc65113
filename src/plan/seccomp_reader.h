/* SPDX-License-Identifier: Apache-2.0 */
/* Strict reading of JSON: types, numbers and names are what they must be, or are refused with their
 * place. */
#ifndef NOOK_PLAN_SECCOMP_READER_H
#define NOOK_PLAN_SECCOMP_READER_H

#include "base/json_tree.h"
#include "seccomp_profile.h"

/* Where in the file we are: a chain from the value to the root (NULL), written out when it is
 * refused. */
struct at {
	const struct at *up;
	const char *key; /* NULL: @index */
	size_t index;
};

#define KEY(up_, key_)     (&(const struct at){ .up = (up_), .key = (key_) })
#define INDEX(up_, index_) (&(const struct at){ .up = (up_), .index = (index_) })

struct reader {
	struct nook_arena *a;
	const char *name; /* the file's */
	const struct nook_seccomp_facts *facts;
	struct nook_seccomp_profile *profile;
	struct nook_error *err;
	bool oci; /* of a bundle: what isn't known is ignored; @name is the place of the object */
	bool notifies; /* a rule hands calls to a listener */
};

/* A name and what it stands for. */
struct word {
	const char *name;
	uint32_t value;
};

/* nook_refuse() with the place. */
#define refuse(r, at, ...) (place(r, at), nook_refuse((r)->err, EINVAL, __VA_ARGS__))
void place(struct reader *r, const struct at *at);

/* Members besides @known, which ends with NULL, are refused. */
int only(struct reader *r, const struct at *at, struct nook_json *object, const char *const *known);

/* A member of the type; *@ret is NULL when it isn't there or is null, as Go writes an empty list.
 */
int member(struct reader *r, const struct at *at, struct nook_json *object, const char *key,
	   enum nook_json_type type, struct nook_json **ret);

/* A text; *@ret lives as long as @value. */
int text_of(struct reader *r, const struct at *at, struct nook_json *value, const char **ret);

/* A member that is a text; *@ret is NULL when it isn't there. */
int member_text(struct reader *r, const struct at *at, struct nook_json *object, const char *key,
		const char **ret);

/* A member that is a number up to @max; *@ret stays as it is when it isn't there. */
int member_number(struct reader *r, const struct at *at, struct nook_json *object, const char *key,
		  uint64_t max, bool *found, uint64_t *ret);

/* A text that is one of @words; @what they are, for the error. */
int read_word(struct reader *r, const struct at *at, struct nook_json *value, const char *what,
	      const struct word *words, size_t n, uint32_t *ret);

/* A machine that nook does not run on, or x32. */
#define OTHER NOOK_MACHINE_COUNT

/* A member that is an action: SECCOMP_RET_*, without data. */
int read_action(struct reader *r, const struct at *at, struct nook_json *object, const char *key,
		uint32_t *ret);

/* The action's data, from the errno that two members give as number and as name. */
int read_data(struct reader *r, const struct at *at, struct nook_json *object,
	      const char *number_key, const char *name_key, uint32_t *action);

#define WAIT_KILLABLE_RECV (1u << 5) /* SECCOMP_FILTER_FLAG_…, Linux 5.19 */

/* The whole document, into r->profile. */
int read_profile(struct reader *r, struct nook_json *root);

/* The filter that @name makes is longer than the kernel takes. -E2BIG */
int refuse_length(const char *name, struct nook_error *err);

/* One element of "syscalls", added to the profile when it holds here. */
int read_rule(struct reader *r, const struct at *at, struct nook_json *object);

#endif
