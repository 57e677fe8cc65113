/* SPDX-License-Identifier: Apache-2.0 */
/* Connections through the relay: what comes from one side is written to the other, and each is told
 * when the other has no more to say. */
#include "relay_parts.h"

#include "base/own.h"

#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>

static uint64_t tag_of(const struct nook_relay *r, const struct nook_relay_connection *c,
		       unsigned side)
{
	return nook_relay_tag(NOOK_RELAY_CONNECTION, (unsigned)(c - r->connections), side);
}

/* Closed descriptors leave epoll by themselves. */
static void end(struct nook_relay *r, struct nook_relay_connection *c, bool broken)
{
	const struct linger at_once = { .l_onoff = 1 };

	for (unsigned side = 0; side < 2; side++) {
		/* A reset: what was under way is lost, and both are to know. */
		if (broken && c->fd[side] >= 0)
			(void)setsockopt(c->fd[side], SOL_SOCKET, SO_LINGER, &at_once,
					 sizeof(at_once));
		close_fd(&c->fd[side]);
	}
	r->n_connections--;
	r->starved = false;
	/* Refused, the memory waits for the next one. */
	(void)madvise(r->buffers[c - r->connections], sizeof(r->buffers[0]), MADV_DONTNEED);
}

static struct nook_relay_connection *find_free(struct nook_relay *r)
{
	for (unsigned i = 0; i < NOOK_RELAY_CONNECTIONS; i++) {
		if (r->connections[i].fd[0] < 0)
			return &r->connections[i];
	}
	return NULL;
}

/* What each side is waited for: room to write what there is, or something to read when there is
 * nothing to write. */
static int look_for(struct nook_relay *r, struct nook_relay_connection *c)
{
	for (unsigned side = 0; side < 2; side++) {
		const struct nook_relay_way *from = &c->way[side], *to = &c->way[!side];
		uint32_t events = 0;

		if (c->connecting)
			events = side ? EPOLLOUT : 0;
		else
			events = (from->len == 0 && !from->eof ? EPOLLIN : 0) |
				 (to->len ? EPOLLOUT : 0);
		if (events == c->events[side] || (!events && c->events[side] == NOOK_RELAY_ASLEEP))
			continue;

		int rc = nook_relay_watch(
			r, c->events[side] == NOOK_RELAY_ASLEEP ? EPOLL_CTL_ADD : EPOLL_CTL_MOD,
			c->fd[side], events, tag_of(r, c, side));

		c->events[side] = events;
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int connect_to(const struct nook_relay_port *port)
{
	const int on = 1;
	auto_close int fd =
		socket(port->to.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	/* Who has vanished must not keep a place for ever. */
	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	if (connect(fd, (const struct sockaddr *)&port->to, port->to_len) < 0 &&
	    errno != EINPROGRESS)
		return -errno;
	return move_fd(&fd);
}

void nook_relay_accept(struct nook_relay *r, unsigned index)
{
	struct nook_relay_connection *c = find_free(r);

	if (!c)
		return;

	const int on = 1;
	int client = accept4(r->ports[index].fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (client < 0) {
		/* Else the client has gone already. */
		r->starved =
			errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM;
		return;
	}
	(void)setsockopt(client, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	for (unsigned side = 0; side < 2; side++) {
		c->way[side].at = c->way[side].len = 0;
		c->way[side].eof = c->way[side].told = false;
	}
	c->fd[0] = client;
	c->fd[1] = connect_to(&r->ports[index]);
	c->connecting = true;
	c->events[0] = 0;
	c->events[1] = EPOLLOUT;
	r->n_connections++;
	if (c->fd[1] < 0 ||
	    nook_relay_watch(r, EPOLL_CTL_ADD, c->fd[0], c->events[0], tag_of(r, c, 0)) < 0 ||
	    nook_relay_watch(r, EPOLL_CTL_ADD, c->fd[1], c->events[1], tag_of(r, c, 1)) < 0)
		end(r, c, true);
}

static bool must_wait(ssize_t n)
{
	return n < 0 && (errno == EAGAIN || errno == EINTR);
}

/* Reads once, and writes as much as goes. Return: 0 or a negative errno. */
static int move(struct nook_relay_way *w, char *buffer, int from, int to)
{
	if (w->len == 0 && !w->eof) {
		ssize_t n = recv(from, buffer, NOOK_RELAY_BUFFER, 0);

		if (n < 0 && !must_wait(n))
			return -errno;
		w->at = 0;
		w->len = n > 0 ? (size_t)n : 0;
		w->eof = n == 0;
	}
	if (w->len) {
		ssize_t n = send(to, buffer + w->at, w->len, MSG_NOSIGNAL);

		if (n < 0 && !must_wait(n))
			return -errno;
		w->at += n > 0 ? (size_t)n : 0;
		w->len -= n > 0 ? (size_t)n : 0;
	}
	if (w->eof && w->len == 0 && !w->told) {
		if (shutdown(to, SHUT_WR) < 0)
			return -errno;
		w->told = true;
	}
	return 0;
}

/* Is it connected by now? Return: 0; a negative errno. */
static int finish_connect(struct nook_relay_connection *c)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (getsockopt(c->fd[1], SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		return -errno;
	c->connecting = false;
	return -error;
}

/* Both directions of this side have ended, and epoll would tell of that without end, while what has
 * come from it is still on its way. */
static void sleep_on(struct nook_relay *r, struct nook_relay_connection *c, unsigned side)
{
	(void)nook_relay_watch(r, EPOLL_CTL_DEL, c->fd[side], 0, 0); /* it is there */
	c->events[side] = NOOK_RELAY_ASLEEP;
}

void nook_relay_connection(struct nook_relay *r, unsigned index, unsigned side, uint32_t events)
{
	struct nook_relay_connection *c = &r->connections[index];
	int rc = 0;

	if (c->fd[0] < 0)
		return; /* it has just ended, by an event before */
	if (c->connecting)
		rc = side ? finish_connect(c) : events & (EPOLLERR | EPOLLHUP) ? -ECONNRESET : 0;
	for (unsigned i = 0; i < 2 && rc == 0 && !c->connecting; i++)
		rc = move(&c->way[i], r->buffers[index][i], c->fd[i], c->fd[!i]);
	/* After a reset nothing is read and nothing can be written: nobody would look again. */
	if (rc == 0 && events & EPOLLERR)
		rc = -ECONNRESET;
	if (rc == 0 && c->way[0].told && c->way[1].told)
		end(r, c, false);
	else if (rc < 0 || look_for(r, c) < 0)
		end(r, c, true);
	else if (c->events[side] == 0 && events & EPOLLHUP)
		sleep_on(r, c, side);
}
