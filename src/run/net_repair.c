/* SPDX-License-Identifier: Apache-2.0 */
#include "net_repair.h"

#include "base/own.h"
#include "base/text.h"
#include "net/mend.h"
#include "net/net.h"
#include "net/outside.h"
#include "net/relay.h"
#include "net_place.h"
#include "state/files.h"

#include <errno.h>
#include <string.h>

#define RULES_TRIES   5
#define UNDECIDED_MAX 32

struct repair {
	const char *state_dir;
	const char *only; /* NULL: all networks */
	int base;
	struct nook_arena *a;
	nook_mended_fn *fn;
	void *data;
	struct nook_network *networks;
	size_t n_networks;
	struct nook_attached *living; /* containers that run, with what they have of networks */
	size_t n_living;
};

static void tell(struct repair *r, const char *network, const char *container, const char *what)
{
	if (r->fn)
		r->fn(r->data, network, container, what);
}

/* ---- what there is ---- */

static int find_networks(struct repair *r, struct nook_error *err)
{
	if (!r->only)
		return nook_net_list(r->state_dir, r->a, &r->networks, &r->n_networks, err);
	r->networks = nook_alloc(r->a, sizeof(*r->networks));
	r->n_networks = 1;
	return nook_net_find(r->state_dir, r->only, r->a, r->networks, err);
}

static bool concerns(const struct repair *r, const struct nook_plan_link *link)
{
	if (!link->network)
		return false;
	return !r->only || strcmp(link->network, r->only) == 0;
}

/* Of the dead nothing is put back: they are to be undone. */
static int find_living(struct repair *r, struct nook_error *err)
{
	struct nook_attached *all;
	size_t n = 0;
	int rc = nook_attached_list(r->base, r->a, &all, &n, NULL, err);

	for (size_t i = 0; i < n && rc == 0; i++) {
		struct nook_record record;
		enum nook_life life;
		bool any = false;

		for (size_t k = 0; k < all[i].n_links; k++)
			any |= concerns(r, &all[i].links[k]);
		if (any &&
		    nook_state_read(r->state_dir, all[i].container, r->a, &record, &life, NULL) ==
			    0 &&
		    life == NOOK_LIFE_RUNNING)
			*nook_append(r->a, r->living, r->n_living) = all[i];
	}
	return rc;
}

/* ---- networks ---- */

static int mend_bridge(struct repair *r, const struct nook_network *network, struct nook_error *err)
{
	int rc = nook_link_bridge_is_fine(network, err);

	if (rc)
		return rc < 0 ? rc : 0;
	rc = nook_link_bridge(network, err);
	if (rc == 0)
		tell(r, network->name, NULL, nook_printf(r->a, "the bridge %s", network->bridge));
	return rc;
}

/* ---- rules ---- */

/* What the table should hold: of every network, and of every container that runs. */
struct wanted {
	struct nook_network *networks;
	size_t n_networks;
	struct nook_plan_port *ports;
	size_t n_ports;
	/* Containers that start, end, or are dead: their ports may be there or not. */
	struct nook_attached *undecided;
	size_t n_undecided;
};

/* One that stands in its record and was not taken may be another's. */
static void add_ports(const struct repair *r, struct wanted *w, const struct nook_attached *c)
{
	struct nook_state s = nook_state_of(r->base, c->container);

	for (size_t i = 0; i < c->n_ports; i++) {
		if (nook_ports_are_mine(&s, &c->ports[i], 1))
			*nook_append(r->a, w->ports, w->n_ports) = c->ports[i];
	}
}

static bool publishes(const struct nook_attached *c)
{
	/* There they are no rules. */
	for (size_t i = 0; i < c->n_links && c->n_ports && !nook_net_apart(); i++) {
		if (c->links[i].network)
			return true;
	}
	return false;
}

static int find_wanted(const struct repair *r, struct wanted *w, struct nook_error *err)
{
	struct nook_attached *all;
	size_t n = 0;
	int rc = nook_net_list(r->state_dir, r->a, &w->networks, &w->n_networks, err);

	if (rc == 0)
		rc = nook_attached_list(r->base, r->a, &all, &n, NULL, err);
	for (size_t i = 0; i < n && rc == 0; i++) {
		struct nook_record record;
		enum nook_life life = NOOK_LIFE_GONE;

		if (!publishes(&all[i]))
			continue;
		(void)nook_state_read(r->state_dir, all[i].container, r->a, &record, &life, NULL);
		if (life == NOOK_LIFE_RUNNING)
			add_ports(r, w, &all[i]);
		else
			*nook_append(r->a, w->undecided, w->n_undecided) = all[i];
	}
	return rc;
}

