/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel must do for a container on a bridge network: the messages that nook sends, built
 * by hand, in one batch outside and one inside. floor.c has it when it is compiled with FLOOR_NET.
 */
#ifndef NOOK_BENCH_FLOOR_NET_H
#define NOOK_BENCH_FLOOR_NET_H

#include "floor.h"

#include <arpa/inet.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>

/* nook's network that bench/net_bench.py makes, and an address in it that nook comes to last. */
#define FLOOR_BRIDGE "nookfloor"
#define FLOOR_LINK   "nkfloor-c"
#define FLOOR_V4     "10.77.0.254"
#define FLOOR_V6     "fd77::fe"

struct batch {
	_Alignas(4) char data[4096];
	size_t used, message;
};

static inline size_t net_put(struct batch *b, const void *data, size_t len)
{
	size_t at = b->used;

	memcpy(b->data + at, data, len);
	b->used = NLMSG_ALIGN(at + len);
	((struct nlmsghdr *)(void *)(b->data + b->message))->nlmsg_len =
		(uint32_t)(b->used - b->message);
	return at;
}

static inline void net_message(struct batch *b, uint16_t type, uint16_t flags, const void *header,
			       size_t len)
{
	const struct nlmsghdr head = { .nlmsg_type = type, .nlmsg_flags = NLM_F_REQUEST | flags };

	b->message = b->used;
	net_put(b, &head, sizeof(head));
	net_put(b, header, len);
}

static inline size_t net_attr(struct batch *b, uint16_t type, const void *data, size_t len)
{
	const struct rtattr head = { .rta_type = type, .rta_len = (uint16_t)RTA_LENGTH(len) };
	size_t at = net_put(b, &head, sizeof(head));

	if (len)
		net_put(b, data, len);
	return at;
}

static inline void net_text(struct batch *b, uint16_t type, const char *text)
{
	net_attr(b, type, text, strlen(text) + 1);
}

static inline void net_u32(struct batch *b, uint16_t type, uint32_t value)
{
	net_attr(b, type, &value, sizeof(value));
}

static inline void net_end(struct batch *b, size_t nest)
{
	((struct rtattr *)(void *)(b->data + nest))->rta_len = (uint16_t)(b->used - nest);
}

/* Only the last is answered; what is refused before is answered too. */
static inline void net_send(int fd, struct batch *b)
{
	char answer[512];

	((struct nlmsghdr *)(void *)(b->data + b->message))->nlmsg_flags |= NLM_F_ACK;
	DO(send(fd, b->data, b->used, 0));
	DO(recv(fd, answer, sizeof(answer), 0));
	errno = -((struct nlmsgerr *)NLMSG_DATA((struct nlmsghdr *)(void *)answer))->error;
	DO(errno ? -1 : 0);
}

static inline void net_link(struct batch *b, uint16_t flags, int index, unsigned up)
{
	const struct ifinfomsg head = { .ifi_index = index, .ifi_flags = up, .ifi_change = up };

	net_message(b, RTM_NEWLINK, flags, &head, sizeof(head));
}

static inline void net_no_autoconf(struct batch *b)
{
	const uint8_t none = IN6_ADDR_GEN_MODE_NONE;
	size_t families = net_attr(b, IFLA_AF_SPEC, NULL, 0);
	size_t v6 = net_attr(b, AF_INET6, NULL, 0);

	net_attr(b, IFLA_INET6_ADDR_GEN_MODE, &none, sizeof(none));
	net_end(b, v6);
	net_end(b, families);
}

static inline void connect_outside(pid_t pid)
{
	static const uint8_t mac[6] = { 0x0a, 0x6e, 10, 77, 0, 254 };
	struct batch b = { .used = 0 };
	int fd = DO(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));

	net_link(&b, NLM_F_CREATE | NLM_F_EXCL, 0, IFF_UP);
	net_text(&b, IFLA_IFNAME, FLOOR_LINK);
	net_u32(&b, IFLA_MASTER, if_nametoindex(FLOOR_BRIDGE));

	size_t info = net_attr(&b, IFLA_LINKINFO, NULL, 0);

	net_text(&b, IFLA_INFO_KIND, "veth");

	size_t data = net_attr(&b, IFLA_INFO_DATA, NULL, 0);
	size_t peer = net_attr(&b, VETH_INFO_PEER, NULL, 0);

	net_put(&b, &(struct ifinfomsg){ 0 }, sizeof(struct ifinfomsg));
	net_text(&b, IFLA_IFNAME, "eth0");
	net_u32(&b, IFLA_NET_NS_PID, (uint32_t)pid);
	net_attr(&b, IFLA_ADDRESS, mac, sizeof(mac));
	net_end(&b, peer);
	net_end(&b, data);
	net_end(&b, info);

	net_link(&b, 0, 0, 0);
	net_text(&b, IFLA_IFNAME, FLOOR_LINK);
	net_text(&b, IFLA_IFALIAS, "the floor's container");
	net_no_autoconf(&b);
	net_send(fd, &b);
	DO(close(fd));
}

static inline void net_address(struct batch *b, int index, int family, const char *text,
			       uint8_t prefix)
{
	const struct ifaddrmsg head = { .ifa_family = (uint8_t)family,
					.ifa_prefixlen = prefix,
					.ifa_index = (unsigned)index };
	size_t len = family == AF_INET ? 4 : 16;
	uint8_t address[16];

	(void)inet_pton(family, text, address);
	net_message(b, RTM_NEWADDR, NLM_F_CREATE, &head, sizeof(head));
	net_attr(b, IFA_LOCAL, address, len);
	net_attr(b, IFA_ADDRESS, address, len);
	if (family == AF_INET6)
		net_u32(b, IFA_FLAGS, IFA_F_NODAD);
}

static inline void net_route(struct batch *b, int index, int family, const char *text)
{
	const struct rtmsg head = { .rtm_family = (uint8_t)family,
				    .rtm_table = RT_TABLE_MAIN,
				    .rtm_protocol = RTPROT_STATIC,
				    .rtm_type = RTN_UNICAST };
	uint8_t address[16];

	(void)inet_pton(family, text, address);
	net_message(b, RTM_NEWROUTE, NLM_F_CREATE, &head, sizeof(head));
	net_attr(b, RTA_GATEWAY, address, family == AF_INET ? 4 : 16);
	net_u32(b, RTA_OIF, (uint32_t)index);
}

static inline void configure_inside(void)
{
	struct batch b = { .used = 0 };
	int fd = DO(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
	int index = (int)if_nametoindex("eth0");

	net_link(&b, 0, 1, IFF_UP);
	net_link(&b, 0, index, 0);
	net_no_autoconf(&b);
	net_link(&b, 0, index, IFF_UP);
	net_address(&b, index, AF_INET, FLOOR_V4, 24);
	net_route(&b, index, AF_INET, "10.77.0.1");
	net_address(&b, index, AF_INET6, "fe80::86e:aff:fe4d:fe", 64);
	net_address(&b, index, AF_INET6, FLOOR_V6, 64);
	net_route(&b, index, AF_INET6, "fd77::1");
	net_send(fd, &b);
	DO(close(fd));
}

static inline void disconnect(void)
{
	struct batch b = { .used = 0 };
	int fd = DO(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));

	net_message(&b, RTM_DELLINK, 0, &(struct ifinfomsg){ 0 }, sizeof(struct ifinfomsg));
	net_text(&b, IFLA_IFNAME, FLOOR_LINK);
	net_send(fd, &b);
	DO(close(fd));
}

#endif
