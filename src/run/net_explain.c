/* SPDX-License-Identifier: Apache-2.0 */
/* The walk itself: out of a namespace by a link, over a pair or a bridge, into the next one. */
#include "net_explain_parts.h"

#include "base/own.h"
#include "net/address.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define HOPS_MAX 16 /* namespaces; more are a circle */

int nook_walk_step(struct nook_walk *w, enum nook_explain_result result, const char *what,
		   const struct nook_place *where, const char *hint, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap); /* a longer one is cut */
	va_end(ap);
	*nook_append(w->a, w->out->steps, w->out->n) = (struct nook_explain_step){
		.result = result,
		.what = what,
		.where = where ? where->name : "outside",
		.text = nook_strdup(w->a, text),
		.hint = hint,
	};
	if (result == NOOK_EXPLAIN_STOPS)
		w->out->verdict = NOOK_EXPLAIN_STUCK;
	else if (result == NOOK_EXPLAIN_UNKNOWN)
		w->out->verdict = NOOK_EXPLAIN_LEAVES;
	return result == NOOK_EXPLAIN_STOPS || result == NOOK_EXPLAIN_UNKNOWN;
}

static int arrive(struct nook_walk *w, const struct nook_place *place,
		  const struct nook_place_link *in);

static const char *up_hint(struct nook_walk *w, const struct nook_place *place,
			   const struct nook_place_link *link)
{
	return place == &w->host ? "`nook net repair` brings up what is nook's"
				 : nook_printf(w->a,
					       "bring it up inside: `ip link set %s up`, by root "
					       "of %s",
					       link->name, place->name);
}

/* A link must be up to take a packet. */
static int through(struct nook_walk *w, const struct nook_place *place,
		   const struct nook_place_link *link)
{
	if (!link->up)
		return nook_walk_step(w, NOOK_EXPLAIN_STOPS, "link", place, up_hint(w, place, link),
				      "%s is down", link->name);
	if (!link->carrier && strcmp(link->kind, "bridge") != 0)
		return nook_walk_step(w, NOOK_EXPLAIN_STOPS, "link", place,
				      *link->kind
					      ? "bring up its other end"
					      : "look at its cable, or at what it is plugged in",
				      "%s is up, but its other end is not", link->name);
	return 0;
}

/* Where the link's other end is; NULL: in none of the namespaces that we know. */
static const struct nook_place *other_side(struct nook_walk *w, const struct nook_place *place,
					   const struct nook_place_link *link, int *ret_rc)
{
	*ret_rc = 0;
	if (link->peer_nsid < 0)
		return place;
	for (size_t i = 0; i <= w->n_others; i++) {
		const struct nook_place *other = i ? w->others[i - 1] : &w->host;
		int nsid = -1;

		if (other == place)
			continue;
		*ret_rc = nook_place_nsid(place, other, &nsid, w->err);
		if (*ret_rc < 0)
			return NULL;
		if (nsid == link->peer_nsid)
			return other;
	}
	return NULL;
}

/* Somebody's link that is a port of the bridge, where the address is. */
static int find_port(struct nook_walk *w, const struct nook_place *place,
		     const struct nook_place_link *bridge, const struct nook_net_addr *next,
		     const struct nook_place **ret, const struct nook_place_link **ret_inner,
		     const struct nook_place_link **ret_port)
{
	for (size_t i = 0; i < w->n_others; i++) {
		const struct nook_place *other = w->others[i];

		for (size_t k = 0; k < other->n_links && nook_place_has(other, next); k++) {
			const struct nook_place_link *inner = &other->links[k], *port;
			int rc;

			if (strcmp(inner->kind, "veth") != 0 ||
			    other_side(w, other, inner, &rc) != place)
				continue;
			if (rc < 0)
				return rc;
			port = nook_place_link(place, inner->peer);
			if (!port || port->master != bridge->index)
				continue;
			*ret = other;
			*ret_inner = inner;
			*ret_port = port;
			return 0;
		}
	}
	return 0;
}

/* Nobody whom we know has the address on the bridge. */
static int nobody(struct nook_walk *w, const struct nook_place *place,
		  const struct nook_place_link *bridge, const struct nook_net_addr *next)
{
	const struct nook_attached *owner = nook_walk_owner(w, next);
	char text[NOOK_NET_TEXT];

	if (owner)
		return nook_walk_step(w, NOOK_EXPLAIN_STOPS, "bridge", place,
				      "`nook net repair` puts lost links back",
				      "%s belongs to the container %s, whose link is no port of %s",
				      nook_net_text(next, text), owner->container, bridge->name);
	if (nook_walk_network(w, place, bridge))
		return nook_walk_step(w, NOOK_EXPLAIN_STOPS, "bridge", place,
				      "`nook net show NETWORK` lists who is on it",
				      "nobody on %s has the address %s", bridge->name,
				      nook_net_text(next, text));
	return nook_walk_step(w, NOOK_EXPLAIN_UNKNOWN, "bridge", place, NULL,
			      "who on %s has the address %s is not known here", bridge->name,
			      nook_net_text(next, text));
}

