/* SPDX-License-Identifier: Apache-2.0 */
/* What may be done to a packet on its way: translated, forwarded or not, dropped, taken in. */
#include "net_explain_parts.h"

#include "net/address.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

const struct nook_network *nook_walk_network(const struct nook_walk *w,
					     const struct nook_place *place,
					     const struct nook_place_link *link)
{
	if (place != &w->host)
		return NULL;
	for (size_t i = 0; i < w->n_networks; i++) {
		if (strcmp(w->networks[i].bridge, link->name) == 0)
			return &w->networks[i];
	}
	return NULL;
}

static unsigned family_of(const struct nook_net_addr *addr)
{
	return addr->family == AF_INET6 ? NOOK_NET_V6 : NOOK_NET_V4;
}

/* ---- published ports ---- */

static bool leads(const struct nook_walk *w, const struct nook_plan_port *p)
{
	if (p->protocol != w->out->protocol || w->port < p->host_port ||
	    w->port - p->host_port >= p->count)
		return false;
	return p->host.family ? nook_net_equal(&p->host, &w->dst)
			      : nook_place_has(&w->host, &w->dst);
}

int nook_walk_prerouting(struct nook_walk *w)
{
	unsigned f = family_of(&w->dst);

	for (size_t i = 0; i < w->n_attached && !w->translated && w->port; i++) {
		const struct nook_attached *c = &w->attached[i];

		for (size_t k = 0; k < c->n_ports; k++) {
			const struct nook_plan_port *p = &c->ports[k];
			const struct nook_place *to;
			char text[NOOK_NET_TEXT];
			int rc;

			if (!leads(w, p) || !p->to[f].family)
				continue;
			rc = nook_walk_place(w, c->container, &to);
			if (rc < 0)
				return rc;
			(void)nook_walk_step(
				w, NOOK_EXPLAIN_PASSES, "nat", &w->host, NULL,
				"port %u is published: from here on it goes to %s, port "
				"%u, of %s",
				w->port, nook_net_text(&p->to[f], text),
				p->inside_port + (w->port - p->host_port), c->container);
			w->port = (uint16_t)(p->inside_port + (w->port - p->host_port));
			w->dst = p->to[f];
			w->to = to;
			w->translated = true;
			return 0;
		}
	}
	return 0;
}

/* ---- from link to link ---- */

static int isolated(struct nook_walk *w, const struct nook_network *out)
{
	const struct nook_network *in = w->by;
	const char *hint =
		"publish a port, `nook net publish CONTAINER 8080:80`, and ask the host for "
		"it";

	if (w->translated || in == out)
		return 0;
	if (in && out)
		return nook_walk_step(
			w, NOOK_EXPLAIN_STOPS, "rules", &w->host,
			"put both on one network: `nook net connect CONTAINER NETWORK`",
			"the networks %s and %s are kept apart", in->name, out->name);
	if (in && in->internal)
		return nook_walk_step(w, NOOK_EXPLAIN_STOPS, "rules", &w->host,
				      "connect it to a network that is not --internal",
				      "the network %s is internal: nothing leaves it", in->name);
	if (out && out->internal)
		return nook_walk_step(w, NOOK_EXPLAIN_STOPS, "rules", &w->host,
				      "connect it to a network that is not --internal",
				      "the network %s is internal: nothing gets in from outside",
				      out->name);
	if (out && !out->no_nat)
		return nook_walk_step(w, NOOK_EXPLAIN_STOPS, "rules", &w->host, hint,
				      "from outside only published ports of %s are reached",
				      out->name);
	return 0;
}

int nook_walk_forward(struct nook_walk *w, const struct nook_place *place,
		      const struct nook_place_link *out)
{
	unsigned f = family_of(&w->dst);
	int rc;

	if (!place->forwards[f])
		return nook_walk_step(
			w, NOOK_EXPLAIN_STOPS, "forward", place,
			place == &w->host && w->n_networks ? "`nook net repair` switches it on"
			: f == NOOK_NET_V6
				? "`sysctl net.ipv6.conf.all.forwarding=1` switches it on"
				: "`sysctl net.ipv4.ip_forward=1` switches it on",
			"forwarding of IPv%d is off", f == NOOK_NET_V6 ? 6 : 4);
	rc = place == &w->host ? isolated(w, nook_walk_network(w, place, out)) : 0;
	if (rc == 0)
		rc = nook_walk_step(w, NOOK_EXPLAIN_PASSES, "forward", place, NULL,
				    "it is forwarded");
	return rc ? rc : nook_walk_suspects(w, place, NOOK_HOOK_FORWARD);
}

int nook_walk_masquerade(struct nook_walk *w, const struct nook_place_route *route,
			 const struct nook_place_link *out)
{
	char text[NOOK_NET_TEXT];

	if (!w->by || nook_walk_network(w, &w->host, out))
		return 0;
	if (w->by->no_nat)
		return nook_walk_step(w, NOOK_EXPLAIN_PASSES, "nat", &w->host, NULL,
				      "it leaves with the address that it has, %s was made with "
				      "--no-nat: whoever answers must know a way back to it",
				      w->by->name);
	if (route->source.family)
		w->src = route->source;
	return nook_walk_step(w, NOOK_EXPLAIN_PASSES, "nat", &w->host, NULL,
			      "it leaves with the host's address%s%s",
			      route->source.family ? " " : "",
			      route->source.family ? nook_net_text(&route->source, text) : "");
}

