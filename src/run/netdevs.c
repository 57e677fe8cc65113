/* SPDX-License-Identifier: Apache-2.0 */
/* Network devices of the host that the container gets: config-linux.md, "Network Devices". They
 * come home by themselves when its network namespace ends, or end with it. */
#include "create.h"

#include "base/own.h"
#include "net/move.h"
#include "sys/netlink.h"
#include "sys/procfs.h"

#include <unistd.h>

static int open_doors(const struct nook_create *c, struct nook_link_doors *d,
		      struct nook_error *err)
{
	auto_close int home = nook_procfs_open_ns(c->proc, getpid(), "net", err);

	if (home < 0)
		return home;
	d->ns = nook_procfs_open_ns(c->proc, c->pid, "net", err);
	if (d->ns < 0)
		return d->ns;
	d->here = nook_nl_open();
	if (d->here < 0)
		return nook_fail(err, -d->here, "socket NETLINK_ROUTE");
	d->there = nook_link_open_in(home, d->ns, err);
	return d->there < 0 ? d->there : 0;
}

static struct nook_link_move move_of(const struct nook_plan_netdev *dev)
{
	return (struct nook_link_move){
		.link = dev->host, .name = dev->name, .to = "the container", .from = dev->from
	};
}

/* All are looked at before the first is moved: what goes wrong now has no consequences. */
static int move_all(const struct nook_create *c, const struct nook_link_doors *d,
		    struct nook_error *err)
{
	int rc = 0;

	for (size_t i = 0; i < c->plan->n_netdevs && rc == 0; i++) {
		struct nook_link_move m = move_of(&c->plan->netdevs[i]);

		rc = nook_link_move_check(d, &m, err);
	}
	for (size_t i = 0; i < c->plan->n_netdevs && rc == 0; i++) {
		struct nook_link_move m = move_of(&c->plan->netdevs[i]);

		rc = nook_link_move(d, &m, c->stage.arena, NULL, err);
	}
	return rc;
}

int move_netdevs(void *ctx, struct nook_error *err)
{
	struct nook_create *c = ctx;
	struct nook_link_doors d = { .here = NO_FD, .there = NO_FD, .ns = NO_FD };
	int rc = open_doors(c, &d, err);

	if (rc == 0)
		rc = move_all(c, &d, err);
	close_fd(&d.here);
	close_fd(&d.there);
	close_fd(&d.ns);
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
