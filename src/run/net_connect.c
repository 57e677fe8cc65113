/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A running container's networks, changed. Its keeper knows nothing of it: what is added is written
 * down, and the keeper's undo reads that. All is done under the lock of the networks, which the
 * keeper's undo takes too, so that nobody connects what is just ending.
 */
#include "net_steps.h"

#include "base/own.h"
#include "base/text.h"
#include "net/net.h"
#include "net/relay.h"
#include "net_hosts.h"
#include "plan/parts.h"
#include "state/files.h"
#include "sys/process.h"
#include "sys/procfs.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TRIES 64 /* somebody else takes the address that was free */

struct change {
	const char *state_dir;
	struct nook_arena arena;
	struct nook_state state; /* base and name; its lock is the keeper's */
	int lock;
	struct nook_record record;
	int pidfd;       /* of its pid 1 */
	int home, netns; /* network namespaces: ours, and the container's */
	struct nook_attached at;
};

static int open_namespaces(struct change *c, struct nook_error *err)
{
	auto_close int proc = NO_FD;
	struct stat ours, its;
	int rc = nook_state_pidfd(&c->record, &c->pidfd, err);

	if (rc < 0)
		return rc;
	proc = nook_procfs_open(false, err);
	if (proc < 0)
		return proc;
	c->home = nook_procfs_open_ns(proc, getpid(), "net", err);
	if (c->home < 0)
		return c->home;
	c->netns = nook_procfs_open_ns(proc, c->record.pid, "net", err);
	if (c->netns < 0)
		return c->netns;

	/* Between the two looks the pid could have become somebody else's. */
	auto_close int again = NO_FD;

	rc = nook_state_pidfd(&c->record, &again, err);
	if (rc < 0)
		return rc;
	if (fstat(c->home, &ours) < 0 || fstat(c->netns, &its) < 0)
		return nook_fail(err, errno, "fstat(a network namespace)");
	if (ours.st_ino == its.st_ino && ours.st_dev == its.st_dev)
		return nook_refuse(err, EINVAL, "container %s has your own network",
				   c->record.name);
	return 0;
}

/* @network: one that is going to be used; NULL: none. It is made, or mended, before the lock. */
static int begin(struct change *c, const char *state_dir, const char *container,
		 const char *network, struct nook_error *err)
{
	struct nook_network found;
	enum nook_life life;

	*c = (struct change){ .state_dir = state_dir,
			      .state = NOOK_STATE_NONE,
			      .lock = NO_FD,
			      .pidfd = NO_FD,
			      .home = NO_FD,
			      .netns = NO_FD };

	int rc = nook_arena_open(&c->arena, err);

	if (rc == 0)
		rc = nook_state_read(state_dir, container, &c->arena, &c->record, &life, err);
	if (rc == 0)
		rc = nook_state_open(state_dir, container, false, &c->state, err);
	if (rc < 0)
		return rc == -ENOENT && err && !err->errnum
			       ? nook_refuse(err, ENOENT, "there is no container %s", container)
			       : rc;
	if (network) {
		rc = nook_net_for_run(state_dir, network, &c->arena, &found, err);
		if (rc < 0)
			return rc;
	}
	c->lock = nook_attached_lock(c->state.base, c->state.name, err);
	if (c->lock == -ENOENT)
		return nook_refuse(err, ESRCH, "the container %s is not running", container);
	if (c->lock < 0)
		return c->lock;

	/* Only now: before, it could have ended, and its undo be over. */
	rc = nook_state_read(state_dir, container, &c->arena, &c->record, &life, err);
	if (rc == 0 && life != NOOK_LIFE_RUNNING)
		rc = nook_refuse(err, ESRCH, "the container %s is not running", container);
	if (rc == 0)
		rc = open_namespaces(c, err);
	if (rc < 0)
		return rc;
	rc = nook_attached_read(c->state.base, c->state.name, &c->arena, &c->at, err);
	if (rc == -ENOENT) {
		c->at = (struct nook_attached){ .container = c->state.name,
						.hostname = c->record.hostname };
		rc = 0;
	}
	return rc;
}

static void end(struct change *c)
{
	close_fd(&c->pidfd);
	close_fd(&c->home);
	close_fd(&c->netns);
	close_fd(&c->lock);
	nook_state_close(&c->state);
	nook_arena_free(&c->arena);
}

/* An undo of a part has ended the relay of all. */
static int start_relay_again(const struct change *c, const struct nook_attached *at,
			     struct nook_error *err)
{
	return at->n_ports ? nook_relay_start(&c->state, at->ports, at->n_ports, c->pidfd, err)
			   : nook_relay_stop(&c->state, err);
}

