/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is noted of a link before it goes to a network namespace that outlives whoever moves it: so
 * that another process can bring it home when that one was killed meanwhile.
 */
#ifndef NOOK_NET_MOVE_NOTE_H
#define NOOK_NET_MOVE_NOTE_H

#include "move.h"

#define NOOK_LINK_NOTE_BYTES (1u << 20) /* room for some thousand addresses */

/* One line of text: who it is, what it will be called, its addresses. @a: for @ret. Return: 0; a
 * negative errno: there is no such link, or it can't be looked at. */
int nook_link_note(const struct nook_link_doors *d, const struct nook_link_move *m,
		   struct nook_arena *a, const char **ret, struct nook_error *err);

/* Is it in the namespace of this socket? Return: 1; 0; -EBADMSG: it is no note; another negative
 * errno. */
int nook_link_is_there(int there, const char *note, struct nook_arena *a, struct nook_error *err);

/**
 * nook_link_bring_home() - undo a move of which there is a note
 *
 * A link that is here, or in neither place, is left alone: so is another one that has come to the
 * name since. Return: 0; -EBADMSG: it is no note; another negative errno: it is there, and can't
 * be brought home.
 */
int nook_link_bring_home(const struct nook_link_doors *d, const char *note, struct nook_arena *a,
			 struct nook_error *err);

#endif
