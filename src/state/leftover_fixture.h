/* SPDX-License-Identifier: Apache-2.0 */
/* For unit tests of leftovers: cmocka_unit_test_setup_teardown(test, begin, remove_dir). The undo
 * proper is tested where it lives, in src/run/; here a leftover is only its files. */
#ifndef NOOK_STATE_LEFTOVER_FIXTURE_H
#define NOOK_STATE_LEFTOVER_FIXTURE_H

#include "dir_fixture.h"

static unsigned cleared;

int nook_state_clear(struct nook_state *state, struct nook_error *err)
{
	cleared++;
	return nook_files_delete(state, err);
}

static char boot_id[37];

static inline int begin(void **state)
{
	cleared = 0;
	return nook_boot_id(boot_id, NULL) < 0 ? -1 : make_dir(state);
}

#endif
