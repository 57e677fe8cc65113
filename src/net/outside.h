/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The networks of an ordinary user are not in the machine's network namespace but in one of their
 * own, where the user is root: src/keep/net_home.h. Who works on them is in there, and can't come
 * out again. So a process stays behind, while we work, that opens the sockets of published ports;
 * it has no more right than the user, and hands them in.
 */
#ifndef NOOK_NET_OUTSIDE_H
#define NOOK_NET_OUTSIDE_H

#include "nook/error.h"
#include "nook/plan.h"

#include <stdbool.h>

/* Are we an ordinary user who is not in there? Then no link, rule or setting that could be seen
 * here is ours: it is root's, or it went with the namespace that it was in. */
bool nook_net_homeless(void);

/* Are we in there? */
bool nook_net_apart(void);
void nook_net_set_apart(void);

/* ---- the process that stays behind ---- */

/* Makes it; to be called before we go there. It ends with us. For root, and when it is there:
 * nothing. */
int nook_outside_begin(struct nook_error *err);
/* Ends it. Copies of us that we have made can't ask it any more either. */
void nook_outside_end(void);
/* Our end of the channel to it, to be kept open or moved by who closes descriptors; NO_FD inside.
 */
int *nook_outside_channel(void);

/* A variable of the environment, by which a program that we execute knows it: "NAME=TEXT", static;
 * NULL: there is none. The channel stays open from then on, till that one has found it. */
const char *nook_outside_leave_word(void);
void nook_outside_take_word(void);

/* ---- what it is asked ---- */

/* Does nobody listen on the port, have we the right to, and is its address there? */
int nook_outside_look(const struct nook_plan_port *port, struct nook_error *err);
/* As nook_port_open() of ports.h, by the machine. Return: the socket; as there. */
int nook_outside_open(const struct nook_plan_port *port, uint8_t family, unsigned offset,
		      struct nook_error *err);

#endif
