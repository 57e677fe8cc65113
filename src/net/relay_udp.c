/* SPDX-License-Identifier: Apache-2.0 */
/* Datagrams through the relay: each client has a socket of its own towards the container, by which
 * answers find their way back. */
#include "relay_parts.h"

#include "base/own.h"

#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#define BURST 16 /* datagrams in a row, before others have their turn */

static char datagram[65536];

static time_t now(void)
{
	struct timespec t = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &t); /* fails only for a bad clock or address */
	return t.tv_sec;
}

static bool same_address(const struct nook_relay_peer *a, const struct nook_relay_peer *b)
{
	const struct sockaddr_in *a4 = (const void *)&a->client, *b4 = (const void *)&b->client;
	const struct sockaddr_in6 *a6 = (const void *)&a->client, *b6 = (const void *)&b->client;

	if (a->client.ss_family != b->client.ss_family)
		return false;
	if (a->client.ss_family == AF_INET)
		return a4->sin_port == b4->sin_port && a4->sin_addr.s_addr == b4->sin_addr.s_addr &&
		       a->asked.v4.ipi_spec_dst.s_addr == b->asked.v4.ipi_spec_dst.s_addr;
	return a6->sin6_port == b6->sin6_port &&
	       memcmp(&a6->sin6_addr, &b6->sin6_addr, sizeof(a6->sin6_addr)) == 0 &&
	       memcmp(&a->asked.v6.ipi6_addr, &b->asked.v6.ipi6_addr, sizeof(a6->sin6_addr)) == 0;
}

static struct nook_relay_session *find(struct nook_relay *r, unsigned port,
				       const struct nook_relay_peer *peer)
{
	for (unsigned i = 0; i < NOOK_RELAY_SESSIONS; i++) {
		struct nook_relay_session *s = &r->sessions[i];

		if (s->fd >= 0 && s->port == port && same_address(&s->peer, peer))
			return s;
	}
	return NULL;
}

/* A free one, or the one that was used longest ago. */
static struct nook_relay_session *make_room(struct nook_relay *r)
{
	struct nook_relay_session *oldest = &r->sessions[0];

	for (unsigned i = 0; i < NOOK_RELAY_SESSIONS; i++) {
		struct nook_relay_session *s = &r->sessions[i];

		if (s->fd < 0)
			return s;
		if (s->used < oldest->used)
			oldest = s;
	}
	close_fd(&oldest->fd);
	return oldest;
}

static struct nook_relay_session *begin(struct nook_relay *r, unsigned port,
					const struct nook_relay_peer *peer)
{
	const struct nook_relay_port *p = &r->ports[port];
	struct nook_relay_session *s = make_room(r);
	auto_close int fd = socket(p->to.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 || connect(fd, (const struct sockaddr *)&p->to, p->to_len) < 0 ||
	    nook_relay_watch(r, EPOLL_CTL_ADD, fd, EPOLLIN,
			     nook_relay_tag(NOOK_RELAY_SESSION, (unsigned)(s - r->sessions), 0)) <
		    0)
		return NULL;
	s->fd = move_fd(&fd);
	s->port = port;
	s->peer = *peer;
	return s;
}

/* ---- by the address that was asked ---- */

union asked_room {
	char bytes[CMSG_SPACE(sizeof(struct in6_pktinfo))];
	struct cmsghdr align;
};

/* Where the datagram was sent to. The link that it came by matters for addresses of one link. */
static void take_asked(struct msghdr *m, struct nook_relay_peer *peer)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO &&
		    c->cmsg_len == CMSG_LEN(sizeof(peer->asked.v4))) {
			memcpy(&peer->asked.v4, CMSG_DATA(c), sizeof(peer->asked.v4));
			peer->asked.v4.ipi_ifindex = 0;
		}
		if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO &&
		    c->cmsg_len == CMSG_LEN(sizeof(peer->asked.v6))) {
			memcpy(&peer->asked.v6, CMSG_DATA(c), sizeof(peer->asked.v6));
			if (!IN6_IS_ADDR_LINKLOCAL(&peer->asked.v6.ipi6_addr))
				peer->asked.v6.ipi6_ifindex = 0;
		}
	}
}

static ssize_t take(int fd, struct nook_relay_peer *peer)
{
	union asked_room room;
	struct iovec text = { .iov_base = datagram, .iov_len = sizeof(datagram) };
	struct msghdr m = { .msg_name = &peer->client,
			    .msg_namelen = sizeof(peer->client),
			    .msg_iov = &text,
			    .msg_iovlen = 1,
			    .msg_control = room.bytes,
			    .msg_controllen = sizeof(room.bytes) };
	ssize_t n;

	memset(peer, 0, sizeof(*peer));
	n = recvmsg(fd, &m, 0);
	if (n >= 0)
		take_asked(&m, peer);
	return n;
}

/* What can't be sent is lost, as datagrams are. */
static void give(int fd, const struct nook_relay_peer *peer, size_t len)
{
	const bool v6 = peer->client.ss_family == AF_INET6;
	const size_t size = v6 ? sizeof(peer->asked.v6) : sizeof(peer->asked.v4);
	union asked_room room = { 0 };
	struct iovec text = { .iov_base = datagram, .iov_len = len };
	struct msghdr m = { .msg_name = (void *)(uintptr_t)&peer->client,
			    .msg_namelen =
				    v6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in),
			    .msg_iov = &text,
			    .msg_iovlen = 1,
			    .msg_control = room.bytes,
			    .msg_controllen = CMSG_SPACE(size) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = v6 ? IPPROTO_IPV6 : IPPROTO_IP;
	c->cmsg_type = v6 ? IPV6_PKTINFO : IP_PKTINFO;
	c->cmsg_len = CMSG_LEN(size);
	memcpy(CMSG_DATA(c), &peer->asked, size);
	(void)sendmsg(fd, &m, MSG_NOSIGNAL);
}

void nook_relay_from_client(struct nook_relay *r, unsigned port)
{
	for (int i = 0; i < BURST; i++) {
		struct nook_relay_peer peer;
		ssize_t n = take(r->ports[port].fd, &peer);

		if (n < 0)
			return;

		struct nook_relay_session *s = find(r, port, &peer);

		if (!s)
			s = begin(r, port, &peer);
		if (!s)
			return;
		s->used = now();
		/* What can't be sent is lost, as datagrams are. */
		(void)send(s->fd, datagram, (size_t)n, MSG_NOSIGNAL);
	}
}

void nook_relay_from_container(struct nook_relay *r, unsigned index)
{
	struct nook_relay_session *s = &r->sessions[index];

	for (int i = 0; i < BURST && s->fd >= 0; i++) {
		ssize_t n = recv(s->fd, datagram, sizeof(datagram), 0);

		if (n < 0 && errno == ECONNREFUSED)
			continue; /* nobody listens inside: of an earlier datagram */
		if (n < 0)
			return;
		s->used = now();
		give(r->ports[s->port].fd, &s->peer, (size_t)n);
	}
}

int nook_relay_forget(struct nook_relay *r)
{
	time_t before = now() - NOOK_RELAY_IDLE;
	bool any = false;

	for (unsigned i = 0; i < NOOK_RELAY_SESSIONS; i++) {
		struct nook_relay_session *s = &r->sessions[i];

		if (s->fd >= 0 && s->used < before)
			close_fd(&s->fd);
		any = any || s->fd >= 0;
	}
	return any ? NOOK_RELAY_IDLE * 1000 / 2 : -1;
}
