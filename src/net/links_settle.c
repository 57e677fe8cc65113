/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel finishes some of a link's setting up in its own time, and drops packets until then: of
 * twenty containers that ask their gateway at once, five wait for a second. No call waits for it;
 * but there is a question for each that has it done at once, or tells whether it is done.
 */
#include "links_parts.h"

#include "base/clock.h"
#include "base/own.h"

#include <errno.h>
#include <linux/if.h>
#include <sys/socket.h>

/* Who sends a packet then loses it. That is no reason not to start. */
#define PATIENCE_MS 1000

struct settling {
	int socket;
	const struct nook_plan_link *links;
	size_t n;
	/* Return: 1 all is done, 0 not yet, or a negative errno. */
	int (*look)(struct settling *s, struct nook_error *err);
	unsigned group; /* tells when it may be */
	size_t waiting; /* of look() */
};

static int wait_for_it(struct settling *s, struct nook_error *err)
{
	const int64_t end = nook_now_ms() + PATIENCE_MS;
	auto_close int news = nook_nl_follow(s->group);
	int rc;

	if (news < 0)
		return nook_fail(err, -news, "socket NETLINK_ROUTE");
	while ((rc = s->look(s, err)) == 0) {
		int64_t left = end - nook_now_ms();

		if (left <= 0 || nook_nl_wait(news, (int)left) == -ETIMEDOUT)
			return 0;
	}
	return rc < 0 ? rc : 0;
}

static int settle(struct settling *s, struct nook_error *err)
{
	auto_close int socket = nook_link_open(err);

	if (socket < 0)
		return socket;
	s->socket = socket;

	int rc = s->look(s, err);

	if (rc == 0)
		rc = wait_for_it(s, err);
	return rc < 0 ? rc : 0;
}

static int ask(struct settling *s, struct nook_nl *q, nook_nl_each *each, const char *what,
	       struct nook_error *err)
{
	int rc = nook_nl_ask(s->socket, q, each, s, NULL);

	nook_nl_clear(q);
	return rc < 0 ? nook_fail(err, -rc, "netlink, %s", what) : 0;
}

/* ---- carriers ---- */

/* Whoever asks for a link has its carrier taken note of before the answer, from Linux 5.17 on. */
static int take_link(void *data, const struct nlmsghdr *h)
{
	struct settling *s = data;
	const size_t n = sizeof(struct ifinfomsg);

	if (h->nlmsg_type != RTM_NEWLINK || h->nlmsg_len < NLMSG_LENGTH(n))
		return 0;

	const struct rtattr *carrier = nook_nl_find(h, n, IFLA_CARRIER);
	const struct rtattr *state = nook_nl_find(h, n, IFLA_OPERSTATE);

	if (carrier && state && *(const uint8_t *)RTA_DATA(carrier) &&
	    *(const uint8_t *)RTA_DATA(state) != IF_OPER_UP)
		s->waiting++;
	return 0;
}

static void put_link(struct nook_nl *q, const char *link)
{
	const struct ifinfomsg head = { .ifi_family = AF_UNSPEC };

	nook_nl_begin(q, RTM_GETLINK, 0, &head, sizeof(head));
	nook_nl_put_text(q, IFLA_IFNAME, link);
	nook_nl_put_u32(q, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	nook_nl_fine(q, ENODEV);
}

/* The bridge has its carrier by its ports', the first of them. */
static int look_at_carriers(struct settling *s, struct nook_error *err)
{
	struct nook_nl q;
	int rc = 0;

	s->waiting = 0;
	nook_nl_clear(&q);
	for (size_t i = 0; i < s->n && rc == 0; i++) {
		if (s->links[i].kind != NOOK_LINK_PAIR)
			continue;
		put_link(&q, s->links[i].outside);
		put_link(&q, s->links[i].master);
		rc = ask(s, &q, take_link, "look at the host's ends", err);
	}
	return rc < 0 ? rc : s->waiting == 0;
}

int nook_link_settle(const struct nook_plan_link *links, size_t n, struct nook_error *err)
{
	struct settling s = {
		.links = links, .n = n, .look = look_at_carriers, .group = RTNLGRP_LINK
	};

	return settle(&s, err);
}

/* ---- addresses ---- */

/* The way to an address of our own is a local one, as soon as it is ours. */
static int take_route(void *data, const struct nlmsghdr *h)
{
	struct settling *s = data;
	const struct rtmsg *route = NLMSG_DATA(h);

	if (h->nlmsg_type == RTM_NEWROUTE && h->nlmsg_len >= NLMSG_LENGTH(sizeof(*route)) &&
	    route->rtm_type == RTN_LOCAL)
		s->waiting--;
	return 0;
}

static int look_at_addresses(struct settling *s, struct nook_error *err)
{
	const struct rtmsg head = { .rtm_family = AF_INET6, .rtm_dst_len = 128 };
	struct nook_nl q;
	int rc = 0;

	s->waiting = 0;
	nook_nl_clear(&q);
	for (size_t i = 0; i < s->n && rc == 0; i++) {
		const struct nook_net_addr *a = &s->links[i].address[NOOK_NET_V6];

		if (!a->family)
			continue;
		s->waiting++;
		nook_nl_begin(&q, RTM_GETROUTE, 0, &head, sizeof(head));
		nook_nl_put(&q, RTA_DST, a->bytes, sizeof(a->bytes));
		nook_nl_fine(&q, ENETUNREACH);
		rc = ask(s, &q, take_route, "look for the way to its address", err);
	}
	return rc < 0 ? rc : s->waiting == 0;
}

int nook_link_settle_inside(const struct nook_plan_link *links, size_t n, struct nook_error *err)
{
	struct settling s = {
		.links = links, .n = n, .look = look_at_addresses, .group = RTNLGRP_IPV6_ROUTE
	};

	return settle(&s, err);
}
