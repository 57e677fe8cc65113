/* SPDX-License-Identifier: Apache-2.0 */
/* For unit tests of config.json: a bundle of tests/data, or of some members. */
#ifndef NOOK_SPEC_BUNDLE_FIXTURE_H
#define NOOK_SPEC_BUNDLE_FIXTURE_H

#include "bundle.h"

#include "base/own.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* A list as one text. */
static inline void assert_texts(const char *const *list, const char *joined)
{
	char text[512] = "";

	assert_non_null(list);
	for (; *list; list++) {
		strcat(text, *list);
		strcat(text, "|");
	}
	assert_string_equal(text, joined);
}

static inline char *slurp(struct nook_arena *a, const char *path, size_t *len)
{
	auto_fclose FILE *file = fopen(path, "re");
	char *text = nook_alloc(a, 1 << 20);

	assert_non_null(file);
	*len = fread(text, 1, (1 << 20) - 1, file);
	return text;
}

struct fixture {
	struct nook_arena arena;
	struct nook_bundle b;
};

static inline void free_fixture(struct fixture *f)
{
	nook_arena_free(&f->arena);
}
#define auto_fixture __attribute__((cleanup(free_fixture)))

static inline void load(struct fixture *f, const char *name)
{
	char path[128];
	size_t len = 0;
	struct nook_error err = { 0 };

	assert_int_equal(nook_arena_init(&f->arena), 0);
	(void)snprintf(path, sizeof(path), "tests/data/bundles/%s.json", name);
	const char *text = slurp(&f->arena, path, &len);

	if (nook_bundle_parse(&f->arena, text, len, &f->b, &err) < 0)
		fail_msg("%s: %s: %s", path, err.where, err.why);
}

/* The members of one object; ' stands for ". */
static inline void load_members(struct fixture *f, const char *members)
{
	struct nook_error err = { 0 };

	assert_int_equal(nook_arena_init(&f->arena), 0);
	char *text = nook_printf(&f->arena, "{'ociVersion':'1.3.0',%s}", members);

	for (char *p = text; *p; p++)
		*p = (char)(*p == '\'' ? '"' : *p);
	if (nook_bundle_parse(&f->arena, text, strlen(text), &f->b, &err) < 0)
		fail_msg("%s: %s: %s", text, err.where, err.why);
}

#endif
