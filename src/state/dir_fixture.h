/* SPDX-License-Identifier: Apache-2.0 */
/* For unit tests: each has a STATE_DIR of its own, and fails when it leaves a file there.
 * cmocka_unit_test_setup_teardown(test, make_dir, remove_dir) */
#ifndef NOOK_STATE_DIR_FIXTURE_H
#define NOOK_STATE_DIR_FIXTURE_H

#include "files.h"

#include "base/text.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static char dir[64];

static inline int make_dir(void **state)
{
	(void)state;
	(void)nook_format(dir, sizeof(dir), "/tmp/nook-state-test-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

/* Folder by folder, so that what is in one shows. */
static inline int remove_dir(void **state)
{
	auto_close int base = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);

	(void)state;
	for (int f = 0; f < NOOK_FOLDER_COUNT; f++)
		(void)unlinkat(base, nook_folder_name((enum nook_folder)f), AT_REMOVEDIR);
	return rmdir(dir);
}

#endif
