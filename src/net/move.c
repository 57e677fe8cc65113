/* SPDX-License-Identifier: Apache-2.0 */
#include "move.h"

#include "base/own.h"
#include "base/text.h"
#include "links_parts.h"
#include "move_parts.h"
#include "sys/netlink.h"
#include "sys/process.h"

#include <errno.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <string.h>

struct under_way {
	const struct nook_link_doors *d;
	const struct nook_link_move *move;
	struct nook_arena *arena;
	struct nook_link_seen seen; /* here */
	struct nook_link_address *addresses;
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

static int read_addresses(struct under_way *w, struct nook_error *err)
{
	struct nook_nl_refusal refusal;
	int rc = nook_link_addresses(w->d->here, w->seen.index, w->arena, &w->addresses,
				     &w->n_addresses, &refusal);

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
	struct nook_nl_refusal refusal;
	int rc = nook_link_each(w->d->there, each, w, &refusal);

	return rc < 0 ? fail_nl(w->move, -rc, &refusal, "list what is inside", err) : 0;
}

/* Which name it got of a template is the kernel's to say: the new one's. */
static int look_there(struct under_way *w)
{
	int rc = is_template(w->move->name) ? list_there(w, take_arrived, NULL)
					    : nook_nl_index(w->d->there, w->move->name);

	if (rc > 0)
		w->arrived = rc;
	return rc < 0 ? rc : w->arrived ? 0 : -ENODEV;
}

/* Twice: it has gone, and is not to be lost for a shortage that passes. */
static int find_there(struct under_way *w, struct nook_error *err)
{
	int rc = look_there(w);

	if (rc < 0)
		rc = look_there(w);
	if (rc == 0)
		return 0;
	nook_hint(err, "it is in %s already", w->move->to);
	return fail_link(w->move, -rc, "find it inside", err);
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
	/* Where it is gone, only the answer is lost. */
	if (rc < 0 && nook_nl_index(w->d->here, w->move->link) != -ENODEV) {
		(void)fail_nl(w->move, -rc, &refusal, "move into another network namespace", err);
		if (rc == -EINVAL) /* Linux 6.1 does not say why */
			nook_hint(err, "it stays where it is, as a loopback or a tunnel's own link "
				       "does");
		return rc;
	}
	return find_there(w, err);
}

/* ---- there ---- */

static int settle(const struct under_way *w, struct nook_error *err)
{
	struct nook_nl_refusal refusal;
	const char *what;
	int rc = nook_link_give(w->d->there, w->arrived, w->addresses, w->n_addresses, true, &what,
				&refusal);

	return rc < 0 ? fail_nl(w->move, -rc, &refusal, what, err) : 0;
}

static int tell(const struct under_way *w, struct nook_link_moved *ret, struct nook_error *err)
{
	struct nook_link_moved moved = {
		.physical = !w->seen.kind[0],
		.index = w->arrived,
		.up = w->seen.up,
		.addresses = w->addresses,
		.n_addresses = w->n_addresses,
	};
	int rc = nook_nl_name(w->d->there, w->arrived, moved.name);

	if (rc < 0)
		return fail_link(w->move, -rc, "read its name inside", err);
	*ret = moved;
	return 0;
}

/* It did not go well in there. */
static int give_up(const struct under_way *w, int rc, struct nook_error *err)
{
	const struct nook_link_moved moved = { .index = w->arrived,
					       .up = w->seen.up,
					       .addresses = w->addresses,
					       .n_addresses = w->n_addresses };

	if (nook_link_move_back(w->d, w->move, &moved) < 0 && err) {
		err->hint[0] = '\0'; /* this is worth more */
		nook_hint(err, "it is in %s already", w->move->to);
	}
	return rc;
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
	if (rc < 0)
		return rc;
	rc = settle(&w, err);
	if (rc == 0)
		rc = tell(&w, ret, err);
	return rc < 0 ? give_up(&w, rc, err) : 0;
}

int nook_link_move_back(const struct nook_link_doors *d, const struct nook_link_move *m,
			const struct nook_link_moved *moved)
{
	const struct ifinfomsg head = { .ifi_family = AF_UNSPEC, .ifi_index = moved->index };
	const char *what;
	struct nook_nl q;

	nook_nl_clear(&q);
	nook_nl_begin(&q, RTM_NEWLINK, 0, &head, sizeof(head));
	nook_nl_put_u32(&q, IFLA_NET_NS_FD, (uint32_t)d->home);
	nook_nl_put_text(&q, IFLA_IFNAME, m->link);

	int rc = nook_nl_send(d->there, &q, NULL);
	int index = rc < 0 ? rc : nook_nl_index(d->here, m->link);

	return index < 0 ? index
			 : nook_link_give(d->here, index, moved->addresses, moved->n_addresses,
					  moved->up, &what, NULL);
}
