/* SPDX-License-Identifier: Apache-2.0 */
/* How a place leads to others: its number for another namespace, its route to an address. */
#include "net_place.h"

#include "base/own.h"
#include "net/address.h"
#include "sys/netlink.h"

#include <errno.h>
#include <linux/net_namespace.h>
#include <string.h>
#include <sys/socket.h>

struct nsid {
	int fd, id;
};

static int take_nsid(void *data, const struct nlmsghdr *m)
{
	struct nsid *n = data;

	if (m->nlmsg_type == RTM_NEWNSID)
		n->id = nook_nl_int(nook_nl_find(m, sizeof(struct rtgenmsg), NETNSA_NSID), -1);
	return 0;
}

static int ask_nsid(void *arg)
{
	struct nsid *n = arg;
	struct nook_nl m;
	const struct rtgenmsg head = { .rtgen_family = AF_UNSPEC };
	auto_close int sock = nook_nl_open();

	if (sock < 0)
		return sock;
	nook_nl_clear(&m);
	nook_nl_begin(&m, RTM_GETNSID, 0, &head, sizeof(head));
	nook_nl_put_u32(&m, NETNSA_FD, (uint32_t)n->fd);
	return nook_nl_ask(sock, &m, take_nsid, n, NULL);
}

int nook_place_nsid(const struct nook_place *place, const struct nook_place *other, int *ret,
		    struct nook_error *err)
{
	struct nsid n = { .fd = other->net, .id = -1 };
	int rc = nook_place_call(place, ask_nsid, &n, err);

	if (rc < 0)
		return nook_fail(err, -rc, "rtnetlink (the number of %s in %s)", other->name,
				 place->name);
	*ret = n.id;
	return 0;
}

struct route {
	const struct nook_net_addr *to;
	struct nook_place_route *ret;
};

static void take_address(const struct rtattr *attr, uint8_t family, struct nook_net_addr *ret)
{
	if (!attr || RTA_PAYLOAD(attr) != nook_net_bytes(family))
		return;
	ret->family = family;
	ret->prefix = (uint8_t)(RTA_PAYLOAD(attr) * 8);
	memcpy(ret->bytes, RTA_DATA(attr), RTA_PAYLOAD(attr));
}

static int take_route(void *data, const struct nlmsghdr *m)
{
	struct route *r = data;
	const struct rtmsg *head = NLMSG_DATA(m);

	if (m->nlmsg_type != RTM_NEWROUTE || m->nlmsg_len < NLMSG_LENGTH(sizeof(*head)))
		return 0;
	r->ret->local = head->rtm_type == RTN_LOCAL;
	r->ret->link = nook_nl_int(nook_nl_find(m, sizeof(*head), RTA_OIF), 0);
	take_address(nook_nl_find(m, sizeof(*head), RTA_GATEWAY), r->to->family, &r->ret->gateway);
	take_address(nook_nl_find(m, sizeof(*head), RTA_PREFSRC), r->to->family, &r->ret->source);
	return 0;
}

static int ask_route(void *arg)
{
	struct route *r = arg;
	struct nook_nl m;
	size_t bytes = nook_net_bytes(r->to->family);
	const struct rtmsg head = { .rtm_family = r->to->family,
				    .rtm_dst_len = (unsigned char)(bytes * 8) };
	auto_close int sock = nook_nl_open();

	if (sock < 0)
		return sock;
	nook_nl_clear(&m);
	nook_nl_begin(&m, RTM_GETROUTE, 0, &head, sizeof(head));
	nook_nl_put(&m, RTA_DST, r->to->bytes, bytes);
	return nook_nl_ask(sock, &m, take_route, r, NULL);
}

int nook_place_route(const struct nook_place *place, const struct nook_net_addr *to,
		     struct nook_place_route *ret, struct nook_error *err)
{
	struct route r = { .to = to, .ret = ret };

	*ret = (struct nook_place_route){ 0 };

	int rc = nook_place_call(place, ask_route, &r, err);

	switch (-rc) {
	case 0:
		return 0;
	case ENETUNREACH:
	case EHOSTUNREACH:
	case EACCES:
	case EINVAL:
		ret->errnum = -rc;
		return 0;
	default:
		return nook_fail(err, -rc, "rtnetlink (a route of %s)", place->name);
	}
}