/* ---- connect ---- */

static int probe(struct change *c, const struct nook_link_spec *spec, unsigned tries,
		 struct nook_host_link *ret, struct nook_error *err)
{
	*ret = (struct nook_host_link){ .network = { .name = NULL } };
	if (!spec->network)
		return 0;

	int rc = nook_net_find(c->state_dir, spec->network, &c->arena, &ret->network, err);

	for (unsigned f = 0; rc == 0 && f < NOOK_NET_FAMILIES; f++) {
		if (spec->address[f].family)
			ret->free[f] = spec->address[f];
		else if (ret->network.subnet[f].family)
			rc = nook_net_find_address(c->state_dir, &ret->network, f, tries,
						   &ret->free[f], err);
	}
	return rc;
}

/* The same decisions as for a container that starts, with the links that are there as its first. */
static int plan_link(struct change *c, const struct nook_link_spec *spec, unsigned tries,
		     struct nook_plan_link *ret, struct nook_error *err)
{
	struct nook_link_spec copy = *spec;
	struct nook_host_link link;
	int rc = probe(c, spec, tries, &link, err);

	if (rc < 0)
		return rc;
	copy.from = spec->from ? spec->from : "";

	struct nook_spec whole = { .net = NOOK_NET_LINKS, .links = &copy, .n_links = 1 };
	struct nook_host host = { .links = &link, .n_links = 1 };
	struct nook_plan plan = { .name = c->state.name };
	struct nook_planner planner = {
		.arena = &c->arena, .spec = &whole, .host = &host, .plan = &plan, .err = err
	};

	for (size_t i = 0; i < c->at.n_links; i++)
		*nook_append(&c->arena, plan.links, plan.n_links) = c->at.links[i];
	rc = nook_plan_links(&planner);
	if (rc == 0)
		*ret = plan.links[plan.n_links - 1];
	return rc;
}

/* In the container's network namespace for as long as a batch takes. */
static int configure(const struct change *c, const struct nook_plan_link *link,
		     struct nook_error *err)
{
	int rc = nook_setns(c->netns, CLONE_NEWNET);

	if (rc < 0)
		return nook_fail(err, -rc, "setns(the container's network namespace)");
	rc = nook_link_configure(link, 1, err);
	if (rc == 0)
		rc = nook_link_settle_inside(link, 1, err);

	int back = nook_setns(c->home, CLONE_NEWNET);

	if (back < 0)
		return nook_fail(err, -back, "setns(our own network namespace)");
	return rc == 0 ? nook_link_settle(link, 1, err) : rc;
}

static int make_link(struct change *c, const struct nook_plan_link *link, struct nook_error *err)
{
	int rc = nook_net_claim(&c->state, link, err);

	if (rc < 0)
		return rc;
	rc = nook_link_connect(link, c->state.name, c->netns, err);
	if (rc == 0)
		rc = configure(c, link, err);
	if (rc == 0 && link->network)
		rc = nook_hosts_show(c->state.base, &c->record, c->at.links, c->at.n_links, err);
	if (rc == 0 && link->network)
		rc = nook_hosts_join(c->state.base, c->state.name, c->at.hostname, c->at.links,
				     c->at.n_links, err);
	return rc;
}

/* What of it was made goes; what was there stays. */
static void unmake_link(struct change *c, const struct nook_plan_link *link)
{
	const struct nook_attached only = { .container = c->at.container,
					    .hostname = c->at.hostname,
					    .links = (struct nook_plan_link *)link,
					    .n_links = 1 };

	(void)nook_net_undo(&c->state, &only, NULL);
	c->at.n_links--;
	(void)nook_attached_write(c->state.base, &c->at, NULL);
	(void)start_relay_again(c, &c->at, NULL);
	/* What fails here the container's end undoes. */
}

static int connect_once(struct change *c, const struct nook_link_spec *spec, unsigned tries,
			struct nook_error *err)
{
	struct nook_plan_link link;
	int rc = plan_link(c, spec, tries, &link, err);

	if (rc < 0)
		return rc;
	*nook_append(&c->arena, c->at.links, c->at.n_links) = link;
	rc = nook_attached_write(c->state.base, &c->at, err);
	if (rc == 0)
		rc = make_link(c, &link, err);
	if (rc < 0)
		unmake_link(c, &link);
	return rc;
}

static const struct nook_plan_link *find_link(const struct change *c, const char *network)
{
	for (size_t i = 0; i < c->at.n_links; i++) {
		if (c->at.links[i].network && strcmp(c->at.links[i].network, network) == 0)
			return &c->at.links[i];
	}
	return NULL;
}

