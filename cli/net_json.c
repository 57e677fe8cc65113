/* SPDX-License-Identifier: Apache-2.0 */
/* Networks as text and as JSON: docs/net-json.md */
#include "net_networks.h"

#include "base/own.h"
#include "net/address.h"
#include "net/networks.h"
#include "ns_names.h"

#include <netinet/in.h>

const char *nook_cli_net_subnets(struct nook_arena *a, const struct nook_network *network)
{
	const char *list = "";

	for (int f = 0; f < NOOK_NET_FAMILIES; f++) {
		char text[NOOK_NET_TEXT];

		if (network->subnet[f].family)
			list = nook_printf(a, "%s%s%s", list, *list ? ", " : "",
					   nook_net_text_prefix(&network->subnet[f], text));
	}
	return list;
}

const char *nook_cli_net_addresses(struct nook_arena *a, const struct nook_net_member *member)
{
	const char *list = "";

	for (int f = 0; f < NOOK_NET_FAMILIES; f++) {
		char text[NOOK_NET_TEXT];

		if (member->address[f].family)
			list = nook_printf(a, "%s%s%s", list, *list ? ", " : "",
					   nook_net_text(&member->address[f], text));
	}
	return list;
}

static const char *ports(struct nook_arena *a, uint16_t first, uint16_t count)
{
	return count > 1 ? nook_printf(a, "%u-%u", first, first + count - 1U)
			 : nook_printf(a, "%u", first);
}

const char *nook_cli_net_port(struct nook_arena *a, const struct nook_plan_port *port)
{
	const char *host = "";
	char text[NOOK_NET_TEXT];

	if (port->host.family)
		host = nook_printf(a, port->host.family == AF_INET6 ? "[%s]:" : "%s:",
				   nook_net_text(&port->host, text));
	return nook_printf(a, "%s%s:%s%s", host, ports(a, port->host_port, port->count),
			   ports(a, port->inside_port, port->count),
			   port->protocol == IPPROTO_UDP ? "/udp" : "");
}

static void put_subnets(struct nook_json_writer *w, const struct nook_network *network)
{
	nook_json_array(w, "subnets");
	for (int f = 0; f < NOOK_NET_FAMILIES; f++) {
		char text[NOOK_NET_TEXT];

		if (!network->subnet[f].family)
			continue;
		nook_json_object(w, NULL);
		nook_json_put_text(w, "subnet", nook_net_text_prefix(&network->subnet[f], text));
		nook_json_put_text(w, "gateway", nook_net_text(&network->gateway[f], text));
		nook_json_end(w);
	}
	nook_json_end(w);
}

static void put_text_or_null(struct nook_json_writer *w, const char *key, const char *text)
{
	if (text && *text)
		nook_json_put_text(w, key, text);
	else
		nook_json_put_null(w, key);
}

static void put_port(struct nook_json_writer *w, const struct nook_plan_port *p)
{
	char text[NOOK_NET_TEXT];

	nook_json_object(w, NULL);
	nook_json_put_text(w, "protocol", p->protocol == IPPROTO_UDP ? "udp" : "tcp");
	put_text_or_null(w, "address", p->host.family ? nook_net_text(&p->host, text) : NULL);
	nook_json_put_u64(w, "host_port", p->host_port);
	nook_json_put_u64(w, "port", p->inside_port);
	nook_json_put_u64(w, "count", p->count);
	nook_json_end(w);
}

static void put_member(struct nook_json_writer *w, const struct nook_net_member *m)
{
	char text[NOOK_NET_TEXT], mac[18];

	nook_json_object(w, NULL);
	nook_json_put_text(w, "name", m->container);
	put_text_or_null(w, "link", m->inside);
	put_text_or_null(w, "host_link", m->outside);
	put_text_or_null(w, "mac", *m->inside ? nook_net_mac_text(m->mac, mac) : NULL);
	nook_json_array(w, "addresses");
	for (int f = 0; f < NOOK_NET_FAMILIES; f++) {
		if (m->address[f].family)
			nook_json_put_text(w, NULL, nook_net_text(&m->address[f], text));
	}
	nook_json_end(w);
	nook_json_array(w, "ports");
	for (size_t i = 0; i < m->n_ports; i++)
		put_port(w, &m->ports[i]);
	nook_json_end(w);
	nook_json_end(w);
}

void nook_cli_put_network(struct nook_json_writer *w, const struct nook_network *network,
			  const struct nook_net_member *members, size_t n)
{
	nook_json_put_text(w, "name", network->name);
	nook_json_put_text(w, "bridge", network->bridge);
	nook_json_put_bool(w, "up", nook_net_is_there(network));
	put_subnets(w, network);
	nook_json_put_bool(w, "internal", network->internal);
	nook_json_put_bool(w, "nat", !network->no_nat && !network->internal);
	if (network->mtu)
		nook_json_put_u64(w, "mtu", network->mtu);
	else
		nook_json_put_null(w, "mtu");
	nook_json_put_i64(w, "created", network->created);
	nook_json_array(w, "containers");
	for (size_t i = 0; i < n; i++)
		put_member(w, &members[i]);
	nook_json_end(w);
}

int nook_cli_net_json(const struct nook_network *network, const struct nook_net_member *members,
		      size_t n)
{
	struct nook_json_writer w;

	nook_json_to_file(&w, stdout, true);
	nook_json_object(&w, NULL);
	nook_json_put_u64(&w, "version", 1);
	nook_cli_put_network(&w, network, members, n);
	nook_json_end(&w);
	return nook_cli_end_json(&w);
}
