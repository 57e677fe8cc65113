/* SPDX-License-Identifier: Apache-2.0 */
/* What connects a container, seen from the host: a pair of which one end is a port of the bridge,
 * or a macvlan. Their inner end is born in the container's network namespace: to move one there
 * costs 20 ms. */
#include "links_parts.h"

#include "base/hash.h"
#include "base/own.h"
#include "base/text.h"
#include "outside.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/veth.h>
#include <net/if.h>
#include <string.h>

static const char *alias_of(const struct nook_plan_link *link, const char *container, char *out,
			    size_t size)
{
	(void)nook_format(out, size, "nook %.200s %s", container, link->inside);
	return out;
}

static int fail_master(const struct nook_plan_link *link, int error, struct nook_error *err)
{
	if (link->from)
		nook_where(err, "%s", link->from);
	if (link->network) {
		nook_hint(err, "`nook net repair` makes what is lost of nook's networks again");
		return nook_fail(err, error, "look for %s, the bridge of network %s", link->master,
				 link->network);
	}
	nook_hint(err, "`ip link` lists those of this network namespace");
	return nook_fail(err, error, "look for the host's link %s", link->master);
}

/* The inner end's own attributes. */
static void put_inner(struct nook_nl *m, const struct nook_plan_link *link, const char *name,
		      int netns)
{
	static const uint8_t none[sizeof(link->mac)];

	nook_nl_put_text(m, IFLA_IFNAME, name);
	nook_nl_put_u32(m, IFLA_NET_NS_FD, (uint32_t)netns);
	if (memcmp(link->mac, none, sizeof(none)) != 0)
		nook_nl_put(m, IFLA_ADDRESS, link->mac, sizeof(link->mac));
	if (link->mtu)
		nook_nl_put_u32(m, IFLA_MTU, link->mtu);
}

/* The host's end may be up at once: it is made last. The inner one may not: its peer isn't there
 * yet. */
static void put_pair(struct nook_link_batch *b, const struct nook_plan_link *link, int master,
		     int netns)
{
	const struct ifinfomsg peer_head = { .ifi_family = AF_UNSPEC };

	nook_link_begin(b, "make the pair", NLM_F_CREATE | NLM_F_EXCL, 0, IFF_UP, IFF_UP);
	nook_nl_put_text(&b->nl, IFLA_IFNAME, link->outside);
	nook_nl_put_u32(&b->nl, IFLA_MASTER, (uint32_t)master);
	nook_nl_put_u32(&b->nl, IFLA_GROUP, NOOK_LINK_GROUP);
	if (link->mtu)
		nook_nl_put_u32(&b->nl, IFLA_MTU, link->mtu);

	size_t info = nook_nl_nest(&b->nl, IFLA_LINKINFO);

	nook_nl_put_text(&b->nl, IFLA_INFO_KIND, "veth");

	size_t data = nook_nl_nest(&b->nl, IFLA_INFO_DATA);
	size_t peer = nook_nl_nest(&b->nl, VETH_INFO_PEER);

	nook_nl_append(&b->nl, &peer_head, sizeof(peer_head));
	put_inner(&b->nl, link, link->inside, netns);
	nook_nl_nest_end(&b->nl, peer);
	nook_nl_nest_end(&b->nl, data);
	nook_nl_nest_end(&b->nl, info);
}

/* Where br_netfilter is on, a packet that a container sends to a port of the host that leads back
 * to itself stays on the bridge, and has to leave by the port that it has come from. */
static void put_hairpin(struct nook_nl *m)
{
	const uint8_t on = 1;
	size_t info = nook_nl_nest(m, IFLA_LINKINFO);

	nook_nl_put_text(m, IFLA_INFO_SLAVE_KIND, "bridge");

	size_t data = nook_nl_nest(m, IFLA_INFO_SLAVE_DATA | NLA_F_NESTED);

	nook_nl_put(m, IFLA_BRPORT_MODE, &on, sizeof(on));
	nook_nl_nest_end(m, data);
	nook_nl_nest_end(m, info);
}

/* The kernel takes none of it where it makes a link. It has no carrier yet, so that IPv6 has done
 * nothing either. */
static int name_outside(struct nook_link_batch *b, const struct nook_plan_link *link,
			const char *container, struct nook_error *err)
{
	char alias[NOOK_LINK_ALIAS];

	nook_link_begin(b, "name", 0, 0, 0, 0);
	nook_nl_put_text(&b->nl, IFLA_IFNAME, link->outside);
	nook_nl_put_text(&b->nl, IFLA_IFALIAS, alias_of(link, container, alias, sizeof(alias)));
	nook_nl_put_u32(&b->nl, IFLA_GROUP, 0);
	put_hairpin(&b->nl);

	nook_link_begin(b, "turn IPv6 autoconfiguration off for", 0, 0, 0, 0);
	nook_nl_put_text(&b->nl, IFLA_IFNAME, link->outside);
	nook_link_put_no_autoconf(b);
	nook_nl_fine(&b->nl, EAFNOSUPPORT); /* without IPv6 */
	return nook_link_flush(b, err);
}

