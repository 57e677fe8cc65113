/* SPDX-License-Identifier: Apache-2.0 */
/* Links that go to another network namespace, and sockets that are in one. */
#ifndef NOOK_NET_MOVE_H
#define NOOK_NET_MOVE_H

#include "base/arena.h"
#include "nook/error.h"

#include <stdbool.h>

/**
 * nook_link_open_in() - a netlink socket of another network namespace
 * @home:  our own, to which we come back
 * @netns: the other
 *
 * The thread is there for as long as a socket takes. Return: a descriptor, or a negative errno.
 */
int nook_link_open_in(int home, int netns, struct nook_error *err);

struct nook_link_move {
	const char *link; /* its name here */
	const char *name; /* there; %d in it is the kernel's to complete */
	const char *to;   /* whom it goes to, for errors: "the container" */
	const char *from; /* the words that asked for it; NULL */
};

/* Between which namespaces. */
struct nook_link_doors {
	int here, there; /* sockets; that there keeps the other namespace, whoever ends in it */
	int home, ns;    /* our own namespace, and the other */
};

struct nook_link_address;

struct nook_link_moved {
	char name[16]; /* there */
	bool physical; /* the kernel sends it to the machine's first namespace when this one ends,
			  with the name that it has there; one of another sort ends with it */
	/* for nook_link_move_back() */
	int index;                                 /* there */
	bool up;                                   /* it was, here */
	const struct nook_link_address *addresses; /* it had, here; of the arena */
	size_t n_addresses;
};

/* Refuses what can be seen to fail before anything is moved: no such link, its name taken. */
int nook_link_move_check(const struct nook_link_doors *d, const struct nook_link_move *m,
			 struct nook_error *err);

/* Moves it, gives it its permanent addresses again, which the kernel takes away, and sets it up. On
 * failure it is here, as it was. @a: for @ret, and what it takes. */
int nook_link_move(const struct nook_link_doors *d, const struct nook_link_move *m,
		   struct nook_arena *a, struct nook_link_moved *ret, struct nook_error *err);

/* Here again, with its name and all; routes apart, which the kernel has forgotten. Return: 0; a
 * negative errno, nothing noted. */
int nook_link_move_back(const struct nook_link_doors *d, const struct nook_link_move *m,
			const struct nook_link_moved *moved);

#endif
