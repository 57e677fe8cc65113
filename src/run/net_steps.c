/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Steps of a container on networks. What it is going to have is written down before the first of it
 * is taken, so one undo serves from any phase, also for what `nook net connect` adds while it runs.
 */
#include "net_steps.h"

#include "base/own.h"
#include "net/names.h"
#include "net/net.h"
#include "net/outside.h"
#include "net/relay.h"
#include "state/files.h"
#include "sys/procfs.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <unistd.h>

static struct nook_attached attached_of(const struct nook_plan *plan)
{
	return (struct nook_attached){
		.container = plan->name,
		.hostname = plan->hostname,
		.links = plan->links,
		.n_links = plan->n_links,
		.ports = plan->ports,
		.n_ports = plan->n_ports,
	};
}

static bool on_networks(const struct nook_plan *plan)
{
	for (size_t i = 0; i < plan->n_links; i++) {
		if (plan->links[i].network)
			return true;
	}
	return false;
}

/* Who asked for the very address gets no other: that is no race to be run again. */
static int taken(const struct nook_plan_link *l, int rc, struct nook_error *err)
{
	if (rc < 0)
		nook_where(err, "%s", l->from);
	if (rc != -EEXIST || !l->asked)
		return rc;
	nook_cause(err, "address-taken", "another container of network %s has it", l->network);
	if (err)
		err->errnum = EADDRINUSE;
	return -EADDRINUSE;
}

int claim_addresses(void *ctx, struct nook_error *err)
{
	struct nook_create *c = ctx;
	const struct nook_plan *plan = c->plan;
	const struct nook_attached at = attached_of(plan);
	const char *hosts = NULL;
	int rc = nook_attached_write(c->state.base, &at, err);

	for (size_t i = 0; i < plan->n_links && rc == 0; i++)
		rc = taken(&plan->links[i], nook_net_claim(&c->state, &plan->links[i], err), err);
	if (rc == 0 && on_networks(plan))
		rc = nook_hosts_file(c->state.base, plan->links, plan->n_links, c->stage.arena,
				     &hosts, err);
	return rc;
}

void claim_addresses_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	char text[NOOK_NET_TEXT];

	for (size_t i = 0; i < plan->n_links; i++) {
		const struct nook_plan_link *l = &plan->links[i];

		for (int f = 0; l->network && f < NOOK_NET_FAMILIES; f++) {
			if (l->address[f].family)
				nook_show(rows, "an address that nobody else gets",
					  "symlink(\"%s\", \"%s/net/addresses/%s:%s\")", plan->name,
					  plan->state_dir, l->network,
					  nook_net_text(&l->address[f], text));
		}
	}
}

static int leave_once(const struct nook_state *state, struct nook_error *err)
{
	auto_arena struct nook_arena scratch = { 0 };
	struct nook_attached at;
	int rc = nook_arena_open(&scratch, err);

	if (rc == 0)
		rc = nook_attached_read(state->base, state->name, &scratch, &at, err);
	if (rc == -EBADMSG) {
		rc = nook_net_release_all(state, err);
		if (rc == 0)
			rc = nook_hosts_leave_all(state->base, state->name, err);
	} else if (rc == 0) {
		rc = nook_net_undo(state, &at, err);
	} else if (rc == -ENOENT) {
		rc = 0;
	}
	return rc < 0 ? rc : nook_attached_delete(state->base, state->name, err);
}

static int leave(const struct nook_state *state, struct nook_error *err)
{
	char path[300], aside[NOOK_NAME_ASIDE];

	/* `nook net connect` may be at work on it: what it does is done now, or never. */
	int rc = nook_attached_lock_own(state, err);

	if (rc < 0)
		return rc;

	/* Most containers have nothing: that costs three calls. Names are 255 bytes at most. */
	(void)snprintf(path, sizeof(path), "net/containers/%s", state->name);
	if (faccessat(state->base, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT)
		return leave_once(state, err);

	/* Killed while it was written: nothing of it was taken yet. */
	nook_name_aside(state->name, aside);
	(void)snprintf(path, sizeof(path), "net/containers/%s", aside);
	if (unlinkat(state->base, path, 0) < 0 && errno != ENOENT)
		return nook_fail(err, errno, "unlink %s in the state directory", path);
	return 0;
}

/* Twice: a shortage that hits once leaves nothing behind. */
int nook_net_leave(const struct nook_state *state, struct nook_error *err)
{
	return leave(state, NULL) == 0 ? 0 : leave(state, err);
}

int leave_networks(void *ctx, struct nook_error *err)
{
	return nook_net_leave(&((struct nook_create *)ctx)->state, err);
}

int claim_ports(void *ctx, struct nook_error *err)
{
	struct nook_create *c = ctx;

	return nook_ports_claim(&c->state, c->plan->ports, c->plan->n_ports, err);
}

static const char *protocol_of(const struct nook_plan_port *p)
{
	return p->protocol == IPPROTO_UDP ? "udp" : "tcp";
}

static const char *host_of(const struct nook_plan_port *p, char *text)
{
	return p->host.family ? nook_net_text(&p->host, text) : "*";
}

void claim_ports_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	char text[NOOK_NET_TEXT];

	for (size_t i = 0; i < plan->n_ports; i++) {
		const struct nook_plan_port *p = &plan->ports[i];

		nook_show(rows,
			  p->count > 1 ? "ports that nobody else has"
				       : "a port that nobody else has",
			  "bind(%s %u, %u of them), symlink(\"%s\", \"%s/net/ports/%s:%s:%u\")",
			  host_of(p, text), p->host_port, p->count, plan->name, plan->state_dir,
			  protocol_of(p), host_of(p, text), p->host_port);
	}
}