/* ---- foreign rules ---- */

int nook_walk_suspects(struct nook_walk *w, const struct nook_place *place,
		       enum nook_place_hook hook)
{
	struct nook_place_chain *chains;
	struct nook_error why = { 0 };
	size_t n = 0;

	if (nook_place_chains(place, w->a, &chains, &n, &why) < 0) {
		(void)nook_walk_step(w, NOOK_EXPLAIN_SUSPECT, "rules", place,
				     "ask as root: rules are read with CAP_NET_ADMIN",
				     "its rules could not be read: %s", why.why);
		return 0;
	}
	for (size_t i = 0; i < n; i++) {
		const struct nook_place_chain *c = &chains[i];

		if (c->hook != hook || !(w->dst.family == AF_INET6 ? c->v6 : c->v4))
			continue;
		(void)nook_walk_step(w, NOOK_EXPLAIN_SUSPECT, "rules", place,
				     nook_printf(w->a, "look at it: `nft list table %s %s`",
						 c->family, c->table),
				     "table %s %s, chain %s, is not nook's and %s", c->family,
				     c->table, c->chain,
				     c->drops_rest ? "drops what none of its rules accepts"
						   : "has rules that drop or reject");
	}
	return 0;
}

/* ---- where it arrives ---- */

static bool is_any(const struct nook_net_addr *addr)
{
	static const uint8_t zero[16];

	return memcmp(addr->bytes, zero, sizeof(zero)) == 0;
}

static bool hears(const struct nook_place_listener *l, const struct nook_net_addr *addr)
{
	if (is_any(&l->addr))
		return l->addr.family == addr->family || l->v4_too;
	return nook_net_equal(&l->addr, addr);
}

static int deaf(struct nook_walk *w, const struct nook_place *place,
		const struct nook_place_listener *list, size_t n)
{
	const char *protocol = w->out->protocol == IPPROTO_UDP ? "udp" : "tcp";
	char text[NOOK_NET_TEXT], dst[NOOK_NET_TEXT];

	if (n == 0)
		return nook_walk_step(
			w, NOOK_EXPLAIN_STOPS, "listener", place,
			"start the server, or look which port it has: `ss -ln` inside",
			"nobody listens on %s port %u", protocol, w->port);
	return nook_walk_step(
		w, NOOK_EXPLAIN_STOPS, "listener", place,
		"have the server listen on all addresses: 0.0.0.0, and :: for IPv6",
		"on %s port %u somebody listens, but on %s only, and not on %s", protocol, w->port,
		is_any(&list[0].addr) ? list[0].addr.family == AF_INET6 ? "IPv6" : "IPv4"
				      : nook_net_text(&list[0].addr, text),
		nook_net_text(&w->dst, dst));
}

static int find_listener(struct nook_walk *w, const struct nook_place *place)
{
	const char *protocol = w->out->protocol == IPPROTO_UDP ? "udp" : "tcp";
	struct nook_place_listener *list;
	struct nook_error why = { 0 };
	char text[NOOK_NET_TEXT];
	size_t n = 0;

	if (!w->port)
		return 0;
	if (nook_place_listeners(place, w->out->protocol, w->port, w->a, &list, &n, &why) < 0) {
		(void)nook_walk_step(w, NOOK_EXPLAIN_SUSPECT, "listener", place, NULL,
				     "who listens could not be looked at: %s", why.why);
		return 0;
	}
	for (size_t i = 0; i < n; i++) {
		if (hears(&list[i], &w->dst))
			return nook_walk_step(
				w, NOOK_EXPLAIN_PASSES, "listener", place, NULL,
				"somebody listens on %s port %u of %s", protocol, w->port,
				is_any(&list[i].addr) ? "all addresses"
						      : nook_net_text(&list[i].addr, text));
	}
	return deaf(w, place, list, n);
}

static int find_back(struct nook_walk *w, const struct nook_place *place)
{
	struct nook_place_route route;
	char text[NOOK_NET_TEXT];
	int rc;

	if (!w->src.family || place == w->from)
		return 0;
	rc = nook_place_route(place, &w->src, &route, w->err);
	if (rc < 0)
		return rc;
	if (!route.errnum)
		return nook_walk_step(w, NOOK_EXPLAIN_PASSES, "way back", place, NULL,
				      "it has a route to %s, for the answer",
				      nook_net_text(&w->src, text));
	return nook_walk_step(w, NOOK_EXPLAIN_STOPS, "way back", place,
			      "give it a default route, or a route to that address",
			      "the packet arrives, but there is no route back to %s",
			      nook_net_text(&w->src, text));
}

int nook_walk_deliver(struct nook_walk *w, const struct nook_place *place)
{
	char text[NOOK_NET_TEXT];
	int rc = nook_walk_step(w, NOOK_EXPLAIN_PASSES, "route", place, NULL,
				"%s is an address of its own", nook_net_text(&w->dst, text));

	if (rc == 0)
		rc = nook_walk_suspects(w, place, NOOK_HOOK_IN);
	if (rc == 0)
		rc = find_back(w, place);
	return rc ? rc : find_listener(w, place);
}
