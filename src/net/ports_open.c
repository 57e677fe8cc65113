/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets on ports of the host, where a process has to take what comes to them. */
#include "ports.h"

#include "base/own.h"
#include "rules.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#define FIRST_OF_ALL "/proc/sys/net/ipv4/ip_unprivileged_port_start"

void nook_port_fill(struct sockaddr_storage *out, uint8_t family,
		    const struct nook_net_addr *address, uint16_t number)
{
	*out = (struct sockaddr_storage){ .ss_family = family };
	if (family == AF_INET) {
		struct sockaddr_in *in = (struct sockaddr_in *)out;

		in->sin_port = htons(number);
		memcpy(&in->sin_addr, address->bytes, sizeof(in->sin_addr));
	} else {
		struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;

		in6->sin6_port = htons(number);
		memcpy(&in6->sin6_addr, address->bytes, sizeof(in6->sin6_addr));
	}
}

static int fail(int error, const struct nook_plan_port *port, uint8_t family, uint16_t number,
		struct nook_error *err)
{
	const struct nook_net_addr all = { .family = family };
	char text[NOOK_NET_TEXT];

	if (port->from)
		nook_where(err, "%s", port->from);
	if (error == EADDRINUSE)
		nook_cause(err, "port-taken", "a program of the host has it");
	if (error == EACCES)
		nook_cause(err, "port-of-root",
			   "ports below the number in " FIRST_OF_ALL " are root's");
	if (error == EADDRNOTAVAIL)
		nook_hint(err, "`ip address` lists those of this machine");
	return nook_fail(err, error, "listen on %s, port %u (%s)",
			 nook_net_text(port->host.family ? &port->host : &all, text),
			 (unsigned)number, nook_port_protocol(port->protocol));
}

/* A port on all addresses is on those of the families that there are. */
static bool may_lack(int error, const struct nook_plan_port *port)
{
	return error == EAFNOSUPPORT || (error == EADDRNOTAVAIL && !port->host.family);
}

/* Connections that have ended are remembered for a while. One who takes over has the port, too,
 * before the other lets it go. The kernel allows that to two of one user who both have said so. */
static int set_up(int fd, uint8_t family, bool tcp)
{
	const bool v6 = family == AF_INET6;
	const int on = 1;
	const struct {
		bool wanted;
		int level, name;
	} options[] = {
		{ tcp, SOL_SOCKET, SO_REUSEADDR },
		{ true, SOL_SOCKET, SO_REUSEPORT },
		{ v6, IPPROTO_IPV6, IPV6_V6ONLY },
		/* An answer is to come from the address that was asked. */
		{ !tcp && !v6, IPPROTO_IP, IP_PKTINFO },
		{ !tcp && v6, IPPROTO_IPV6, IPV6_RECVPKTINFO },
	};

	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		if (options[i].wanted &&
		    setsockopt(fd, options[i].level, options[i].name, &on, sizeof(on)) < 0)
			return -errno;
	}
	return 0;
}

int nook_port_open(const struct nook_plan_port *port, uint8_t family, unsigned offset,
		   struct nook_error *err)
{
	const bool tcp = port->protocol == IPPROTO_TCP;
	const uint16_t number = (uint16_t)(port->host_port + offset);
	struct sockaddr_storage at;
	auto_close int fd =
		socket(family, (tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return may_lack(errno, port) ? -EAFNOSUPPORT
					     : fail(errno, port, family, number, err);

	int rc = set_up(fd, family, tcp);

	if (rc < 0)
		return fail(-rc, port, family, number, err);
	nook_port_fill(&at, family, &port->host, number);
	if (bind(fd, (const struct sockaddr *)&at,
		 family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6)) < 0)
		return may_lack(errno, port) ? -EAFNOSUPPORT
					     : fail(errno, port, family, number, err);
	if (tcp && listen(fd, SOMAXCONN) < 0)
		return fail(errno, port, family, number, err);
	return move_fd(&fd);
}
