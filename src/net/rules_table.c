/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table inet nook, which `nft list table inet nook` prints:
 *
 *	chain ports { # where a published port leads
 *		ip6 daddr ::1 return # the relay answers there: the kernel sends no answer back to
 *::1 dnat ip to ip daddr . meta l4proto . th dport map @one4 dnat ip6 to ip6 daddr . meta l4proto .
 *th dport map @one6 fib daddr type != local return dnat ip to meta l4proto . th dport map @any4
 *		dnat ip6 to meta l4proto . th dport map @any6
 *	}
 *	chain raw { # CVE-2020-8558: our bridges have route_localnet; before conntrack, which brings
 *		    # answers back to 127.0.0.1
 *		iifname @networks ip daddr 127.0.0.0/8 drop
 *		iifname @networks ip saddr 127.0.0.0/8 drop
 *	}
 *	chain prerouting {
 *		ip daddr 127.0.0.0/8 return # from a neighbour of the host: not to become another
 *one goto ports
 *	}
 *	chain output { goto ports }
 *	chain postrouting {
 *		ip saddr . oifname @subnets4 ct status dnat masquerade # answers must come by the
 *host ip6 saddr . oifname @subnets6 ct status dnat masquerade iifname . oifname @same return
 *		iifname @natted masquerade
 *		fib saddr type local oifname @networks ct status dnat masquerade # 127.0.0.1 too
 *	}
 *	chain forward {
 *		ct state established,related accept
 *		iifname . oifname @same accept
 *		iifname @internal drop
 *		oifname @internal drop
 *		oifname @networks ct status dnat accept
 *		iifname @networks oifname @networks drop
 *		iifname @networks accept
 *		oifname @routed accept
 *		oifname @networks drop
 *		meta iifkind "bridge" meta oifkind "bridge" accept
 *		meta nfproto @guarded drop
 *	}
 *
 * Where br_netfilter is on, packets between two ports of one bridge come by here too: from a bridge
 * to itself in forward, and from nowhere in postrouting. Therefore the subnets there, and the last
 * but one rule of forward: other people's bridges are not to be cut.
 */
#include "rules.h"

#include "base/own.h"

#include <linux/in_route.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <net/if.h>

enum { IP4 = 4, IP6 = 16, WORD = 4 };

/* Offsets in the headers of IPv4, IPv6; of TCP and UDP alike. */
enum { SADDR4 = 12, DADDR4 = 16, SADDR6 = 8, DADDR6 = 24, DPORT = 2 };