static int connect(struct change *c, const struct nook_link_spec *spec, struct nook_error *err)
{
	if (spec->network && find_link(c, spec->network)) {
		nook_hint(err, "`nook net disconnect %s %s` takes it off first", c->state.name,
			  spec->network);
		return nook_refuse(err, EEXIST, "container %s is on network %s already",
				   c->state.name, spec->network);
	}
	for (size_t i = 0; spec->name && i < c->at.n_links; i++) {
		if (strcmp(c->at.links[i].inside, spec->name) == 0) {
			nook_hint(err, "give it another name: name=LINK");
			return nook_refuse(err, EEXIST, "container %s has a link %s already",
					   c->state.name, spec->name);
		}
	}

	bool asked = spec->address[NOOK_NET_V4].family || spec->address[NOOK_NET_V6].family;

	for (unsigned tries = 0;; tries++) {
		int rc = connect_once(c, spec, tries, err);

		/* A start that runs beside us takes addresses without this lock. */
		if (rc != -EEXIST || asked || tries == TRIES)
			return rc == -EEXIST && asked ? -EADDRINUSE : rc;
		memset(err, 0, sizeof(*err));
	}
}

int nook_net_connect(const char *state_dir, const char *container,
		     const struct nook_link_spec *link, struct nook_error *err)
{
	struct change c;
	struct nook_error mine = { .errnum = 0 };
	int rc = begin(&c, state_dir, container, link->network, err ? err : &mine);

	if (rc == 0)
		rc = connect(&c, link, err ? err : &mine);
	end(&c);
	return rc;
}

/* ---- disconnect ---- */

/* Ports that lead nowhere without the link go with it; those with two families keep the other. */
static void split_ports(struct change *c, const struct nook_plan_link *link,
			struct nook_attached *gone, struct nook_attached *left)
{
	for (size_t i = 0; i < c->at.n_ports; i++) {
		const struct nook_plan_port *p = &c->at.ports[i];
		bool leads = false;

		for (int f = 0; f < NOOK_NET_FAMILIES; f++)
			leads |= p->to[f].family && nook_net_equal(&p->to[f], &link->address[f]);
		if (leads)
			*nook_append(&c->arena, gone->ports, gone->n_ports) = *p;
		else
			*nook_append(&c->arena, left->ports, left->n_ports) = *p;
	}
}

static int disconnect(struct change *c, const char *network, struct nook_error *err)
{
	const struct nook_plan_link *link = find_link(c, network);
	struct nook_attached gone = { .container = c->at.container, .hostname = c->at.hostname };
	struct nook_attached left = gone;

	if (!link) {
		nook_hint(err, "`nook net show %s` lists who is", network);
		return nook_refuse(err, ENOTCONN, "container %s is not on network %s",
				   c->state.name, network);
	}
	for (size_t i = 0; i < c->at.n_links; i++) {
		if (&c->at.links[i] == link)
			*nook_append(&c->arena, gone.links, gone.n_links) = *link;
		else
			*nook_append(&c->arena, left.links, left.n_links) = c->at.links[i];
	}
	split_ports(c, link, &gone, &left);

	int rc = nook_net_undo(&c->state, &gone, err);

	if (rc == 0)
		rc = nook_attached_write(c->state.base, &left, err);
	if (rc == 0)
		rc = start_relay_again(c, &left, err);
	if (rc == 0)
		rc = nook_hosts_show(c->state.base, &c->record, left.links, left.n_links, err);
	return rc == 0 && left.n_links
		       ? nook_hosts_join(c->state.base, c->state.name, left.hostname, left.links,
					 left.n_links, err)
		       : rc;
}

int nook_net_disconnect(const char *state_dir, const char *container, const char *network,
			struct nook_error *err)
{
	struct change c;
	int rc = begin(&c, state_dir, container, NULL, err);

	if (rc == 0)
		rc = disconnect(&c, network, err);
	end(&c);
	return rc;
}

/* ---- publish ---- */

static struct nook_plan_port plan_port(const struct change *c, const struct nook_port_spec *spec)
{
	struct nook_plan_port port = { .protocol = spec->protocol,
				       .host = spec->host,
				       .host_port = spec->host_port,
				       .inside_port = spec->inside_port,
				       .count = spec->count,
				       .from = spec->from };

	for (int f = 0; f < NOOK_NET_FAMILIES; f++) {
		for (size_t i = 0; i < c->at.n_links && !port.to[f].family; i++) {
			if (c->at.links[i].network)
				port.to[f] = c->at.links[i].address[f];
		}
	}
	return port;
}

