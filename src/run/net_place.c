/* SPDX-License-Identifier: Apache-2.0 */
#include "net_place.h"

#include "base/own.h"
#include "net/address.h"
#include "ns/target.h"
#include "sys/netlink.h"
#include "sys/process.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_bridge.h>
#include <linux/netconf.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* ---- to be there ---- */

struct call {
	const struct nook_place *place;
	int (*fn)(void *);
	void *arg;
	int rc, entered;
};

static int child(void *arg)
{
	struct call *c = arg;

	c->entered = c->place->user < 0 ? 0 : nook_setns(c->place->user, CLONE_NEWUSER);
	if (c->entered == 0 && !c->place->own)
		c->entered = nook_setns(c->place->net, CLONE_NEWNET);
	if (c->entered == 0)
		c->rc = c->fn(c->arg);
	return 0;
}

int nook_place_call(const struct nook_place *place, int (*fn)(void *), void *arg,
		    struct nook_error *err)
{
	static _Alignas(16) char stack[262144];
	struct call c = { .place = place, .fn = fn, .arg = arg, .entered = -EIO };
	pid_t pid = nook_vfork(child, &c, stack, sizeof(stack));

	if (pid < 0)
		return nook_fail(err, -pid, "clone (a child to look at %s)", place->name);
	while (waitpid(pid, NULL, 0) < 0) {
		if (errno != EINTR)
			return nook_fail(err, errno, "waitpid(a child to look at %s)", place->name);
	}
	if (c.entered < 0)
		return nook_fail(err, -c.entered, "setns(the network of %s)", place->name);
	return c.rc;
}

/* ---- what is there ---- */

struct look {
	struct nook_place *place;
	struct nook_arena *a;
	struct nook_error *err;
	int family;
};

static const char *text(struct nook_arena *a, const struct rtattr *attr)
{
	char out[64];

	return nook_strdup(a, nook_nl_text(attr, out, sizeof(out)));
}

static int add_link(void *data, const struct nlmsghdr *m)
{
	struct look *l = data;
	const struct ifinfomsg *info = NLMSG_DATA(m);
	const size_t head = sizeof(*info);

	/* A dump that changed while it was read is read again. */
	if (m->nlmsg_type != RTM_NEWLINK || m->nlmsg_len < NLMSG_LENGTH(head) ||
	    nook_place_link(l->place, info->ifi_index))
		return 0;

	const struct rtattr *more = nook_nl_find(m, head, IFLA_LINKINFO);
	const struct rtattr *port =
		nook_nl_find_in(nook_nl_find_in(more, IFLA_INFO_SLAVE_DATA), IFLA_BRPORT_STATE);
	const struct rtattr *elsewhere = nook_nl_find(m, head, IFLA_LINK_NETNSID);
	struct nook_place_link *link = nook_append(l->a, l->place->links, l->place->n_links);

	link->index = info->ifi_index;
	link->up = info->ifi_flags & IFF_UP;
	link->carrier = info->ifi_flags & IFF_LOWER_UP;
	link->name = text(l->a, nook_nl_find(m, head, IFLA_IFNAME));
	link->kind = text(l->a, nook_nl_find_in(more, IFLA_INFO_KIND));
	link->master = nook_nl_int(nook_nl_find(m, head, IFLA_MASTER), 0);
	link->peer = nook_nl_int(nook_nl_find(m, head, IFLA_LINK), 0);
	link->peer_nsid = nook_nl_int(elsewhere, -1);
	link->forwards = port && RTA_PAYLOAD(port) >= 1 &&
			 *(const uint8_t *)RTA_DATA(port) == BR_STATE_FORWARDING;
	return 0;
}

static int add_address(void *data, const struct nlmsghdr *m)
{
	struct look *l = data;
	const struct ifaddrmsg *info = NLMSG_DATA(m);
	const size_t head = sizeof(*info);

	if (m->nlmsg_type != RTM_NEWADDR || m->nlmsg_len < NLMSG_LENGTH(head) ||
	    info->ifa_scope == RT_SCOPE_LINK)
		return 0;

	/* Of a link between two, IFA_ADDRESS is the other side. */
	const struct rtattr *at = nook_nl_find(m, head, IFA_LOCAL);

	if (!at)
		at = nook_nl_find(m, head, IFA_ADDRESS);
	if (!at || (info->ifa_family != AF_INET && info->ifa_family != AF_INET6) ||
	    RTA_PAYLOAD(at) != nook_net_bytes(info->ifa_family))
		return 0;

	struct nook_place_address *address =
		nook_append(l->a, l->place->addresses, l->place->n_addresses);

	address->link = (int)info->ifa_index;
	address->addr.family = info->ifa_family;
	address->addr.prefix = info->ifa_prefixlen;
	memcpy(address->addr.bytes, RTA_DATA(at), RTA_PAYLOAD(at));
	return 0;
}

