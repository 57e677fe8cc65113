/* SPDX-License-Identifier: Apache-2.0 */
/* A running container's links to networks, made and taken away. */
#include "net_change.h"

#include "base/own.h"
#include "base/text.h"
#include "net_hosts.h"
#include "plan/parts.h"
#include "sys/process.h"

#include <errno.h>
#include <string.h>

#define TRIES 64 /* somebody else takes the address that was free */

/* ---- connect ---- */

static int probe(struct nook_net_change *c, const struct nook_link_spec *spec, unsigned tries,
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
						   f ? &ret->free[0] : NULL, &ret->free[f], err);
	}
	return rc;
}

/* The same decisions as for a container that starts, with the links that are there as its first. */
static int plan_link(struct nook_net_change *c, const struct nook_link_spec *spec, unsigned tries,
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

/* In the container's network namespace for as long as a batch takes. @made: so far. */
static int configure(const struct nook_net_change *c, const struct nook_plan_link *link, int made,
		     struct nook_error *err)
{
	int rc = nook_setns(c->netns, CLONE_NEWNET);

	if (rc < 0)
		return nook_fail(err, -rc, "setns(the container's network namespace)");
	rc = made < 0 ? made : nook_link_configure(link, 1, NO_FD, err);
	if (rc == 0)
		rc = nook_link_settle_inside(link, 1, err);
	if (rc < 0)
		nook_link_discard(link, made == 0);

	int back = nook_setns(c->home, CLONE_NEWNET);

	if (back < 0)
		return nook_fail(err, -back, "setns(our own network namespace)");
	return rc == 0 ? nook_link_settle(link, 1, err) : rc;
}

static int make_link(struct nook_net_change *c, const struct nook_plan_link *link,
		     struct nook_error *err)
{
	int rc = nook_net_claim(&c->state, link, err);

	if (rc < 0)
		return rc;
	rc = nook_link_connect(link, c->state.name, c->netns, err);
	if (rc == 0 || link->kind == NOOK_LINK_MACVLAN)
		rc = configure(c, link, rc, err);
	if (rc == 0 && link->network)
		rc = nook_hosts_show(c->state_dir, c->state.base, &c->record, c->at.links,
				     c->at.n_links, err);
	if (rc == 0 && link->network)
		rc = nook_hosts_join(c->state.base, c->state.name, c->at.hostname, c->at.links,
				     c->at.n_links, err);
	return rc;
}

/* What of it was made goes; what was there stays. */
static void unmake_link(struct nook_net_change *c, const struct nook_plan_link *link)
{
	const struct nook_attached only = { .container = c->at.container,
					    .hostname = c->at.hostname,
					    .links = (struct nook_plan_link *)link,
					    .n_links = 1 };

	(void)nook_net_undo(&c->state, &only, NULL);
	c->at.n_links--;
	(void)nook_attached_write(c->state.base, &c->at, NULL);
	(void)nook_net_change_relay(c, &c->at, NULL);
	/* What fails here the container's end undoes. */
}

static int connect_once(struct nook_net_change *c, const struct nook_link_spec *spec,
			unsigned tries, struct nook_error *err)
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

static const struct nook_plan_link *find_link(const struct nook_net_change *c, const char *network)
{
	for (size_t i = 0; i < c->at.n_links; i++) {
		if (c->at.links[i].network && strcmp(c->at.links[i].network, network) == 0)
			return &c->at.links[i];
	}
	return NULL;
}

static int connect(struct nook_net_change *c, const struct nook_link_spec *spec,
		   struct nook_error *err)
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
	struct nook_net_change c;
	struct nook_error mine = { .errnum = 0 };
	int rc = nook_net_change_begin(&c, state_dir, container, link->network, err ? err : &mine);

	if (rc == 0)
		rc = connect(&c, link, err ? err : &mine);
	nook_net_change_end(&c);
	return rc;
}

/* ---- disconnect ---- */

/* Ports that lead nowhere without the link go with it; those with two families keep the other. */
static void split_ports(struct nook_net_change *c, const struct nook_plan_link *link,
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

static int disconnect(struct nook_net_change *c, const char *network, struct nook_error *err)
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

	/* Written when all is done that can be done again only by who finds it there. */
	if (rc == 0)
		rc = nook_net_change_relay(c, &left, err);
	if (rc == 0)
		rc = nook_attached_write(c->state.base, &left, err);
	if (rc == 0)
		rc = nook_hosts_show(c->state_dir, c->state.base, &c->record, left.links,
				     left.n_links, err);
	return rc == 0 && left.n_links
		       ? nook_hosts_join(c->state.base, c->state.name, left.hostname, left.links,
					 left.n_links, err)
		       : rc;
}

int nook_net_disconnect(const char *state_dir, const char *container, const char *network,
			struct nook_error *err)
{
	struct nook_net_change c;
	int rc = nook_net_change_begin(&c, state_dir, container, NULL, err);

	if (rc == 0)
		rc = disconnect(&c, network, err);
	nook_net_change_end(&c);
	return rc;
}