/* How much is wrong when this is wanted. */
static int look(const struct repair *r, const struct wanted *w, const char *const **ret,
		size_t *ret_n, struct nook_error *err)
{
	return nook_rules_check(w->networks, w->n_networks, w->ports, w->n_ports, r->a, ret, ret_n,
				err);
}

/* Those of the undecided whose ports are there are wanted, too: with them less is wrong. */
static int decide(const struct repair *r, struct wanted *w, const char *const **wrong, size_t *n,
		  struct nook_error *err)
{
	int rc = 0;

	for (size_t i = 0; i < w->n_undecided && *n && rc == 0; i++) {
		struct wanted with = *w;
		const char *const *less;
		size_t n_less = 0;

		add_ports(r, &with, &w->undecided[i]);
		/* Of many, to put in what its container does anyway is better than to ask so often.
		 */
		if (i < UNDECIDED_MAX)
			rc = look(r, &with, &less, &n_less, err);
		if (rc < 0 || (i < UNDECIDED_MAX && n_less >= *n))
			continue;
		*w = with;
		if (i < UNDECIDED_MAX) {
			*wrong = less;
			*n = n_less;
		}
	}
	return rc;
}

/*
 * A container that starts or ends between two looks changes the table by itself, and waits for
 * nobody: what it has put in may be thrown out by what was true a moment before. So it is looked
 * again, until nothing is wrong.
 */
static int mend_rules(struct repair *r, struct nook_error *err)
{
	for (int tries = 0; tries < RULES_TRIES; tries++) {
		struct wanted w = { 0 };
		const char *const *wrong = NULL;
		size_t n = 0;
		int rc = find_wanted(r, &w, err);

		if (rc == 0)
			rc = look(r, &w, &wrong, &n, err);
		if (rc == 0)
			rc = decide(r, &w, &wrong, &n, err);
		if (rc < 0 || n == 0)
			return rc;
		if (tries == 0)
			continue; /* was it only somebody who was in the middle of it? */
		rc = nook_rules_restore(w.networks, w.n_networks, w.ports, w.n_ports, err);
		if (rc < 0)
			return rc;
		for (size_t i = 0; i < n && tries == 1; i++)
			tell(r, NULL, NULL, wrong[i]);
	}
	return 0;
}

/* ---- containers ---- */

struct inside {
	const struct nook_plan_link *link;
	struct nook_error *err;
};

static int configure(void *arg)
{
	struct inside *in = arg;

	return nook_link_configure(in->link, 1, NO_FD, in->err);
}

static int mend_link(struct repair *r, const char *container, const struct nook_place *place,
		     const struct nook_plan_link *link, struct nook_error *err)
{
	struct inside in = { .link = link, .err = err };
	int rc = nook_link_mend(link, container, place->net, err);
	bool anew = rc == NOOK_LINK_NEW;

	if (rc < 0 || rc == NOOK_LINK_AS_IT_WAS)
		return rc;
	rc = anew ? nook_place_call(place, configure, &in, err) : 0;
	if (rc == 0)
		tell(r, link->network, container,
		     nook_printf(r->a,
				 anew ? "a new %s, a pair with %s"
				      : "%s, whose pair is %s on the host",
				 link->inside, link->outside));
	return rc;
}

static int mend_links(struct repair *r, const struct nook_attached *c, struct nook_error *err)
{
	struct nook_place place;
	int rc = nook_place_open(r->state_dir, c->container, c->container, r->a, &place, err);

	for (size_t i = 0; i < c->n_links && rc == 0; i++) {
		if (concerns(r, &c->links[i]))
			rc = mend_link(r, c->container, &place, &c->links[i], err);
	}
	nook_place_close(&place);
	return rc;
}

static int mend_names(struct repair *r, const struct nook_attached *c, struct nook_error *err)
{
	int rc = nook_hosts_mend(r->base, c, r->a, err);

	if (rc > 0)
		tell(r, c->links[0].network, c->container, "its lines in the hosts file");
	return rc < 0 ? rc : 0;
}

