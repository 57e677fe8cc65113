/* SPDX-License-Identifier: Apache-2.0 */
/* How the container is connected: its links to networks, and the ports that lead to it. */
#include "parts.h"

#include "base/hash.h"
#include "base/own.h"
#include "base/text.h"
#include "net/address.h"

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>

static bool is_name_taken(const struct nook_planner *p, const char *name)
{
	for (size_t i = 0; i < p->spec->n_links; i++) {
		const char *other = p->spec->links[i].name;

		if (other && strcmp(other, name) == 0)
			return true;
	}
	for (size_t i = 0; i < p->plan->n_links; i++) {
		if (strcmp(p->plan->links[i].inside, name) == 0)
			return true;
	}
	return false;
}

static const char *name_inside(struct nook_planner *p, const struct nook_link_spec *s)
{
	for (unsigned i = 0; !s->name; i++) {
		const char *name = nook_printf(p->arena, "eth%u", i);

		if (!is_name_taken(p, name))
			return name;
	}
	return s->name;
}

/* Of the address that is its alone: nobody else has it on this machine, nor will while it lives. */
static void choose_names(struct nook_planner *p, const struct nook_link_spec *s,
			 struct nook_plan_link *l)
{
	const struct nook_net_addr *v4 = &l->address[NOOK_NET_V4], *v6 = &l->address[NOOK_NET_V6];
	uint64_t h = nook_hash(v6->bytes, sizeof(v6->bytes), NOOK_HASH_BEGIN);

	if (!v4->family && !v6->family) /* macvlan without an address */
		h = nook_hash(p->plan->name, strlen(p->plan->name),
			      nook_hash(l->master, strlen(l->master), NOOK_HASH_BEGIN));
	l->inside = name_inside(p, s);
	if (l->kind == NOOK_LINK_PAIR && v4->family)
		l->outside = nook_printf(p->arena, "nk%02x%02x%02x%02x", v4->bytes[0], v4->bytes[1],
					 v4->bytes[2], v4->bytes[3]);
	else if (l->kind == NOOK_LINK_PAIR)
		l->outside = nook_printf(p->arena, "nk%010lx", h & UINT64_C(0xffffffffff));
	if (s->set_mac) {
		memcpy(l->mac, s->mac, sizeof(l->mac));
		return;
	}
	/* 0x0a: administered locally, of one machine. */
	l->mac[0] = 0x0a;
	l->mac[1] = 0x6e;
	for (unsigned i = 0; i < 4; i++)
		l->mac[2 + i] = v4->family ? v4->bytes[i] : (uint8_t)(h >> (8 * i));
}

static int refuse_address(struct nook_planner *p, const struct nook_link_spec *s,
			  const struct nook_network *net, unsigned f, const char *why)
{
	char address[NOOK_NET_TEXT], subnet[NOOK_NET_TEXT];

	nook_where(p->err, "%s", s->from);
	if (!net->subnet[f].family)
		return nook_refuse(p->err, EINVAL, "network %s has no %s addresses", net->name,
				   f == NOOK_NET_V4 ? "IPv4" : "IPv6");
	return nook_refuse(p->err, EINVAL, "%s %s %s, the subnet of network %s",
			   nook_net_text(&s->address[f], address), why,
			   nook_net_text_prefix(&net->subnet[f], subnet), net->name);
}

/* Those that were asked for fit the network; the rest was found free. */
static int choose_addresses(struct nook_planner *p, const struct nook_link_spec *s,
			    const struct nook_host_link *h, struct nook_plan_link *l)
{
	const struct nook_network *net = &h->network;

	for (unsigned f = 0; f < NOOK_NET_FAMILIES; f++) {
		const struct nook_net_addr *asked = &s->address[f];

		if (asked->family && !nook_net_contains(&net->subnet[f], asked))
			return refuse_address(p, s, net, f, "is not in");
		if (asked->family && (!nook_net_usable(&net->subnet[f], asked) ||
				      nook_net_equal(&net->gateway[f], asked)))
			return refuse_address(p, s, net, f, "can't be a container's in");
		l->asked |= asked->family != 0;
		l->address[f] = asked->family ? *asked : h->free[f];
		if (l->address[f].family)
			l->address[f].prefix = net->subnet[f].prefix;
	}
	return 0;
}

