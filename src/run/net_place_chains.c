/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What may filter: base chains of nftables that are not nook's. iptables of today makes such, too.
 * Rules are not weighed, for they may ask anything of a packet; it is only seen which could drop
 * one.
 */
#include "net_place.h"

#include "base/own.h"
#include "sys/netlink.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>
#include <sys/socket.h>

#define CHAINS_MAX 4096 /* of base chains that are looked at */

struct ask {
	const struct nook_place *place;
	struct nook_arena *a;
	struct nook_place_chain *list;
	size_t n;
	struct nook_error *err;
};

static const struct {
	uint8_t family;
	const char *name;
	bool v4, v6;
} families[] = {
	{ NFPROTO_INET, "inet", true, true },
	{ NFPROTO_IPV4, "ip", true, false },
	{ NFPROTO_IPV6, "ip6", false, true },
};

static uint32_t big_u32(const struct rtattr *attr, uint32_t otherwise)
{
	return attr ? ntohl(nook_nl_u32(attr, htonl(otherwise))) : otherwise;
}

static const char *text(struct nook_arena *a, const struct rtattr *attr)
{
	char out[NFT_NAME_MAXLEN];

	return nook_strdup(a, nook_nl_text(attr, out, sizeof(out)));
}

static bool is_message(const struct nlmsghdr *m, int type)
{
	return m->nlmsg_type == (NFNL_SUBSYS_NFTABLES << 8 | type) &&
	       m->nlmsg_len >= NLMSG_LENGTH(sizeof(struct nfgenmsg));
}

/* A dump that changed while it was read is read again. */
static void add(struct ask *ask, const struct nook_place_chain *chain)
{
	for (size_t i = 0; i < ask->n; i++) {
		if (strcmp(ask->list[i].family, chain->family) == 0 &&
		    strcmp(ask->list[i].table, chain->table) == 0 &&
		    strcmp(ask->list[i].chain, chain->chain) == 0)
			return;
	}
	*nook_append(ask->a, ask->list, ask->n) = *chain;
}

static int take_chain(void *data, const struct nlmsghdr *m)
{
	struct ask *ask = data;
	const size_t head = sizeof(struct nfgenmsg);

	if (!is_message(m, NFT_MSG_NEWCHAIN) || ask->n >= CHAINS_MAX)
		return 0;

	const struct rtattr *hook = nook_nl_find(m, head, NFTA_CHAIN_HOOK);
	uint32_t number = big_u32(nook_nl_find_in(hook, NFTA_HOOK_HOOKNUM), UINT32_MAX);
	const struct nfgenmsg *g = NLMSG_DATA(m);
	char table[NFT_NAME_MAXLEN];

	nook_nl_text(nook_nl_find(m, head, NFTA_CHAIN_TABLE), table, sizeof(table));
	if (!hook || number < NF_INET_LOCAL_IN || number > NF_INET_LOCAL_OUT ||
	    strcmp(table, "nook") == 0)
		return 0;
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		if (families[i].family != g->nfgen_family)
			continue;
		add(ask, &(struct nook_place_chain){
				 .family = families[i].name,
				 .table = nook_strdup(ask->a, table),
				 .chain = text(ask->a, nook_nl_find(m, head, NFTA_CHAIN_NAME)),
				 .hook = (enum nook_place_hook)number,
				 .v4 = families[i].v4,
				 .v6 = families[i].v6,
				 .drops_rest = big_u32(nook_nl_find(m, head, NFTA_CHAIN_POLICY),
						       NF_ACCEPT) == NF_DROP,
			 });
	}
	return 0;
}

/* An immediate verdict that drops, or a reject. */
static bool drops(const struct rtattr *expression)
{
	char name[16];

	nook_nl_text(nook_nl_find_in(expression, NFTA_EXPR_NAME), name, sizeof(name));
	if (strcmp(name, "reject") == 0)
		return true;
	if (strcmp(name, "immediate") != 0)
		return false;

	const struct rtattr *data = nook_nl_find_in(expression, NFTA_EXPR_DATA);
	const struct rtattr *value = nook_nl_find_in(data, NFTA_IMMEDIATE_DATA);
	const struct rtattr *verdict = nook_nl_find_in(value, NFTA_DATA_VERDICT);

	return big_u32(nook_nl_find_in(verdict, NFTA_VERDICT_CODE), NF_ACCEPT) == NF_DROP;
}

static bool rule_drops(const struct rtattr *expressions)
{
	if (!expressions)
		return false;

	size_t left = RTA_PAYLOAD(expressions);

	for (const struct rtattr *e = nook_nl_attr(RTA_DATA(expressions), left); e;
	     e = nook_nl_next_attr(e, &left)) {
		if (drops(e))
			return true;
	}
	return false;
}

/* A rule may stand in a chain that the base chain jumps to: it counts for its table. */
static int take_rule(void *data, const struct nlmsghdr *m)
{
	struct ask *ask = data;
	const size_t head = sizeof(struct nfgenmsg);
	char table[NFT_NAME_MAXLEN];

	if (!is_message(m, NFT_MSG_NEWRULE) ||
	    !rule_drops(nook_nl_find(m, head, NFTA_RULE_EXPRESSIONS)))
		return 0;
	nook_nl_text(nook_nl_find(m, head, NFTA_RULE_TABLE), table, sizeof(table));
	for (size_t i = 0; i < ask->n; i++) {
		if (strcmp(ask->list[i].table, table) == 0)
			ask->list[i].drops = true;
	}
	return 0;
}

static int dump(int sock, struct ask *ask, int type, nook_nl_each *each)
{
	struct nook_nl m;
	const struct nfgenmsg head = { .nfgen_family = AF_UNSPEC, .version = NFNETLINK_V0 };

	nook_nl_clear(&m);
	nook_nl_begin(&m, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type), NLM_F_DUMP, &head,
		      sizeof(head));

	int rc = nook_nl_ask(sock, &m, each, ask, NULL);

	/* A kernel without nftables filters nothing by it. */
	if (rc == -EINVAL || rc == -EOPNOTSUPP || rc == -EPROTONOSUPPORT)
		return 0;
	return rc < 0 ? nook_fail(ask->err, -rc, "nfnetlink (the rules of %s)", ask->place->name)
		      : 0;
}

static int work(void *arg)
{
	struct ask *ask = arg;
	auto_close int sock = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);

	if (sock < 0)
		return errno == EPROTONOSUPPORT
			       ? 0
			       : nook_fail(ask->err, errno, "socket(NETLINK_NETFILTER)");

	int rc = dump(sock, ask, NFT_MSG_GETCHAIN, take_chain);

	return rc < 0 || ask->n == 0 ? rc : dump(sock, ask, NFT_MSG_GETRULE, take_rule);
}

int nook_place_chains(const struct nook_place *place, struct nook_arena *a,
		      struct nook_place_chain **ret, size_t *ret_n, struct nook_error *err)
{
	struct ask ask = { .place = place, .a = a, .err = err };
	int rc = nook_place_call(place, work, &ask, err);

	*ret_n = 0;
	*ret = ask.list;
	for (size_t i = 0; i < ask.n; i++) {
		if (ask.list[i].drops_rest || ask.list[i].drops)
			ask.list[(*ret_n)++] = ask.list[i];
	}
	return rc;
}
