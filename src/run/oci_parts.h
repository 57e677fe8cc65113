/* SPDX-License-Identifier: Apache-2.0 */
/* What the commands of an engine's container share. */
#ifndef NOOK_RUN_OCI_PARTS_H
#define NOOK_RUN_OCI_PARTS_H

#include "create.h"
#include "oci.h"
#include "oci_restore.h"
#include "state/files.h"

/* "container does not exist": what engines look for. -ENOENT. */
int nook_oci_no_such(const char *id, struct nook_error *err);

/* A record that can't be used has nook's own hint: ours in its place. */
void nook_oci_garbled(const char *id, struct nook_error *err);

/**
 * nook_oci_load() - a container's record and what is true of it now
 * @state: its directory, open; no lock is taken
 * @part:  NOOK_RECORD_TEXT, or NOOK_RECORD_ALL with its filter
 */
int nook_oci_load(const char *state_dir, const char *id, enum nook_record_part part,
		  struct nook_arena *a, struct nook_oci_state *ret, struct nook_error *err);

/* What is true of a record that was read. Return: 0, or a negative errno: it is not known. */
int nook_oci_status_of(const struct nook_record *record, enum nook_life life,
		       enum nook_oci_status *ret, struct nook_error *err);

/* The socket of a created container: connected. -ECONNREFUSED: its program was started. */
int nook_oci_connect_start(int starts, const char *name, struct nook_error *err);
/* Is it there? A mark in its place, for who has none; and the end of either, for those of whom is
 * to be known later that they were started. */
int nook_oci_start_mark(int starts, const char *name, struct nook_error *err);
bool nook_oci_start_waits(int starts, const char *name);
void nook_oci_start_over(int starts, const char *name);

/* The same for who holds its lock. */
int nook_oci_load_taken(struct nook_state *s, enum nook_record_part part, struct nook_arena *a,
			struct nook_oci_state *ret, struct nook_error *err);

/* All that create and run hold while they make a container. */
struct nook_oci_making {
	const struct nook_oci_create *asked;
	struct nook_arena *arena;
	struct nook_bundle bundle;
	struct nook_host host;
	struct nook_plan plan;
	struct nook_restore restore;
	struct nook_create create;
	struct nook_new_net
		*net; /* of create, begun before the plan; NULL: not yet, or not at all */
};

/* Up to the container that is there. On return 0 @m->create is still open; else all was undone.
 * nook_oci_making_free() in any case. */
int nook_oci_begin(struct nook_oci_making *m, const struct nook_oci_create *c,
		   struct nook_error *err);
void nook_oci_making_free(struct nook_oci_making *m);
#define auto_making __attribute__((cleanup(nook_oci_making_free)))

/* Is what is said of the terminal to be had? @from: where it was asked for. */
int nook_oci_check_terminal(bool terminal, bool detach, const char *console_socket,
			    const char *from, struct nook_error *err);

void nook_oci_warn(const struct nook_oci_log *log, const char *text);
/* What the plan has left out. */
void nook_oci_warn_of(const struct nook_oci_log *log, const struct nook_plan *plan);

#endif
