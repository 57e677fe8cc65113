/* SPDX-License-Identifier: Apache-2.0 */
/* For unit tests of profiles: from a text to what nook makes of it. */
#ifndef NOOK_PLAN_SECCOMP_FIXTURE_H
#define NOOK_PLAN_SECCOMP_FIXTURE_H

#include "seccomp_profile.h"

#include "base/own.h"
#include "base/text.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static inline int parse(struct nook_arena *a, const char *text, uint64_t caps,
			struct nook_seccomp_profile *ret, struct nook_error *err)
{
	const struct nook_seccomp_facts facts = { .caps = caps, .major = 5, .minor = 14 };

	if (!a->base)
		assert_int_equal(nook_arena_init(a), 0);
	return nook_seccomp_parse(a, text, strlen(text), "p.json", &facts, ret, err);
}

/* A profile around one rule. */
static inline const char *around(struct nook_arena *a, const char *rule)
{
	if (!a->base)
		assert_int_equal(nook_arena_init(a), 0);
	return nook_printf(a, "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[%s]}\n", rule);
}

#endif
