/* SPDX-License-Identifier: Apache-2.0 */
/* A network's bridge on the host. */
#include "links_parts.h"

#include "base/hash.h"
#include "base/own.h"
#include "base/text.h"

#include <errno.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <string.h>

/* One of its own: else it takes its ports', and changes when these come and go, and with it what
 * its neighbours remember. */
static void mac_of(const struct nook_network *network, uint8_t mac[6])
{
	const struct nook_net_addr *v4 = &network->gateway[NOOK_NET_V4];
	uint32_t hash = nook_hash32_text(network->bridge);

	mac[0] = 0x0a;
	mac[1] = 0x6e;
	memcpy(mac + 2, v4->family ? v4->bytes : (const uint8_t *)&hash, 4);
}

static void put_new_bridge(struct nook_link_batch *b, const struct nook_network *network)
{
	uint8_t mac[6];

	mac_of(network, mac);
	nook_link_begin(b, "make the bridge", NLM_F_CREATE | NLM_F_EXCL, 0, 0, 0);
	nook_nl_put_text(&b->nl, IFLA_IFNAME, network->bridge);
	nook_nl_put(&b->nl, IFLA_ADDRESS, mac, sizeof(mac));
	nook_nl_put_u32(&b->nl, IFLA_GROUP, NOOK_LINK_GROUP);

	size_t info = nook_nl_nest(&b->nl, IFLA_LINKINFO);

	nook_nl_put_text(&b->nl, IFLA_INFO_KIND, "bridge");

	size_t data = nook_nl_nest(&b->nl, IFLA_INFO_DATA);

	/* There are no loops to find: a port forwards from its first packet on. */
	nook_nl_put_u32(&b->nl, IFLA_BR_STP_STATE, 0);
	nook_nl_put_u32(&b->nl, IFLA_BR_FORWARD_DELAY, 0);
	nook_nl_nest_end(&b->nl, data);
	nook_nl_nest_end(&b->nl, info);
}

static void put_settings(struct nook_link_batch *b, const struct nook_network *network, int index,
			 const char *alias)
{
	nook_link_begin(b, "name the bridge", 0, index, 0, 0);
	nook_nl_put_text(&b->nl, IFLA_IFALIAS, alias);
	nook_nl_put_u32(&b->nl, IFLA_GROUP, 0);
	if (network->mtu)
		nook_nl_put_u32(&b->nl, IFLA_MTU, network->mtu);

	if (!network->gateway[NOOK_NET_V6].family) {
		nook_link_begin(b, "turn IPv6 autoconfiguration off for", 0, index, 0, 0);
		nook_link_put_no_autoconf(b);
		nook_nl_fine(&b->nl, EAFNOSUPPORT); /* without IPv6 */
	}
	nook_link_begin(b, "bring up", 0, index, IFF_UP, IFF_UP);
	for (unsigned i = 0; i < NOOK_NET_FAMILIES; i++) {
		if (network->gateway[i].family)
			nook_link_put_address(b, index, &network->gateway[i]);
	}
}

/* Return: its index, or a negative errno. */
static int find_or_make(struct nook_link_batch *b, const struct nook_network *network,
			const char *alias, bool *ret_made, struct nook_error *err)
{
	struct nook_link_seen seen;
	int rc = nook_link_look(b->socket, network->bridge, &seen, err);

	*ret_made = false;
	if (rc == 0 && nook_link_is_ours(&seen, "bridge", alias))
		return seen.index;
	if (rc == 0) {
		nook_hint(err, "`ip link show %s` shows it; another name for the network avoids it",
			  network->bridge);
		return nook_refuse(err, EEXIST, "there is a link %s on the host that is not nook's",
				   network->bridge);
	}
	if (rc != -ENODEV)
		return rc;

	put_new_bridge(b, network);
	rc = nook_link_flush(b, err);
	if (rc < 0) {
		nook_link_remove_nameless(b->socket, network->bridge, "bridge");
		return rc;
	}
	*ret_made = true;
	rc = nook_nl_index(b->socket, network->bridge);
	return rc < 0 ? nook_fail(err, -rc, "look at the bridge %s", network->bridge) : rc;
}

static const char *alias_of(const struct nook_network *network, char *out, size_t size)
{
	(void)nook_format(out, size, "nook network %s", network->name);
	return out;
}

int nook_link_bridge(const struct nook_network *network, struct nook_error *err)
{
	auto_close int socket = nook_link_open(err);
	char text[NOOK_LINK_ALIAS];
	const char *alias = alias_of(network, text, sizeof(text));
	struct nook_link_batch b;
	bool made = false;

	if (socket < 0)
		return socket;
	nook_link_batch_init(&b, socket, network->bridge, NULL);

	int index = find_or_make(&b, network, alias, &made, err);
	int rc = index;

	if (rc >= 0)
		rc = nook_link_refuse_routers(NO_FD, network->bridge, err);
	if (rc >= 0)
		rc = nook_link_trust_own_addresses(network->bridge, err);
	if (rc >= 0) {
		put_settings(&b, network, index, alias);
		rc = nook_link_flush(&b, err);
	}
	if (rc < 0 && made)
		(void)nook_link_remove(socket, network->bridge, index, NULL); /* the first error
										 counts */
	return rc;
}

int nook_link_bridge_remove(const struct nook_network *network, struct nook_error *err)
{
	auto_close int socket = nook_link_open(err);
	char text[NOOK_LINK_ALIAS];
	struct nook_link_seen seen;

	if (socket < 0)
		return socket;

	int rc = nook_link_look(socket, network->bridge, &seen, err);

	if (rc == -ENODEV)
		return 0;
	if (rc < 0 || !nook_link_is_ours(&seen, "bridge", alias_of(network, text, sizeof(text))))
		return rc;
	return nook_link_remove(socket, network->bridge, seen.index, err);
}