static bool same_port(const struct nook_plan_port *p, const struct nook_port_spec *spec)
{
	return p->protocol == spec->protocol && p->host_port == spec->host_port &&
	       p->inside_port == spec->inside_port && p->count == spec->count &&
	       p->host.family == spec->host.family &&
	       (!p->host.family || nook_net_equal(&p->host, &spec->host));
}

static bool overlap(const struct nook_plan_port *p, const struct nook_port_spec *spec)
{
	return p->protocol == spec->protocol && p->host_port < spec->host_port + spec->count &&
	       spec->host_port < p->host_port + p->count &&
	       (!p->host.family || !spec->host.family || nook_net_equal(&p->host, &spec->host));
}

/* One that the container has published is its own already, and stays so whatever fails. Somebody
 * who was killed may have left it half done: that is finished. Return: 1: there is none. */
static int publish_again(struct change *c, const struct nook_port_spec *spec,
			 struct nook_error *err)
{
	for (size_t i = 0; i < c->at.n_ports; i++) {
		if (same_port(&c->at.ports[i], spec)) {
			int rc = nook_rules_publish(&c->at.ports[i], 1, err);

			return rc < 0 ? rc : start_relay_again(c, &c->at, err);
		}
		if (!overlap(&c->at.ports[i], spec))
			continue;
		if (spec->from)
			nook_where(err, "%s", spec->from);
		nook_hint(err, "`nook net unpublish` takes it back");
		return nook_refuse(err, EADDRINUSE,
				   "container %s has published port %u of the host otherwise",
				   c->state.name, c->at.ports[i].host_port);
	}
	return 1;
}

static int publish(struct change *c, const struct nook_port_spec *spec, struct nook_error *err)
{
	struct nook_plan_port port = plan_port(c, spec);
	int rc = publish_again(c, spec, err);

	if (rc <= 0)
		return rc;

	if (!port.to[NOOK_NET_V4].family && !port.to[NOOK_NET_V6].family) {
		nook_hint(err, "`nook net connect %s NETWORK` gives it one", c->state.name);
		return nook_refuse(err, ENOTCONN, "container %s is on no network", c->state.name);
	}

	/* Claimed first: what another container has must not be written down as ours. */
	rc = nook_ports_claim(&c->state, &port, 1, err);

	if (rc < 0)
		return rc;
	*nook_append(&c->arena, c->at.ports, c->at.n_ports) = port;
	rc = nook_attached_write(c->state.base, &c->at, err);
	if (rc == 0)
		rc = nook_rules_publish(&port, 1, err);
	if (rc == 0)
		rc = start_relay_again(c, &c->at, err);
	if (rc < 0) {
		(void)nook_rules_unpublish(&port, 1, NULL);
		(void)nook_ports_release(&c->state, &port, 1, NULL);
		c->at.n_ports--;
		(void)nook_attached_write(c->state.base, &c->at, NULL);
		(void)start_relay_again(c, &c->at, NULL);
	}
	return rc;
}

int nook_net_publish(const char *state_dir, const char *container,
		     const struct nook_port_spec *port, struct nook_error *err)
{
	struct change c;
	int rc = begin(&c, state_dir, container, NULL, err);

	if (rc == 0)
		rc = publish(&c, port, err);
	end(&c);
	return rc;
}

static int unpublish(struct change *c, const struct nook_port_spec *spec, struct nook_error *err)
{
	for (size_t i = 0; i < c->at.n_ports; i++) {
		struct nook_plan_port port = c->at.ports[i];

		if (!same_port(&port, spec))
			continue;

		int rc = nook_rules_unpublish(&port, 1, err);

		if (rc == 0)
			rc = nook_ports_release(&c->state, &port, 1, err);
		if (rc < 0)
			return rc;
		memmove(&c->at.ports[i], &c->at.ports[i + 1],
			(c->at.n_ports - i - 1) * sizeof(*c->at.ports));
		c->at.n_ports--;
		rc = nook_attached_write(c->state.base, &c->at, err);
		return rc < 0 ? rc : start_relay_again(c, &c->at, err);
	}
	nook_hint(err, "`nook net show NETWORK` lists what is published");
	return nook_refuse(err, ENOENT, "container %s has no such port published", c->state.name);
}

int nook_net_unpublish(const char *state_dir, const char *container,
		       const struct nook_port_spec *port, struct nook_error *err)
{
	struct change c;
	int rc = begin(&c, state_dir, container, NULL, err);

	if (rc == 0)
		rc = unpublish(&c, port, err);
	end(&c);
	return rc;
}
