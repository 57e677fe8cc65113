/* SPDX-License-Identifier: Apache-2.0 */
/* What the relay*.c files share: the process itself. It allocates nothing once it runs. */
#ifndef NOOK_NET_RELAY_PARTS_H
#define NOOK_NET_RELAY_PARTS_H

#include "relay.h"

#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <time.h>

#define NOOK_RELAY_SOCKETS     (4 * NOOK_RELAY_PORTS) /* two families, outside and inside */
#define NOOK_RELAY_CONNECTIONS 256 /* at a time; more wait in the kernel's queue */
#define NOOK_RELAY_SESSIONS    256 /* UDP's; then the one that was used longest ago is forgotten */
#define NOOK_RELAY_IDLE        60  /* seconds after which one of UDP is forgotten */
#define NOOK_RELAY_BUFFER      16384

/* A port that it listens on. */
struct nook_relay_port {
	int fd;
	uint8_t protocol;
	struct sockaddr_storage to; /* the container */
	socklen_t to_len;
};

/* One way through a connection. */
struct nook_relay_way {
	size_t at, len; /* bytes of its buffer that are to be written yet */
	bool eof;       /* nothing more comes */
	bool told;      /* and the other side knows */
};

/* Not zero: epoll does not look for it at all. */
#define NOOK_RELAY_ASLEEP UINT32_MAX

struct nook_relay_connection {
	int fd[2]; /* the client's, the container's; NO_FD: free */
	bool connecting;
	uint32_t events[2];           /* what epoll looks for */
	struct nook_relay_way way[2]; /* to the container, to the client */
};

/* Who sends datagrams, and which of the host's addresses was asked. */
struct nook_relay_peer {
	struct sockaddr_storage client; /* its family is that of @asked */
	union {
		struct in_pktinfo v4;
		struct in6_pktinfo v6;
	} asked;
};

struct nook_relay_session {
	int fd; /* connected to the container; NO_FD: free */
	unsigned port;
	struct nook_relay_peer peer;
	time_t used;
};

struct nook_relay {
	int epoll, pidfd;
	unsigned n_ports, n_connections;
	bool full;     /* nobody more is let in */
	bool starved;  /* there was no descriptor or memory for another one */
	sigset_t mask; /* while it waits */
	struct nook_relay_port ports[NOOK_RELAY_SOCKETS];
	struct nook_relay_session sessions[NOOK_RELAY_SESSIONS];
	struct nook_relay_connection connections[NOOK_RELAY_CONNECTIONS];
	/* At the end: memory that nobody has touched costs nothing. */
	char buffers[NOOK_RELAY_CONNECTIONS][2][NOOK_RELAY_BUFFER] __attribute__((aligned(4096)));
};

/* What an event of epoll is about: a kind, an index and, of a connection, a side. */
enum nook_relay_kind { NOOK_RELAY_END, NOOK_RELAY_PORT, NOOK_RELAY_CONNECTION, NOOK_RELAY_SESSION };
static inline uint64_t nook_relay_tag(enum nook_relay_kind kind, unsigned index, unsigned side)
{
	return (uint64_t)kind << 32 | (uint64_t)index << 1 | side;
}

/* Has epoll look for @events of @fd. @op: EPOLL_CTL_* */
int nook_relay_watch(const struct nook_relay *r, int op, int fd, uint32_t events, uint64_t tag);

/* ---- relay_notes.c: who they are. The first is the one that takes new clients. ---- */

#define NOOK_RELAY_NOTES 16

struct nook_relay_note {
	int pid;
	uint64_t start; /* clock ticks */
};

struct nook_relay_notes {
	bool serves; /* the one that takes new clients is among them */
	unsigned n;
	struct nook_relay_note of[NOOK_RELAY_NOTES];
};

/* Of the container's relays those that live. */
int nook_relay_notes_read(const struct nook_state *state, struct nook_relay_notes *ret,
			  struct nook_error *err);
int nook_relay_notes_write(const struct nook_state *state, const struct nook_relay_notes *notes,
			   struct nook_error *err);
/* Has them take no more clients, and end with those that they have. */
void nook_relay_let_go(const struct nook_relay_notes *notes);

/* Opens the ports of @ports that it is for. Return: how many, or a negative errno. */
int nook_relay_listen(struct nook_relay *r, const struct nook_plan_port *ports, size_t n,
		      struct nook_error *err);

/* A client has come. */
void nook_relay_accept(struct nook_relay *r, unsigned port);
/* One side of a connection has something to say. */
void nook_relay_connection(struct nook_relay *r, unsigned index, unsigned side, uint32_t events);

/* Datagrams from clients, and from a container. */
void nook_relay_from_client(struct nook_relay *r, unsigned port);
void nook_relay_from_container(struct nook_relay *r, unsigned index);
/* Forgets those that nobody has used. Return: milliseconds until the next; -1: there is none. */
int nook_relay_forget(struct nook_relay *r);

/* Leaves the process little but its sockets. */
int nook_relay_confine(struct nook_error *err);

/* Before it is confined: what it does with signals. */
void nook_relay_prepare(struct nook_relay *r);
/* Till the container ends; after SIGTERM, it takes nobody new, and ends with its last connection.
 */
_Noreturn void nook_relay_run(struct nook_relay *r);

#endif
