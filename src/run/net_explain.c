/* SPDX-License-Identifier: Apache-2.0 */
/* The walk itself: from namespace to namespace, by what each one's routes say. */
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
	return rc ? rc
		  : nook_walk_by_link(w, place, out,
				      route.gateway.family ? &route.gateway : &w->dst);
}

int nook_walk_arrive(struct nook_walk *w, const struct nook_place *place,
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
	return rc ? rc : nook_walk_arrive(w, &w->host, in);
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
