/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules are asked about the first packet of a connection only; what follows goes where that one
 * went. For datagrams a connection is whatever goes on: somebody who has asked a port of the host
 * before it was published, and asks on, would never reach the container; and who asks on after its
 * end would reach the next container that is given its address.
 */
#include "rules.h"

#include "base/own.h"
#include "sys/conntrack.h"

#include <arpa/inet.h>
#include <string.h>

struct stale {
	const struct nook_plan_port *ports;
	size_t n;
	unsigned family;
	bool published; /* those that a port has led to its container; else those that it has not */
};

static bool is_stale(void *data, const struct nook_connection *c)
{
	const struct stale *s = data;

	for (size_t i = 0; i < s->n; i++) {
		const struct nook_plan_port *p = &s->ports[i];
		const struct nook_net_addr *to = &p->to[s->family];
		size_t size = c->family == AF_INET ? 4 : 16;

		if (!to->family || p->protocol != c->protocol || c->port < p->host_port ||
		    c->port - p->host_port >= p->count)
			continue;
		if (!nook_port_everywhere(&p->host) &&
		    (p->host.family != c->family || memcmp(p->host.bytes, c->to, size) != 0))
			continue;
		/* What was led nowhere answers by itself. */
		if (s->published ? memcmp(c->answers, to->bytes, size) == 0
				 : memcmp(c->answers, c->to, size) == 0)
			return true;
	}
	return false;
}

void nook_rules_forget(const struct nook_plan_port *ports, size_t n, bool published)
{
	static const uint8_t families[NOOK_NET_FAMILIES] = {
		[NOOK_NET_V4] = AF_INET, [NOOK_NET_V6] = AF_INET6
	};
	static const uint8_t protocols[] = { IPPROTO_UDP, IPPROTO_TCP };

	for (unsigned f = 0; f < NOOK_NET_FAMILIES; f++) {
		for (size_t p = 0; p < ARRAY_SIZE(protocols); p++) {
			struct stale s = {
				.ports = ports, .n = n, .family = f, .published = published
			};
			bool any = false;

			/* A new connection of TCP asks the rules again, whatever was before. */
			if (!published && protocols[p] == IPPROTO_TCP)
				continue;
			for (size_t i = 0; i < n; i++)
				any = any ||
				      (ports[i].protocol == protocols[p] && ports[i].to[f].family);
			/* Where the kernel can't tell of them they end by themselves. */
			if (any)
				(void)nook_conntrack_forget(families[f], protocols[p], is_stale,
							    &s);
		}
	}
}
