/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of namespaces as files of STATE_DIR:
 *
 *	ns/NAME		the record, JSON
 *	ns-new/NAME	the record while it is written, then renamed
 *	ns-locks/NAME	locked while somebody makes, keeps or releases the name
 *	ns-pins/	bound on itself, private and unbindable: a bind mount of a mount namespace
 *in a tree that is copied or moved would make that fail, and what is mounted here must not travel
 *into other mount namespaces ns-pins/NAME.KIND	a namespace, bind-mounted
 *
 * As with containers the record is written before anything is made: whoever finds it can undo all.
 */
#ifndef NOOK_NS_PINS_H
#define NOOK_NS_PINS_H

#include "base/arena.h"
#include "base/own.h"
#include "nook/error.h"
#include "nook/ns_names.h"

#include <stdbool.h>

enum nook_pins_folder {
	NOOK_PINS_RECORDS,
	NOOK_PINS_NEW,
	NOOK_PINS_LOCKS,
	NOOK_PINS_MOUNTS,
	NOOK_PINS_COUNT,
};

struct nook_pins {
	const char *state_dir; /* borrowed */
	int base;
	int dirs[NOOK_PINS_COUNT]; /* O_PATH */
	int lock;                  /* of @name; NO_FD: not taken */
	char name[256];
};
#define NOOK_PINS_CLOSED                                                                           \
	((struct nook_pins){ .base = NO_FD, .dirs = { NO_FD, NO_FD, NO_FD, NO_FD }, .lock = NO_FD })

/* As nook_check_name(), for namespaces: a number is a pid and never a name. -EINVAL. */
int nook_pins_check_name(const char *name, struct nook_error *err);

/**
 * nook_pins_open() - STATE_DIR's folders for one name
 * @make: make what is missing; else -ENOENT, nothing noted
 * @name: "" for all
 */
int nook_pins_open(const char *state_dir, const char *name, bool make, struct nook_pins *ret,
		   struct nook_error *err);
/* Waits a little for another nook at work. -EBUSY. */
int nook_pins_lock(struct nook_pins *p, struct nook_error *err);
/* Deletes the lock when no record stands behind it; closes all. */
void nook_pins_close(struct nook_pins *p);

bool nook_pins_have_record(const struct nook_pins *p);
int nook_pins_write(const struct nook_pins *p, const struct nook_ns_name *record,
		    struct nook_error *err);
int nook_pins_delete(const struct nook_pins *p, struct nook_error *err);

/* A record, checked; its paths are made here, and not believed. -ENOENT (nothing noted); -EBADMSG.
 */
int nook_pins_read(const struct nook_pins *p, const char *name, struct nook_arena *a,
		   struct nook_ns_name *ret, struct nook_error *err);

/* Opens one of its namespaces, and compares it with what the record says. -ENOENT, -ESRCH, -ESTALE
 * and others. */
int nook_pins_open_ns(const struct nook_ns_name *n, const struct nook_ns_held *h,
		      struct nook_error *err);

/* Sets @there of each. */
void nook_pins_look(struct nook_ns_name *n);

/* The holder, by pidfd: its start time and the boot are those of the record. -ESRCH. */
int nook_pins_holder(const struct nook_ns_name *n, int *ret_pidfd, struct nook_error *err);

/* ---- pin_mounts.c ---- */

/* Makes ns-pins ready for mounts; p->dirs[NOOK_PINS_MOUNTS] is its mount's root afterwards. Under
 * the name's lock. */
int nook_pins_prepare(struct nook_pins *p, struct nook_error *err);

/* Binds @ns at NAME.KIND. -EINVAL with nothing noted: the kernel does not bind this mount
 * namespace. */
int nook_pins_mount(const struct nook_pins *p, enum nook_ns_kind kind, int ns,
		    struct nook_error *err);
/* Unmounts and deletes it; 0 when there is nothing. */
int nook_pins_unmount(const struct nook_pins *p, enum nook_ns_kind kind, struct nook_error *err);
/* Takes the bind of ns-pins on itself away when nothing is in it; p->dirs[NOOK_PINS_MOUNTS] is
 * closed. */
void nook_pins_tidy(struct nook_pins *p);

/* Binds @ns at /run/netns/NAME, which is prepared as iproute2 does. -EEXIST. */
int nook_netns_mount(const char *name, int ns, struct nook_error *err);
/* @ino: only when it is this namespace; 0: whichever. 0 when it isn't there. */
int nook_netns_unmount(const char *name, uint64_t ino, struct nook_error *err);
/* Opens /run/netns/NAME. -ENOENT, also when nothing is mounted on it. Nothing is noted. */
int nook_netns_open(const char *name);
/* Names in /run/netns. */
int nook_netns_list(struct nook_arena *a, const char ***ret, size_t *ret_n, struct nook_error *err);

/* ---- users.c ---- */

/* Processes that are in a namespace of @n or have it open, but for its holder. Those that can't be
 * looked at are left out; *ret_hidden counts them. */
int nook_pins_users(const struct nook_ns_name *n, struct nook_arena *a, struct nook_ns_user **ret,
		    size_t *ret_n, size_t *ret_hidden, struct nook_error *err);

#endif
