/* SPDX-License-Identifier: Apache-2.0 */
#include "netlink.h"

#include "base/own.h"
#include "base/text.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#define PATIENCE_SECONDS 10
#define DUMP_TRIES       8

int nook_nl_open(void)
{
	const struct timeval patience = { .tv_sec = PATIENCE_SECONDS };
	const int on = 1;
	auto_close int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0)
		return -errno;
	(void)setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
	/* refused, the kernel says less */
	return move_fd(&fd);
}

static void append(struct nook_nl *m, const void *data, size_t len)
{
	size_t at = NLMSG_ALIGN(m->head.nlmsg_len) - NLMSG_HDRLEN;

	if (at > sizeof(m->body) || len > sizeof(m->body) - at)
		__builtin_trap();
	if (len)
		memcpy(m->body + at, data, len);
	m->head.nlmsg_len = (uint32_t)(NLMSG_HDRLEN + at + len);
}

void nook_nl_begin(struct nook_nl *m, uint16_t type, uint16_t flags, const void *header, size_t len)
{
	*m = (struct nook_nl){ .head = { .nlmsg_len = NLMSG_HDRLEN,
					 .nlmsg_type = type,
					 .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags } };
	append(m, header, len);
}

void nook_nl_put(struct nook_nl *m, uint16_t type, const void *data, size_t len)
{
	struct rtattr head = { .rta_type = type, .rta_len = (unsigned short)RTA_LENGTH(len) };

	append(m, &head, sizeof(head));
	append(m, data, len);
}

static const struct rtattr *find(const char *attrs, size_t len, uint16_t type)
{
	const struct rtattr *a = (const struct rtattr *)(const void *)attrs;

	for (; RTA_OK(a, len); a = RTA_NEXT(a, len)) {
		if ((a->rta_type & NLA_TYPE_MASK) == type)
			return a;
	}
	return NULL;
}

const struct rtattr *nook_nl_find(const struct nlmsghdr *message, size_t header, uint16_t type)
{
	size_t skip = NLMSG_SPACE(header);

	return message->nlmsg_len <= skip
		       ? NULL
		       : find((const char *)message + skip, message->nlmsg_len - skip, type);
}

/* Behind the error stands our own message, or its head alone, then attributes. */
static void why(const struct nlmsghdr *h, char *out, size_t size)
{
	const struct nlmsgerr *e = NLMSG_DATA(h);
	size_t skip = NLMSG_HDRLEN + sizeof(*e);

	if (!(h->nlmsg_flags & NLM_F_ACK_TLVS))
		return;
	if (!(h->nlmsg_flags & NLM_F_CAPPED) && e->msg.nlmsg_len > NLMSG_HDRLEN)
		skip += NLMSG_ALIGN(e->msg.nlmsg_len) - NLMSG_HDRLEN;
	if (h->nlmsg_len <= skip)
		return;

	const struct rtattr *a =
		find((const char *)h + skip, h->nlmsg_len - skip, NLMSGERR_ATTR_MSG);

	if (a)
		(void)nook_format(out, size, "%.*s", (int)RTA_PAYLOAD(a),
				  (const char *)RTA_DATA(a));
}

struct answer {
	uint32_t seq;
	nook_nl_each *each;
	void *data;
	char *why;
	size_t why_size;
	bool interrupted;
};

/* Return: 1 at the answer's end, 0 when more is to come, or a negative errno. */
static int take(struct answer *a, const struct nlmsghdr *h)
{
	if (h->nlmsg_seq != a->seq)
		return 0; /* of an earlier question, which was given up */
	if (h->nlmsg_flags & NLM_F_DUMP_INTR)
		a->interrupted = true;
	if (h->nlmsg_type == NLMSG_DONE)
		return 1;
	if (h->nlmsg_type == NLMSG_ERROR) {
		const struct nlmsgerr *e = NLMSG_DATA(h);

		if (h->nlmsg_len < NLMSG_LENGTH(sizeof(*e)))
			return -EPROTO;
		if (e->error && a->why)
			why(h, a->why, a->why_size);
		return e->error ? e->error : 1;
	}
	return a->each ? a->each(a->data, h) : 0;
}

static int read_answer(int fd, struct answer *a)
{
	_Alignas(struct nlmsghdr) char buffer[32768];

	for (;;) {
		struct sockaddr_nl from;
		socklen_t from_len = sizeof(from);
		ssize_t n = recvfrom(fd, buffer, sizeof(buffer), MSG_TRUNC,
				     (struct sockaddr *)&from, &from_len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? -ETIMEDOUT : -errno;
		if ((size_t)n > sizeof(buffer))
			return -EPROTO;
		if (from_len != sizeof(from) || from.nl_pid != 0)
			continue; /* not the kernel */

		size_t left = (size_t)n;

		for (const struct nlmsghdr *h = (const struct nlmsghdr *)(const void *)buffer;
		     NLMSG_OK(h, left); h = NLMSG_NEXT(h, left)) {
			int rc = take(a, h);

			if (rc)
				return rc < 0 ? rc : 0;
		}
	}
}

int nook_nl_ask(int fd, struct nook_nl *m, nook_nl_each *each, void *data, char *ret_why,
		size_t why_size)
{
	static uint32_t seq;
	int rc = -EPROTO;

	if (ret_why)
		ret_why[0] = '\0';
	for (int tries = 0; tries < DUMP_TRIES; tries++) {
		struct answer a = { .seq = ++seq,
				    .each = each,
				    .data = data,
				    .why = ret_why,
				    .why_size = why_size };

		m->head.nlmsg_seq = a.seq;
		if (send(fd, m, m->head.nlmsg_len, 0) < 0)
			return -errno;
		rc = read_answer(fd, &a);
		if (rc < 0 || !a.interrupted)
			return rc;
	}
	return rc;
}
