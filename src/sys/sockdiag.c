/* SPDX-License-Identifier: Apache-2.0 */
#include "sockdiag.h"

#include "base/own.h"
#include "call.h"
#include "netlink.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>

#define PATIENCE_SECONDS 10

/* States of sockets as bits; UDP borrows TCP's. */
enum { STATE_CLOSE = 1 << 7, STATE_LISTEN = 1 << 10 };

struct telling {
	nook_listener_each *each;
	void *data;
};

static int take(void *data, const struct nlmsghdr *h)
{
	const struct telling *t = data;
	const struct inet_diag_msg *m = NLMSG_DATA(h);

	if (h->nlmsg_type != SOCK_DIAG_BY_FAMILY || h->nlmsg_len < NLMSG_LENGTH(sizeof(*m)))
		return 0;

	const struct rtattr *only = nook_nl_find(h, sizeof(*m), INET_DIAG_SKV6ONLY);
	struct nook_listener found = {
		.family = m->idiag_family,
		.port = ntohs(m->id.idiag_sport),
		.v6_only = only && RTA_PAYLOAD(only) >= 1 && *(const uint8_t *)RTA_DATA(only),
	};

	memcpy(found.address, m->id.idiag_src, m->idiag_family == AF_INET ? 4 : 16);
	return t->each(t->data, &found);
}

int nook_listeners(uint8_t family, uint8_t protocol, nook_listener_each *each, void *data)
{
	const struct timeval patience = { .tv_sec = PATIENCE_SECONDS };
	const struct inet_diag_req_v2 asked = {
		.sdiag_family = family,
		.sdiag_protocol = protocol,
		.idiag_states = protocol == IPPROTO_TCP ? STATE_LISTEN : STATE_CLOSE,
	};
	struct telling t = { .each = each, .data = data };
	int rc = nook_fault_call("socket, NETLINK_SOCK_DIAG");
	auto_close int fd =
		rc < 0 ? NO_FD : socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	struct nook_nl q;

	if (rc < 0)
		return rc;
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0)
		return -errno;
	nook_nl_clear(&q);
	nook_nl_begin(&q, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, &asked, sizeof(asked));
	return nook_nl_ask(fd, &q, take, &t, NULL);
}
