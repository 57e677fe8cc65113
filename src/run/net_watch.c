/* SPDX-License-Identifier: Apache-2.0 */
#include "net_watch.h"

#include "base/own.h"

#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <sys/socket.h>

static int join(int fd, const int *groups, size_t n)
{
	struct sockaddr_nl any = { .nl_family = AF_NETLINK };

	if (bind(fd, (struct sockaddr *)&any, sizeof(any)) < 0)
		return -errno;
	for (size_t i = 0; i < n; i++) {
		if (setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &groups[i],
			       sizeof(groups[i])) < 0)
			return -errno;
	}
	return 0;
}

static int open_groups(int protocol, const int *groups, size_t n)
{
	auto_close int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
	int rc = fd < 0 ? -errno : join(fd, groups, n);

	return rc < 0 ? rc : move_fd(&fd);
}

int nook_net_watch_open(struct nook_net_watch *w, int keeper, struct nook_error *err)
{
	static const int links[] = { RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR,
				     RTNLGRP_IPV4_NETCONF, RTNLGRP_IPV6_NETCONF };
	static const int rules[] = { NFNLGRP_NFTABLES };

	w->keeper = keeper;
	w->rules = NO_FD;
	w->links = open_groups(NETLINK_ROUTE, links, sizeof(links) / sizeof(links[0]));
	if (w->links < 0)
		return nook_fail(err, -w->links, "socket(NETLINK_ROUTE) for changes of links");
	w->rules = open_groups(NETLINK_NETFILTER, rules, 1);
	if (w->rules == -EPERM)
		return nook_fail(err, EPERM, "socket(NETLINK_NETFILTER) for changes of rules");
	if (w->rules < 0)
		w->rules = NO_FD;
	return 0;
}

void nook_net_watch_close(struct nook_net_watch *w)
{
	close_fd(&w->links);
	close_fd(&w->rules);
}

/* ENOBUFS tells that messages were lost: a change, too. */
static void drain(int fd)
{
	char bytes[16384];

	while (fd >= 0 &&
	       (recv(fd, bytes, sizeof(bytes), 0) > 0 || errno == ENOBUFS || errno == EINTR))
		;
}

int nook_net_watch_wait(const struct nook_net_watch *w, struct nook_error *err)
{
	struct pollfd p[] = { { .fd = w->links, .events = POLLIN },
			      { .fd = w->rules, .events = POLLIN },
			      { .fd = w->keeper, .events = POLLIN } };

	while (poll(p, ARRAY_SIZE(p), -1) < 0) {
		if (errno != EINTR)
			return nook_fail(err, errno, "poll");
	}
	if (p[2].revents) {
		nook_hint(err, "`nook net repair` makes it again, with the networks that there "
			       "are; then watch anew");
		return nook_refuse(err, ESRCH, "the namespace of your networks has ended");
	}
	drain(w->links);
	drain(w->rules);
	return 0;
}
