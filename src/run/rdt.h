/* SPDX-License-Identifier: Apache-2.0 */
/* The container's group in resctrl: Documentation/filesystems/resctrl.rst, and config-linux.md,
 * "IntelRdt". */
#ifndef NOOK_RUN_RDT_H
#define NOOK_RUN_RDT_H

#include "base/arena.h"
#include "nook/error.h"
#include "nook/plan.h"

#include <stdbool.h>

struct nook_rdt_group {
	const char *path;     /* below the root of resctrl: "CLOS"; ".": the root itself */
	const char *monitor;  /* "CLOS/mon_groups/ID"; NULL: none is wanted */
	const char *own;      /* which of them is removed with the container; NULL: none */
	const char *schemata; /* what is written, with a newline at the end; NULL: nothing */
	bool must_exist;      /* somebody else has made it */
	bool compare;         /* when it exists already, it must have these limits: @wanted */
	const char *wanted;
};

/* What the plan's group comes to. Pure. @id: the container's. */
void nook_rdt_group(struct nook_arena *a, const struct nook_plan_rdt *rdt, const char *id,
		    struct nook_rdt_group *ret);

/* Makes the directories at @root, and checks one that was there. @ret_new: is the group new? */
int nook_rdt_make(int root, const struct nook_rdt_group *g, bool *ret_new, struct nook_error *err);

/* Its limits, when it is new or says so itself; then the process. */
int nook_rdt_fill(int root, const struct nook_rdt_group *g, int pid, struct nook_error *err);

/* Puts a process where the container's are: @path as in the record. */
int nook_rdt_enter(const char *path, int pid, struct nook_error *err);

/* Writes the limits l3 and mem_bw of @rdt to a group at @root; one that is NULL stays. @path as in
 * the record. */
int nook_rdt_update_at(int root, struct nook_arena *a, const char *path,
		       const struct nook_plan_rdt *rdt, struct nook_error *err);
/* The same of the machine's resctrl. */
int nook_rdt_update(struct nook_arena *a, const char *path, const struct nook_plan_rdt *rdt,
		    struct nook_error *err);

/* Removes the group @path of @root. 0 when it is gone. */
int nook_rdt_remove_at(int root, const char *path, struct nook_error *err);
/* The same of the machine's resctrl: what a record says. 0 when there is none any more. */
int nook_rdt_remove(const char *path, struct nook_error *err);

/* Do all domains of @wanted ("L3:0=f;1=ff", a line each) stand in @have with these values?
 * Hexadecimal digits count in either case, leading zeros and blanks don't. */
bool nook_rdt_matches(const char *have, const char *wanted);

#endif
