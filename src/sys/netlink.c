/* SPDX-License-Identifier: Apache-2.0 */
#include "netlink.h"

#include "base/own.h"
#include "base/text.h"

#include <net/if.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
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
	/* Refused, the kernel says less, or repeats more of what it was told. */
	(void)setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
	(void)setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
	return move_fd(&fd);
}

/* ---- writing ---- */

void nook_nl_clear(struct nook_nl *m)
{
	m->used = m->last = 0;
	m->n = 0;
}

size_t nook_nl_room(const struct nook_nl *m)
{
	return m->n < NOOK_NL_MESSAGES ? sizeof(m->data) - NLMSG_ALIGN(m->used) : 0;
}

static struct nlmsghdr *head_of(struct nook_nl *m)
{
	return (struct nlmsghdr *)(void *)(m->data + m->last);
}

/* At the next multiple of four; the bytes between are zero. Return: where it is. */
static size_t append(struct nook_nl *m, const void *data, size_t len)
{
	size_t at = NLMSG_ALIGN(m->used);

	if (at > sizeof(m->data) || len > sizeof(m->data) - at)
		__builtin_trap();
	memset(m->data + m->used, 0, at - m->used);
	if (len)
		memcpy(m->data + at, data, len);
	m->used = at + len;
	return at;
}

void nook_nl_append(struct nook_nl *m, const void *data, size_t len)
{
	(void)append(m, data, len);
	head_of(m)->nlmsg_len = (uint32_t)(m->used - m->last);
}

void nook_nl_begin(struct nook_nl *m, uint16_t type, uint16_t flags, const void *header, size_t len)
{
	const struct nlmsghdr head = { .nlmsg_type = type, .nlmsg_flags = NLM_F_REQUEST | flags };

	if (m->n == NOOK_NL_MESSAGES)
		__builtin_trap();
	m->last = append(m, &head, sizeof(head));
	m->fine[m->n++] = 0;
	nook_nl_append(m, header, len);
}

void nook_nl_put(struct nook_nl *m, uint16_t type, const void *data, size_t len)
{
	const struct rtattr head = { .rta_type = type, .rta_len = (unsigned short)RTA_LENGTH(len) };

	nook_nl_append(m, &head, sizeof(head));
	nook_nl_append(m, data, len);
}

void nook_nl_put_u32(struct nook_nl *m, uint16_t type, uint32_t value)
{
	nook_nl_put(m, type, &value, sizeof(value));
}

void nook_nl_put_text(struct nook_nl *m, uint16_t type, const char *text)
{
	nook_nl_put(m, type, text, strlen(text) + 1);
}

size_t nook_nl_nest(struct nook_nl *m, uint16_t type)
{
	const struct rtattr head = { .rta_type = type };
	size_t nest = append(m, &head, sizeof(head));

	nook_nl_nest_end(m, nest);
	return nest;
}

void nook_nl_nest_end(struct nook_nl *m, size_t nest)
{
	unsigned short len = (unsigned short)(m->used - nest);

	memcpy(m->data + nest + offsetof(struct rtattr, rta_len), &len, sizeof(len));
	head_of(m)->nlmsg_len = (uint32_t)(m->used - m->last);
}

void nook_nl_fine(struct nook_nl *m, int errnum)
{
	m->fine[m->n - 1] = errnum;
}

/* ---- reading ---- */

const struct nlmsghdr *nook_nl_message(const void *at, size_t left)
{
	const struct nlmsghdr *m = at;

	return left >= sizeof(*m) && m->nlmsg_len >= sizeof(*m) && m->nlmsg_len <= left ? m : NULL;
}

/* @size: of the one at @at. What is left behind its padding is looked at next. */
static const void *step_over(const void *at, size_t size, size_t *left)
{
	*left -= size < *left ? size : *left;
	return (const char *)at + size;
}

const struct nlmsghdr *nook_nl_next_message(const struct nlmsghdr *m, size_t *left)
{
	const void *next = step_over(m, NLMSG_ALIGN((size_t)m->nlmsg_len), left);

	return nook_nl_message(next, *left);
}

const struct rtattr *nook_nl_attr(const void *at, size_t left)
{
	const struct rtattr *a = at;

	return left >= sizeof(*a) && a->rta_len >= sizeof(*a) && a->rta_len <= left ? a : NULL;
}

