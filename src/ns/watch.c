/* SPDX-License-Identifier: Apache-2.0 */
#include "watch.h"

#include "base/own.h"

#include <linux/cn_proc.h>
#include <linux/connector.h>
#include <linux/netlink.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#define ANSWER_MS 200

struct request {
	struct nlmsghdr head;
	/* struct cn_msg ends in an array without a length, so that it can't stand in the middle. */
	char message[sizeof(struct cn_msg) + sizeof(uint32_t)];
};

static int subscribe(int fd)
{
	struct cn_msg message = { .id = { CN_IDX_PROC, CN_VAL_PROC }, .len = sizeof(uint32_t) };
	uint32_t listen = PROC_CN_MCAST_LISTEN;
	struct request r = { .head = { .nlmsg_len = sizeof(r), .nlmsg_type = NLMSG_DONE } };

	memcpy(r.message, &message, sizeof(message));
	memcpy(r.message + sizeof(message), &listen, sizeof(listen));
	return send(fd, &r, sizeof(r), 0) == sizeof(r) ? 0 : -errno;
}

/* The event in a message of the connector's; false: there is none. */
static bool event_of(const void *data, size_t len, struct proc_event *ret)
{
	struct nlmsghdr head;
	struct cn_msg message;
	const size_t before = sizeof(head) + sizeof(message);

	if (len < before)
		return false;
	memcpy(&head, data, sizeof(head));
	memcpy(&message, (const char *)data + sizeof(head), sizeof(message));
	if (head.nlmsg_len > len || head.nlmsg_len < before || message.id.idx != CN_IDX_PROC ||
	    message.id.val != CN_VAL_PROC || message.len > head.nlmsg_len - before)
		return false;
	/* The structure has grown with the kernel's versions: what is missing is zero. */
	memset(ret, 0, sizeof(*ret));
	memcpy(ret, (const char *)data + before,
	       message.len < sizeof(*ret) ? message.len : sizeof(*ret));
	return message.len >= offsetof(struct proc_event, event_data);
}

bool nook_watch_message(const void *data, size_t len, int self)
{
	struct proc_event e;

	if (!event_of(data, len, &e))
		return false;
	switch ((unsigned)e.what) {
	case PROC_EVENT_FORK:
		return e.event_data.fork.parent_tgid != self;
	case PROC_EVENT_EXEC:
		return true;
	case PROC_EVENT_EXIT:
		return e.event_data.exit.process_tgid != self &&
		       e.event_data.exit.parent_tgid != self;
	default:
		return false;
	}
}

bool nook_watch_drain(int fd)
{
	char buffer[4096];
	bool told = false;

	for (;;) {
		struct sockaddr_nl from = { .nl_family = AF_NETLINK };
		socklen_t size = sizeof(from);
		ssize_t n = recvfrom(fd, buffer, sizeof(buffer), MSG_DONTWAIT,
				     (struct sockaddr *)&from, &size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == ENOBUFS) { /* more came than the socket can hold */
			told = true;
			continue;
		}
		if (n <= 0)
			return told;
		/* Other processes may send to our address, too. */
		if (from.nl_pid == 0)
			told |= nook_watch_message(buffer, (size_t)n, getpid());
	}
}

/* Outside of the first pid and user namespace the kernel says nothing at all, so its answer is
 * waited for. */
static bool answered(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, ANSWER_MS) > 0 && (p.revents & POLLIN);
}

int nook_watch_open(void)
{
	auto_close int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_CONNECTOR);
	struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_groups = CN_IDX_PROC };

	if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;

	int rc = subscribe(fd);

	if (rc < 0)
		return rc;
	return answered(fd) ? move_fd(&fd) : -EPERM;
}

/* ---- comparing ---- */

/* Graphs are sorted by kind and inode. */
static int order(const struct nook_ns *a, const struct nook_ns *b)
{
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	return a->inode < b->inode ? -1 : a->inode > b->inode;
}

static bool reused(const struct nook_ns *a, const struct nook_ns *b)
{
	return a->id && b->id && a->id != b->id;
}

/* Those of @a that @b has not. */
static void tell_missing(const struct nook_ns_graph *a, const struct nook_ns_graph *b, bool born,
			 nook_watch_fn *fn, void *data)
{
	size_t k = 0;

	for (size_t i = 0; i < a->n; i++) {
		while (k < b->n && order(b->all[k], a->all[i]) < 0)
			k++;
		if (k == b->n || order(b->all[k], a->all[i]) != 0 || reused(a->all[i], b->all[k]))
			fn(data, born, a->all[i]);
	}
}

void nook_watch_compare(const struct nook_ns_graph *before, const struct nook_ns_graph *after,
			nook_watch_fn *fn, void *data)
{
	tell_missing(before, after, false, fn, data);
	tell_missing(after, before, true, fn, data);
}