static int check_port(struct nook_walk *w, const struct nook_place *place,
		      const struct nook_place_link *port, const struct nook_place_link *bridge)
{
	int rc = through(w, place, port);

	if (rc)
		return rc;
	if (!port->forwards)
		return nook_walk_step(w, NOOK_EXPLAIN_STOPS, "bridge", place,
				      "`bridge link` shows the state of its ports",
				      "%s is a port of %s that does not forward", port->name,
				      bridge->name);
	return 0;
}

/* On a bridge: to the address that the packet goes to next. */
static int on_bridge(struct nook_walk *w, const struct nook_place *place,
		     const struct nook_place_link *bridge, const struct nook_net_addr *next)
{
	const struct nook_place *other = NULL;
	const struct nook_place_link *inner = NULL, *port = NULL;
	int rc = through(w, place, bridge);

	if (rc)
		return rc;
	if (nook_place_has(place, next))
		return arrive(w, place, bridge);
	rc = find_port(w, place, bridge, next, &other, &inner, &port);
	if (rc < 0)
		return rc;
	if (!other)
		return nobody(w, place, bridge, next);
	rc = check_port(w, place, port, bridge);
	if (rc == 0)
		rc = nook_walk_step(w, NOOK_EXPLAIN_PASSES, "bridge", place, NULL,
				    "from %s out by its port %s, which is %s of %s", bridge->name,
				    port->name, inner->name, other->name);
	if (rc == 0)
		rc = through(w, other, inner);
	return rc ? rc : arrive(w, other, inner);
}

/* Over a pair to its other end. */
static int cross(struct nook_walk *w, const struct nook_place *place,
		 const struct nook_place_link *link, const struct nook_net_addr *next)
{
	int rc;
	const struct nook_place *other = other_side(w, place, link, &rc);
	const struct nook_place_link *peer = other ? nook_place_link(other, link->peer) : NULL;
	const struct nook_place_link *bridge;

	if (rc < 0)
		return rc;
	if (!peer)
		return nook_walk_step(
			w, NOOK_EXPLAIN_UNKNOWN, "pair", place,
			"`nook ns ls --kind net` lists them",
			"the other end of %s is in a net namespace that is neither the "
			"host's nor one you named",
			link->name);
	bridge = peer->master ? nook_place_link(other, peer->master) : NULL;
	if (!bridge) {
		rc = nook_walk_step(w, NOOK_EXPLAIN_PASSES, "pair", place, NULL,
				    "%s is a pair with %s of %s", link->name, peer->name,
				    other->name);
		return rc ? rc : arrive(w, other, peer);
	}
	rc = through(w, other, bridge); /* its ports don't forward while it is down */
	if (rc == 0)
		rc = check_port(w, other, peer, bridge);
	if (rc == 0)
		rc = nook_walk_step(w, NOOK_EXPLAIN_PASSES, "pair", place, NULL,
				    "%s is a pair with %s of %s, a port of its bridge %s",
				    link->name, peer->name, other->name, bridge->name);
	return rc ? rc : on_bridge(w, other, bridge, next);
}

/* A macvlan stands on a link of the host, and both don't hear each other. */
static int over_macvlan(struct nook_walk *w, const struct nook_place *place,
			const struct nook_place_link *link)
{
	int rc;
	const struct nook_place *below = other_side(w, place, link, &rc);
	const struct nook_place_link *parent = below ? nook_place_link(below, link->peer) : NULL;

	if (rc < 0)
		return rc;
	if (below && nook_place_has(below, &w->dst))
		return nook_walk_step(
			w, NOOK_EXPLAIN_STOPS, "link", place,
			"reach the host by a network of nook's beside it: --net bridge",
			"%s stands on %s of %s: a macvlan does not reach the host that "
			"it is on",
			link->name, parent ? parent->name : "a link", below->name);
	return nook_walk_step(
		w, NOOK_EXPLAIN_UNKNOWN, "link", place, NULL,
		"it leaves %s by the macvlan %s; what comes behind can't be looked at "
		"from here",
		place->name, link->name);
}

static int by_link(struct nook_walk *w, const struct nook_place *place,
		   const struct nook_place_link *link, const struct nook_net_addr *next)
{
	int rc = through(w, place, link);

	if (rc)
		return rc;
	if (strcmp(link->kind, "bridge") == 0)
		return on_bridge(w, place, link, next);
	if (strcmp(link->kind, "macvlan") == 0)
		return over_macvlan(w, place, link);
	if (strcmp(link->kind, "veth") == 0)
		return cross(w, place, link, next);
	return nook_walk_step(w, NOOK_EXPLAIN_UNKNOWN, "link", place, NULL,
			      "it leaves this machine by %s; what comes behind can't be looked at "
			      "from here",
			      link->name);
}

static const char *no_route_hint(struct nook_walk *w, const struct nook_place *place)
{
	for (size_t i = 0; i < place->n_links; i++) {
		if (strcmp(place->links[i].name, "lo") != 0)
			return place == &w->host
				       ? "`ip route` shows the ways that there are"
				       : nook_printf(w->a,
						     "`nook ns enter %s ip route` shows the "
						     "ways that there are; a network made "
						     "with --internal has no way out",
						     place->name);
	}
	return nook_printf(w->a,
			   "%s has no link but its loopback: `nook net connect %s NETWORK`, or "
			   "start it with --net bridge",
			   place->name, place->name);
}

