/* SPDX-License-Identifier: Apache-2.0 */
#include "arena.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

int nook_arena_init(struct nook_arena *a)
{
	void *p = mmap(NULL, NOOK_ARENA_SIZE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		return -ENOMEM;

	a->base = p;
	a->used = 0;
	return 0;
}

int nook_arena_open(struct nook_arena *a, struct nook_error *err)
{
	return nook_arena_init(a) < 0 ? nook_fail(err, ENOMEM, "mmap of %zu MiB of address space",
						  NOOK_ARENA_SIZE >> 20)
				      : 0;
}

void *nook_alloc(struct nook_arena *a, size_t size)
{
	size_t at = (a->used + 15) & ~(size_t)15;

	if (!a->base || size > NOOK_ARENA_SIZE - at)
		__builtin_trap();

	a->used = at + size;
	return a->base + at;
}

void *nook_alloc_array(struct nook_arena *a, size_t n, size_t size)
{
	size_t total;

	if (__builtin_mul_overflow(n, size, &total))
		__builtin_trap();

	return nook_alloc(a, total);
}

static char *copy(struct nook_arena *a, const char *text, size_t len)
{
	char *to = nook_alloc(a, len + 1);

	memcpy(to, text, len);
	return to;
}

char *nook_strndup(struct nook_arena *a, const char *text, size_t len)
{
	return text ? copy(a, text, strnlen(text, len)) : NULL;
}

char *nook_strdup(struct nook_arena *a, const char *text)
{
	return text ? copy(a, text, strlen(text)) : NULL;
}

char *nook_printf(struct nook_arena *a, const char *fmt, ...)
{
	char *text = nook_alloc(a, 0);
	va_list ap;

	/* What is free lies behind it: nothing need be measured first. */
	va_start(ap, fmt);
	int len = vsnprintf(text, NOOK_ARENA_SIZE - a->used, fmt, ap);
	va_end(ap);

	if (len < 0)
		__builtin_trap();              /* only a wrong format string does this */
	return nook_alloc(a, (size_t)len + 1); /* the same place; traps where it was cut */
}

void *nook_append_(struct nook_arena *a, void **array, size_t *n, size_t size)
{
	/* Capacities are 4, 8, 16, …: full exactly when the count is one of them. */
	bool full = *n == 0 || (*n >= 4 && (*n & (*n - 1)) == 0);

	if (full) {
		void *bigger = nook_alloc_array(a, *n ? *n * 2 : 4, size);

		if (*n)
			memcpy(bigger, *array, *n * size);
		*array = bigger;
	}

	return (char *)*array + (*n)++ * size;
}

void nook_reserve(struct nook_arena *a, char **text, size_t *size, size_t len, size_t more)
{
	size_t n = *size ? *size : 1024;

	while (n - len <= more)
		n *= 2;
	if (n == *size)
		return;

	char *bigger = nook_alloc(a, n);

	if (len)
		memcpy(bigger, *text, len);
	*text = bigger;
	*size = n;
}

void nook_arena_rewind(struct nook_arena *a, size_t used)
{
	memset(a->base + used, 0, a->used - used); /* who gets it next expects zeros */
	a->used = used;
}

void nook_arena_free(struct nook_arena *a)
{
	if (a->base)
		(void)munmap(a->base, NOOK_ARENA_SIZE); /* fails only for a bad address */
	a->base = NULL;
	a->used = 0;
}
