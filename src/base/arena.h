/* SPDX-License-Identifier: Apache-2.0 */
/* Memory that is freed all at once: a spec, a host or a plan lives in one arena. */
#ifndef NOOK_BASE_ARENA_H
#define NOOK_BASE_ARENA_H

#include "nook/error.h"

#include <stddef.h>

/*
 * An arena is a stretch of address space, reserved once and filled by the kernel page by page as it
 * is touched. So only making it can fail, and the code that fills specs and plans has no
 * out-of-memory branches to get wrong.
 */
struct nook_arena {
	char *base;
	size_t used;
};

/* Address space of an arena. Readers bound their input (16 MiB for a config.json), so that a spec
 * and its plan stay far below; passing it is a bug in a bound and traps. */
#define NOOK_ARENA_SIZE ((size_t)256 << 20)

/* Return: 0; -ENOMEM when the address space is limited below NOOK_ARENA_SIZE (RLIMIT_AS). */
int nook_arena_init(struct nook_arena *a);
/* The same, noted in @err. */
int nook_arena_open(struct nook_arena *a, struct nook_error *err);

/* Zeroed memory, aligned for any type; never NULL. */
void *nook_alloc(struct nook_arena *a, size_t size);
void *nook_alloc_array(struct nook_arena *a, size_t n, size_t size);

/* Copy of @text, of its first @len bytes, or of a format's result (printf(3)). NULL stays NULL. */
char *nook_strdup(struct nook_arena *a, const char *text);
char *nook_strndup(struct nook_arena *a, const char *text, size_t len);
char *nook_printf(struct nook_arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/**
 * nook_append() - a new, zeroed element at the end of an arena array
 * @array: lvalue, NULL for an empty array; may move (the old memory stays with the arena)
 * @n:     lvalue of type size_t, the elements in use; counted up
 *
 * Only for arrays that grew by this macro. Return: pointer to the element.
 */
#define nook_append(a, array, n)                                                                   \
	((__typeof__(array))nook_append_((a), (void **)&(array), &(n), sizeof(*(array))))
void *nook_append_(struct nook_arena *a, void **array, size_t *n, size_t size);

/**
 * nook_reserve() - room at the end of a text that grows
 * @text, @size: the text, NULL at first, and the bytes it may have; both change when it moves (the
 *               old memory stays with the arena)
 * @len:         its length
 * @more:        bytes to come, and a NUL behind them
 */
void nook_reserve(struct nook_arena *a, char **text, size_t *size, size_t len, size_t more);

/* Takes all back that was given since @used was a->used. */
void nook_arena_rewind(struct nook_arena *a, size_t used);

/* Safe on a zeroed arena and when repeated. */
void nook_arena_free(struct nook_arena *a);
#define auto_arena __attribute__((cleanup(nook_arena_free)))

#endif
