/* SPDX-License-Identifier: Apache-2.0 */
#include "move.h"

#include "base/own.h"
#include "base/text.h"
#include "links_parts.h"
#include "sys/netlink.h"
#include "sys/process.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <string.h>

/* What of an address is its own; the rest of the flags is what became of it. */
#define KEPT_FLAGS (IFA_F_NODAD | IFA_F_NOPREFIXROUTE | IFA_F_MCAUTOJOIN | IFA_F_HOMEADDRESS)

#define ADDRESS_BYTES 128 /* more than the message of one */

/* An address as the kernel told it, to be told the kernel again. */
struct address {
	struct ifaddrmsg head;
	uint32_t flags;
	unsigned char local[16], peer[16], broadcast[4];
	unsigned local_len, peer_len, broadcast_len;
	uint32_t metric;
};

struct under_way {
	const struct nook_link_doors *d;
	const struct nook_link_move *move;
	struct nook_arena *arena;
	struct nook_link_seen seen; /* here */
	struct address *addresses;
	size_t n_addresses;
	int *known; /* indices that were there before */
	size_t n_known;
	int arrived; /* what it is there */
};

int nook_link_open_in(int home, int netns, struct nook_error *err)
{
	int rc = nook_setns(netns, CLONE_NEWNET);

	if (rc < 0)
		return nook_fail(err, -rc, "setns(a network namespace)");

	auto_close int socket = nook_nl_open();

	rc = nook_setns(home, CLONE_NEWNET);
	if (rc < 0)
		return nook_fail(err, -rc, "setns(our own network namespace)");
	return socket < 0 ? nook_fail(err, -socket, "socket NETLINK_ROUTE") : move_fd(&socket);
}

static int fail_link(const struct nook_link_move *m, int error, const char *what,
		     struct nook_error *err)
{
	if (m->from)
		nook_where(err, "%s", m->from);
	return nook_fail(err, error, "%s, network device %s", what, m->link);
}

static int fail_nl(const struct nook_link_move *m, int error, const struct nook_nl_refusal *refusal,
		   const char *what, struct nook_error *err)
{
	if (refusal->why[0])
		nook_hint(err, "the kernel says: %s", refusal->why);
	return fail_link(m, error, what, err);
}

/* A name with %d is the kernel's to complete. */
static bool is_template(const char *name)
{
	return strchr(name, '%');
}

static int look(const struct nook_link_doors *d, const struct nook_link_move *m,
		struct nook_link_seen *ret, struct nook_error *err)
{
	int rc = nook_link_look(d->here, m->link, ret, err);

	if (rc == -ENODEV) {
		nook_hint(err, "`ip link` lists those of this network namespace");
		return fail_link(m, ENODEV, "look for it", err);
	}
	if (rc < 0 && m->from)
		nook_where(err, "%s", m->from);
	return rc;
}

static int check(const struct nook_link_doors *d, const struct nook_link_move *m,
		 struct nook_link_seen *ret, struct nook_error *err)
{
	int rc = look(d, m, ret, err);

	if (rc < 0 || is_template(m->name))
		return rc;
	rc = nook_nl_index(d->there, m->name);
	if (rc == -ENODEV)
		return 0;
	if (rc < 0)
		return fail_link(m, -rc, "look for its name inside", err);
	if (m->from)
		nook_where(err, "%s", m->from);
	nook_hint(err, "give it another name, or one with %%d that the kernel completes");
	return nook_refuse(err, EEXIST, "the network namespace of %s has a device %s already",
			   m->to, m->name);
}

int nook_link_move_check(const struct nook_link_doors *d, const struct nook_link_move *m,
			 struct nook_error *err)
{
	struct nook_link_seen seen;