static bool has_gateway(const struct nook_plan *plan, unsigned f)
{
	for (size_t i = 0; i < plan->n_links; i++) {
		if (plan->links[i].gateway[f].family)
			return true;
	}
	return false;
}

static int plan_pair(struct nook_planner *p, const struct nook_link_spec *s,
		     const struct nook_host_link *h, struct nook_plan_link *l)
{
	l->kind = NOOK_LINK_PAIR;
	l->network = h->network.name;
	l->master = h->network.bridge;
	l->mtu = h->network.mtu;

	int rc = choose_addresses(p, s, h, l);

	for (unsigned f = 0; rc == 0 && f < NOOK_NET_FAMILIES; f++) {
		if (!h->network.internal && l->address[f].family && !has_gateway(p->plan, f))
			l->gateway[f] = h->network.gateway[f];
	}
	return rc;
}

static int plan_link(struct nook_planner *p, const struct nook_link_spec *s,
		     const struct nook_host_link *h)
{
	struct nook_plan_link l = { .from = s->from };
	int rc = 0;

	if (s->network) {
		rc = plan_pair(p, s, h, &l);
	} else {
		l.kind = NOOK_LINK_MACVLAN;
		l.master = s->parent;
		memcpy(l.address, s->address, sizeof(l.address));
	}
	if (rc < 0)
		return rc;
	choose_names(p, s, &l);
	*nook_append(p->arena, p->plan->links, p->plan->n_links) = l;
	return 0;
}

/* Ports lead to the first network that has an address of the family. */
static void plan_port(struct nook_planner *p, const struct nook_port_spec *s)
{
	struct nook_plan_port *port = nook_append(p->arena, p->plan->ports, p->plan->n_ports);

	*port = (struct nook_plan_port){
		.protocol = s->protocol,
		.host = s->host,
		.host_port = s->host_port,
		.inside_port = s->inside_port,
		.count = s->count,
		.from = s->from,
	};
	for (unsigned f = 0; f < NOOK_NET_FAMILIES; f++) {
		for (size_t i = 0; i < p->plan->n_links && !port->to[f].family; i++) {
			if (p->plan->links[i].kind == NOOK_LINK_PAIR)
				port->to[f] = p->plan->links[i].address[f];
		}
	}
}

int nook_plan_links(struct nook_planner *p)
{
	const struct nook_spec *s = p->spec;
	int rc = 0;

	if (s->net != NOOK_NET_LINKS && s->net != NOOK_NET_USER)
		return 0;
	/* pasta's have none: to be taken, they stand there, too. */
	for (size_t i = 0; i < s->n_links && rc == 0; i++)
		rc = plan_link(p, &s->links[i], &p->host->links[i]);
	for (size_t i = 0; i < s->n_ports && rc == 0; i++)
		plan_port(p, &s->ports[i]);
	return rc;
}

/* Ping without a capability: ICMP sockets for every group that the container has, in its own
 * network namespace. icmp(7), ping_group_range */
void nook_plan_ping(struct nook_planner *p)
{
	uint32_t first = UINT32_MAX, last = 0;

	if (p->spec->net != NOOK_NET_LINKS && p->spec->net != NOOK_NET_USER)
		return;
	for (size_t i = 0; i < p->n_gid_map; i++) {
		const struct nook_idmap *m = &p->gid_map[i];

		first = m->inside < first ? m->inside : first;
		last = m->inside + m->count - 1 > last ? m->inside + m->count - 1 : last;
	}
	if (!p->n_gid_map) {
		first = 0;
		last = INT32_MAX;
	}
	*nook_append(p->arena, p->plan->sysctls, p->plan->n_sysctls) = (struct nook_plan_sysctl){
		.path = "net/ipv4/ping_group_range",
		.value = nook_printf(p->arena, "%u %u", first, last),
		.from = p->spec->net_from,
	};
}
