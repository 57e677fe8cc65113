/* SPDX-License-Identifier: Apache-2.0 */
/* The ports that a relay takes. */
#include "relay_parts.h"

#include "base/own.h"
#include "outside.h"
#include "ports.h"
#include "rules.h"

#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

static const struct nook_net_addr loopback = { .family = AF_INET6, .bytes = { [15] = 1 } };

/* Of the machine's own networks only what is reached by ::1. */
static bool is_ours(const struct nook_plan_port *port)
{
	bool v6 = !port->host.family || port->host.family == AF_INET6;

	if (nook_net_apart())
		return nook_port_leads(port);
	return v6 &&
	       (nook_port_everywhere(&port->host) || nook_net_equal(&port->host, &loopback)) &&
	       nook_port_leads(port);
}

bool nook_relay_wanted(const struct nook_plan_port *ports, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (is_ours(&ports[i]))
			return true;
	}
	return false;
}

/* The container's address of the family that the client has come by, or its other one. */
static void fill_to(struct nook_relay_port *p, const struct nook_plan_port *port, uint8_t family,
		    unsigned offset)
{
	int f = family == AF_INET6 ? NOOK_NET_V6 : NOOK_NET_V4;
	const struct nook_net_addr *to = port->to[f].family ? &port->to[f] : &port->to[!f];

	nook_port_fill(&p->to, to->family, to, (uint16_t)(port->inside_port + offset));
	p->to_len =
		to->family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
}

/* Takes the socket. */
static int add(struct nook_relay *r, int socket, const struct nook_plan_port *port, uint8_t family,
	       unsigned offset, struct nook_error *err)
{
	auto_close int fd = socket;
	struct nook_relay_port *p = &r->ports[r->n_ports];

	int rc = nook_relay_watch(r, EPOLL_CTL_ADD, fd, EPOLLIN,
				  nook_relay_tag(NOOK_RELAY_PORT, r->n_ports, 0));

	if (rc < 0)
		return nook_fail(err, -rc, "epoll_ctl");
	p->protocol = port->protocol;
	fill_to(p, port, family, offset);
	p->fd = move_fd(&fd);
	r->n_ports++;
	return 0;
}

/* ---- the machine's own networks ---- */

static int listen_at_loopback(struct nook_relay *r, const struct nook_plan_port *port,
			      unsigned offset, struct nook_error *err)
{
	struct nook_plan_port at = *port;
	struct nook_error why = { 0 };

	if (r->n_ports >= NOOK_RELAY_PORTS)
		return 0; /* these are reached by 127.0.0.1 only */
	at.host = loopback;

	int fd = nook_port_open(&at, AF_INET6, offset, &why);

	if (fd == -EAFNOSUPPORT || fd == -EADDRNOTAVAIL) /* the host has no ::1 */
		return 0;
	if (fd < 0) {
		if (err)
			*err = why;
		return fd;
	}
	return add(r, fd, port, AF_INET6, offset, err);
}

/* ---- networks of an ordinary user ---- */

/* Outside, and where the networks are: that is where containers look for the host's addresses. */
static int listen_at(struct nook_relay *r, const struct nook_plan_port *port, uint8_t family,
		     unsigned offset, struct nook_error *err)
{
	int fd = nook_outside_open(port, family, offset, err);

	if (fd == -EAFNOSUPPORT)
		return 0;

	int rc = fd < 0 ? fd : add(r, fd, port, family, offset, err);

	if (rc < 0)
		return rc;
	/* Addresses of the machine that were not handed in are nobody's in there. */
	fd = nook_port_open(port, family, offset, NULL);
	return fd < 0 ? 0 : add(r, fd, port, family, offset, err);
}

static int listen_apart(struct nook_relay *r, const struct nook_plan_port *port, unsigned offset,
			struct nook_error *err)
{
	static const uint8_t families[] = { AF_INET, AF_INET6 };
	int rc = 0;

	for (size_t i = 0; i < ARRAY_SIZE(families) && rc == 0; i++) {
		if (!port->host.family || port->host.family == families[i])
			rc = listen_at(r, port, families[i], offset, err);
	}
	return rc;
}

/* Of these none may be left out: nothing else leads to them. */
static int check_number(const struct nook_plan_port *ports, size_t n, struct nook_error *err)
{
	unsigned all = 0;

	for (size_t i = 0; i < n; i++)
		all += is_ours(&ports[i]) ? ports[i].count : 0;
	if (all <= NOOK_RELAY_PORTS)
		return 0;
	nook_hint(err, "publish fewer; on networks of root's there is no such limit");
	return nook_refuse(err, E2BIG, "%u ports of one container are more than the %d served", all,
			   NOOK_RELAY_PORTS);
}

int nook_relay_listen(struct nook_relay *r, const struct nook_plan_port *ports, size_t n,
		      struct nook_error *err)
{
	int rc = nook_net_apart() ? check_number(ports, n, err) : 0;

	for (size_t i = 0; i < n && rc == 0; i++) {
		for (unsigned k = 0; is_ours(&ports[i]) && k < ports[i].count && rc == 0; k++)
			rc = nook_net_apart() ? listen_apart(r, &ports[i], k, err)
					      : listen_at_loopback(r, &ports[i], k, err);
	}
	return rc < 0 ? rc : (int)r->n_ports;
}
