/* SPDX-License-Identifier: Apache-2.0 */
/* Does a program of the host listen where a container is to be reached? Its clients would be led
 * away from it. */
#include "ports.h"

#include "base/own.h"
#include "sys/sockdiag.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

static int refuse(const struct nook_plan_port *port, uint16_t number,
		  const struct nook_net_addr *address, struct nook_error *err)
{
	char text[NOOK_NET_TEXT];

	if (port->from)
		nook_where(err, "%s", port->from);
	nook_cause(err, "port-taken", "a program of the host listens on %s, port %u",
		   address ? nook_net_text(address, text) : "it", (unsigned)number);
	nook_hint(err, "Publish another port; `ss -Hlntup 'sport = :%u'` shows the program.",
		  (unsigned)number);
	return nook_refuse(err, EADDRINUSE, "port %u of the host (%s) belongs to a program there",
			   (unsigned)number, nook_port_protocol(port->protocol));
}

struct look {
	const struct nook_plan_port *port;
	struct nook_error *err;
};

static int check(void *data, const struct nook_listener *l)
{
	const struct look *look = data;
	const struct nook_plan_port *port = look->port;
	struct nook_net_addr address = { .family = l->family };
	static const uint8_t zero[16], mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (l->port < port->host_port || l->port - port->host_port >= port->count)
		return 0;

	memcpy(address.bytes, l->address, sizeof(address.bytes));
	if (l->family == AF_INET6 && memcmp(l->address, mapped, sizeof(mapped)) == 0) {
		address = (struct nook_net_addr){ .family = AF_INET };
		memcpy(address.bytes, l->address + sizeof(mapped), 4);
	}
	/* On :: of both families it is in everybody's way. */
	bool both = l->family == AF_INET6 && !l->v6_only && memcmp(l->address, zero, 16) == 0;
	const struct nook_net_addr all = { 0 };

	return nook_port_meets(port, both ? &all : &address)
		       ? refuse(port, l->port, &address, look->err)
		       : 0;
}

/* ---- where the kernel can't tell: by trying ---- */

/* Return: 0; -EADDRINUSE, nothing noted. What else hinders us is no sign of anybody. */
static int try_one(const struct nook_plan_port *port, uint8_t family, uint16_t number)
{
	bool tcp = port->protocol == IPPROTO_TCP;
	const int on = 1;
	struct sockaddr_storage at;
	auto_close int fd = socket(family, (tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return 0;
	/* Connections that have ended, and are remembered for a while, are in nobody's way. For UDP
	 * it would hide others that have said the same. */
	if (tcp)
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	nook_port_fill(&at, family, &port->host, number);
	return bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 && errno == EADDRINUSE ? -EADDRINUSE
										       : 0;
}

static int try_all(const struct nook_plan_port *port, uint8_t family, struct nook_error *err)
{
	for (unsigned i = 0; i < port->count; i++) {
		uint16_t number = (uint16_t)(port->host_port + i);

		if (try_one(port, family, number) < 0)
			return refuse(port, number, NULL, err);
	}
	return 0;
}

static bool cannot_tell(int rc)
{
	return rc == -EPROTONOSUPPORT || rc == -ENOENT || rc == -EOPNOTSUPP || rc == -EPERM;
}

int nook_port_look(const struct nook_plan_port *port, struct nook_error *err)
{
	static const uint8_t families[] = { AF_INET, AF_INET6 };
	struct look look = { .port = port, .err = err };

	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		int rc = nook_listeners(families[i], port->protocol, check, &look);

		if (cannot_tell(rc))
			rc = port->host.family && port->host.family != families[i]
				     ? 0
				     : try_all(port, families[i], err);
		if (rc == -EADDRINUSE)
			return rc;
		if (rc < 0)
			return nook_fail(err, -rc, "sock_diag: who listens on port %u",
					 (unsigned)port->host_port);
	}
	return 0;
}