	return check(d, m, &seen, err);
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

static int take_address(void *data, const struct nlmsghdr *h)
{
	struct under_way *w = data;
	const struct ifaddrmsg *head = NLMSG_DATA(h);
	const size_t n = sizeof(*head);

	if (h->nlmsg_type != RTM_NEWADDR || h->nlmsg_len < NLMSG_LENGTH(n) ||
	    head->ifa_index != (unsigned)w->seen.index || head->ifa_scope != RT_SCOPE_UNIVERSE)
		return 0;

	uint32_t flags = nook_nl_u32(nook_nl_find(h, n, IFA_FLAGS), head->ifa_flags);

	if (!(flags & IFA_F_PERMANENT))
		return 0;

	struct address *a = nook_append(w->arena, w->addresses, w->n_addresses);

	a->head = *head;
	a->flags = flags & KEPT_FLAGS;
	a->local_len = copy(nook_nl_find(h, n, IFA_LOCAL), a->local, sizeof(a->local));
	a->peer_len = copy(nook_nl_find(h, n, IFA_ADDRESS), a->peer, sizeof(a->peer));
	a->broadcast_len =
		copy(nook_nl_find(h, n, IFA_BROADCAST), a->broadcast, sizeof(a->broadcast));
	a->metric = nook_nl_u32(nook_nl_find(h, n, IFA_RT_PRIORITY), 0);
	return 0;
}

/* Before it goes down, when IPv6 forgets its own. */
static int read_addresses(struct under_way *w, struct nook_error *err)
{
	const struct ifaddrmsg head = { .ifa_family = AF_UNSPEC };
	struct nook_nl_refusal refusal;
	struct nook_nl q;

	nook_nl_clear(&q);
	nook_nl_begin(&q, RTM_GETADDR, NLM_F_DUMP, &head, sizeof(head));

	int rc = nook_nl_ask(w->d->here, &q, take_address, w, &refusal);

	return rc < 0 ? fail_nl(w->move, -rc, &refusal, "read its addresses", err) : 0;
}

/* ---- which one it is there ---- */

static bool is_known(const struct under_way *w, int index)
{
	for (size_t i = 0; i < w->n_known; i++) {
		if (w->known[i] == index)
			return true;
	}
	return false;
}

/* 0 is no device. */
static int index_of(const struct nlmsghdr *h)
{
	const struct ifinfomsg *link = NLMSG_DATA(h);

	return h->nlmsg_type == RTM_NEWLINK && h->nlmsg_len >= NLMSG_LENGTH(sizeof(*link))
		       ? link->ifi_index
		       : 0;
}

static int take_known(void *data, const struct nlmsghdr *h)
{
	struct under_way *w = data;
	int index = index_of(h);

	if (index && !is_known(w, index))
		*nook_append(w->arena, w->known, w->n_known) = index;
	return 0;
}

static int take_arrived(void *data, const struct nlmsghdr *h)
{
	struct under_way *w = data;
	int index = index_of(h);

	if (index && !is_known(w, index))
		w->arrived = index;
	return 0;
}

static int list_there(struct under_way *w, nook_nl_each *each, struct nook_error *err)
{
	const struct ifinfomsg head = { .ifi_family = AF_UNSPEC };
	struct nook_nl_refusal refusal;
	struct nook_nl q;

	nook_nl_clear(&q);
	nook_nl_begin(&q, RTM_GETLINK, NLM_F_DUMP, &head, sizeof(head));

	int rc = nook_nl_ask(w->d->there, &q, each, w, &refusal);

	return rc < 0 ? fail_nl(w->move, -rc, &refusal, "list what is inside", err) : 0;
}

/* Which name it got of a template is the kernel's to say: the new one's. */
static int find_there(struct under_way *w, struct nook_error *err)
{
	int rc;

	if (is_template(w->move->name)) {
		rc = list_there(w, take_arrived, err);
	} else {
		rc = nook_nl_index(w->d->there, w->move->name);
		w->arrived = rc;
	}
	if (rc < 0 || !w->arrived)
		nook_hint(err, "it is in %s already", w->move->to);
	if (rc < 0 || !w->arrived)
		return fail_link(w->move, rc < 0 ? -rc : ENODEV, "find it inside", err);
	return 0;
}

static int send_over(struct under_way *w, struct nook_error *err)
{
	const struct ifinfomsg head = { .ifi_family = AF_UNSPEC, .ifi_index = w->seen.index };
	struct nook_nl_refusal refusal;
	struct nook_nl q;
	int rc = is_template(w->move->name) ? list_there(w, take_known, err) : 0;

	if (rc < 0)
		return rc;
	nook_nl_clear(&q);
	nook_nl_begin(&q, RTM_NEWLINK, 0, &head, sizeof(head));
	nook_nl_put_u32(&q, IFLA_NET_NS_FD, (uint32_t)w->d->ns);
	nook_nl_put_text(&q, IFLA_IFNAME, w->move->name);
	rc = nook_nl_send(w->d->here, &q, &refusal);
	if (rc < 0 && nook_nl_index(w->d->here, w->move->link) < 0) /* only the answer is lost */
		nook_hint(err, "it is in %s already", w->move->to);
	if (rc < 0)
		return fail_nl(w->move, -rc, &refusal, "move into another network namespace", err);
	return find_there(w, err);
}

/* ---- there ---- */

static void put_address(const struct under_way *w, struct nook_nl *q, const struct address *a)
{
	const struct ifaddrmsg head = {
		.ifa_family = a->head.ifa_family,
		.ifa_prefixlen = a->head.ifa_prefixlen,
		.ifa_scope = a->head.ifa_scope,
		.ifa_index = (unsigned)w->arrived,
	};

	nook_nl_begin(q, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &head, sizeof(head));
	if (a->local_len)
		nook_nl_put(q, IFA_LOCAL, a->local, a->local_len);
	if (a->peer_len)
		nook_nl_put(q, IFA_ADDRESS, a->peer, a->peer_len);
	if (a->broadcast_len)
		nook_nl_put(q, IFA_BROADCAST, a->broadcast, a->broadcast_len);
	if (a->metric)
		nook_nl_put_u32(q, IFA_RT_PRIORITY, a->metric);
	nook_nl_put_u32(q, IFA_FLAGS, a->flags);
	nook_nl_fine(q, EEXIST);
}

/* Sends what there is. */
static int flush_there(const struct under_way *w, struct nook_nl *q, const char *what,
		       struct nook_error *err)
{
	struct nook_nl_refusal refusal;
	int rc = nook_nl_send(w->d->there, q, &refusal);

