/* SPDX-License-Identifier: Apache-2.0 */
/* From where, and to which address? */
#include "net_explain_parts.h"

#include "base/own.h"
#include "base/text.h"
#include "net/address.h"
#include "state/files.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#define CANDIDATES_MAX 64 /* addresses of TO that are asked for a route */

/* ---- words ---- */

/* "80", "80/udp" behind the last colon. Return: 0; -EINVAL: it is no port. */
static int parse_port(const char *text, uint8_t *ret_protocol, uint16_t *ret_port)
{
	char digits[8];
	size_t len = strcspn(text, "/");
	uint64_t port = 0;

	if (len >= sizeof(digits))
		return -EINVAL;
	(void)nook_format(digits, sizeof(digits), "%.*s", (int)len, text);
	if (nook_parse_u64(digits, UINT16_MAX, &port) < 0 || port == 0)
		return -EINVAL;
	if (!text[len] || strcmp(text + len, "/tcp") == 0)
		*ret_protocol = IPPROTO_TCP;
	else if (strcmp(text + len, "/udp") == 0)
		*ret_protocol = IPPROTO_UDP;
	else
		return -EINVAL;
	*ret_port = (uint16_t)port;
	return 0;
}

/* Takes "TO:PORT" apart; what is in brackets, and an address of IPv6 alone, has colons of its own.
 */
static int split(struct nook_walk *w, const char *words, const char **ret_to)
{
	struct nook_net_addr whole;
	const char *close = *words == '[' ? strchr(words, ']') : NULL;
	const char *colon = close ? strchr(close, ':') : strrchr(words, ':');
	size_t len = colon ? (size_t)(colon - words) : strlen(words);

	*ret_to = words;
	if (!close && nook_net_parse_address(words, &whole, NULL) == 0)
		return 0;
	if (close && close[1] != ':' && close[1] != '\0')
		return nook_refuse(w->err, EINVAL, "'%s' has something behind its bracket", words);
	if (colon && parse_port(colon + 1, &w->out->protocol, &w->out->port) < 0) {
		nook_hint(w->err, "write NAME:80, 10.88.0.2:53/udp or [fd00::2]:80");
		return nook_refuse(w->err, EINVAL,
				   "'%s' is no port: a number from 1 to 65535, then /udp perhaps",
				   colon + 1);
	}
	w->port = w->out->port;
	*ret_to = close ? nook_strndup(w->a, words + 1, (size_t)(close - words) - 1)
			: nook_strndup(w->a, words, len);
	if (**ret_to)
		return 0;
	return nook_refuse(w->err, EINVAL, "'%s' does not say where to", words);
}

/* ---- places ---- */

int nook_walk_place(struct nook_walk *w, const char *target, const struct nook_place **ret)
{
	struct nook_place *place = nook_alloc(w->a, sizeof(*place));
	bool pid = *target && !target[strspn(target, "0123456789")];
	const char *name = pid ? nook_printf(w->a, "process %s", target) : target;
	int rc = nook_place_open(w->state_dir, target, name, w->a, place, w->err);

	if (rc < 0) {
		nook_place_close(place);
		return rc;
	}
	/* One that shares its network with another is the same place. */
	for (size_t i = 0; i <= w->n_others; i++) {
		const struct nook_place *known = i ? w->others[i - 1] : &w->host;

		if (known->ino != place->ino)
			continue;
		nook_place_close(place);
		*ret = known;
		return 0;
	}
	*nook_append(w->a, w->others, w->n_others) = place;
	*ret = place;
	return 0;
}

const struct nook_attached *nook_walk_owner(const struct nook_walk *w,
					    const struct nook_net_addr *addr)
{
	for (size_t i = 0; i < w->n_attached; i++) {
		const struct nook_attached *c = &w->attached[i];

		for (size_t k = 0; k < c->n_links; k++) {
			for (int f = 0; f < NOOK_NET_FAMILIES; f++) {
				if (c->links[k].address[f].family &&
				    nook_net_equal(&c->links[k].address[f], addr))
					return c;
			}
		}
	}
	return NULL;
}

