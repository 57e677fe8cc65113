/* SPDX-License-Identifier: Apache-2.0 */
/* What the ports*.c files share. */
#ifndef NOOK_NET_PORTS_H
#define NOOK_NET_PORTS_H

#include "net.h"

#include <sys/socket.h>

/* "tcp", "udp" */
const char *nook_port_protocol(uint8_t protocol);

/* Has the port anything in common with @address (family 0: all of the host's)? */
bool nook_port_meets(const struct nook_plan_port *port, const struct nook_net_addr *address);

/* All that the container has taken, whatever its record says, one by one: to be unpublished. Where
 * they lead to is not known. */
int nook_ports_held(const struct nook_state *state, struct nook_arena *a,
		    struct nook_plan_port **ret, size_t *ret_n, struct nook_error *err);

/* Has the container taken it, all of it? */
bool nook_port_is_mine(const struct nook_state *state, const struct nook_plan_port *port);

/* Looks for programs of the host that listen on one of the @count ports from @first of @port on.
 * -EADDRINUSE */
int nook_port_look(const struct nook_plan_port *port, struct nook_error *err);

/* ---- ports_open.c ---- */

void nook_port_fill(struct sockaddr_storage *out, uint8_t family,
		    const struct nook_net_addr *address, uint16_t number);

/**
 * nook_port_open() - a socket on one of the port's numbers, in our network namespace
 * @family: AF_INET or AF_INET6: the port's own, or either when it is on all addresses
 * @offset: from port->host_port
 *
 * Bound, CLOEXEC, not blocking; TCP's listens, UDP's tells where each datagram was sent to.
 * Return: the socket; -EAFNOSUPPORT (nothing noted): the machine lacks the family; -EADDRINUSE,
 * -EACCES, -EADDRNOTAVAIL and others.
 */
int nook_port_open(const struct nook_plan_port *port, uint8_t family, unsigned offset,
		   struct nook_error *err);

#endif
