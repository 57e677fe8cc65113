/* SPDX-License-Identifier: Apache-2.0 */
/* What the files src/state/record_read*.c share. */
#ifndef NOOK_STATE_RECORD_PARTS_H
#define NOOK_STATE_RECORD_PARTS_H

#include "files.h"

#include "base/json.h"

#define NOOK_RECORD_PATH_BYTES 4096u

struct nook_record_reader {
	struct nook_arena *arena;
	struct nook_record *record;
	struct nook_error *err;
};

/* What `nook exec` gives to a program: the members "namespaces" and "process" of the record. */
int nook_record_read_process(const struct nook_json_value *root, struct nook_record_reader *r);

#endif
