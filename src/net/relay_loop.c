/* SPDX-License-Identifier: Apache-2.0 */
/* What the relay waits for. */
#include "relay_parts.h"

#include "base/own.h"

#include <signal.h>
#include <sys/epoll.h>

#define EVENTS     32
#define STARVED_MS 500

int nook_relay_watch(const struct nook_relay *r, int op, int fd, uint32_t events, uint64_t tag)
{
	struct epoll_event event = { .events = events, .data.u64 = tag };

	return epoll_ctl(r->epoll, op, fd, &event) < 0 ? -errno : 0;
}

/* While there is no room for another client, they wait in the kernel's queue. */
static void let_in(struct nook_relay *r)
{
	bool full = r->starved || r->n_connections == NOOK_RELAY_CONNECTIONS;

	if (full == r->full)
		return;
	r->full = full;
	for (unsigned i = 0; i < r->n_ports; i++) {
		if (r->ports[i].protocol == IPPROTO_TCP)
			(void)nook_relay_watch(r, EPOLL_CTL_MOD, r->ports[i].fd, full ? 0 : EPOLLIN,
					       nook_relay_tag(NOOK_RELAY_PORT, i, 0));
	}
}

static void handle(struct nook_relay *r, uint64_t tag, uint32_t events)
{
	unsigned index = (uint32_t)tag >> 1, side = tag & 1;

	switch ((enum nook_relay_kind)(tag >> 32)) {
	case NOOK_RELAY_END:
		_exit(0);
	case NOOK_RELAY_PORT:
		if (r->ports[index].protocol == IPPROTO_TCP)
			nook_relay_accept(r, index);
		else
			nook_relay_from_client(r, index);
		break;
	case NOOK_RELAY_CONNECTION:
		nook_relay_connection(r, index, side, events);
		break;
	case NOOK_RELAY_SESSION:
		nook_relay_from_container(r, index);
		break;
	}
}

/* ---- the end, in peace ---- */

static volatile sig_atomic_t asked_to_end;

static void note_end(int sig)
{
	(void)sig;
	asked_to_end = 1;
}

/* Who has come is let in before the door is shut. Datagrams have the next one from here on. */
static void shut(struct nook_relay *r)
{
	for (unsigned i = 0; i < r->n_ports; i++) {
		unsigned before;

		do {
			before = r->n_connections;
			if (r->ports[i].protocol == IPPROTO_TCP)
				nook_relay_accept(r, i);
		} while (r->n_connections > before);
		close_fd(&r->ports[i].fd);
	}
	r->n_ports = 0;
	for (unsigned i = 0; i < NOOK_RELAY_SESSIONS; i++)
		close_fd(&r->sessions[i].fd);
}

/* SIGTERM comes only where it is waited for: @open is the mask then. */
static void await_end(sigset_t *open)
{
	const struct sigaction action = { .sa_handler = note_end };
	sigset_t term;

	/* These can't fail for valid arguments. */
	(void)sigemptyset(&term);
	(void)sigaddset(&term, SIGTERM);
	(void)sigprocmask(SIG_BLOCK, &term, open);
	(void)sigdelset(open, SIGTERM);
	(void)sigaction(SIGTERM, &action, NULL);
}

void nook_relay_prepare(struct nook_relay *r)
{
	await_end(&r->mask);
}

_Noreturn void nook_relay_run(struct nook_relay *r)
{
	struct epoll_event events[EVENTS];

	for (;;) {
		int patience = nook_relay_forget(r);
		int n = epoll_pwait(r->epoll, events, EVENTS, r->starved ? STARVED_MS : patience,
				    &r->mask);

		if (n < 0 && errno != EINTR)
			_exit(1);
		if (n == 0)
			r->starved = false; /* perhaps there is some again */
		for (int i = 0; i < n; i++)
			handle(r, events[i].data.u64, events[i].events);
		if (asked_to_end && r->n_ports)
			shut(r);
		if (asked_to_end && r->n_connections == 0)
			_exit(0);
		let_in(r);
	}
}
