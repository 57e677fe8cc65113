/* SPDX-License-Identifier: Apache-2.0 */
/* For unit tests: each begins with an empty arena. cmocka_unit_test_setup_teardown(test, set_up,
 * tear_down) */
#ifndef NOOK_BASE_ARENA_FIXTURE_H
#define NOOK_BASE_ARENA_FIXTURE_H

#include "arena.h"

static struct nook_arena arena;

static int set_up(void **state)
{
	(void)state;
	return nook_arena_init(&arena);
}

static int tear_down(void **state)
{
	(void)state;
	nook_arena_free(&arena);
	return 0;
}

#endif
