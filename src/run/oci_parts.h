/* SPDX-License-Identifier: Apache-2.0 */
/* What the commands of an engine's container share. */
#ifndef NOOK_RUN_OCI_PARTS_H
#define NOOK_RUN_OCI_PARTS_H

#include "create.h"
#include "oci.h"
#include "state/files.h"

/* "container does not exist": what engines look for. -ENOENT. */
int nook_oci_no_such(const char *id, struct nook_error *err);

/**
 * nook_oci_load() - a container's record and what is true of it now
 * @state: its directory, open; no lock is taken
 * @part:  NOOK_RECORD_TEXT, or NOOK_RECORD_ALL with its filter
 */
int nook_oci_load(const char *state_dir, const char *id, enum nook_record_part part,
		  struct nook_arena *a, struct nook_oci_state *ret, struct nook_error *err);

/* What is true of a record that was read. @starts: a descriptor of the folder start/. */
enum nook_oci_status nook_oci_status_of(const struct nook_record *record, enum nook_life life,
					int starts);

/* The socket of a created container: connected. -ECONNREFUSED: its program was started. */
int nook_oci_connect_start(int starts, const char *name, struct nook_error *err);

/* The same for who holds its lock. */
int nook_oci_load_taken(struct nook_state *s, enum nook_record_part part, struct nook_arena *a,
			struct nook_oci_state *ret, struct nook_error *err);

#endif
