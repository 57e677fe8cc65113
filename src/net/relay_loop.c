/* SPDX-License-Identifier: Apache-2.0 */
/* What the relay waits for. */
#include "relay_parts.h"

#include "base/own.h"
#include "ports.h"
#include "rules.h"

#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#define EVENTS     32
#define STARVED_MS 500

int nook_relay_watch(const struct nook_relay *r, int op, int fd, uint32_t events, uint64_t tag)
{
	struct epoll_event event = { .events = events, .data.u64 = tag };

	return epoll_ctl(r->epoll, op, fd, &event) < 0 ? -errno : 0;
}

static bool is_loopback(const struct nook_net_addr *address)
{
	static const struct nook_net_addr loopback = { .family = AF_INET6, .bytes = { [15] = 1 } };

	return nook_net_equal(address, &loopback);
}

/* Is it reached by ::1? */
static bool is_ours(const struct nook_plan_port *port)
{
	bool v6 = !port->host.family || port->host.family == AF_INET6;

	return v6 && (nook_port_everywhere(&port->host) || is_loopback(&port->host)) &&
	       (port->to[NOOK_NET_V6].family || port->to[NOOK_NET_V4].family);
}

bool nook_relay_wanted(const struct nook_plan_port *ports, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (is_ours(&ports[i]))
			return true;
	}
	return false;
}

static void fill_to(struct nook_relay_port *p, const struct nook_plan_port *port, unsigned offset)
{
	const struct nook_net_addr *to = &port->to[NOOK_NET_V6];
	uint16_t number = htons((uint16_t)(port->inside_port + offset));

	memset(&p->to, 0, sizeof(p->to));
	if (to->family) {
		struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&p->to;

		in6->sin6_family = AF_INET6;
		in6->sin6_port = number;
		memcpy(&in6->sin6_addr, to->bytes, sizeof(in6->sin6_addr));
		p->to_len = sizeof(*in6);
	} else {
		struct sockaddr_in *in = (struct sockaddr_in *)&p->to;

		in->sin_family = AF_INET;
		in->sin_port = number;
		memcpy(&in->sin_addr, port->to[NOOK_NET_V4].bytes, sizeof(in->sin_addr));
		p->to_len = sizeof(*in);
	}
}

static int fail_listen(int error, const struct nook_plan_port *port, uint16_t number,
		       struct nook_error *err)
{
	if (port->from)
		nook_where(err, "%s", port->from);
	if (error == EADDRINUSE)
		nook_cause(err, "port-taken", "a program of the host has it");
	return nook_fail(err, error, "listen on [::1]:%u (%s)", (unsigned)number,
			 nook_port_protocol(port->protocol));
}

/* Return: 0; 1: the host has no ::1; a negative errno. */
static int open_port(struct nook_relay *r, const struct nook_plan_port *port, unsigned offset,
		     struct nook_error *err)
{
	struct nook_relay_port *p = &r->ports[r->n_ports];
	const bool tcp = port->protocol == IPPROTO_TCP;
	const int on = 1;
	const uint16_t number = (uint16_t)(port->host_port + offset);
	const struct sockaddr_in6 at = { .sin6_family = AF_INET6,
					 .sin6_port = htons(number),
					 .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	auto_close int fd = socket(
		AF_INET6, (tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return errno == EAFNOSUPPORT ? 1 : fail_listen(errno, port, number, err);
	if (tcp) /* connections that have ended are remembered for a while */
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (const struct sockaddr *)&at, sizeof(at)) < 0)
		return errno == EADDRNOTAVAIL ? 1 : fail_listen(errno, port, number, err);
	if (tcp && listen(fd, SOMAXCONN) < 0)
		return fail_listen(errno, port, number, err);

	int rc = nook_relay_watch(r, EPOLL_CTL_ADD, fd, EPOLLIN,
				  nook_relay_tag(NOOK_RELAY_PORT, r->n_ports, 0));

	if (rc < 0)
		return nook_fail(err, -rc, "epoll_ctl");
	p->protocol = port->protocol;
	fill_to(p, port, offset);
	p->fd = move_fd(&fd);
	r->n_ports++;
	return 0;
}

int nook_relay_listen(struct nook_relay *r, const struct nook_plan_port *ports, size_t n,
		      struct nook_error *err)
{
	for (size_t i = 0; i < n; i++) {
		for (unsigned k = 0;
		     is_ours(&ports[i]) && k < ports[i].count && r->n_ports < NOOK_RELAY_PORTS;
		     k++) {
			int rc = open_port(r, &ports[i], k, err);

			if (rc)
				return rc < 0 ? rc : 0;
		}
	}
	return (int)r->n_ports;
}

/* While there is no room for another client, they wait in the kernel's queue. */
static void let_in(struct nook_relay *r)
{
	bool full = r->starved || r->n_connections == NOOK_RELAY_CONNECTIONS;

	if (full == r->full)
		return;
	r->full = full;
	for (unsigned i = 0; i < r->n_ports; i++) {
		if (r->ports[i].protocol == IPPROTO_TCP)
			(void)nook_relay_watch(r, EPOLL_CTL_MOD, r->ports[i].fd, full ? 0 : EPOLLIN,
					       nook_relay_tag(NOOK_RELAY_PORT, i, 0));
	}
}

static void handle(struct nook_relay *r, uint64_t tag, uint32_t events)
{
	unsigned index = (uint32_t)tag >> 1, side = tag & 1;

	switch ((enum nook_relay_kind)(tag >> 32)) {
	case NOOK_RELAY_END:
		_exit(0);
	case NOOK_RELAY_PORT:
		if (r->ports[index].protocol == IPPROTO_TCP)
			nook_relay_accept(r, index);
		else
			nook_relay_from_client(r, index);
		break;
	case NOOK_RELAY_CONNECTION:
		nook_relay_connection(r, index, side, events);
		break;
	case NOOK_RELAY_SESSION:
		nook_relay_from_container(r, index);
		break;
	}
}

_Noreturn void nook_relay_run(struct nook_relay *r)
{
	struct epoll_event events[EVENTS];

	for (;;) {
		int patience = nook_relay_forget(r);
		int n = epoll_wait(r->epoll, events, EVENTS, r->starved ? STARVED_MS : patience);

		if (n < 0 && errno != EINTR)
			_exit(1);
		if (n == 0)
			r->starved = false; /* perhaps there is some again */
		for (int i = 0; i < n; i++)
			handle(r, events[i].data.u64, events[i].events);
		let_in(r);
	}
}