const struct rtattr *nook_nl_next_attr(const struct rtattr *a, size_t *left)
{
	const void *next = step_over(a, RTA_ALIGN((size_t)a->rta_len), left);

	return nook_nl_attr(next, *left);
}

static const struct rtattr *find(const char *attrs, size_t len, uint16_t type)
{
	for (const struct rtattr *a = nook_nl_attr(attrs, len); a; a = nook_nl_next_attr(a, &len)) {
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

const struct rtattr *nook_nl_find_in(const struct rtattr *nest, uint16_t type)
{
	return nest ? find(RTA_DATA(nest), RTA_PAYLOAD(nest), type) : NULL;
}

const char *nook_nl_text(const struct rtattr *attr, char *out, size_t size)
{
	size_t len = attr ? strnlen(RTA_DATA(attr), RTA_PAYLOAD(attr)) : 0;

	(void)nook_format(out, size, "%.*s", (int)len, len ? (const char *)RTA_DATA(attr) : "");
	return out;
}

uint32_t nook_nl_u32(const struct rtattr *attr, uint32_t otherwise)
{
	if (attr && RTA_PAYLOAD(attr) >= sizeof(otherwise))
		memcpy(&otherwise, RTA_DATA(attr), sizeof(otherwise));
	return otherwise;
}

unsigned nook_nl_bytes(const struct rtattr *attr, unsigned char *ret, size_t size)
{
	size_t len = attr ? RTA_PAYLOAD(attr) : 0;

	if (len > size)
		return 0;
	if (len)
		memcpy(ret, RTA_DATA(attr), len);
	return (unsigned)len;
}

int nook_nl_int(const struct rtattr *attr, int otherwise)
{
	return (int)nook_nl_u32(attr, (uint32_t)otherwise);
}

/* Behind the error stands our own message, or its head alone, then attributes. */
void nook_nl_why(const struct nlmsghdr *h, char *out, size_t size)
{
	const struct nlmsgerr *e = NLMSG_DATA(h);
	size_t skip = NLMSG_HDRLEN + sizeof(*e);

	out[0] = '\0';
	if (!(h->nlmsg_flags & NLM_F_ACK_TLVS))
		return;
	if (!(h->nlmsg_flags & NLM_F_CAPPED) && e->msg.nlmsg_len > NLMSG_HDRLEN)
		skip += NLMSG_ALIGN(e->msg.nlmsg_len) - NLMSG_HDRLEN;
	if (h->nlmsg_len > skip)
		(void)nook_nl_text(
			find((const char *)h + skip, h->nlmsg_len - skip, NLMSGERR_ATTR_MSG), out,
			size);
}

struct answer {
	const struct nook_nl *asked;
	uint32_t first; /* sequence number of the first message */
	nook_nl_each *each;
	void *data;
	struct nook_nl_refusal *refusal;
	int error; /* of the first that was refused */
	bool interrupted;
};

static void note(struct answer *a, unsigned index, const struct nlmsghdr *h, int error)
{
	if (!error || a->error || -error == a->asked->fine[index])
		return;
	a->error = error;
	if (a->refusal) {
		a->refusal->index = index;
		nook_nl_why(h, a->refusal->why, sizeof(a->refusal->why));
	}
}

/* Return: 1 at the answer's end, 0 when more is to come, or a negative errno. */
static int take(struct answer *a, const struct nlmsghdr *h)
{
	uint32_t index = h->nlmsg_seq - a->first;
	bool last = index == a->asked->n - 1;

	if (index >= a->asked->n)
		return 0; /* of an earlier question, which was given up */
	if (h->nlmsg_flags & NLM_F_DUMP_INTR)
		a->interrupted = true;
	if (h->nlmsg_type == NLMSG_DONE)
		return last;
	if (h->nlmsg_type == NLMSG_ERROR) {
		const struct nlmsgerr *e = NLMSG_DATA(h);

		if (h->nlmsg_len < NLMSG_LENGTH(sizeof(*e)))
			return -EPROTO;
		note(a, index, h, e->error);
		return last;
	}
	return a->each ? a->each(a->data, h) : 0;
}

/* Tried again where memory was short for a moment: what was asked is done, and an answer that is
 * left in the queue, or a list that was begun, would stand in the next one's way (EBUSY). */
static ssize_t receive(int fd, void *buffer, size_t size, bool *ret_kernels)
{
	bool again = true;
	struct sockaddr_nl from = { 0 };
	struct iovec io = { .iov_base = buffer, .iov_len = size };
	struct msghdr msg = {
		.msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &io, .msg_iovlen = 1
	};
	ssize_t n;

	while ((n = recvmsg(fd, &msg, MSG_TRUNC)) < 0) {
		if (errno == ENOMEM && again)
			again = false;
		else if (errno != EINTR)
			break;
	}
	if (n < 0)
		return errno == EAGAIN ? -ETIMEDOUT : -errno;
	*ret_kernels = msg.msg_namelen == sizeof(from) && from.nl_pid == 0;
	return (size_t)n > size ? -EPROTO : n;
}

static int read_answer(int fd, struct answer *a)
{
	_Alignas(struct nlmsghdr) char buffer[32768];

	for (;;) {
		bool kernels = false;
		ssize_t n = receive(fd, buffer, sizeof(buffer), &kernels);

		if (n < 0)
			return (int)n;
		if (!kernels)
			continue;

		size_t left = (size_t)n;

		for (const struct nlmsghdr *h = nook_nl_message(buffer, left); h;
		     h = nook_nl_next_message(h, &left)) {
			int rc = take(a, h);

			if (rc)
				return rc < 0 ? rc : a->error;
		}
	}
}

/* Numbers them, and sends. Only the last is to be answered: refusals come always. */
static int ask_once(int fd, struct nook_nl *m, struct answer *a)
{
	static uint32_t used;
	uint32_t seq = __atomic_fetch_add(&used, m->n, __ATOMIC_RELAXED) + 1;

	a->asked = m;
	a->first = seq;
	for (size_t at = 0; at < m->used;) {
		struct nlmsghdr *h = (struct nlmsghdr *)(void *)(m->data + at);

		h->nlmsg_seq = seq++;
		if (at == m->last)
			h->nlmsg_flags |= NLM_F_ACK;
		at += NLMSG_ALIGN(h->nlmsg_len);
	}
	if (a->refusal)
		*a->refusal = (struct nook_nl_refusal){ 0 };
	if (send(fd, m->data, m->used, 0) < 0)
		return -errno;
	return read_answer(fd, a);
}

int nook_nl_send(int fd, struct nook_nl *m, struct nook_nl_refusal *ret)
{
	struct answer a = { .refusal = ret };

	return m->n ? ask_once(fd, m, &a) : 0;
}

int nook_nl_ask(int fd, struct nook_nl *m, nook_nl_each *each, void *data,
		struct nook_nl_refusal *ret)
{
	int rc = -EPROTO;

	for (int tries = 0; tries < DUMP_TRIES; tries++) {
		struct answer a = { .each = each, .data = data, .refusal = ret };

		rc = ask_once(fd, m, &a);
		if (rc < 0 || !a.interrupted)
			return rc;
	}
	return rc;
}

int nook_nl_follow(unsigned group)
{
	const struct sockaddr_nl any = { .nl_family = AF_NETLINK };
	auto_close int fd = nook_nl_open();

	if (fd < 0)
		return fd;
	/* Without a port of its own it hears nothing: the kernel leaves out the sender's, 0. */
	if (bind(fd, (const struct sockaddr *)&any, sizeof(any)) < 0 ||
	    setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) < 0)
		return -errno;
	return move_fd(&fd);
}

int nook_nl_wait(int fd, int ms)
{
	struct pollfd watched = { .fd = fd, .events = POLLIN };
	int n = poll(&watched, 1, ms);
	char start;

	if (n < 0 && errno != EINTR)
		return -errno;
	if (n == 0)
		return -ETIMEDOUT;
	while (recv(fd, &start, sizeof(start), MSG_DONTWAIT) > 0)
		;
	return 0;
}

int nook_nl_index(int fd, const char *link)
{
	struct ifreq request = { 0 };

	if (strlen(link) >= sizeof(request.ifr_name))
		return -ENODEV;
	(void)nook_format(request.ifr_name, sizeof(request.ifr_name), "%s", link);
	return ioctl(fd, SIOCGIFINDEX, &request) < 0 ? -errno : request.ifr_ifindex;
}

int nook_nl_name(int fd, int index, char ret[16])
{
	struct ifreq request = { .ifr_ifindex = index };

	if (ioctl(fd, SIOCGIFNAME, &request) < 0)
		return -errno;
	(void)nook_format(ret, IFNAMSIZ, "%.15s", request.ifr_name);
	return 0;
}