static int no_route(struct nook_walk *w, const struct nook_place *place, int errnum)
{
	char text[NOOK_NET_TEXT];
	const char *why = errnum == EACCES   ? "a route of its own forbids it"
			  : errnum == EINVAL ? "a blackhole route swallows it"
			  : errnum == EHOSTUNREACH
				  ? "a route of its own says that it is unreachable"
				  : "there is no route";

	return nook_walk_step(w, NOOK_EXPLAIN_STOPS, "route", place, no_route_hint(w, place),
			      "to %s: %s", nook_net_text(&w->dst, text), why);
}

static int tell_route(struct nook_walk *w, const struct nook_place *place,
		      const struct nook_place_route *route, const struct nook_place_link *link)
{
	char to[NOOK_NET_TEXT], by[NOOK_NET_TEXT], from[NOOK_NET_TEXT];

	return nook_walk_step(w, NOOK_EXPLAIN_PASSES, "route", place, NULL, "to %s by %s%s%s%s%s",
			      nook_net_text(&w->dst, to), link->name,
			      route->gateway.family ? ", gateway " : "",
			      route->gateway.family ? nook_net_text(&route->gateway, by) : "",
			      w->hops == 0 && w->src.family ? ", from " : "",
			      w->hops == 0 && w->src.family ? nook_net_text(&w->src, from) : "");
}

/* @in: by which link it came in; NULL: it is born here. */
static int go_on(struct nook_walk *w, const struct nook_place *place,
		 const struct nook_place_link *in)
{
	struct nook_place_route route;
	const struct nook_place_link *out;
	int rc = nook_place_route(place, &w->dst, &route, w->err);

	if (rc < 0)
		return rc;
	if (route.errnum)
		return no_route(w, place, route.errnum);
	if (!in && !w->src.family)
		w->src = route.source;
	if (route.local)
		return nook_walk_deliver(w, place);

	out = nook_place_link(place, route.link);
	if (!out)
		return nook_fail(w->err, ENODEV, "rtnetlink (link %d of %s)", route.link,
				 place->name);
	rc = tell_route(w, place, &route, out);
	if (rc == 0)
		rc = in || w->from != place ? nook_walk_forward(w, place, out)
					    : nook_walk_suspects(w, place, NOOK_HOOK_OUT);
	if (rc == 0)
		rc = nook_walk_masquerade(w, &route, out);
	w->by = nook_walk_network(w, place, out);
	return rc ? rc : by_link(w, place, out, route.gateway.family ? &route.gateway : &w->dst);
}

static int arrive(struct nook_walk *w, const struct nook_place *place,
		  const struct nook_place_link *in)
{
	int rc = 0;

	if (++w->hops > HOPS_MAX)
		return nook_walk_step(w, NOOK_EXPLAIN_STOPS, "route", place,
				      "the routes lead in a circle", "it has passed %d namespaces",
				      HOPS_MAX);
	w->by = nook_walk_network(w, place, in);
	if (place == &w->host)
		rc = nook_walk_prerouting(w);
	return rc < 0 ? rc : go_on(w, place, in);
}

/* What comes from outside is met where it comes in: on the host. */
static int from_outside(struct nook_walk *w)
{
	struct nook_place_route back;
	const struct nook_place_link *in;
	int rc = nook_place_route(&w->host, &w->src, &back, w->err);

	if (rc < 0)
		return rc;
	in = back.errnum ? NULL : nook_place_link(&w->host, back.link);
	if (!in)
		return nook_walk_step(w, NOOK_EXPLAIN_STOPS, "way back", &w->host,
				      "`ip route` shows the ways that there are",
				      "the host has no way to where the packet comes from");
	rc = nook_walk_step(w, NOOK_EXPLAIN_PASSES, "link", &w->host, NULL,
			    "it comes in by %s, as by its route back", in->name);
	return rc ? rc : arrive(w, &w->host, in);
}

static int walk(struct nook_walk *w, const char *from, const char *to)
{
	int rc = nook_walk_ends(w, from, to);

	if (rc)
		return rc;
	if (!w->from)
		return from_outside(w);
	if (w->from == &w->host) {
		rc = nook_walk_prerouting(w);
		if (rc < 0)
			return rc;
	}
	return go_on(w, w->from, NULL);
}

int nook_net_explain(const char *state_dir, const char *from, const char *to, struct nook_arena *a,
		     struct nook_explanation *ret, struct nook_error *err)
{
	struct nook_walk w = { .state_dir = state_dir, .a = a, .err = err, .out = ret };

	*ret = (struct nook_explanation){ .from = from, .to = to };
	w.host = (struct nook_place){ .user = NO_FD, .net = NO_FD };

	int rc = walk(&w, from, to);

	for (size_t i = 0; i < w.n_others; i++)
		nook_place_close(w.others[i]);
	nook_place_close(&w.host);
	return rc < 0 ? rc : 0;
}
