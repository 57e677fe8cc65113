/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How config.json is read: a table a JSON object, a row a member. A row says the member's type and
 * bounds and where it goes in the C struct; nook_bundle_members() does the rest. Members without a
 * row are ignored, null ones are missing.
 */
#ifndef NOOK_SPEC_BUNDLE_READER_H
#define NOOK_SPEC_BUNDLE_READER_H

#include "bundle.h"

#include "base/json.h"

#define NOOK_BUNDLE_ID_LAST                                                                        \
	4294967294u                 /* 4294967295 is -1, "no change" to chown(2) and setresuid(2) */
#define NOOK_BUNDLE_PATH 4095u      /* PATH_MAX without its NUL */
#define NOOK_BUNDLE_ARG  131071u    /* MAX_ARG_STRLEN: execve(2) takes no longer string */
#define NOOK_BUNDLE_TEXT (1u << 20) /* any other text */
#define NOOK_BUNDLE_LIST 65536u     /* elements of one array or map */

/* Elements of all arrays and maps together, so that what is made of a hostile file stays within the
 * arena. */
#define NOOK_BUNDLE_ELEMENTS 262144u

struct nook_bundle_reader {
	struct nook_arena *arena;
	struct nook_error *err;
	size_t elements; /* so far */
};

/* Reads @v into the member that a row names. Return: 0; -EINVAL with err->where. */
typedef int nook_bundle_read_fn(struct nook_bundle_reader *r, const struct nook_json_value *v,
				void *into);

/* Is @text, the value @v, what its row wants? Return: 0; -EINVAL with err->where. */
typedef int nook_bundle_check_fn(struct nook_bundle_reader *r, const struct nook_json_value *v,
				 const char *text);

enum nook_bundle_kind {
	NOOK_BUNDLE_TEXT_MEMBER, /* const char *; "" is as if not said */
	NOOK_BUNDLE_BOOL,        /* bool */
	NOOK_BUNDLE_TRISTATE,    /* enum nook_tristate */
	NOOK_BUNDLE_U32,         /* uint32_t */
	NOOK_BUNDLE_U64,         /* uint64_t */
	NOOK_BUNDLE_OPT_U64,     /* struct nook_opt_u64 */
	NOOK_BUNDLE_OPT_I64,     /* struct nook_opt_i64 */
	NOOK_BUNDLE_TEXTS,       /* const char *const *, NULL-terminated */
	NOOK_BUNDLE_ITEMS,       /* struct X *: an array, or an object by its keys */
	NOOK_BUNDLE_PART,        /* whatever .read makes of it */
};

enum {
	NOOK_BUNDLE_REQUIRED = 1,
	NOOK_BUNDLE_ZERO_UNSET = 2, /* engines write 0 where they mean nothing */
};

struct nook_bundle_member {
	const char *key;
	unsigned char kind;  /* enum nook_bundle_kind */
	unsigned char flags; /* NOOK_BUNDLE_* */
	unsigned char type;  /* ITEMS: array or object; PART: enum nook_json_type */
	unsigned char item;  /* ITEMS: enum nook_json_type of an element */
	unsigned short at;   /* offset of the member */
	unsigned short n_at; /* TEXTS, ITEMS: offset of the size_t beside it; 0: nobody counts */
	unsigned short size; /* ITEMS: of an element */
	int64_t min;         /* numbers, inclusive */
	uint64_t max;        /* numbers; bytes of a text */
	nook_bundle_check_fn *check; /* texts; NULL: any */
	nook_bundle_read_fn *read;
};

/* Rows are written by these, with STRUCT defined as the struct that they fill. */
#define ROW_TEXT(k, m, bytes, f)                                                                   \
	{                                                                                          \
		.key = (k), .kind = NOOK_BUNDLE_TEXT_MEMBER, .at = offsetof(STRUCT, m),            \
		.max = (bytes), .check = (f)                                                       \
	}
#define ROW_NEED_TEXT(k, m, bytes, f)                                                              \
	{                                                                                          \
		.key = (k), .kind = NOOK_BUNDLE_TEXT_MEMBER, .flags = NOOK_BUNDLE_REQUIRED,        \
		.at = offsetof(STRUCT, m), .max = (bytes), .check = (f)                            \
	}