/* Whoever of those that nook knows has the address; NULL: it is outside, or nobody's. */
static int place_of(struct nook_walk *w, const struct nook_net_addr *addr,
		    const struct nook_place **ret)
{
	const struct nook_attached *owner = nook_walk_owner(w, addr);
	struct nook_error ignored = { 0 };
	struct nook_error *err = w->err;
	int rc = 0;

	*ret = NULL;
	if (nook_place_has(&w->host, addr)) {
		*ret = &w->host;
	} else if (w->from && nook_place_has(w->from, addr)) {
		*ret = w->from;
	} else if (owner) {
		w->err = &ignored; /* of a dead container: the bridge tells */
		rc = nook_walk_place(w, owner->container, ret);
		w->err = err;
	}
	return rc == -ESRCH || rc == -ENOENT ? 0 : rc;
}

static int find_end(struct nook_walk *w, const char *words, struct nook_net_addr *ret_addr,
		    const struct nook_place **ret)
{
	*ret = NULL;
	if (strcmp(words, "host") == 0) {
		*ret = &w->host;
		return 0;
	}
	if (nook_net_parse_address(words, ret_addr, NULL) == 0)
		return place_of(w, ret_addr, ret);
	return nook_walk_place(w, words, ret);
}

/* ---- the address to go to ---- */

static bool is_loopback(const struct nook_net_addr *addr)
{
	static const uint8_t v6[16] = { [15] = 1 };

	return addr->family == AF_INET ? addr->bytes[0] == 127
				       : memcmp(addr->bytes, v6, sizeof(v6)) == 0;
}

static int rank(const struct nook_place_route *route)
{
	return route->errnum ? 0 : route->gateway.family ? 1 : 2;
}

/* Of the addresses of TO, the one that is nearest: on a link of FROM, else by a gateway. */
static int choose(struct nook_walk *w)
{
	int best = -1;

	for (size_t i = 0; i < w->to->n_addresses && i < CANDIDATES_MAX && best < 2; i++) {
		const struct nook_net_addr *addr = &w->to->addresses[i].addr;
		struct nook_place_route route;
		int rc;

		if (is_loopback(addr))
			continue;
		rc = nook_place_route(w->from ? w->from : &w->host, addr, &route, w->err);
		if (rc < 0)
			return rc;
		if (rank(&route) > best) {
			best = rank(&route);
			w->dst = *addr;
		}
	}
	if (best >= 0)
		return 0;
	return nook_walk_step(w, NOOK_EXPLAIN_STOPS, "link", w->to,
			      nook_printf(w->a,
					  "`nook net connect %s NETWORK`, or start it with --net "
					  "bridge",
					  w->to->name),
			      "%s has no address but its loopback's", w->to->name);
}

static int read_networks(struct nook_walk *w)
{
	auto_close int base = nook_base_open(w->state_dir, false, w->err);
	int rc;

	if (base == -ENOENT)
		return 0;
	if (base < 0)
		return base;
	rc = nook_net_list(w->state_dir, w->a, &w->networks, &w->n_networks, w->err);
	return rc < 0 ? rc
		      : nook_attached_list(base, w->a, &w->attached, &w->n_attached, NULL, w->err);
}

int nook_walk_ends(struct nook_walk *w, const char *from, const char *to)
{
	const char *target;
	int rc = split(w, to, &target);

	if (rc == 0)
		rc = nook_place_open(w->state_dir, NULL, "host", w->a, &w->host, w->err);
	if (rc == 0)
		rc = read_networks(w);
	if (rc == 0)
		rc = find_end(w, from, &w->src, &w->from);
	if (rc == 0)
		rc = find_end(w, target, &w->dst, &w->to);
	if (rc < 0)
		return rc;
	w->out->to = target;
	if (!w->dst.family && w->from == w->to) {
		rc = nook_net_parse_address("127.0.0.1", &w->dst, w->err);
		if (rc < 0)
			return rc;
	}
	if (!w->dst.family)
		rc = choose(w);
	w->out->address = w->dst;
	return rc;
}
