/* SPDX-License-Identifier: Apache-2.0 */
/* Network devices of the host that the container gets: config-linux.md, "Network Devices". They
 * come home by themselves when its network namespace ends, or end with it. Where the container is
 * not made after all, they are brought home, as they were. */
#include "create.h"

#include "base/own.h"
#include "net/move_note.h"
#include "oci_parts.h"
#include "state/files.h"
#include "sys/netlink.h"
#include "sys/procfs.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

/* What has been moved; the doors are open until the container is made. */
struct nook_netdevs {
	struct nook_link_doors doors;
	struct nook_link_moved *moved; /* of plan->netdevs, the first so many */
	size_t n;
};

static int open_doors(const struct nook_create *c, struct nook_link_doors *d,
		      struct nook_error *err)
{
	d->home = nook_procfs_open_ns(c->proc, getpid(), "net", err);
	if (d->home < 0)
		return d->home;
	d->ns = nook_procfs_open_ns(c->proc, c->pid, "net", err);
	if (d->ns < 0)
		return d->ns;
	d->here = nook_nl_open();
	if (d->here < 0)
		return nook_fail(err, -d->here, "socket NETLINK_ROUTE");
	d->there = nook_link_open_in(d->home, d->ns, err);
	return d->there < 0 ? d->there : 0;
}

static struct nook_link_move move_of(const struct nook_plan_netdev *dev)
{
	return (struct nook_link_move){
		.link = dev->host, .name = dev->name, .to = "the container", .from = dev->from
	};
}

static const struct nook_plan_join *joined_net(const struct nook_plan *plan)
{
	for (size_t i = 0; i < plan->n_joins; i++) {
		if (plan->joins[i].kind == NOOK_NS_NET && plan->joins[i].path)
			return &plan->joins[i];
	}
	return NULL;
}

/* A namespace that was there before does not end when we are killed, and keeps what has come to it:
 * so that `delete` can bring that home, it is written down. */
static int note_all(struct nook_create *c, const struct nook_netdevs *n, struct nook_error *err)
{
	const struct nook_plan_join *join = joined_net(c->plan);
	struct nook_arena *a = c->stage.arena;
	struct stat there, home;
	int rc = 0;

	if (!join)
		return 0;
	if (fstat(n->doors.ns, &there) < 0 || fstat(n->doors.home, &home) < 0)
		return nook_fail(err, errno, "fstat of a network namespace");

	const char **links = nook_alloc_array(a, c->plan->n_netdevs + 1, sizeof(*links));
	struct nook_record_netdevs *d = nook_alloc(a, sizeof(*d));

	for (size_t i = 0; i < c->plan->n_netdevs && rc == 0; i++) {
		struct nook_link_move m = move_of(&c->plan->netdevs[i]);

		rc = nook_link_note(&n->doors, &m, a, &links[i], err);
	}
	if (rc < 0)
		return rc;
	*d = (struct nook_record_netdevs){
		.path = join->path, .ino = there.st_ino, .home = home.st_ino, .links = links
	};
	c->record.netdevs = d;
	/* `run` has no socket there by which to know later whether its program has begun. */
	if (!c->plan->start_later)
		rc = nook_oci_start_mark(c->state.dirs[NOOK_FOLDER_START], c->record.start, err);
	return rc < 0 ? rc : nook_state_write(&c->state, &c->record, err);
}

/* All are looked at before the first is moved: what goes wrong now has no consequences. */
static int move_all(struct nook_create *c, struct nook_netdevs *n, struct nook_error *err)
{
	int rc = 0;

	for (size_t i = 0; i < c->plan->n_netdevs && rc == 0; i++) {
		struct nook_link_move m = move_of(&c->plan->netdevs[i]);

		rc = nook_link_move_check(&n->doors, &m, err);
	}
	if (rc == 0)
		rc = note_all(c, n, err);
	for (size_t i = 0; i < c->plan->n_netdevs && rc == 0; i++) {
		struct nook_link_move m = move_of(&c->plan->netdevs[i]);

		rc = nook_link_move(&n->doors, &m, c->stage.arena, &n->moved[i], err);
		n->n += rc == 0;
	}
	return rc;
}

int move_netdevs(void *ctx, struct nook_error *err)
{
	struct nook_create *c = ctx;
	struct nook_netdevs *n = nook_alloc(c->stage.arena, sizeof(*n));

	n->doors = (struct nook_link_doors){
		.here = NO_FD, .there = NO_FD, .home = NO_FD, .ns = NO_FD
	};
	n->moved = nook_alloc_array(c->stage.arena, c->plan->n_netdevs, sizeof(*n->moved));
	c->netdevs = n;

	int rc = open_doors(c, &n->doors, err);

	if (rc == 0)
		rc = move_all(c, n, err);
	if (rc < 0)
		(void)return_netdevs(c, NULL); /* the first error counts */
	return rc;
}

/* What can't be brought home comes by itself when the namespace ends, or ends with it: as if the
 * container had been. */
int return_netdevs(void *ctx, struct nook_error *err)
{
	struct nook_create *c = ctx;
	struct nook_netdevs *n = c->netdevs;

	(void)err;
	while (n && n->n > 0) {
		struct nook_link_move m = move_of(&c->plan->netdevs[--n->n]);

		(void)nook_link_move_back(&n->doors, &m, &n->moved[n->n]);
	}
	nook_netdevs_leave(c);
	return 0;
}

void nook_netdevs_leave(struct nook_create *c)
{
	if (!c->netdevs)
		return;
	if (c->record.netdevs && !c->plan->start_later)
		nook_oci_start_over(c->state.dirs[NOOK_FOLDER_START], c->record.start);
	close_fd(&c->netdevs->doors.here);
	close_fd(&c->netdevs->doors.there);
	close_fd(&c->netdevs->doors.home);
	close_fd(&c->netdevs->doors.ns);
	c->netdevs = NULL;
}

void move_netdevs_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	for (size_t i = 0; i < plan->n_netdevs; i++)
		nook_show(rows, "a network device of the host's, with its addresses",
			  "netlink(NEWLINK \"%s\", NET_NS_FD, \"%s\"), netlink(NEWADDR), "
			  "netlink(NEWLINK UP)",
			  plan->netdevs[i].host, plan->netdevs[i].name);
}
