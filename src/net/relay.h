/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small process, nook-relay, that listens and passes on what it hears to a container. It has no
 * capability, and a filter that leaves it little but sockets. It serves
 *
 *	[::1]:PORT of the host: the kernel leads packets for 127.0.0.1 on to a container, but drops
 *	the answers that would come back to ::1. To the container's IPv6 address, or to its IPv4
 *	one when it has no other.
 *
 *	Every published port of an ordinary user's container: its listening sockets are of the
 *	machine's network namespace (outside.h), all others of the one that it was started in,
 *	where the networks are. There it listens, too, for other containers that ask for the host's
 *	address. What it passes on comes from the bridge's address, and by the family that the
 *	client has come by where the container has an address of that.
 *
 * STATE_DIR/net/relays/CONTAINER is a symbolic link whose text is PID:START of the process, its
 * start in clock ticks, with a comma and the same of each that has been replaced and still has
 * connections. It is made before the process does anything.
 */
#ifndef NOOK_NET_RELAY_H
#define NOOK_NET_RELAY_H

#include "net.h"

/* So many ports of a container are served; of the machine's own networks the others are reached by
 * 127.0.0.1 only. */
#define NOOK_RELAY_PORTS 1024

/**
 * nook_relay_start() - make a container's relay, when there is something for it to do
 * @ports: all that the container has. Of the machine's own networks those on all addresses, on all
 *	   of IPv6 or on ::1 count
 * @pidfd: of the container's pid 1, with whose end the relay ends
 *
 * So it also follows a change of the ports: one that is there goes on with the connections that it
 * has, and takes no others. Who is connecting in that very moment may be refused. A host without
 *IPv6 needs none for ::1. Return: 0; -EADDRINUSE: a program listens there; others. Then all is as
 *before.
 */
int nook_relay_start(const struct nook_state *state, const struct nook_plan_port *ports, size_t n,
		     int pidfd, struct nook_error *err);

/* Is there any port that it is for? */
bool nook_relay_wanted(const struct nook_plan_port *ports, size_t n);
/* Is one there that takes clients? 1, 0, or a negative errno. */
int nook_relay_is_there(const struct nook_state *state, struct nook_error *err);

/* Ends it, and waits until it has ended: its ports are free then. What is gone is done. */
int nook_relay_stop(const struct nook_state *state, struct nook_error *err);

#endif
