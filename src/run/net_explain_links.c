/* SPDX-License-Identifier: Apache-2.0 */
/* Out of a namespace by a link: over a pair, a bridge or a macvlan, into the next one. */
#include "net_explain_parts.h"

#include "net/address.h"

#include <string.h>

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
		return nook_walk_arrive(w, place, bridge);
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
	return rc ? rc : nook_walk_arrive(w, other, inner);
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
		return rc ? rc : nook_walk_arrive(w, other, peer);
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

int nook_walk_by_link(struct nook_walk *w, const struct nook_place *place,
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
