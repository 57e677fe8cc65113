/* SPDX-License-Identifier: Apache-2.0 */
/* What a network and a published port are in the table inet nook: elements. Each part of a key
 * fills words of four bytes. */
#include "rules.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <string.h>

enum { WORD = 4 };

/* Bytes put side by side. */
struct bytes {
	uint8_t data[IFNAMSIZ * 2 + 16];
	size_t len;
};

static void add(struct bytes *b, const void *data, size_t len)
{
	memcpy(b->data + b->len, data, len);
	b->len += (len + WORD - 1) / WORD * WORD;
}

static void add_address(struct bytes *b, const struct nook_net_addr *addr)
{
	add(b, addr->bytes, nook_net_bytes(addr->family));
}

static void add_link(struct bytes *b, const char *link)
{
	char name[IFNAMSIZ] = "";

	memcpy(name, link, strnlen(link, IFNAMSIZ - 1));
	add(b, name, sizeof(name));
}

static void put(struct nook_nft *t, const char *set, const struct bytes *key,
		const struct bytes *end, const struct bytes *data, bool remove)
{
	const struct nook_nft_element e = {
		.key = key->data,
		.key_len = key->len,
		.end = end ? end->data : NULL,
		.data = data ? data->data : NULL,
		.data_len = data ? data->len : 0,
	};

	nook_nft_element(t, set, &e, remove);
}

/* ---- networks ---- */

static void put_link(struct nook_nft *t, const char *set, const char *link, bool remove)
{
	struct bytes key = { 0 };

	add_link(&key, link);
	put(t, set, &key, NULL, NULL, remove);
}

static void put_subnet(struct nook_nft *t, const char *set, const struct nook_net_addr *subnet,
		       const char *link, bool remove)
{
	struct nook_net_addr last = *subnet;
	struct bytes key = { 0 }, end = { 0 };

	for (unsigned bit = subnet->prefix; bit < nook_net_bytes(subnet->family) * 8; bit++)
		last.bytes[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
	add_address(&key, subnet);
	add_link(&key, link);
	add_address(&end, &last);
	add_link(&end, link);
	put(t, set, &key, &end, NULL, remove);
}

void nook_rules_put_network(struct nook_nft *t, const struct nook_network *network, bool remove)
{
	static const char *const subnets[NOOK_NET_FAMILIES] = {
		[NOOK_NET_V4] = NOOK_SET_SUBNETS4, [NOOK_NET_V6] = NOOK_SET_SUBNETS6
	};
	const char *kind = network->internal ? NOOK_SET_INTERNAL
			   : network->no_nat ? NOOK_SET_ROUTED
					     : NOOK_SET_NATTED;
	struct bytes same = { 0 };

	put_link(t, NOOK_SET_NETWORKS, network->bridge, remove);
	add_link(&same, network->bridge);
	add_link(&same, network->bridge);
	put(t, NOOK_SET_SAME, &same, NULL, NULL, remove);
	put_link(t, kind, network->bridge, remove);
	for (unsigned family = 0; family < NOOK_NET_FAMILIES; family++) {
		if (network->subnet[family].family)
			put_subnet(t, subnets[family], &network->subnet[family], network->bridge,
				   remove);
	}
}

void nook_rules_put_guard(struct nook_nft *t, unsigned families)
{
	static const uint8_t protocols[] = { NFPROTO_IPV4, NFPROTO_IPV6 };

	for (unsigned i = 0; i < 2; i++) {
		const struct nook_nft_element e = { .key = &protocols[i], .key_len = 1 };

		if (families >> i & 1)
			nook_nft_element(t, NOOK_SET_GUARDED, &e, false);
	}
}

/* ---- ports ---- */

size_t nook_rules_ports_bytes(const struct nook_plan_port *ports, size_t n)
{
	size_t bytes = 1024;

	for (size_t i = 0; i < n; i++) {
		/* a message of its own each, in the worst case */
		bytes += 256 + (size_t)ports[i].count *
				       (NOOK_NFT_ELEMENT(24, 8) + NOOK_NFT_ELEMENT(24, 20));
	}
	return bytes;
}

bool nook_port_everywhere(const struct nook_net_addr *host)
{
	static const uint8_t zero[sizeof(host->bytes)];

	return memcmp(host->bytes, zero, sizeof(zero)) == 0;
}

static void put_one(struct nook_nft *t, const struct nook_plan_port *port, unsigned family,
		    unsigned offset, bool remove)
{
	static const char *const any[] = { NOOK_MAP_ANY4, NOOK_MAP_ANY6 };
	static const char *const one[] = { NOOK_MAP_ONE4, NOOK_MAP_ONE6 };
	uint16_t host_port = htons((uint16_t)(port->host_port + offset));
	uint16_t inside_port = htons((uint16_t)(port->inside_port + offset));
	struct bytes key = { 0 }, data = { 0 };

	bool any_address = nook_port_everywhere(&port->host);

	if (!any_address)
		add_address(&key, &port->host);
	add(&key, &port->protocol, sizeof(port->protocol));
	add(&key, &host_port, sizeof(host_port));
	add_address(&data, &port->to[family]);
	add(&data, &inside_port, sizeof(inside_port));
	put(t, (any_address ? any : one)[family], &key, NULL, &data, remove);
}

void nook_rules_put_port(struct nook_nft *t, const struct nook_plan_port *port, unsigned first,
			 unsigned count, bool remove)
{
	static const uint8_t families[NOOK_NET_FAMILIES] = {
		[NOOK_NET_V4] = AF_INET, [NOOK_NET_V6] = AF_INET6
	};

	for (unsigned family = 0; family < NOOK_NET_FAMILIES; family++) {
		if (!port->to[family].family ||
		    (port->host.family && port->host.family != families[family]))
			continue;
		for (unsigned i = first; i < first + count && i < port->count; i++)
			put_one(t, port, family, i, remove);
	}
}
