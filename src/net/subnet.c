/* SPDX-License-Identifier: Apache-2.0 */
/* The host's addresses and routes are read by two dumps, and looked at as they come: a router may
 * have a million. rtnetlink(7). */
#include "subnet.h"

#include "base/own.h"
#include "base/text.h"
#include "sys/netlink.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_addr.h>
#include <net/if.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#define SLOT_BITS 8 /* of a /24 */
#define HALVES    7 /* 0.0.0.0/1 and 128.0.0.0/1 are a default route under another name */

/* Ranges of slots. */
static const struct {
	uint32_t first, count;
} pools[] = {
	{ 0x0a580000, 43008 }, /* 10.88.0.0 to 10.255.255.0 */
	{ 0xac100000, 4096 },  /* 172.16.0.0/12 */
	{ 0xc0a80000, 256 },   /* 192.168.0.0/16 */
};

static uint32_t number(const struct nook_net_addr *addr)
{
	uint32_t n;

	memcpy(&n, addr->bytes, sizeof(n));
	return ntohl(n);
}

void nook_subnet_mark(struct nook_subnet_pool *pool, const struct nook_net_addr *subnet)
{
	unsigned base = 0;

	if (subnet->family != AF_INET || subnet->prefix <= HALVES)
		return;

	struct nook_net_addr from = nook_net_nth(subnet, 0), to = nook_net_nth(subnet, UINT64_MAX);
	uint32_t first = number(&from) >> SLOT_BITS, last = number(&to) >> SLOT_BITS;

	for (size_t p = 0; p < ARRAY_SIZE(pools); base += pools[p++].count) {
		uint32_t begin = pools[p].first >> SLOT_BITS, end = begin + pools[p].count;
		uint32_t low = first > begin ? first : begin;

		for (uint32_t s = low; s <= last && s < end; s++) {
			unsigned slot = base + s - begin;

			pool->taken[slot / 64] |= UINT64_C(1) << slot % 64;
		}
	}
}

int nook_subnet_pick(const struct nook_subnet_pool *pool, struct nook_net_addr *ret)
{
	unsigned slot = 0;

	for (size_t p = 0; p < ARRAY_SIZE(pools); p++) {
		for (uint32_t i = 0; i < pools[p].count; i++, slot++) {
			uint32_t address = htonl(pools[p].first + (i << SLOT_BITS));

			if (pool->taken[slot / 64] >> slot % 64 & 1)
				continue;
			*ret = (struct nook_net_addr){ .family = AF_INET, .prefix = 24 };
			memcpy(ret->bytes, &address, sizeof(address));
			return 0;
		}
	}
	return -EADDRNOTAVAIL;
}

bool nook_subnet_clash(const struct nook_net_addr *wanted, const struct nook_subnet_other *other)
{
	if (!nook_net_overlap(wanted, &other->subnet) || other->subnet.prefix <= HALVES)
		return false;
	return other->on_link || other->subnet.prefix >= wanted->prefix;
}

/* ---- what the host has ---- */

struct hunt {
	struct nook_subnet_pool *pool; /* NULL: only looking for a clash */
	const struct nook_net_addr *wanted;
	struct nook_subnet_other clash; /* family 0: none yet */
};

static void found(struct hunt *h, const struct nook_subnet_other *other)
{
	if (h->pool)
		nook_subnet_mark(h->pool, &other->subnet);
	else if (!h->clash.subnet.family && nook_subnet_clash(h->wanted, other))
		h->clash = *other;
}

static bool take(const struct rtattr *a, uint8_t family, uint8_t prefix, struct nook_net_addr *ret)
{
	unsigned bytes = nook_net_bytes(family);

	if (!a || RTA_PAYLOAD(a) != bytes || prefix > bytes * 8)
		return false;
	*ret = (struct nook_net_addr){ .family = family, .prefix = prefix };
	memcpy(ret->bytes, RTA_DATA(a), bytes);
	return true;
}

static int each_address(void *data, const struct nlmsghdr *m)
{
	const struct ifaddrmsg *head = NLMSG_DATA(m);
	const size_t n = sizeof(*head);
	/* Of a point-to-point link LOCAL is ours and ADDRESS the other end; else both are one. */
	static const uint16_t types[] = { IFA_ADDRESS, IFA_LOCAL };

	if (m->nlmsg_type != RTM_NEWADDR || m->nlmsg_len < NLMSG_LENGTH(n) ||
	    (head->ifa_family != AF_INET && head->ifa_family != AF_INET6))
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		struct nook_subnet_other other = { .on_link = true, .link = (int)head->ifa_index };

		if (take(nook_nl_find(m, n, types[i]), head->ifa_family, head->ifa_prefixlen,
			 &other.subnet))
			found(data, &other);
	}
	return 0;
}

