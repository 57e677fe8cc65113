/* SPDX-License-Identifier: Apache-2.0 */
/* Links and addresses of a net namespace: a child inside asks, and what the kernel answers is read
 * here. rtnetlink(7) */
#include "look.h"

#include "base/file.h"
#include "base/own.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>

#define ANSWER_MAX ((size_t)16 << 20)

struct request {
	struct nlmsghdr head;
	union {
		struct ifinfomsg link;
		struct ifaddrmsg address;
	};
};

/* The kernel ends a dump with a message of its own kind. */
static bool is_last(const char *text, ssize_t n)
{
	const struct nlmsghdr *m = (const struct nlmsghdr *)text;

	return n < (ssize_t)sizeof(*m) || m->nlmsg_type == NLMSG_DONE ||
	       m->nlmsg_type == NLMSG_ERROR;
}

static int dump(int sock, int out, int type)
{
	struct request r = { .head = { .nlmsg_len = sizeof(r),
				       .nlmsg_type = (unsigned short)type,
				       .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP } };
	char text[32768] __attribute__((aligned(NLMSG_ALIGNTO)));

	if (send(sock, &r, sizeof(r), 0) < 0)
		return -errno;
	for (;;) {
		ssize_t n = recv(sock, text, sizeof(text), 0);

		if (n < 0)
			return -errno;
		if (is_last(text, n))
			return 0;

		int rc = nook_write_fd(out, text, NLMSG_ALIGN((size_t)n));

		if (rc < 0)
			return rc;
	}
}

static int tell_net(int out, void *arg)
{
	int sock = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	(void)arg;
	if (sock < 0)
		return -errno;

	int rc = dump(sock, out, RTM_GETLINK);

	return rc < 0 ? rc : dump(sock, out, RTM_GETADDR);
}

/* The attribute of this type; NULL: it isn't there. */
static const struct rtattr *attribute(const struct rtattr *at, int len, unsigned short type)
{
	for (; RTA_OK(at, len); at = RTA_NEXT(at, len)) {
		if ((at->rta_type & NLA_TYPE_MASK) == type)
			return at;
	}
	return NULL;
}

static const char *text_of(struct nook_arena *a, const struct rtattr *at)
{
	return at ? nook_strndup(a, RTA_DATA(at), strnlen(RTA_DATA(at), RTA_PAYLOAD(at))) : "";
}

static const char *hardware(struct nook_arena *a, const struct rtattr *at)
{
	const char *text = "";

	for (size_t i = 0; at && i < RTA_PAYLOAD(at) && i < 32; i++)
		text = nook_printf(a, "%s%s%02x", text, i ? ":" : "",
				   ((const unsigned char *)RTA_DATA(at))[i]);
	return text;
}

static void add_link(struct nook_look_net *net, struct nook_arena *a, const struct nlmsghdr *m)
{
	const struct ifinfomsg *info = NLMSG_DATA(m);
	const struct rtattr *first = IFLA_RTA(info);
	int len = (int)IFLA_PAYLOAD(m);
	const struct rtattr *more = attribute(first, len, IFLA_LINKINFO);
	const struct rtattr *mtu = attribute(first, len, IFLA_MTU);
	struct nook_look_link *link = nook_append(a, net->links, net->n_links);

	link->index = (unsigned)info->ifi_index;
	link->up = info->ifi_flags & IFF_UP;
	link->name = text_of(a, attribute(first, len, IFLA_IFNAME));
	link->kind =
		more ? text_of(a, attribute(RTA_DATA(more), (int)RTA_PAYLOAD(more), IFLA_INFO_KIND))
		     : "";
	link->address = hardware(a, attribute(first, len, IFLA_ADDRESS));
	if (mtu && RTA_PAYLOAD(mtu) == sizeof(link->mtu))
		memcpy(&link->mtu, RTA_DATA(mtu), sizeof(link->mtu));
}

static void add_address(struct nook_look_net *net, struct nook_arena *a, const struct nlmsghdr *m)
{
	const struct ifaddrmsg *info = NLMSG_DATA(m);
	const struct rtattr *first = IFA_RTA(info);
	int len = (int)IFA_PAYLOAD(m);
	/* Of a link between two, IFA_ADDRESS is the other side. */
	const struct rtattr *at = attribute(first, len, IFA_LOCAL);
	size_t size = info->ifa_family == AF_INET6 ? 16 : 4;
	char text[INET6_ADDRSTRLEN];

	if (!at)
		at = attribute(first, len, IFA_ADDRESS);
	if (!at || RTA_PAYLOAD(at) != size ||
	    (info->ifa_family != AF_INET && info->ifa_family != AF_INET6) ||
	    !inet_ntop(info->ifa_family, RTA_DATA(at), text, sizeof(text)))
		return;

	struct nook_look_address *address = nook_append(a, net->addresses, net->n_addresses);

	address->link = info->ifa_index;
	address->text = nook_printf(a, "%s/%u", text, info->ifa_prefixlen);
}

int nook_look_net(const struct nook_ns_graph *g, const struct nook_ns *ns, struct nook_arena *a,
		  struct nook_look_net *ret, struct nook_error *err)
{
	char *text;
	size_t len;
	int rc = nook_look_inside(g, ns, tell_net, NULL, ANSWER_MAX, a, &text, &len, err);

	if (rc < 0)
		return rc;

	unsigned left = (unsigned)len;

	*ret = (struct nook_look_net){ 0 };
	for (const struct nlmsghdr *m = (const struct nlmsghdr *)text; NLMSG_OK(m, left);
	     m = NLMSG_NEXT(m, left)) {
		if (m->nlmsg_type == RTM_NEWLINK &&
		    m->nlmsg_len >= NLMSG_LENGTH(sizeof(struct ifinfomsg)))
			add_link(ret, a, m);
		else if (m->nlmsg_type == RTM_NEWADDR &&
			 m->nlmsg_len >= NLMSG_LENGTH(sizeof(struct ifaddrmsg)))
			add_address(ret, a, m);
	}
	return 0;
}
