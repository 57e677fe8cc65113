/* SPDX-License-Identifier: Apache-2.0 */
#include "conntrack.h"

#include "base/own.h"
#include "nft.h"

#include <linux/netfilter/nfnetlink_conntrack.h>
#include <string.h>

/* Of one message at most: of a list that is longer, the next round takes more. */
#define BATCH  32
#define ROUNDS 2048

#define TYPE(message) (NFNL_SUBSYS_CTNETLINK << 8 | (message))

#ifndef CTA_FILTER_F_PROTO_NUM
/* The kernel's nf_internals.h has it; no header for programs does. Linux 5.8 */
#define CTA_FILTER_F_PROTO_NUM (1 << 3)
#endif

struct round {
	nook_connection_stale *stale;
	void *data;
	uint8_t family;
	struct nook_nl *out; /* what is to be deleted */
	unsigned found;
};

static void copy(const struct rtattr *a, void *to, size_t size)
{
	if (a && RTA_PAYLOAD(a) >= size)
		memcpy(to, RTA_DATA(a), size);
}

static bool read_connection(const struct nlmsghdr *h, uint8_t family, struct nook_connection *ret)
{
	const size_t head = sizeof(struct nfgenmsg);
	const struct rtattr *orig = nook_nl_find(h, head, CTA_TUPLE_ORIG);
	const struct rtattr *reply = nook_nl_find(h, head, CTA_TUPLE_REPLY);
	const struct rtattr *to = nook_nl_find_in(orig, CTA_TUPLE_IP);
	const struct rtattr *answers = nook_nl_find_in(reply, CTA_TUPLE_IP);
	const struct rtattr *proto = nook_nl_find_in(orig, CTA_TUPLE_PROTO);
	const bool v6 = family == AF_INET6;
	const size_t size = v6 ? 16 : 4;
	uint16_t port = 0;

	if (!to || !answers || !proto)
		return false;
	*ret = (struct nook_connection){ .family = family };
	copy(nook_nl_find_in(to, v6 ? CTA_IP_V6_DST : CTA_IP_V4_DST), ret->to, size);
	copy(nook_nl_find_in(answers, v6 ? CTA_IP_V6_SRC : CTA_IP_V4_SRC), ret->answers, size);
	copy(nook_nl_find_in(proto, CTA_PROTO_NUM), &ret->protocol, 1);
	copy(nook_nl_find_in(proto, CTA_PROTO_DST_PORT), &port, sizeof(port));
	ret->port = (uint16_t)(port >> 8 | port << 8);
	return true;
}

/* By its first packet, and its number: another of the same may have begun since. */
static void put_delete(struct round *r, const struct nlmsghdr *h)
{
	const struct nfgenmsg gen = { .nfgen_family = r->family, .version = NFNETLINK_V0 };
	static const uint16_t wanted[] = { CTA_TUPLE_ORIG, CTA_ZONE, CTA_ID };

	nook_nl_begin(r->out, TYPE(IPCTNL_MSG_CT_DELETE), 0, &gen, sizeof(gen));
	nook_nl_fine(r->out, ENOENT);
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		const struct rtattr *a = nook_nl_find(h, sizeof(gen), wanted[i]);

		if (a)
			nook_nl_put(r->out, a->rta_type, RTA_DATA(a), RTA_PAYLOAD(a));
	}
}

static int take(void *data, const struct nlmsghdr *h)
{
	struct round *r = data;
	struct nook_connection c;

	if (h->nlmsg_type != TYPE(IPCTNL_MSG_CT_NEW) || r->found == BATCH ||
	    !read_connection(h, r->family, &c) || !r->stale(r->data, &c) ||
	    nook_nl_room(r->out) < 256)
		return 0;
	put_delete(r, h);
	r->found++;
	return 0;
}

static void ask_for(struct nook_nl *q, uint8_t family, uint8_t protocol)
{
	const struct nfgenmsg gen = { .nfgen_family = family, .version = NFNETLINK_V0 };

	nook_nl_clear(q);
	nook_nl_begin(q, TYPE(IPCTNL_MSG_CT_GET), NLM_F_DUMP, &gen, sizeof(gen));

	size_t tuple = nook_nl_nest(q, CTA_TUPLE_ORIG | NLA_F_NESTED);
	size_t proto = nook_nl_nest(q, CTA_TUPLE_PROTO | NLA_F_NESTED);

	nook_nl_put(q, CTA_PROTO_NUM, &protocol, sizeof(protocol));
	nook_nl_nest_end(q, proto);
	nook_nl_nest_end(q, tuple);

	size_t filter = nook_nl_nest(q, CTA_FILTER | NLA_F_NESTED);

	nook_nl_put_u32(q, CTA_FILTER_ORIG_FLAGS, CTA_FILTER_F_PROTO_NUM);
	nook_nl_put_u32(q, CTA_FILTER_REPLY_FLAGS, 0);
	nook_nl_nest_end(q, filter);
}

int nook_conntrack_forget(uint8_t family, uint8_t protocol, nook_connection_stale *stale,
			  void *data)
{
	auto_close int fd = nook_nft_open();
	int rc = fd < 0 ? fd : 0;

	for (int i = 0; i < ROUNDS && rc == 0; i++) {
		struct nook_nl q, out;
		struct round r = { .stale = stale, .data = data, .family = family, .out = &out };

		nook_nl_clear(&out);
		ask_for(&q, family, protocol);
		rc = nook_nl_ask(fd, &q, take, &r, NULL);
		if (rc < 0 || r.found == 0)
			return rc;
		rc = nook_nl_send(fd, &out, NULL);
	}
	return rc;
}