/* Who had the address before may have been undone by somebody who was not where its link is. */
static int make_pair(struct nook_link_batch *b, const struct nook_plan_link *link, int master,
		     int netns, struct nook_error *err)
{
	struct nook_error mine = { 0 };
	int rc = 0;

	for (int tries = 0; tries < NOOK_LINK_GONE_TRIES; tries++) {
		put_pair(b, link, master, netns);
		rc = nook_link_flush(b, &mine);
		if (rc != -EEXIST || !nook_net_apart())
			break;
		nook_link_pause();
	}
	if (rc < 0 && err)
		*err = mine;
	return rc;
}

static int connect_pair(struct nook_link_batch *b, const struct nook_plan_link *link, int master,
			const char *container, int netns, struct nook_error *err)
{
	int rc = make_pair(b, link, master, netns, err);

	if (rc < 0) {
		nook_link_remove_nameless(b->socket, link->outside, "veth");
		return rc;
	}
	rc = name_outside(b, link, container, err);
	if (rc < 0)
		(void)nook_link_disconnect(link, container, NULL); /* the first error counts */
	return rc;
}

const char *nook_link_first_name(const struct nook_plan_link *link, char out[16])
{
	if (link->kind == NOOK_LINK_PAIR)
		return link->inside;
	/* A container's links differ by it. */
	(void)nook_format(out, 16, "nook~%08x", nook_hash32_text(link->inside));
	return out;
}

static int connect_macvlan(struct nook_link_batch *b, const struct nook_plan_link *link, int parent,
			   int netns, struct nook_error *err)
{
	char name[IFNAMSIZ];

	nook_link_begin(b, "make a macvlan of", NLM_F_CREATE | NLM_F_EXCL, 0, 0, 0);
	nook_nl_put_u32(&b->nl, IFLA_LINK, (uint32_t)parent);
	put_inner(&b->nl, link, nook_link_first_name(link, name), netns);

	size_t info = nook_nl_nest(&b->nl, IFLA_LINKINFO);

	nook_nl_put_text(&b->nl, IFLA_INFO_KIND, "macvlan");

	size_t data = nook_nl_nest(&b->nl, IFLA_INFO_DATA);

	nook_nl_put_u32(&b->nl, IFLA_MACVLAN_MODE, MACVLAN_MODE_BRIDGE);
	nook_nl_nest_end(&b->nl, data);
	nook_nl_nest_end(&b->nl, info);

	int rc = nook_link_flush(b, err);

	if (rc == -EINVAL)
		nook_hint(err, "a macvlan stands on a link that is like Ethernet, and no loopback: "
			       "`ip link` lists what there is");
	if (rc == -EBUSY)
		nook_hint(err,
			  "it is a port of a bridge or the like, or carries an ipvlan: `ip -d link "
			  "show %s` tells; the bridge itself can carry a macvlan",
			  link->master);
	return rc;
}

int nook_link_connect(const struct nook_plan_link *link, const char *container, int netns,
		      struct nook_error *err)
{
	auto_close int socket = nook_link_open(err);
	bool pair = link->kind == NOOK_LINK_PAIR;
	struct nook_link_batch b;

	if (socket < 0)
		return socket;

	int master = nook_nl_index(socket, link->master);

	if (master < 0)
		return fail_master(link, -master, err);
	nook_link_batch_init(&b, socket, pair ? link->outside : link->master, link->from);
	return pair ? connect_pair(&b, link, master, container, netns, err)
		    : connect_macvlan(&b, link, master, netns, err);
}

int nook_link_disconnect(const struct nook_plan_link *link, const char *container,
			 struct nook_error *err)
{
	char alias[NOOK_LINK_ALIAS];
	struct nook_link_seen seen;

	if (link->kind != NOOK_LINK_PAIR)
		return 0; /* all of it is in the container */

	auto_close int socket = nook_link_open(err);

	if (socket < 0)
		return socket;

	int rc = nook_link_look(socket, link->outside, &seen, err);

	if (rc == -ENODEV)
		return 0;
	if (rc < 0 ||
	    !nook_link_is_ours(&seen, "veth", alias_of(link, container, alias, sizeof(alias))))
		return rc;
	return nook_link_remove(socket, link->outside, seen.index, err);
}
