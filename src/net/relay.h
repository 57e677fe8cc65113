/* SPDX-License-Identifier: Apache-2.0 */
/*
 * [::1]:PORT of the host. The kernel leads packets for 127.0.0.1 on to a container, but drops the
 * answers that would come back to ::1. So a small process, nook-relay, listens there and passes on
 * what it hears: to the container's IPv6 address, or to its IPv4 one when it has no other. It has
 * no capability, and a filter that leaves it little but sockets.
 *
 * STATE_DIR/net/relays/CONTAINER is a symbolic link whose text is PID:START of the process, its
 * start in clock ticks. It is made before the process does anything.
 */
#ifndef NOOK_NET_RELAY_H
#define NOOK_NET_RELAY_H

#include "net.h"

/* So many ports of a container are served; the others are reached by 127.0.0.1 only. */
#define NOOK_RELAY_PORTS 1024

/**
 * nook_relay_start() - make a container's relay, when there is something for it to do
 * @ports: all that the container has. Those on all addresses, on all of IPv6 or on ::1 count
 * @pidfd: of the container's pid 1, with whose end the relay ends
 *
 * One that is there is ended first: so this also follows a change of the ports. A host without
 * IPv6 needs none. Our own network namespace is the one it listens in. Return: 0; -EADDRINUSE: a
 * program listens there; others. Then there is none.
 */
int nook_relay_start(const struct nook_state *state, const struct nook_plan_port *ports, size_t n,
		     int pidfd, struct nook_error *err);

/* Ends it, and waits until it has ended: its ports are free then. What is gone is done. */
int nook_relay_stop(const struct nook_state *state, struct nook_error *err);

#endif