#define ROW_BOOL(k, m)                                                                             \
	{                                                                                          \
		.key = (k), .kind = NOOK_BUNDLE_BOOL, .at = offsetof(STRUCT, m)                    \
	}
#define ROW_TRISTATE(k, m)                                                                         \
	{                                                                                          \
		.key = (k), .kind = NOOK_BUNDLE_TRISTATE, .at = offsetof(STRUCT, m)                \
	}
#define ROW_U32(k, m, last, f)                                                                     \
	{                                                                                          \
		.key = (k), .kind = NOOK_BUNDLE_U32, .flags = (f), .at = offsetof(STRUCT, m),      \
		.max = (last)                                                                      \
	}
#define ROW_U64(k, m, last, f)                                                                     \
	{                                                                                          \
		.key = (k), .kind = NOOK_BUNDLE_U64, .flags = (f), .at = offsetof(STRUCT, m),      \
		.max = (last)                                                                      \
	}
#define ROW_OPT_U64(k, m, last, f)                                                                 \
	{                                                                                          \
		.key = (k), .kind = NOOK_BUNDLE_OPT_U64, .flags = (f), .at = offsetof(STRUCT, m),  \
		.max = (last)                                                                      \
	}
#define ROW_OPT_I64(k, m, first, last, f)                                                          \
	{                                                                                          \
		.key = (k), .kind = NOOK_BUNDLE_OPT_I64, .flags = (f), .at = offsetof(STRUCT, m),  \
		.min = (first), .max = (last)                                                      \
	}
#define ROW_TEXTS(k, m, bytes, f)                                                                  \
	{                                                                                          \
		.key = (k), .kind = NOOK_BUNDLE_TEXTS, .at = offsetof(STRUCT, m), .max = (bytes),  \
		.check = (f)                                                                       \
	}
#define ROW_NEED_TEXTS(k, m, bytes, f)                                                             \
	{                                                                                          \
		.key = (k), .kind = NOOK_BUNDLE_TEXTS, .flags = NOOK_BUNDLE_REQUIRED,              \
		.at = offsetof(STRUCT, m), .max = (bytes), .check = (f)                            \
	}
#define ROW_COUNTED_TEXTS(k, m, n, bytes, f)                                                       \
	{                                                                                          \
		.key = (k), .kind = NOOK_BUNDLE_TEXTS, .at = offsetof(STRUCT, m),                  \
		.n_at = offsetof(STRUCT, n), .max = (bytes), .check = (f)                          \
	}
#define ROW_ITEMS(k, m, n, container, element, f)                                                  \
	{                                                                                          \
		.key = (k), .kind = NOOK_BUNDLE_ITEMS, .type = (container), .item = (element),     \
		.at = offsetof(STRUCT, m), .n_at = offsetof(STRUCT, n),                            \
		.size = sizeof(*((STRUCT *)0)->m), .read = (f)                                     \
	}
#define ROW_PART(k, m, t, f)                                                                       \
	{                                                                                          \
		.key = (k), .kind = NOOK_BUNDLE_PART, .type = (t), .at = offsetof(STRUCT, m),      \
		.read = (f)                                                                        \
	}

#define ROW_NEED_PART(k, m, t, f)                                                                  \
	{                                                                                          \
		.key = (k), .kind = NOOK_BUNDLE_PART, .flags = NOOK_BUNDLE_REQUIRED, .type = (t),  \
		.at = offsetof(STRUCT, m), .read = (f)                                             \
	}
/* A part that fills several members. */
#define ROW_WHOLE(k, t, f)                                                                         \
	{                                                                                          \
		.key = (k), .kind = NOOK_BUNDLE_PART, .type = (t), .read = (f)                     \
	}

/* An empty list, for members that are never NULL. */
extern const char *const nook_bundle_no_texts[];

/* Reads the members of @object that stand in @rows into the struct at @into. */
int nook_bundle_members_(struct nook_bundle_reader *r, const struct nook_json_value *object,
			 void *into, const struct nook_bundle_member *rows, size_t n);