static int each_route(void *data, const struct nlmsghdr *m)
{
	const struct rtmsg *head = NLMSG_DATA(m);
	const size_t n = sizeof(*head);
	struct nook_subnet_other other = { 0 };

	/* Not the routes to the host's own addresses; a route that refuses keeps nothing from us.
	 */
	if (m->nlmsg_type != RTM_NEWROUTE || m->nlmsg_len < NLMSG_LENGTH(n) ||
	    head->rtm_type != RTN_UNICAST || head->rtm_flags & RTM_F_CLONED ||
	    (head->rtm_family != AF_INET && head->rtm_family != AF_INET6))
		return 0;

	const struct rtattr *oif = nook_nl_find(m, n, RTA_OIF);

	if (oif && RTA_PAYLOAD(oif) == sizeof(other.link))
		memcpy(&other.link, RTA_DATA(oif), sizeof(other.link));
	other.on_link = !nook_nl_find(m, n, RTA_GATEWAY) && !nook_nl_find(m, n, RTA_VIA) &&
			!nook_nl_find(m, n, RTA_MULTIPATH);
	if (take(nook_nl_find(m, n, RTA_DST), head->rtm_family, head->rtm_dst_len, &other.subnet))
		found(data, &other);
	return 0;
}

/* A dump that is begun anew tells the same again, which changes nothing here. */
static int look_at_host(struct hunt *h, uint8_t family, struct nook_error *err)
{
	const struct ifaddrmsg addresses = { .ifa_family = family };
	const struct rtmsg routes = { .rtm_family = family };
	auto_close int fd = nook_nl_open();
	struct nook_nl q;

	if (fd < 0)
		return nook_fail(err, -fd, "socket(NETLINK_ROUTE)");

	nook_nl_clear(&q);
	nook_nl_begin(&q, RTM_GETADDR, NLM_F_DUMP, &addresses, sizeof(addresses));
	int rc = nook_nl_ask(fd, &q, each_address, h, NULL);

	if (rc < 0)
		return nook_fail(err, -rc, "read the addresses of this machine");
	nook_nl_clear(&q);
	nook_nl_begin(&q, RTM_GETROUTE, NLM_F_DUMP, &routes, sizeof(routes));
	rc = nook_nl_ask(fd, &q, each_route, h, NULL);
	return rc < 0 ? nook_fail(err, -rc, "read the routes of this machine") : 0;
}

/* ---- the answers ---- */

static int refuse(const struct nook_net_addr *wanted, const char *from,
		  const struct nook_net_addr *has, const char *whose, struct nook_error *err)
{
	char a[NOOK_NET_TEXT], b[NOOK_NET_TEXT];
	struct nook_net_addr other = nook_net_nth(has, 0);

	if (from)
		nook_where(err, "%s", from);
	nook_hint(err, "Take another subnet, or leave it to nook by not saying any.");
	nook_cause(err, "subnet-taken",
		   "two subnets that overlap can't both be reached from one machine");
	return nook_refuse(err, EADDRINUSE, "the subnet %s overlaps %s of %s",
			   nook_net_text_prefix(wanted, a), nook_net_text_prefix(&other, b), whose);
}

int nook_subnet_check(const struct nook_net_addr *wanted, const char *from,
		      const struct nook_network *others, size_t n, struct nook_error *err)
{
	struct hunt h = { .wanted = wanted };
	char name[IF_NAMESIZE] = "", whose[NOOK_NET_NAME_MAX + 16];

	/* First the networks: their bridges have the same addresses, but less of a name. */
	for (size_t i = 0; i < n; i++) {
		for (int f = 0; f < NOOK_NET_FAMILIES; f++) {
			if (!nook_net_overlap(wanted, &others[i].subnet[f]))
				continue;
			(void)nook_format(whose, sizeof(whose), "network %s", others[i].name);
			return refuse(wanted, from, &others[i].subnet[f], whose, err);
		}
	}

	int rc = look_at_host(&h, wanted->family, err);

	if (rc < 0 || !h.clash.subnet.family)
		return rc;
	if (h.clash.link > 0 && if_indextoname((unsigned)h.clash.link, name))
		(void)nook_format(whose, sizeof(whose), "link %s", name);
	else
		(void)nook_format(whose, sizeof(whose), "a route");
	return refuse(wanted, from, &h.clash.subnet, whose, err);
}

int nook_subnet_choose(const struct nook_network *others, size_t n, struct nook_net_addr *ret,
		       struct nook_error *err)
{
	struct nook_subnet_pool pool = { 0 };
	struct hunt h = { .pool = &pool };

	for (size_t i = 0; i < n; i++)
		nook_subnet_mark(&pool, &others[i].subnet[NOOK_NET_V4]);

	int rc = look_at_host(&h, AF_INET, err);

	if (rc < 0)
		return rc;
	if (nook_subnet_pick(&pool, ret) == 0)
		return 0;
	nook_hint(err, "Say one with --subnet.");
	return nook_refuse(err, EADDRNOTAVAIL,
			   "no subnet is free: this machine has addresses of, or routes to, all of "
			   "10.88.0.0 to 10.255.255.255, 172.16.0.0/12 and 192.168.0.0/16");
}

int nook_subnet_choose_v6(struct nook_net_addr *ret, struct nook_error *err)
{
	struct nook_net_addr addr = { .family = AF_INET6, .prefix = 64, .bytes = { 0xfd } };

	/* Forty bits of it are random; the subnet's number is 0. */
	if (getrandom(addr.bytes + 1, 5, 0) != 5)
		return nook_fail(err, errno, "getrandom");
	*ret = addr;
	return 0;
}

bool nook_subnet_have_v6(void)
{
	char answer = '1';
	auto_close int fd =
		open("/proc/sys/net/ipv6/conf/default/disable_ipv6", O_RDONLY | O_CLOEXEC);

	return fd >= 0 && read(fd, &answer, 1) == 1 && answer == '0';
}
