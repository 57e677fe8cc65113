/* SPDX-License-Identifier: Apache-2.0 */
/* What connects a container, seen from the container. The stage calls it: no malloc, no stdio. */
#include "links_parts.h"

#include "base/own.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>

#define LOOPBACK_INDEX 1 /* in every network namespace */

/* More than a link's messages need. */
#define LINK_BYTES    768
#define LINK_MESSAGES 8

/* fe80:: and the MAC with its second bit turned, in two halves. The kernel would make the same, and
 * ask the network for a second or two whether anybody has it. */
static struct nook_net_addr link_local(const uint8_t mac[6])
{
	return (struct nook_net_addr){
		.family = AF_INET6,
		.prefix = 64,
		.bytes = { 0xfe, 0x80, 0, 0, 0, 0, 0, 0, mac[0] ^ 2, mac[1], mac[2], 0xff, 0xfe,
			   mac[3], mac[4], mac[5] },
	};
}

static void put_default_route(struct nook_link_batch *b, int index, const struct nook_net_addr *via)
{
	const struct rtmsg head = { .rtm_family = via->family,
				    .rtm_table = RT_TABLE_MAIN,
				    .rtm_protocol = RTPROT_STATIC,
				    .rtm_scope = RT_SCOPE_UNIVERSE,
				    .rtm_type = RTN_UNICAST };

	nook_link_message(b, "make the default route by", RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL,
			  &head, sizeof(head));
	nook_nl_put(&b->nl, RTA_GATEWAY, via->bytes, nook_net_bytes(via->family));
	nook_nl_put_u32(&b->nl, RTA_OIF, (uint32_t)index);
}

static void put_up(struct nook_link_batch *b, int index)
{
	nook_link_begin(b, "bring up", 0, index, IFF_UP, IFF_UP);
}

/*
 * No two macvlans of one link may have the same MAC, and ours is that of its address. Who had the
 * address before may have ended just now: the kernel removes its link some time after its
 * namespace, and tells nobody here. So it is asked again, for two seconds.
 */
static int bring_up_macvlan(struct nook_link_batch *b, const struct nook_plan_link *link, int index,
			    struct nook_error *err)
{
	struct nook_error mine = { 0 };

	b->about = (struct nook_link_about){ .link = link->inside, .from = link->from };
	nook_link_begin(b, "name", 0, index, 0, 0);
	nook_nl_put_text(&b->nl, IFLA_IFNAME, link->inside);

	int rc = nook_link_flush(b, err); /* with what was begun before */

	if (rc < 0)
		return rc;
	for (int tries = 0; tries < NOOK_LINK_GONE_TRIES; tries++) {
		put_up(b, index);
		rc = nook_link_flush(b, &mine);
		if (rc != -EADDRINUSE)
			break;
		nook_link_pause();
	}
	if (rc == -EADDRINUSE)
		nook_hint(&mine,
			  "another container's macvlan on %s has the same MAC, as with the "
			  "same ip=; mac= gives it one of its own",
			  link->master);
	if (rc < 0 && err)
		*err = mine;
	return rc;
}

/* Up before it has addresses: these bring the routes to their subnets along, which the default
 * route needs. */
static void put_link(struct nook_link_batch *b, const struct nook_plan_link *link, int index)
{
	bool pair = link->kind == NOOK_LINK_PAIR;

	/* On a bridge of ours all is known, and hundreds would hear each other ask. A macvlan is in
	 * somebody's network, whose routers say what holds there. */
	if (pair) {
		nook_link_begin(b, "turn IPv6 autoconfiguration off for", 0, index, 0, 0);
		nook_link_put_no_autoconf(b);
		nook_nl_fine(&b->nl, EAFNOSUPPORT); /* without IPv6 */
		put_up(b, index);
	}
	if (pair && link->address[NOOK_NET_V6].family) {
		struct nook_net_addr local = link_local(link->mac);

		nook_link_put_address(b, index, &local);
	}
	for (unsigned i = 0; i < NOOK_NET_FAMILIES; i++) {
		if (link->address[i].family)
			nook_link_put_address(b, index, &link->address[i]);
		if (link->gateway[i].family)
			put_default_route(b, index, &link->gateway[i]);
	}
}

static int configure_one(struct nook_link_batch *b, const struct nook_plan_link *link, int proc,
			 struct nook_error *err)
{
	char first[IFNAMSIZ];
	int index = nook_nl_index(b->socket, nook_link_first_name(link, first)), rc = 0;

	if (index < 0) {
		if (link->from)
			nook_where(err, "%s", link->from);
		return nook_fail(err, -index, "look for the container's link %s", link->inside);
	}
	if (nook_nl_room(&b->nl) < LINK_BYTES || b->nl.n + LINK_MESSAGES > NOOK_NL_MESSAGES)
		rc = nook_link_flush(b, err);
	if (rc == 0)
		rc = link->kind == NOOK_LINK_PAIR
			     ? nook_link_refuse_routers(proc, link->inside, err)
			     : bring_up_macvlan(b, link, index, err);
	if (rc < 0)
		return rc;
	b->about = (struct nook_link_about){ .link = link->inside, .from = link->from };
	put_link(b, link, index);
	return 0;
}

int nook_link_configure(const struct nook_plan_link *links, size_t n, int proc,
			struct nook_error *err)
{
	auto_close int socket = nook_link_open(err);
	struct nook_link_batch b;
	int rc = 0;

	if (socket < 0)
		return socket;
	nook_link_batch_init(&b, socket, "the loopback", NULL);
	put_up(&b, LOOPBACK_INDEX);

	for (size_t i = 0; i < n && rc == 0; i++)
		rc = configure_one(&b, &links[i], proc, err);
	return rc == 0 ? nook_link_flush(&b, err) : rc;
}

void nook_link_discard(const struct nook_plan_link *link, bool configured)
{
	auto_close int socket = nook_link_open(NULL);
	char first[IFNAMSIZ];
	const char *name = nook_link_first_name(link, first);
	int index = socket < 0 || link->kind == NOOK_LINK_PAIR ? 0 : nook_nl_index(socket, name);

	if (index == -ENODEV && configured)
		index = nook_nl_index(socket, link->inside);
	if (index > 0)
		(void)nook_link_remove(socket, link->inside, index,
				       NULL); /* the first error counts */
}