/* Of a host without IPv6 there may be none, and none is to be. */
static int start_relay(struct repair *r, struct nook_state *s, struct nook_error *err)
{
	auto_close int lock = nook_attached_lock(r->base, s->name, err);
	auto_close int pidfd = NO_FD;
	struct nook_attached now;
	struct nook_record record;
	enum nook_life life = NOOK_LIFE_GONE;

	if (lock < 0)
		return lock == -ENOENT ? 0 : lock;
	/* What it has may be another by now, and so may its relay. */
	int rc = nook_attached_read(r->base, s->name, r->a, &now, err);

	if (rc == 0)
		rc = nook_relay_is_there(s, err);
	if (rc == 0)
		rc = nook_state_read(r->state_dir, s->name, r->a, &record, &life, err);
	if (rc == 0 && life == NOOK_LIFE_RUNNING)
		rc = nook_state_pidfd(&record, &pidfd, err);
	if (rc == 0 && pidfd >= 0)
		rc = nook_relay_start(s, now.ports, now.n_ports, pidfd, err);
	return rc < 0 ? rc : nook_relay_is_there(s, err);
}

static int mend_relay(struct repair *r, const struct nook_attached *c, struct nook_error *err)
{
	if (!nook_relay_wanted(c->ports, c->n_ports))
		return 0;

	struct nook_state s = nook_state_of(r->base, c->container);
	int rc = nook_relay_is_there(&s, err);

	if (rc)
		return rc < 0 ? rc : 0;
	rc = start_relay(r, &s, err);
	if (rc > 0)
		tell(r, c->links[0].network, c->container, "the relay of its ports");
	return rc < 0 ? rc : 0;
}

static int mend_container(struct repair *r, const struct nook_attached *c, struct nook_error *err)
{
	int rc = mend_links(r, c, err);

	if (rc == 0)
		rc = mend_names(r, c, err);
	return rc < 0 ? rc : mend_relay(r, c, err);
}

/* ---- all ---- */

/* The first error is kept; the others are of the same cause, mostly. */
static void keep_first(struct nook_error *first, int rc, const struct nook_error *err)
{
	if (rc < 0 && !first->errnum)
		*first = *err;
}

static int mend_all(struct repair *r, bool unsure, struct nook_error *first_of_all)
{
	struct nook_error first = *first_of_all;

	for (size_t i = 0; i < r->n_networks; i++) {
		struct nook_error mine = { 0 };

		keep_first(&first, mend_bridge(r, &r->networks[i], &mine), &mine);
	}
	for (size_t i = 0; i < r->n_living; i++) {
		struct nook_error mine = { 0 };

		keep_first(&first, mend_container(r, &r->living[i], &mine), &mine);
	}

	struct nook_error mine = { 0 };

	if (!unsure)
		keep_first(&first, mend_rules(r, &mine), &mine);
	*first_of_all = first;
	return -first.errnum;
}

int nook_net_repair(const char *state_dir, const char *network, nook_mended_fn *fn, void *data,
		    struct nook_error *err)
{
	auto_arena struct nook_arena a = { 0 };
	struct repair r = {
		.state_dir = state_dir, .only = network, .a = &a, .fn = fn, .data = data
	};
	int rc = nook_arena_open(&a, err);
	auto_close int base = rc < 0 ? NO_FD : nook_base_open(state_dir, false, err);

	if (rc < 0)
		return rc;
	if (base == -ENOENT && !network)
		return 0; /* nothing was ever made */
	if (base == -ENOENT)
		return nook_net_find(state_dir, network, &a, &(struct nook_network){ 0 }, err);
	if (base < 0)
		return base;

	/* Nobody makes, removes or connects meanwhile: what is half done is not to be mended. */
	auto_close int lock = nook_net_lock(base, err);

	if (lock < 0)
		return lock;
	r.base = base;
	struct nook_repair_records records = {
		.state_dir = state_dir, .base = base, .a = &a, .fn = fn, .data = data
	};
	struct nook_error first = { 0 };

	(void)nook_net_repair_records(&records, &first); /* told at the end */
	rc = find_networks(&r, err);
	if (rc == 0 && r.n_networks == 0 && nook_net_homeless())
		return 0;
	if (rc == 0)
		rc = find_living(&r, err);
	if (rc == 0) {
		rc = mend_all(&r, records.unsure, &first);
		if (rc < 0 && err)
			*err = first;
	}
	return rc;
}
