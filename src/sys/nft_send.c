/* SPDX-License-Identifier: Apache-2.0 */
/* Transactions of nf_tables on their way, and what the kernel answers. */
#include "nft.h"

#include "base/own.h"
#include "base/text.h"
#include "call.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#define PATIENCE_SECONDS 10

int nook_nft_open(void)
{
	const struct timeval patience = { .tv_sec = PATIENCE_SECONDS };
	const int on = 1;
	int rc = nook_fault_call("socket, NETLINK_NETFILTER");
	auto_close int fd =
		rc < 0 ? NO_FD : socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);

	if (rc < 0)
		return rc;
	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0)
		return -errno;
	/* refused, the kernel says less, or sends our messages back with its answers */
	(void)setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
	(void)setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
	return move_fd(&fd);
}

void nook_nft_question(struct nook_nl *m, uint16_t type, bool dump)
{
	const struct nfgenmsg gen = { .nfgen_family = NFPROTO_INET, .version = NFNETLINK_V0 };

	nook_nl_clear(m);
	nook_nl_begin(m, NFNL_SUBSYS_NFTABLES << 8 | type, dump ? NLM_F_DUMP : 0, &gen,
		      sizeof(gen));
}

static void put_value(struct nook_nl *m, uint16_t type, const void *data, size_t len)
{
	size_t nest = nook_nl_nest(m, type | NLA_F_NESTED);

	nook_nl_put(m, NFTA_DATA_VALUE, data, len);
	nook_nl_nest_end(m, nest);
}

static int ignore(void *data, const struct nlmsghdr *h)
{
	return 0;
}

bool nook_nft_have_element(int fd, const char *table, const char *set,
			   const struct nook_nft_element *e)
{
	struct nook_nl q;

	nook_nft_question(&q, NFT_MSG_GETSETELEM, false);
	nook_nl_put_text(&q, NFTA_SET_ELEM_LIST_TABLE, table);
	nook_nl_put_text(&q, NFTA_SET_ELEM_LIST_SET, set);

	size_t list = nook_nl_nest(&q, NFTA_SET_ELEM_LIST_ELEMENTS | NLA_F_NESTED);
	size_t one = nook_nl_nest(&q, NFTA_LIST_ELEM | NLA_F_NESTED);

	put_value(&q, NFTA_SET_ELEM_KEY, e->key, e->key_len);
	if (e->end)
		put_value(&q, NFTA_SET_ELEM_KEY_END, e->end, e->key_len);
	nook_nl_nest_end(&q, one);
	nook_nl_nest_end(&q, list);
	return nook_nl_ask(fd, &q, ignore, NULL, NULL) != -ENOENT;
}

/* The kernel takes a transaction in one piece, which must fit into the socket's buffer. */
static int make_room(int fd, size_t len)
{
	const int wanted = (int)(len + 4096);
	int has = 0;
	socklen_t size = sizeof(has);

	if (getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &has, &size) == 0 && has >= wanted)
		return 0;
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &wanted, sizeof(wanted)) == 0)
		return 0;
	/* Who may not is bounded by net.core.wmem_max; then send(2) says so. */
	return setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &wanted, sizeof(wanted)) == 0 ? 0 : -errno;
}

/* Numbers its messages. The last before the END asks for an answer: it comes when the kernel is
 * done with all of them, and after those about messages that were refused. Return: the number of
 * BEGIN. */
static uint32_t number(struct nook_nft *t)
{
	static uint32_t used = 1u << 31; /* none of those that nook_nl_ask() takes */
	uint32_t first = used, n = 0;

	for (size_t at = 0; at < t->used; n++) {
		struct nlmsghdr head;

		memcpy(&head, t->buffer + at, sizeof(head));
		head.nlmsg_seq = first + n;
		if (n + 2 == t->messages)
			head.nlmsg_flags |= NLM_F_ACK;
		memcpy(t->buffer + at, &head, sizeof(head));
		at += NLMSG_ALIGN(head.nlmsg_len);
	}
	used += n;
	return first;
}

struct outcome {
	uint32_t first, last; /* numbers of BEGIN, and of the message that is answered */
	int rc;               /* of the first refusal */
	struct nook_nl_refusal *refusal;
};

/* Return: true when no more is to come. */
static bool note(struct outcome *o, const struct nlmsghdr *h)
{
	const struct nlmsgerr *e = NLMSG_DATA(h);
	uint32_t n = h->nlmsg_seq - o->first;

	/* Anything else is of an earlier transaction, whose answers were not waited for. */
	if (h->nlmsg_type != NLMSG_ERROR || h->nlmsg_len < NLMSG_LENGTH(sizeof(*e)) ||
	    n > o->last - o->first)
		return false;
	if (e->error && o->rc == 0) {
		o->rc = e->error;
		if (o->refusal) {
			o->refusal->index = n;
			nook_nl_why(h, o->refusal->why, sizeof(o->refusal->why));
		}
	}
	/* Of BEGIN only when the whole is refused. */
	return n == 0 || h->nlmsg_seq == o->last;
}

static int receive(int fd, struct outcome *o)
{
	_Alignas(struct nlmsghdr) char buffer[8192];

	for (;;) {
		ssize_t n = recv(fd, buffer, sizeof(buffer), MSG_TRUNC);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? -ETIMEDOUT : -errno;
		if ((size_t)n > sizeof(buffer))
			return -EPROTO;

		size_t left = (size_t)n;

		for (const struct nlmsghdr *h = nook_nl_message(buffer, left); h;
		     h = nook_nl_next_message(h, &left)) {
			if (note(o, h))
				return o->rc;
		}
	}
}

int nook_nft_commit(int fd, struct nook_nft *t, struct nook_nl_refusal *ret)
{
	struct outcome o = { .refusal = ret };
	int rc = nook_fault_call("send, nf_tables");

	if (ret)
		*ret = (struct nook_nl_refusal){ 0 };
	nook_nft_end(t);
	if (rc < 0 || t->messages == 2)
		return rc; /* or nothing to do */
	o.first = number(t);
	o.last = o.first + t->messages - 2;
	rc = make_room(fd, t->used);
	if (rc < 0)
		return rc;
	return send(fd, t->buffer, t->used, 0) < 0 ? -errno : receive(fd, &o);
}