static const struct nook_nft_set sets[] = {
	{ .name = NOOK_SET_NETWORKS, .key_type = NOOK_NFT_TYPE_IFNAME, .key_len = IFNAMSIZ },
	{ .name = NOOK_SET_SAME,
	  .key_type = NOOK_NFT_TYPES2(NOOK_NFT_TYPE_IFNAME, NOOK_NFT_TYPE_IFNAME),
	  .key_len = IFNAMSIZ * 2 },
	{ .name = NOOK_SET_INTERNAL, .key_type = NOOK_NFT_TYPE_IFNAME, .key_len = IFNAMSIZ },
	{ .name = NOOK_SET_NATTED, .key_type = NOOK_NFT_TYPE_IFNAME, .key_len = IFNAMSIZ },
	{ .name = NOOK_SET_ROUTED, .key_type = NOOK_NFT_TYPE_IFNAME, .key_len = IFNAMSIZ },
	{ .name = NOOK_SET_SUBNETS4,
	  .key_type = NOOK_NFT_TYPES2(NOOK_NFT_TYPE_IP4, NOOK_NFT_TYPE_IFNAME),
	  .key_len = IP4 + IFNAMSIZ,
	  .flags = NFT_SET_INTERVAL,
	  .fields = { IP4, IFNAMSIZ } },
	{ .name = NOOK_SET_SUBNETS6,
	  .key_type = NOOK_NFT_TYPES2(NOOK_NFT_TYPE_IP6, NOOK_NFT_TYPE_IFNAME),
	  .key_len = IP6 + IFNAMSIZ,
	  .flags = NFT_SET_INTERVAL,
	  .fields = { IP6, IFNAMSIZ } },
	{ .name = NOOK_SET_GUARDED, .key_type = NOOK_NFT_TYPE_NFPROTO, .key_len = 1 },
	{ .name = NOOK_MAP_ANY4,
	  .key_type = NOOK_NFT_TYPES2(NOOK_NFT_TYPE_PROTO, NOOK_NFT_TYPE_PORT),
	  .key_len = WORD + WORD,
	  .data_type = NOOK_NFT_TYPES2(NOOK_NFT_TYPE_IP4, NOOK_NFT_TYPE_PORT),
	  .data_len = IP4 + WORD },
	{ .name = NOOK_MAP_ANY6,
	  .key_type = NOOK_NFT_TYPES2(NOOK_NFT_TYPE_PROTO, NOOK_NFT_TYPE_PORT),
	  .key_len = WORD + WORD,
	  .data_type = NOOK_NFT_TYPES2(NOOK_NFT_TYPE_IP6, NOOK_NFT_TYPE_PORT),
	  .data_len = IP6 + WORD },
	{ .name = NOOK_MAP_ONE4,
	  .key_type = NOOK_NFT_TYPES3(NOOK_NFT_TYPE_IP4, NOOK_NFT_TYPE_PROTO, NOOK_NFT_TYPE_PORT),
	  .key_len = IP4 + WORD + WORD,
	  .data_type = NOOK_NFT_TYPES2(NOOK_NFT_TYPE_IP4, NOOK_NFT_TYPE_PORT),
	  .data_len = IP4 + WORD },
	{ .name = NOOK_MAP_ONE6,
	  .key_type = NOOK_NFT_TYPES3(NOOK_NFT_TYPE_IP6, NOOK_NFT_TYPE_PROTO, NOOK_NFT_TYPE_PORT),
	  .key_len = IP6 + WORD + WORD,
	  .data_type = NOOK_NFT_TYPES2(NOOK_NFT_TYPE_IP6, NOOK_NFT_TYPE_PORT),
	  .data_len = IP6 + WORD },
};

/* Priorities are those of iptables' tables: raw, nat, filter. */
static const struct nook_nft_chain chains[] = {
	{ .name = "ports" },
	{ .name = "raw", .type = "filter", .hook = NF_INET_PRE_ROUTING, .priority = -300 },
	{ .name = "prerouting", .type = "nat", .hook = NF_INET_PRE_ROUTING, .priority = -100 },
	{ .name = "output", .type = "nat", .hook = NF_INET_LOCAL_OUT, .priority = -100 },
	{ .name = "postrouting", .type = "nat", .hook = NF_INET_POST_ROUTING, .priority = 100 },
	{ .name = "forward", .type = "filter", .hook = NF_INET_FORWARD, .priority = 0 },
};

/* ---- what rules are made of ---- */

static void when_family(struct nook_nft *t, uint8_t family)
{
	nook_nft_meta(t, NFT_META_NFPROTO, 0);
	nook_nft_cmp(t, NFT_CMP_EQ, 0, &family, sizeof(family));
}

static void when_from(struct nook_nft *t, const char *set)
{
	nook_nft_meta(t, NFT_META_IIFNAME, 0);
	nook_nft_in_set(t, set, 0);
}

static void when_to(struct nook_nft *t, const char *set)
{
	nook_nft_meta(t, NFT_META_OIFNAME, 0);
	nook_nft_in_set(t, set, 0);
}

static void when_same_link(struct nook_nft *t)
{
	nook_nft_meta(t, NFT_META_IIFNAME, 0);
	nook_nft_meta(t, NFT_META_OIFNAME, IFNAMSIZ / WORD);
	nook_nft_in_set(t, NOOK_SET_SAME, 0);
}

static void when_ct(struct nook_nft *t, enum nft_ct_keys key, uint32_t mask)
{
	const uint32_t nothing = 0;

	nook_nft_ct(t, key, 0);
	nook_nft_mask(t, 0, mask);
	nook_nft_cmp(t, NFT_CMP_NEQ, 0, &nothing, sizeof(nothing));
}

static void when_published(struct nook_nft *t)
{
	when_ct(t, NFT_CT_STATUS, IPS_DST_NAT);
}