#define nook_bundle_members(r, object, into, rows)                                                 \
	nook_bundle_members_((r), (object), (into), (rows), sizeof(rows) / sizeof((rows)[0]))

/* Calls @read for each member of @object, which are all of @type: v.key is the name, in the order
 * of the file. */
int nook_bundle_each(struct nook_bundle_reader *r, const struct nook_json_value *object,
		     enum nook_json_type type, nook_bundle_read_fn *read, void *into);

/* The place of @v, "/mounts/3", in the arena. */
const char *nook_bundle_from(struct nook_bundle_reader *r, const struct nook_json_value *v);

/* Counts @n elements of @v. */
int nook_bundle_count(struct nook_bundle_reader *r, const struct nook_json_value *v, size_t n);

/* One JSON text that is an object; then ret->json is its tree: auto_json. */
int nook_bundle_document(struct nook_bundle_reader *r, const char *text, size_t len,
			 struct nook_json_value *ret);

/* ---- values: bundle_values.c ---- */

struct nook_bundle_word {
	const char *name;
	int64_t number;
};

/* What @v, a string, stands for. @what: "policy", for the refusal, which lists the words. */
int nook_bundle_word_(struct nook_bundle_reader *r, const struct nook_json_value *v,
		      const char *what, const struct nook_bundle_word *words, size_t n,
		      int64_t *ret);
#define nook_bundle_word(r, v, what, words, ret)                                                   \
	nook_bundle_word_((r), (v), (what), (words), sizeof(words) / sizeof((words)[0]), (ret))

/* An array of such words as bits of one number. */
int nook_bundle_flags_(struct nook_bundle_reader *r, const struct nook_json_value *array,
		       const char *what, const struct nook_bundle_word *words, size_t n,
		       uint64_t *ret);
#define nook_bundle_flags(r, array, what, words, ret)                                              \
	nook_bundle_flags_((r), (array), (what), (words), sizeof(words) / sizeof((words)[0]), (ret))

/* Refuses two of @names that are the same; @at are their values. */
int nook_bundle_unique(struct nook_bundle_reader *r, const struct nook_json_value *object,
		       const char *const *names, size_t n);

nook_bundle_check_fn nook_bundle_check_said; /* not empty */
nook_bundle_check_fn nook_bundle_check_absolute;
nook_bundle_check_fn nook_bundle_check_env;     /* NAME=VALUE */
nook_bundle_check_fn nook_bundle_check_list;    /* CPUs or memory nodes: "0-3,7" */
nook_bundle_check_fn nook_bundle_check_ifname;  /* a network device's name */
nook_bundle_check_fn nook_bundle_check_version; /* ociVersion: 1.x.y */

/* ---- the parts ---- */

/* bundle_process.c, bundle_schedule.c */
nook_bundle_read_fn nook_bundle_read_process;   /* struct nook_bundle_process, without .json */
nook_bundle_read_fn nook_bundle_read_scheduler; /* struct nook_plan_scheduler */
nook_bundle_read_fn nook_bundle_read_ioprio;    /* struct nook_bundle_process */
nook_bundle_read_fn nook_bundle_read_memory_policy;

/* bundle_mounts.c */
nook_bundle_read_fn nook_bundle_read_mount;  /* struct nook_bundle_mount */
nook_bundle_read_fn nook_bundle_read_device; /* struct nook_bundle_device */
nook_bundle_read_fn nook_bundle_read_idmap;  /* struct nook_idmap */
#define NOOK_BUNDLE_IDMAP 340u               /* lines that the kernel takes */

/* bundle_hooks.c: struct nook_plan_hooks, without .json */
nook_bundle_read_fn nook_bundle_read_hooks;

/* bundle_linux.c: struct nook_bundle */
nook_bundle_read_fn nook_bundle_read_linux;

/* bundle_resources.c: struct nook_bundle_resources; bundle_devices.c, bundle_blkio.c: rows of its
 * arrays */
nook_bundle_read_fn nook_bundle_read_resources;
nook_bundle_read_fn nook_bundle_read_device_rule, nook_bundle_read_blkio;

#endif