	nook_nl_clear(q);
	if (rc < 0)
		nook_hint(err, "it is in %s already%s%s", w->move->to,
			  refusal.why[0] ? "; the kernel says: " : "", refusal.why);
	return rc < 0 ? fail_link(w->move, -rc, what, err) : 0;
}

static int give_addresses(const struct under_way *w, struct nook_error *err)
{
	struct nook_nl q;
	int rc = 0;

	nook_nl_clear(&q);
	for (size_t i = 0; i < w->n_addresses && rc == 0; i++) {
		if (nook_nl_room(&q) < ADDRESS_BYTES)
			rc = flush_there(w, &q, "give it its addresses again", err);
		put_address(w, &q, &w->addresses[i]);
	}
	return rc < 0 ? rc : flush_there(w, &q, "give it its addresses again", err);
}

static int set_up(const struct under_way *w, struct nook_error *err)
{
	const struct ifinfomsg head = { .ifi_family = AF_UNSPEC,
					.ifi_index = w->arrived,
					.ifi_flags = IFF_UP,
					.ifi_change = IFF_UP };
	struct nook_nl q;

	nook_nl_clear(&q);
	nook_nl_begin(&q, RTM_NEWLINK, 0, &head, sizeof(head));
	return flush_there(w, &q, "set it up inside", err);
}

static int tell(const struct under_way *w, struct nook_link_moved *ret, struct nook_error *err)
{
	struct nook_link_moved moved = { .physical = !w->seen.kind[0] };
	int rc = nook_nl_name(w->d->there, w->arrived, moved.name);

	if (rc < 0) {
		nook_hint(err, "it is in %s already, and up", w->move->to);
		return fail_link(w->move, -rc, "read its name inside", err);
	}
	*ret = moved;
	return 0;
}

int nook_link_move(const struct nook_link_doors *d, const struct nook_link_move *m,
		   struct nook_arena *a, struct nook_link_moved *ret, struct nook_error *err)
{
	struct under_way w = { .d = d, .move = m, .arena = a };
	int rc = check(d, m, &w.seen, err);

	if (rc == 0)
		rc = read_addresses(&w, err);
	if (rc == 0)
		rc = send_over(&w, err);
	if (rc == 0)
		rc = give_addresses(&w, err);
	if (rc == 0)
		rc = set_up(&w, err);
	return rc == 0 && ret ? tell(&w, ret, err) : rc;
}
