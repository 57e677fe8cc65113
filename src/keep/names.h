/* SPDX-License-Identifier: Apache-2.0 */
/* What making, keeping and releasing a name share. */
#ifndef NOOK_KEEP_NAMES_H
#define NOOK_KEEP_NAMES_H

#include "hold.h"
#include "ns/pins.h"

/* A name that is being given: locked, its record begun. */
struct nook_naming {
	struct nook_arena *arena;
	struct nook_pins pins;
	struct nook_ns_name name;
	bool mounts; /* by bind mounts: we have CAP_SYS_ADMIN over our mount namespace */
	bool begun;  /* the record is written: there is something to undo */
	struct nook_hold hold;
	int ns[NOOK_NS_COUNT]; /* the namespaces, open; NO_FD: none */
};

/* Takes the name, and writes down that something will be made. What a killed nook has left of it is
 * undone first. -EEXIST */
int nook_naming_begin(struct nook_naming *n, const char *state_dir, const char *name,
		      struct nook_arena *a, struct nook_error *err);

/* Opens /proc/@pid/ns/KIND of each of @kinds into n->ns and n->name.held, held as @how. */
int nook_naming_open(struct nook_naming *n, int pid, uint32_t kinds, enum nook_ns_hold how,
		     struct nook_error *err);

/* Binds all that may be bound; the others stay held as they are, with a note. *@ret_left: these. */
int nook_naming_mount(struct nook_naming *n, uint32_t *ret_left, struct nook_error *err);

/* Ends it: the record is whole and the holder lives on, or, when @rc is negative, all is undone. */
int nook_naming_end(struct nook_naming *n, int rc, struct nook_ns_name *ret,
		    struct nook_error *err);

/* Undoes a name from its record; may be repeated. Under its lock. */
int nook_naming_undo(struct nook_pins *p, const struct nook_ns_name *name, struct nook_error *err);

#endif