/* The inner ends are born inside: a veth that is moved costs 20 ms. */
int connect_links(void *ctx, struct nook_error *err)
{
	struct nook_create *c = ctx;
	auto_close int netns = nook_procfs_open_ns(c->proc, c->pid, "net", err);
	int rc = netns < 0 ? netns : 0;

	for (size_t i = 0; i < c->plan->n_links && rc == 0; i++) {
		rc = nook_link_connect(&c->plan->links[i], c->plan->name, netns, err);
		if (rc < 0)
			nook_where(err, "%s", c->plan->links[i].from);
	}
	return rc;
}

void connect_links_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	for (size_t i = 0; i < plan->n_links; i++) {
		const struct nook_plan_link *l = &plan->links[i];

		if (l->kind == NOOK_LINK_PAIR)
			nook_show(
				rows, "a pair of links, one end born inside",
				"netlink(NEWLINK veth \"%s\" MASTER \"%s\", peer \"%s\" NET_NS_FD)",
				l->outside, l->master, l->inside);
		else
			nook_show(rows, "a link of its own on the host's",
				  "netlink(NEWLINK macvlan LINK \"%s\", \"%s\" NET_NS_FD)",
				  l->master, l->inside);
	}
}

/* The container has set up its ends. */
int settle_ends(void *ctx, struct nook_error *err)
{
	const struct nook_plan *plan = ((struct nook_create *)ctx)->plan;

	return nook_link_settle(plan->links, plan->n_links, err);
}

void settle_ends_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	for (size_t i = 0; i < plan->n_links; i++) {
		const struct nook_plan_link *l = &plan->links[i];

		if (l->kind == NOOK_LINK_PAIR)
			nook_show(rows, "its carrier is taken note of: no packet is lost",
				  "netlink(GETLINK \"%s\"), netlink(GETLINK \"%s\")", l->outside,
				  l->master);
	}
}

int publish_ports(void *ctx, struct nook_error *err)
{
	struct nook_create *c = ctx;

	return nook_rules_publish(c->plan->ports, c->plan->n_ports, err);
}

void publish_ports_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	char text[NOOK_NET_TEXT];

	for (size_t i = 0; i < plan->n_ports && !nook_net_homeless() && !nook_net_apart(); i++) {
		const struct nook_plan_port *p = &plan->ports[i];

		nook_show(rows, "packets to the host's port go to the container's",
			  "netlink(NEWSETELEM table inet nook, %s %s:%u..%u → :%u)", protocol_of(p),
			  host_of(p, text), p->host_port, p->host_port + p->count - 1U,
			  p->inside_port);
	}
}

int start_relay(void *ctx, struct nook_error *err)
{
	struct nook_create *c = ctx;

	int rc = nook_relay_start(&c->state, c->plan->ports, c->plan->n_ports, c->pidfd, err);

	if (rc == 0)
		nook_outside_end(); /* all is open */
	return rc;
}

void start_relay_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	bool ours = nook_net_apart() || nook_net_homeless();

	nook_show(rows,
		  ours ? "the host's ports lead there"
		       : "the host's [::1] leads there too, where it has IPv6",
		  "clone3(nook-relay), bind(%s), symlink(\"%s/net/relays/%s\")",
		  ours ? "each of them" : "[::1]", plan->state_dir, plan->name);
}

int join_hosts(void *ctx, struct nook_error *err)
{
	struct nook_create *c = ctx;

	return nook_hosts_join(c->state.base, c->plan->name, c->plan->hostname, c->plan->links,
			       c->plan->n_links, err);
}

void join_hosts_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	for (size_t i = 0; i < plan->n_links; i++) {
		if (plan->links[i].network)
			nook_show(rows, "its name for the others of the network",
				  "pwrite(\"%s/net/hosts/…%s…\")", plan->state_dir,
				  plan->links[i].network);
	}
}

bool nook_has_links(const struct nook_plan *plan)
{
	return plan->n_links > 0;
}

bool nook_has_networks(const struct nook_plan *plan)
{
	return on_networks(plan);
}

/* Something to be written down. */
bool nook_has_attached(const struct nook_plan *plan)
{
	return plan->n_links > 0 || plan->n_ports > 0;
}

/* Else they are pasta's. */
bool nook_serves_ports(const struct nook_plan *plan)
{
	return plan->n_links > 0 && plan->n_ports > 0;
}

bool nook_has_ports(const struct nook_plan *plan)
{
	return plan->n_ports > 0;
}
