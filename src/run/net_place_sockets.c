/* SPDX-License-Identifier: Apache-2.0 */
/* Who listens: sock_diag(7). */
#include "net_place.h"

#include "base/own.h"
#include "net/address.h"
#include "sys/netlink.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#define STATES_TCP (1u << TCP_LISTEN)
#define STATES_UDP (1u << TCP_CLOSE) /* bound, and connected to nobody */

struct ask {
	const struct nook_place *place;
	uint8_t protocol;
	uint16_t port;
	struct nook_arena *a;
	struct nook_place_listener *list;
	size_t n;
	struct nook_error *err;
};

static bool is_any(const struct nook_net_addr *addr)
{
	static const uint8_t zero[16];

	return memcmp(addr->bytes, zero, sizeof(zero)) == 0;
}

/* A v6 socket may hold a v4 address: ::ffff:10.0.0.1. */
static void unmap(struct nook_net_addr *addr)
{
	static const uint8_t prefix[12] = { [10] = 0xff, [11] = 0xff };

	if (addr->family != AF_INET6 || memcmp(addr->bytes, prefix, sizeof(prefix)) != 0)
		return;
	memmove(addr->bytes, addr->bytes + 12, 4);
	memset(addr->bytes + 4, 0, 12);
	addr->family = AF_INET;
	addr->prefix = 32;
}

static int take(void *data, const struct nlmsghdr *m)
{
	struct ask *ask = data;
	const struct inet_diag_msg *d = NLMSG_DATA(m);

	if (m->nlmsg_type != SOCK_DIAG_BY_FAMILY || m->nlmsg_len < NLMSG_LENGTH(sizeof(*d)) ||
	    ntohs(d->id.idiag_sport) != ask->port)
		return 0;

	const struct rtattr *only = nook_nl_find(m, sizeof(*d), INET_DIAG_SKV6ONLY);
	struct nook_place_listener *l = nook_append(ask->a, ask->list, ask->n);

	l->addr.family = d->idiag_family;
	l->addr.prefix = d->idiag_family == AF_INET6 ? 128 : 32;
	memcpy(l->addr.bytes, d->id.idiag_src, nook_net_bytes(d->idiag_family));
	l->v4_too = d->idiag_family == AF_INET6 && is_any(&l->addr) && only &&
		    RTA_PAYLOAD(only) >= 1 && *(const uint8_t *)RTA_DATA(only) == 0;
	unmap(&l->addr);
	return 0;
}

static int ask_family(int sock, struct ask *ask, uint8_t family)
{
	struct nook_nl m;
	const struct inet_diag_req_v2 head = {
		.sdiag_family = family,
		.sdiag_protocol = ask->protocol,
		.idiag_states = ask->protocol == IPPROTO_TCP ? STATES_TCP : STATES_UDP,
	};

	nook_nl_clear(&m);
	nook_nl_begin(&m, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, &head, sizeof(head));

	int rc = nook_nl_ask(sock, &m, take, ask, NULL);

	return rc < 0 ? nook_fail(ask->err, -rc, "sock_diag (who listens in %s)", ask->place->name)
		      : 0;
}

static int work(void *arg)
{
	struct ask *ask = arg;
	auto_close int sock = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);

	if (sock < 0)
		return nook_fail(ask->err, errno, "socket(NETLINK_SOCK_DIAG)");

	int rc = ask_family(sock, ask, AF_INET);

	return rc < 0 ? rc : ask_family(sock, ask, AF_INET6);
}

int nook_place_listeners(const struct nook_place *place, uint8_t protocol, uint16_t port,
			 struct nook_arena *a, struct nook_place_listener **ret, size_t *ret_n,
			 struct nook_error *err)
{
	struct ask ask = { .place = place, .protocol = protocol, .port = port, .a = a, .err = err };
	int rc = nook_place_call(place, work, &ask, err);

	*ret = ask.list;
	*ret_n = ask.n;
	return rc;
}
