/* SPDX-License-Identifier: Apache-2.0 */
/* Datagrams through the relay: each client has a socket of its own towards the container, by which
 * answers find their way back. */
#include "relay_parts.h"

#include "base/own.h"

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

static struct nook_relay_session *find(struct nook_relay *r, unsigned port,
				       const struct sockaddr_in6 *client)
{
	for (unsigned i = 0; i < NOOK_RELAY_SESSIONS; i++) {
		struct nook_relay_session *s = &r->sessions[i];

		if (s->fd >= 0 && s->port == port && s->client.sin6_port == client->sin6_port &&
		    memcmp(&s->client.sin6_addr, &client->sin6_addr, sizeof(client->sin6_addr)) ==
			    0)
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
					const struct sockaddr_in6 *client)
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
	s->client = *client;
	return s;
}

void nook_relay_from_client(struct nook_relay *r, unsigned port)
{
	for (int i = 0; i < BURST; i++) {
		struct sockaddr_in6 client = { 0 };
		socklen_t len = sizeof(client);
		ssize_t n = recvfrom(r->ports[port].fd, datagram, sizeof(datagram), 0,
				     (struct sockaddr *)&client, &len);

		if (n < 0)
			return;

		struct nook_relay_session *s = find(r, port, &client);

		if (!s)
			s = begin(r, port, &client);
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
		(void)sendto(r->ports[s->port].fd, datagram, (size_t)n, MSG_NOSIGNAL,
			     (const struct sockaddr *)&s->client, sizeof(s->client));
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
