/* SPDX-License-Identifier: Apache-2.0 */
/* Links and addresses of a net namespace: a child inside asks, and what the kernel answers is read
 * here. rtnetlink(7) */
#include "look.h"

#include "base/file.h"
#include "base/own.h"
#include "sys/netlink.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>

#define ANSWER_MAX ((size_t)16 << 20)

/* To who asked, as it came. */
static int pass_on(void *data, const struct nlmsghdr *m)
{
	return nook_write_fd(*(const int *)data, m, NLMSG_ALIGN(m->nlmsg_len));
}

static int dump(int sock, int out, uint16_t type, const void *header, size_t len)
{
	struct nook_nl q;

	nook_nl_clear(&q);
	nook_nl_begin(&q, type, NLM_F_DUMP, header, len);
	return nook_nl_ask(sock, &q, pass_on, &out, NULL);
}

static int tell_net(int out, void *arg)
{
	const struct ifinfomsg link = { .ifi_family = AF_UNSPEC };
	const struct ifaddrmsg address = { .ifa_family = AF_UNSPEC };
	int sock = nook_nl_open();

	(void)arg;
	if (sock < 0)
		return sock;

	int rc = dump(sock, out, RTM_GETLINK, &link, sizeof(link));

	return rc < 0 ? rc : dump(sock, out, RTM_GETADDR, &address, sizeof(address));
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

/* A list that changed while it was told is told again. */
static struct nook_look_link *new_link(struct nook_look_net *net, struct nook_arena *a,
				       unsigned index)
{
	for (size_t i = 0; i < net->n_links; i++) {
		if (net->links[i].index == index)
			return &net->links[i];
	}
	return nook_append(a, net->links, net->n_links);
}

static bool is_known(const struct nook_look_net *net, unsigned link, const char *address)
{
	for (size_t i = 0; i < net->n_addresses; i++) {
		if (net->addresses[i].link == link && strcmp(net->addresses[i].text, address) == 0)
			return true;
	}
	return false;
}

static void add_link(struct nook_look_net *net, struct nook_arena *a, const struct nlmsghdr *m)
{
	const struct ifinfomsg *info = NLMSG_DATA(m);
	const size_t n = sizeof(*info);
	struct nook_look_link *link = new_link(net, a, (unsigned)info->ifi_index);

	link->index = (unsigned)info->ifi_index;
	link->up = info->ifi_flags & IFF_UP;
	link->name = text_of(a, nook_nl_find(m, n, IFLA_IFNAME));
	link->kind = text_of(a, nook_nl_find_in(nook_nl_find(m, n, IFLA_LINKINFO), IFLA_INFO_KIND));
	link->address = hardware(a, nook_nl_find(m, n, IFLA_ADDRESS));
	link->mtu = nook_nl_u32(nook_nl_find(m, n, IFLA_MTU), 0);
}

static void add_address(struct nook_look_net *net, struct nook_arena *a, const struct nlmsghdr *m)
{
	const struct ifaddrmsg *info = NLMSG_DATA(m);
	const size_t n = sizeof(*info);
	/* Of a link between two, IFA_ADDRESS is the other side. */
	const struct rtattr *at = nook_nl_find(m, n, IFA_LOCAL);
	size_t size = info->ifa_family == AF_INET6 ? 16 : 4;
	char text[INET6_ADDRSTRLEN];

	if (!at)
		at = nook_nl_find(m, n, IFA_ADDRESS);
	if (!at || RTA_PAYLOAD(at) != size ||
	    (info->ifa_family != AF_INET && info->ifa_family != AF_INET6) ||
	    !inet_ntop(info->ifa_family, RTA_DATA(at), text, sizeof(text)))
		return;

	const char *whole = nook_printf(a, "%s/%u", text, info->ifa_prefixlen);

	if (!is_known(net, info->ifa_index, whole))
		*nook_append(a, net->addresses, net->n_addresses) =
			(struct nook_look_address){ .link = info->ifa_index, .text = whole };
}

int nook_look_net(const struct nook_ns_graph *g, const struct nook_ns *ns, struct nook_arena *a,
		  struct nook_look_net *ret, struct nook_error *err)
{
	char *text;
	size_t len;
	int rc = nook_look_inside(g, ns, tell_net, NULL, ANSWER_MAX, a, &text, &len, err);

	if (rc < 0)
		return rc;

	*ret = (struct nook_look_net){ 0 };
	for (const struct nlmsghdr *m = nook_nl_message(text, len); m;
	     m = nook_nl_next_message(m, &len)) {
		if (m->nlmsg_type == RTM_NEWLINK &&
		    m->nlmsg_len >= NLMSG_LENGTH(sizeof(struct ifinfomsg)))
			add_link(ret, a, m);
		else if (m->nlmsg_type == RTM_NEWADDR &&
			 m->nlmsg_len >= NLMSG_LENGTH(sizeof(struct ifaddrmsg)))
			add_address(ret, a, m);
	}
	return 0;
}
