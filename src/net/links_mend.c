/* SPDX-License-Identifier: Apache-2.0 */
#include "mend.h"

#include "base/own.h"
#include "base/text.h"
#include "links_parts.h"

#include <errno.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <string.h>
#include <sys/socket.h>

/* What a link is at the moment. */
struct now {
	unsigned flags;
	uint32_t mtu, master;
};

static int take_now(void *data, const struct nlmsghdr *m)
{
	struct now *now = data;
	const struct ifinfomsg *info = NLMSG_DATA(m);
	const size_t head = sizeof(*info);

	if (m->nlmsg_type != RTM_NEWLINK || m->nlmsg_len < NLMSG_LENGTH(head))
		return 0;
	now->flags = info->ifi_flags;
	now->mtu = nook_nl_u32(nook_nl_find(m, head, IFLA_MTU), 0);
	now->master = nook_nl_u32(nook_nl_find(m, head, IFLA_MASTER), 0);
	return 0;
}

static int look(int socket, int index, const char *link, struct now *ret, struct nook_error *err)
{
	struct nook_nl m;
	const struct ifinfomsg head = { .ifi_family = AF_UNSPEC, .ifi_index = index };

	*ret = (struct now){ 0 };
	nook_nl_clear(&m);
	nook_nl_begin(&m, RTM_GETLINK, 0, &head, sizeof(head));

	int rc = nook_nl_ask(socket, &m, take_now, ret, NULL);

	return rc < 0 ? nook_fail(err, -rc, "look at the link %s", link) : 0;
}

/* Which of the gateways a link has. */
struct gateways {
	const struct nook_network *network;
	int index;
	bool have[NOOK_NET_FAMILIES];
};

static int take_address(void *data, const struct nlmsghdr *m)
{
	struct gateways *g = data;
	const struct ifaddrmsg *info = NLMSG_DATA(m);

	if (m->nlmsg_type != RTM_NEWADDR || m->nlmsg_len < NLMSG_LENGTH(sizeof(*info)) ||
	    (int)info->ifa_index != g->index)
		return 0;

	const struct rtattr *at = nook_nl_find(m, sizeof(*info), IFA_LOCAL);

	if (!at)
		at = nook_nl_find(m, sizeof(*info), IFA_ADDRESS);
	for (int f = 0; f < NOOK_NET_FAMILIES && at; f++) {
		const struct nook_net_addr *gateway = &g->network->gateway[f];
		size_t bytes = nook_net_bytes(gateway->family);

		if (info->ifa_family == gateway->family && info->ifa_prefixlen == gateway->prefix &&
		    RTA_PAYLOAD(at) == bytes && memcmp(RTA_DATA(at), gateway->bytes, bytes) == 0)
			g->have[f] = true;
	}
	return 0;
}

static int has_gateways(int socket, const struct nook_network *network, int index,
			struct nook_error *err)
{
	struct gateways g = { .network = network, .index = index };
	const struct ifaddrmsg head = { .ifa_family = AF_UNSPEC };
	struct nook_nl m;

	nook_nl_clear(&m);
	nook_nl_begin(&m, RTM_GETADDR, NLM_F_DUMP, &head, sizeof(head));

	int rc = nook_nl_ask(socket, &m, take_address, &g, NULL);

	if (rc < 0)
		return nook_fail(err, -rc, "list the addresses of the bridge %s", network->bridge);
	for (int f = 0; f < NOOK_NET_FAMILIES; f++) {
		if (network->gateway[f].family && !g.have[f])
			return 0;
	}
	return 1;
}

int nook_link_bridge_is_fine(const struct nook_network *network, struct nook_error *err)
{
	auto_close int socket = nook_link_open(err);
	struct nook_link_seen seen;
	struct now now;

	if (socket < 0)
		return socket;

	int rc = nook_link_look(socket, network->bridge, &seen, err);

	if (rc == -ENODEV)
		return 0;
	if (rc == 0)
		rc = look(socket, seen.index, network->bridge, &now, err);
	if (rc < 0)
		return rc;
	if (strcmp(seen.kind, "bridge") != 0 || !(now.flags & IFF_UP) ||
	    (network->mtu && now.mtu != network->mtu))
		return 0;
	return has_gateways(socket, network, seen.index, err);
}

static int make_anew(const struct nook_plan_link *link, const char *container, int netns,
		     struct nook_error *err)
{
	int rc = nook_link_connect(link, container, netns, err);

	return rc < 0 ? rc : NOOK_LINK_NEW;
}

int nook_link_mend(const struct nook_plan_link *link, const char *container, int netns,
		   struct nook_error *err)
{
	char alias[NOOK_LINK_ALIAS];
	struct nook_link_seen seen;
	struct nook_link_batch b;
	struct now now;

	if (link->kind != NOOK_LINK_PAIR)
		return NOOK_LINK_AS_IT_WAS;

	auto_close int socket = nook_link_open(err);
	int rc = socket < 0 ? socket : nook_link_look(socket, link->outside, &seen, err);

	if (rc == -ENODEV)
		return make_anew(link, container, netns, err);
	if (rc < 0)
		return rc;
	(void)nook_format(alias, sizeof(alias), "nook %.200s %s", container, link->inside);
	if (!nook_link_is_ours(&seen, "veth", alias)) {
		nook_hint(err, "`ip link show %s` shows it", link->outside);
		return nook_refuse(err, EEXIST, "there is a link %s on the host that is not nook's",
				   link->outside);
	}

	int master = nook_nl_index(socket, link->master);

	if (master < 0)
		return nook_fail(err, -master, "look for the bridge %s", link->master);
	rc = look(socket, seen.index, link->outside, &now, err);
	if (rc < 0)
		return rc;
	if ((now.flags & IFF_UP) && now.master == (uint32_t)master)
		return NOOK_LINK_AS_IT_WAS;

	nook_link_batch_init(&b, socket, link->outside, NULL);
	nook_link_begin(&b, "put back", 0, seen.index, IFF_UP, IFF_UP);
	nook_nl_put_u32(&b.nl, IFLA_MASTER, (uint32_t)master);
	rc = nook_link_flush(&b, err);
	return rc < 0 ? rc : NOOK_LINK_MENDED;
}
