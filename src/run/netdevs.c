/* SPDX-License-Identifier: Apache-2.0 */
/* Network devices of the host that the container gets: config-linux.md, "Network Devices". They
 * come home by themselves when its network namespace ends, or end with it. */
#include "create.h"

#include "base/own.h"
#include "base/text.h"
#include "sys/netlink.h"
#include "sys/process.h"
#include "sys/procfs.h"

#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <string.h>
#include <unistd.h>

/* What of an address is its own; the rest of the flags is what became of it. */
#define KEPT_FLAGS (IFA_F_NODAD | IFA_F_NOPREFIXROUTE | IFA_F_MCAUTOJOIN | IFA_F_HOMEADDRESS)

/* An address as the kernel told it, to be told the kernel again. */
struct address {
	struct ifaddrmsg head;
	uint32_t flags;
	unsigned char local[16], peer[16], broadcast[4];
	unsigned local_len, peer_len, broadcast_len;
	uint32_t metric;
};

struct move {
	struct nook_create *c;
	int here, there; /* sockets of our network namespace, and of the container's */
	int ns;          /* the latter */
	const struct nook_plan_netdev *dev;
	int index; /* of the device, here */
	struct address *addresses;
	size_t n_addresses;
	int *known; /* indices that were there before */
	size_t n_known;
	int arrived; /* what it is there */
};

static int fail_nl(const struct move *m, int error, const char *why, const char *what,
		   struct nook_error *err)
{
	if (m->dev->from)
		nook_where(err, "%s", m->dev->from);
	if (*why)
		nook_hint(err, "the kernel says: %.200s", why);
	return nook_fail(err, error, "%s, network device %s", what, m->dev->host);
}

/* In the container's network namespace for as long as a socket takes. */
static int open_there(struct move *m, struct nook_error *err)
{
	auto_close int home = nook_procfs_open_ns(m->c->proc, getpid(), "net", err);

	if (home < 0)
		return home;
	m->ns = nook_procfs_open_ns(m->c->proc, m->c->pid, "net", err);
	if (m->ns < 0)
		return m->ns;

	int rc = nook_setns(m->ns, CLONE_NEWNET);

	if (rc < 0)
		return nook_fail(err, -rc, "setns(the container's network namespace)");
	m->there = nook_nl_open();
	rc = nook_setns(home, CLONE_NEWNET);
	if (rc < 0)
		return nook_fail(err, -rc, "setns(our own network namespace)");
	return m->there < 0 ? nook_fail(err, -m->there, "socket(NETLINK_ROUTE)") : 0;
}

static int take_index(void *data, const struct nlmsghdr *h)
{
	const struct ifinfomsg *link = NLMSG_DATA(h);

	if (h->nlmsg_type == RTM_NEWLINK && h->nlmsg_len >= NLMSG_LENGTH(sizeof(*link)))
		*(int *)data = link->ifi_index;
	return 0;
}

/* Return: 0; -ENODEV. */
static int look_up(int socket, const char *name, int *ret_index, struct nook_nl_refusal *refusal)
{
	const struct ifinfomsg head = { .ifi_family = AF_UNSPEC };
	struct nook_nl q;

	nook_nl_clear(&q);
	nook_nl_begin(&q, RTM_GETLINK, 0, &head, sizeof(head));
	nook_nl_put(&q, IFLA_IFNAME, name, strlen(name) + 1);
	return nook_nl_ask(socket, &q, take_index, ret_index, refusal);
}

/* A name with %d is the kernel's to complete. */
static bool is_template(const char *name)
{
	return strchr(name, '%');
}

/* All of them, before the first is moved: what goes wrong now has no consequences. */
static int check(struct move *m, struct nook_error *err)
{
	struct nook_nl_refusal refusal;
	int taken = 0, rc = look_up(m->here, m->dev->host, &m->index, &refusal);

	if (rc < 0) {
		nook_hint(err, "`ip link` lists those of this network namespace");
		return fail_nl(m, -rc, "", "look for it", err);
	}
	if (is_template(m->dev->name))
		return 0;
	rc = look_up(m->there, m->dev->name, &taken, &refusal);
	if (rc == -ENODEV)
		return 0;
	if (rc < 0)
		return fail_nl(m, -rc, refusal.why, "look for its name inside", err);
	if (m->dev->from)
		nook_where(err, "%s", m->dev->from);
	nook_hint(err, "give it another name, or one with %%d that the kernel completes");
	return nook_refuse(err, EEXIST, "the container's network namespace has a device %s already",
			   m->dev->name);
}