static void when_local(struct nook_nft *t, uint32_t which, enum nft_cmp_ops op)
{
	const uint32_t local = RTN_LOCAL;

	nook_nft_fib_type(t, which, 0);
	nook_nft_cmp(t, op, 0, &local, sizeof(local));
}

/* An address of 127.0.0.0/8, whose first byte tells. */
static void when_loopback(struct nook_nft *t, uint32_t offset)
{
	const uint8_t first = 127;

	when_family(t, NFPROTO_IPV4);
	nook_nft_payload(t, NFT_PAYLOAD_NETWORK_HEADER, offset, sizeof(first), 0);
	nook_nft_cmp(t, NFT_CMP_EQ, 0, &first, sizeof(first));
}

static void when_kind(struct nook_nft *t, enum nft_meta_keys key, const char *kind)
{
	char name[IFNAMSIZ] = "";

	memcpy(name, kind, strlen(kind));
	nook_nft_meta(t, key, 0);
	nook_nft_cmp(t, NFT_CMP_EQ, 0, name, sizeof(name));
}

static void end(struct nook_nft *t, int verdict)
{
	nook_nft_verdict(t, verdict, NULL);
	nook_nft_rule_end(t);
}

static void end_goto(struct nook_nft *t, const char *chain)
{
	nook_nft_verdict(t, NFT_GOTO, chain);
	nook_nft_rule_end(t);
}

static void end_masquerade(struct nook_nft *t)
{
	nook_nft_masquerade(t);
	nook_nft_rule_end(t);
}

/* ---- the rules ---- */

/* By address, protocol and port of what the packet is for, or the latter two alone. */
static void rule_map(struct nook_nft *t, uint8_t family, const char *map, bool by_address)
{
	const uint32_t len = family == NFPROTO_IPV4 ? IP4 : IP6;
	unsigned word = 0;

	nook_nft_rule(t, "ports");
	when_family(t, family);
	if (by_address) {
		nook_nft_payload(t, NFT_PAYLOAD_NETWORK_HEADER,
				 family == NFPROTO_IPV4 ? DADDR4 : DADDR6, len, 0);
		word = len / WORD;
	}
	nook_nft_meta(t, NFT_META_L4PROTO, word);
	nook_nft_payload(t, NFT_PAYLOAD_TRANSPORT_HEADER, DPORT, sizeof(uint16_t), word + 1);
	nook_nft_map(t, map, 0, 0);
	nook_nft_dnat(t, family, 0, len / WORD);
	nook_nft_rule_end(t);
}

static void rules_of_ports(struct nook_nft *t)
{
	static const uint8_t loopback6[IP6] = { [IP6 - 1] = 1 };

	nook_nft_rule(t, "ports");
	when_family(t, NFPROTO_IPV6);
	nook_nft_payload(t, NFT_PAYLOAD_NETWORK_HEADER, DADDR6, IP6, 0);
	nook_nft_cmp(t, NFT_CMP_EQ, 0, loopback6, sizeof(loopback6));
	end(t, NFT_RETURN);
	rule_map(t, NFPROTO_IPV4, NOOK_MAP_ONE4, true);
	rule_map(t, NFPROTO_IPV6, NOOK_MAP_ONE6, true);
	nook_nft_rule(t, "ports");
	when_local(t, NFTA_FIB_F_DADDR, NFT_CMP_NEQ);
	end(t, NFT_RETURN);
	rule_map(t, NFPROTO_IPV4, NOOK_MAP_ANY4, false);
	rule_map(t, NFPROTO_IPV6, NOOK_MAP_ANY6, false);
}

static void rules_before_routing(struct nook_nft *t)
{
	static const uint32_t addresses[] = { DADDR4, SADDR4 };

	for (size_t i = 0; i < ARRAY_SIZE(addresses); i++) {
		nook_nft_rule(t, "raw");
		when_from(t, NOOK_SET_NETWORKS);
		when_loopback(t, addresses[i]);
		end(t, NF_DROP);
	}

	nook_nft_rule(t, "prerouting");
	when_loopback(t, DADDR4);
	end(t, NFT_RETURN);
	nook_nft_rule(t, "prerouting");
	end_goto(t, "ports");
	nook_nft_rule(t, "output");
	end_goto(t, "ports");
}

