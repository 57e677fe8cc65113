/* SPDX-License-Identifier: Apache-2.0 */
/* Links between network namespaces that people name: nook_net_veth(), nook_net_move(). */
#include "nook/net.h"

#include "base/arena.h"
#include "base/own.h"
#include "base/text.h"
#include "net/move.h"
#include "net/net.h"
#include "net/veth.h"
#include "ns/target.h"
#include "sys/netlink.h"
#include "sys/procfs.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

static int open_home(struct nook_error *err)
{
	auto_close int proc = nook_procfs_open(false, err);

	if (proc < 0)
		return proc;

	auto_close int self = nook_procfs_self(proc, err);

	return self < 0 ? self : nook_procfs_open_ns_at(self, "net", err);
}

/* What was looked up, or nothing: a process' number may be another's by now. */
static int open_item(const struct nook_ns_target *t, const struct nook_ns_target_item *item,
		     struct nook_error *err)
{
	auto_close int fd = open(item->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd < 0)
		return nook_fail(err, errno, "open %s", item->path);
	if (fstat(fd, &st) < 0)
		return nook_fail(err, errno, "fstat %s", item->path);
	if (st.st_ino == item->ino && st.st_dev == item->dev)
		return move_fd(&fd);
	nook_cause(err, "namespace-gone", "another one has taken its place");
	return nook_refuse(err, ESTALE, "%s is not the namespace any more that was meant",
			   t->words);
}

/* Return: a descriptor of the network namespace of @target. */
static int open_target(const char *state_dir, const char *target, struct nook_arena *a,
		       struct nook_error *err)
{
	struct nook_ns_target t;

	if (strcmp(target, NOOK_NET_HOST_TARGET) == 0)
		return open_home(err);

	int rc = nook_ns_target_find(state_dir, target, a, &t, err);

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < t.n; i++) {
		if (t.item[i].kind == NOOK_NS_NET)
			return open_item(&t, &t.item[i], err);
	}
	nook_hint(err, "`nook ns show %s` lists those that it has", target);
	return nook_refuse(err, EINVAL, "%s has no network namespace of its own", target);
}

static int refuse_link(const char *link, const char *from, struct nook_error *err)
{
	nook_where(err, "%s", from);
	return nook_refuse(err, EINVAL,
			   "'%s' can't name a link: 1 to 15 characters without spaces, slashes, "
			   "colons and %%",
			   link);
}

static int open_end(const char *state_dir, int home, const struct nook_net_end *end,
		    struct nook_arena *a, struct nook_veth_end *ret, struct nook_error *err)
{
	ret->end = end;
	if (!nook_link_valid_name(end->link))
		return refuse_link(end->link, end->from, err);
	ret->netns = open_target(state_dir, end->target, a, err);
	if (ret->netns >= 0)
		ret->socket = nook_link_open_in(home, ret->netns, err);
	if (ret->netns >= 0 && ret->socket >= 0)
		return 0;
	nook_where(err, "%s", end->from);
	return ret->netns < 0 ? ret->netns : ret->socket;
}

int nook_net_veth(const char *state_dir, const struct nook_net_end ends[2], struct nook_error *err)
{
	auto_arena struct nook_arena a = { 0 };
	struct nook_veth_end e[2] = { { .netns = NO_FD, .socket = NO_FD },
				      { .netns = NO_FD, .socket = NO_FD } };
	auto_close int home = open_home(err);
	int rc = home < 0 ? home : nook_arena_open(&a, err);

	for (int i = 0; i < 2 && rc >= 0; i++)
		rc = open_end(state_dir, home, &ends[i], &a, &e[i], err);
	if (rc >= 0)
		rc = nook_veth_make(e, err);
	for (int i = 0; i < 2; i++) {
		close_fd(&e[i].socket);
		close_fd(&e[i].netns);
	}
	return rc < 0 ? rc : 0;
}

static int move(const struct nook_link_move *m, int home, int ns, struct nook_arena *a,
		struct nook_net_moved *ret, struct nook_error *err)
{
	auto_close int here = nook_nl_open();
	auto_close int there = here < 0 ? NO_FD : nook_link_open_in(home, ns, err);
	const struct nook_link_doors doors = {
		.here = here, .there = there, .home = home, .ns = ns
	};
	struct nook_link_moved moved;

	if (here < 0)
		return nook_fail(err, -here, "socket NETLINK_ROUTE");
	if (there < 0)
		return there;

	int rc = nook_link_move(&doors, m, a, &moved, err);

	if (rc < 0)
		return rc;
	(void)nook_format(ret->name, sizeof(ret->name), "%s", moved.name);
	ret->physical = moved.physical;
	return 0;
}

int nook_net_move(const char *state_dir, const char *link, const char *target, const char *name,
		  struct nook_net_moved *ret, struct nook_error *err)
{
	const struct nook_link_move m = {
		.link = link, .name = name ? name : link, .to = target, .from = link
	};
	auto_arena struct nook_arena a = { 0 };

	if (!nook_link_valid_name(link))
		return refuse_link(link, "LINK", err);
	if (!nook_link_valid_name(m.name))
		return refuse_link(m.name, "--name", err);

	auto_close int home = open_home(err);
	int rc = home < 0 ? home : nook_arena_open(&a, err);

	if (rc < 0)
		return rc;

	auto_close int ns = open_target(state_dir, target, &a, err);

	if (ns < 0)
		return ns;
	return move(&m, home, ns, &a, ret, err);
}