static unsigned copy(const struct rtattr *a, unsigned char *to, size_t size)
{
	size_t len = a ? RTA_PAYLOAD(a) : 0;

	if (len > size)
		return 0;
	if (len)
		memcpy(to, RTA_DATA(a), len);
	return (unsigned)len;
}

static uint32_t number(const struct rtattr *a, uint32_t otherwise)
{
	uint32_t value = otherwise;

	if (a && RTA_PAYLOAD(a) >= sizeof(value))
		memcpy(&value, RTA_DATA(a), sizeof(value));
	return value;
}

static int take_address(void *data, const struct nlmsghdr *h)
{
	struct move *m = data;
	const struct ifaddrmsg *head = NLMSG_DATA(h);
	const size_t n = sizeof(*head);

	if (h->nlmsg_type != RTM_NEWADDR || h->nlmsg_len < NLMSG_LENGTH(n) ||
	    head->ifa_index != (unsigned)m->index || head->ifa_scope != RT_SCOPE_UNIVERSE)
		return 0;

	uint32_t flags = number(nook_nl_find(h, n, IFA_FLAGS), head->ifa_flags);

	if (!(flags & IFA_F_PERMANENT))
		return 0;

	struct address *a = nook_append(m->c->stage.arena, m->addresses, m->n_addresses);

	a->head = *head;
	a->flags = flags & KEPT_FLAGS;
	a->local_len = copy(nook_nl_find(h, n, IFA_LOCAL), a->local, sizeof(a->local));
	a->peer_len = copy(nook_nl_find(h, n, IFA_ADDRESS), a->peer, sizeof(a->peer));
	a->broadcast_len =
		copy(nook_nl_find(h, n, IFA_BROADCAST), a->broadcast, sizeof(a->broadcast));
	a->metric = number(nook_nl_find(h, n, IFA_RT_PRIORITY), 0);
	return 0;
}

/* Before it goes down, when IPv6 forgets its own. */
static int read_addresses(struct move *m, struct nook_error *err)
{
	const struct ifaddrmsg head = { .ifa_family = AF_UNSPEC };
	struct nook_nl_refusal refusal;
	struct nook_nl q;

	m->addresses = NULL;
	m->n_addresses = 0;
	nook_nl_clear(&q);
	nook_nl_begin(&q, RTM_GETADDR, NLM_F_DUMP, &head, sizeof(head));

	int rc = nook_nl_ask(m->here, &q, take_address, m, &refusal);

	return rc < 0 ? fail_nl(m, -rc, refusal.why, "read its addresses", err) : 0;
}

static bool is_known(const struct move *m, int index)
{
	for (size_t i = 0; i < m->n_known; i++) {
		if (m->known[i] == index)
			return true;
	}
	return false;
}

static int take_known(void *data, const struct nlmsghdr *h)
{
	struct move *m = data;
	int index = 0;

	(void)take_index(&index, h); /* 0 is no device */
	if (index && !is_known(m, index))
		*nook_append(m->c->stage.arena, m->known, m->n_known) = index;
	return 0;
}

static int take_arrived(void *data, const struct nlmsghdr *h)
{
	struct move *m = data;
	int index = 0;

	(void)take_index(&index, h);
	if (index && !is_known(m, index))
		m->arrived = index;
	return 0;
}

static int list_there(struct move *m, nook_nl_each *each, struct nook_error *err)
{
	const struct ifinfomsg head = { .ifi_family = AF_UNSPEC };
	struct nook_nl_refusal refusal;
	struct nook_nl q;

	nook_nl_clear(&q);
	nook_nl_begin(&q, RTM_GETLINK, NLM_F_DUMP, &head, sizeof(head));

	int rc = nook_nl_ask(m->there, &q, each, m, &refusal);

	return rc < 0 ? fail_nl(m, -rc, refusal.why, "list what is inside", err) : 0;
}

/* Which number it gets there is the kernel's to say, and so is its name, when that is a template.
 */