static void rule_hairpin(struct nook_nft *t, uint8_t family, const char *subnets)
{
	bool v4 = family == NFPROTO_IPV4;
	uint32_t len = v4 ? IP4 : IP6;

	nook_nft_rule(t, "postrouting");
	when_family(t, family);
	nook_nft_payload(t, NFT_PAYLOAD_NETWORK_HEADER, v4 ? SADDR4 : SADDR6, len, 0);
	nook_nft_meta(t, NFT_META_OIFNAME, len / WORD);
	nook_nft_in_set(t, subnets, 0);
	when_published(t);
	end_masquerade(t);
}

static void rules_after_routing(struct nook_nft *t)
{
	rule_hairpin(t, NFPROTO_IPV4, NOOK_SET_SUBNETS4);
	rule_hairpin(t, NFPROTO_IPV6, NOOK_SET_SUBNETS6);
	nook_nft_rule(t, "postrouting");
	when_same_link(t);
	end(t, NFT_RETURN);
	nook_nft_rule(t, "postrouting");
	when_from(t, NOOK_SET_NATTED);
	end_masquerade(t);
	nook_nft_rule(t, "postrouting");
	when_local(t, NFTA_FIB_F_SADDR, NFT_CMP_EQ);
	when_to(t, NOOK_SET_NETWORKS);
	when_published(t);
	end_masquerade(t);
}

/* One rule of a chain: from a link of one set to a link of another, NULL: any. */
struct passage {
	const char *from, *to;
	bool published;
	int verdict;
};

static const struct passage passages[] = {
	{ NOOK_SET_INTERNAL, NULL, false, NF_DROP },
	{ NULL, NOOK_SET_INTERNAL, false, NF_DROP },
	{ NULL, NOOK_SET_NETWORKS, true, NF_ACCEPT },
	{ NOOK_SET_NETWORKS, NOOK_SET_NETWORKS, false, NF_DROP },
	{ NOOK_SET_NETWORKS, NULL, false, NF_ACCEPT },
	{ NULL, NOOK_SET_ROUTED, false, NF_ACCEPT },
	{ NULL, NOOK_SET_NETWORKS, false, NF_DROP },
};

static void rules_of_forwarding(struct nook_nft *t)
{
	nook_nft_rule(t, "forward");
	when_ct(t, NFT_CT_STATE,
		NF_CT_STATE_BIT(IP_CT_ESTABLISHED) | NF_CT_STATE_BIT(IP_CT_RELATED));
	end(t, NF_ACCEPT);
	nook_nft_rule(t, "forward");
	when_same_link(t);
	end(t, NF_ACCEPT);
	for (size_t i = 0; i < ARRAY_SIZE(passages); i++) {
		const struct passage *p = &passages[i];

		nook_nft_rule(t, "forward");
		if (p->from)
			when_from(t, p->from);
		if (p->to)
			when_to(t, p->to);
		if (p->published)
			when_published(t);
		end(t, p->verdict);
	}
	nook_nft_rule(t, "forward");
	when_kind(t, NFT_META_IIFKIND, "bridge");
	when_kind(t, NFT_META_OIFKIND, "bridge");
	end(t, NF_ACCEPT);
	nook_nft_rule(t, "forward");
	nook_nft_meta(t, NFT_META_NFPROTO, 0);
	nook_nft_in_set(t, NOOK_SET_GUARDED, 0);
	end(t, NF_DROP);
}

void nook_rules_put_table(struct nook_nft *t)
{
	nook_nft_table(t, NOOK_RULES_COMMENT);
	for (uint32_t i = 0; i < ARRAY_SIZE(sets); i++)
		nook_nft_set(t, &sets[i], i + 1);
	for (size_t i = 0; i < ARRAY_SIZE(chains); i++)
		nook_nft_chain(t, &chains[i]);
	for (size_t i = 0; i < ARRAY_SIZE(chains); i++)
		nook_nft_flush(t, chains[i].name);
	rules_of_ports(t);
	rules_before_routing(t);
	rules_after_routing(t);
	rules_of_forwarding(t);
}