static int take_forwarding(void *data, const struct nlmsghdr *m)
{
	struct look *l = data;

	if (m->nlmsg_type == RTM_NEWNETCONF)
		l->place->forwards[l->family == AF_INET6 ? NOOK_NET_V6 : NOOK_NET_V4] =
			nook_nl_int(nook_nl_find(m, sizeof(struct netconfmsg), NETCONFA_FORWARDING),
				    0) > 0;
	return 0;
}

static int dump(int sock, struct look *l, uint16_t type, nook_nl_each *each)
{
	struct nook_nl m;
	struct nook_nl_refusal why = { 0 };
	const struct ifinfomsg all = { .ifi_family = AF_UNSPEC };

	nook_nl_clear(&m);
	nook_nl_begin(&m, type, NLM_F_DUMP, &all, sizeof(all));

	int rc = nook_nl_ask(sock, &m, each, l, &why);

	return rc < 0 ? nook_fail(l->err, -rc, "rtnetlink (a list of the links of %s)",
				  l->place->name)
		      : 0;
}

/* A kernel without a family says so, and forwards nothing of it. */
static void ask_forwarding(int sock, struct look *l, int family)
{
	struct nook_nl m;
	const struct netconfmsg head = { .ncm_family = (uint8_t)family };

	l->family = family;
	nook_nl_clear(&m);
	nook_nl_begin(&m, RTM_GETNETCONF, 0, &head, sizeof(head));
	nook_nl_put_u32(&m, NETCONFA_IFINDEX, (uint32_t)NETCONFA_IFINDEX_ALL);
	(void)nook_nl_ask(sock, &m, take_forwarding, l, NULL);
}

static int look(void *arg)
{
	struct look *l = arg;
	auto_close int sock = nook_nl_open();
	int rc = sock;

	if (rc < 0)
		return nook_fail(l->err, -rc, "socket(AF_NETLINK)");
	l->place->n_links = 0;
	l->place->n_addresses = 0;
	rc = dump(sock, l, RTM_GETLINK, add_link);
	if (rc == 0)
		rc = dump(sock, l, RTM_GETADDR, add_address);
	ask_forwarding(sock, l, AF_INET);
	ask_forwarding(sock, l, AF_INET6);
	return rc;
}

/* ---- opening ---- */

/* @ino: 0, or what it must be: a pid may be another process' by now. */
static int open_ns(const char *path, uint64_t ino, int *ret, uint64_t *ret_ino,
		   struct nook_error *err)
{
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return nook_fail(err, errno, "open %s", path);
	if (ino && st.st_ino != ino)
		return nook_refuse(err, ESTALE, "%s is another namespace by now", path);
	*ret = move_fd(&fd);
	*ret_ino = st.st_ino;
	return 0;
}

static int open_target(const struct nook_ns_target *t, struct nook_place *place,
		       struct nook_error *err)
{
	const struct nook_ns_target_item *net = NULL, *user = NULL;
	uint64_t ino;

	for (size_t i = 0; i < t->n; i++) {
		if (t->item[i].kind == NOOK_NS_NET)
			net = &t->item[i];
		if (t->item[i].kind == NOOK_NS_USER)
			user = &t->item[i];
	}
	/* A container with --net host, or a name that keeps none: it is in ours. */
	if (!net || net->own) {
		place->own = true;
		return open_ns("/proc/self/ns/net", 0, &place->net, &place->ino, err);
	}

	int rc = open_ns(net->path, net->ino, &place->net, &place->ino, err);

	/* Root needs no other rights than its own; an ordinary user gets them there. */
	if (rc == 0 && geteuid() != 0 && user && !user->own)
		rc = open_ns(user->path, user->ino, &place->user, &ino, err);
	return rc;
}

int nook_place_open(const char *state_dir, const char *target, const char *name,
		    struct nook_arena *a, struct nook_place *ret, struct nook_error *err)
{
	struct nook_ns_target t = { 0 };
	struct look l = { .place = ret, .a = a, .err = err };
	int rc = 0;

	*ret = (struct nook_place){ .name = name, .user = NO_FD, .net = NO_FD };
	if (target)
		rc = nook_ns_target_find(state_dir, target, a, &t, err);
	if (rc == 0)
		rc = open_target(&t, ret, err);
	return rc < 0 ? rc : nook_place_call(ret, look, &l, err);
}

void nook_place_close(struct nook_place *place)
{
	close_fd(&place->user);
	close_fd(&place->net);
}

/* ---- answers ---- */

const struct nook_place_link *nook_place_link(const struct nook_place *place, int index)
{
	for (size_t i = 0; i < place->n_links; i++) {
		if (place->links[i].index == index)
			return &place->links[i];
	}
	return NULL;
}

const struct nook_place_link *nook_place_link_named(const struct nook_place *place,
						    const char *name)
{
	for (size_t i = 0; i < place->n_links; i++) {
		if (strcmp(place->links[i].name, name) == 0)
			return &place->links[i];
	}
	return NULL;
}

bool nook_place_has(const struct nook_place *place, const struct nook_net_addr *addr)
{
	for (size_t i = 0; i < place->n_addresses; i++) {
		if (nook_net_equal(&place->addresses[i].addr, addr))
			return true;
	}
	return false;
}
