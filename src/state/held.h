/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What only one container can have: a range of ids, an address, a port. Each is a symbolic link in
 * a folder of STATE_DIR whose text is the container's name. A link is made with its text in one
 * call, so nobody ever sees one without its holder; it leads nowhere and is never followed.
 *
 * Whoever holds one holds its container's lock: taken after it, given back before. So one whose
 * lock is free belongs to a dead container.
 *
 * A @path is relative to STATE_DIR, such as "ids/1879048192": nobody else can put a symlink into
 * that, and a cleanup needs no descriptor this way when these have run out.
 */
#ifndef NOOK_STATE_HELD_H
#define NOOK_STATE_HELD_H

#include "state.h"

/* Begins the text of one that namespaces hold which live on without a process, under the name that
 * follows. No container's name has a colon. It is never dead. */
#define NOOK_HELD_KEPT "ns:"

#define NOOK_HOLDER_SIZE 260 /* any name, with that in front */

/* Who holds it, dead or alive. Return: 0; -ENOENT, nothing noted: nobody; others. */
int nook_held_by(int base, const char *path, char out[NOOK_HOLDER_SIZE], struct nook_error *err);

/* Has it a holder that is dead? What can't be read is taken. */
bool nook_held_by_dead(int base, const char *path);

/* Has it no holder, or one that is dead? What can't be read is taken: one odd file must not keep
 * everybody from the others. */
bool nook_held_is_free(int base, const char *path);

/**
 * nook_held_take() - take it for the container
 * @holder: receives who has it, with -EEXIST
 *
 * A dead container that still holds it is undone first. Return: 0, also when it is ours already;
 * -EEXIST: somebody has it, or it could not be taken from the dead; others. What @err holds with
 * -EEXIST is not for people: the caller says what is taken.
 */
int nook_held_take(const struct nook_state *state, const char *path, char holder[NOOK_HOLDER_SIZE],
		   struct nook_error *err);

/* Gives it back; 0 when another than @holder has it or nobody. Takes no descriptor. */
int nook_held_release(int base, const char *path, const char *holder, struct nook_error *err);

/* All of a folder ("ids", "net/ports") that the container holds. */
int nook_held_release_all(const struct nook_state *state, const char *folder,
			  struct nook_error *err);

#endif