static int send_over(struct move *m, struct nook_error *err)
{
	const struct ifinfomsg head = { .ifi_family = AF_UNSPEC, .ifi_index = m->index };
	const uint32_t ns = (uint32_t)m->ns;
	struct nook_nl_refusal refusal;
	struct nook_nl q;
	int rc = list_there(m, take_known, err);

	if (rc < 0)
		return rc;
	nook_nl_clear(&q);
	nook_nl_begin(&q, RTM_NEWLINK, 0, &head, sizeof(head));
	nook_nl_put(&q, IFLA_NET_NS_FD, &ns, sizeof(ns));
	nook_nl_put(&q, IFLA_IFNAME, m->dev->name, strlen(m->dev->name) + 1);
	rc = nook_nl_ask(m->here, &q, NULL, NULL, &refusal);
	if (rc < 0)
		return fail_nl(m, -rc, refusal.why, "move into the container", err);

	m->arrived = 0;
	rc = list_there(m, take_arrived, err);
	return rc == 0 && !m->arrived ? fail_nl(m, ENODEV, "", "find it inside", err) : rc;
}

static int add_address(struct move *m, const struct address *a, struct nook_error *err)
{
	struct ifaddrmsg head = {
		.ifa_family = a->head.ifa_family,
		.ifa_prefixlen = a->head.ifa_prefixlen,
		.ifa_scope = a->head.ifa_scope,
		.ifa_index = (unsigned)m->arrived,
	};
	struct nook_nl_refusal refusal;
	struct nook_nl q;

	nook_nl_clear(&q);
	nook_nl_begin(&q, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &head, sizeof(head));
	if (a->local_len)
		nook_nl_put(&q, IFA_LOCAL, a->local, a->local_len);
	if (a->peer_len)
		nook_nl_put(&q, IFA_ADDRESS, a->peer, a->peer_len);
	if (a->broadcast_len)
		nook_nl_put(&q, IFA_BROADCAST, a->broadcast, a->broadcast_len);
	if (a->metric)
		nook_nl_put(&q, IFA_RT_PRIORITY, &a->metric, sizeof(a->metric));
	nook_nl_put(&q, IFA_FLAGS, &a->flags, sizeof(a->flags));

	int rc = nook_nl_ask(m->there, &q, NULL, NULL, &refusal);

	return rc < 0 && rc != -EEXIST
		       ? fail_nl(m, -rc, refusal.why, "give it its addresses again", err)
		       : 0;
}

static int set_up(struct move *m, struct nook_error *err)
{
	const struct ifinfomsg head = { .ifi_family = AF_UNSPEC,
					.ifi_index = m->arrived,
					.ifi_flags = IFF_UP,
					.ifi_change = IFF_UP };
	struct nook_nl_refusal refusal;
	struct nook_nl q;

	nook_nl_clear(&q);
	nook_nl_begin(&q, RTM_NEWLINK, 0, &head, sizeof(head));

	int rc = nook_nl_ask(m->there, &q, NULL, NULL, &refusal);

	return rc < 0 ? fail_nl(m, -rc, refusal.why, "set it up inside", err) : 0;
}

static int move_one(struct move *m, struct nook_error *err)
{
	int rc = check(m, err); /* again: moving the one before may have changed it */

	if (rc == 0)
		rc = read_addresses(m, err);
	if (rc == 0)
		rc = send_over(m, err);
	for (size_t i = 0; i < m->n_addresses && rc == 0; i++)
		rc = add_address(m, &m->addresses[i], err);
	return rc == 0 ? set_up(m, err) : rc;
}

static int move_all(struct move *m, struct nook_error *err)
{
	const struct nook_plan *plan = m->c->plan;
	int rc = open_there(m, err);

	for (size_t i = 0; i < plan->n_netdevs && rc == 0; i++) {
		m->dev = &plan->netdevs[i];
		rc = check(m, err);
	}
	for (size_t i = 0; i < plan->n_netdevs && rc == 0; i++) {
		m->dev = &plan->netdevs[i];
		rc = move_one(m, err);
	}
	return rc;
}

int move_netdevs(void *ctx, struct nook_error *err)
{
	struct move m = { .c = ctx, .here = nook_nl_open(), .there = NO_FD, .ns = NO_FD };
	int rc = m.here < 0 ? nook_fail(err, -m.here, "socket(NETLINK_ROUTE)") : move_all(&m, err);

	close_fd(&m.here);
	close_fd(&m.there);
	close_fd(&m.ns);
	return rc;
}

void move_netdevs_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	for (size_t i = 0; i < plan->n_netdevs; i++)
		nook_show(rows, "a network device of the host's, with its addresses",
			  "netlink(NEWLINK \"%s\", NET_NS_FD, \"%s\"), netlink(NEWADDR), "
			  "netlink(NEWLINK UP)",
			  plan->netdevs[i].host, plan->netdevs[i].name);
}
