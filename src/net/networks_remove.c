/* SPDX-License-Identifier: Apache-2.0 */
/* Who is on a network, and its removal. */
#include "networks.h"

#include "base/own.h"
#include "base/text.h"
#include "claims.h"
#include "leases.h"
#include "state/files.h"
#include "store.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

/* ---- who is on it ---- */

struct leased {
	const char *container;
	struct nook_net_addr address[NOOK_NET_FAMILIES];
};

static bool lives(int base, const char *container)
{
	struct nook_holder holder;

	/* What can't be told lives: it is not to be taken the ground from. */
	return nook_lock_holder(base, container, &holder, NULL) < 0 || holder.held;
}

struct leases {
	int base;
	struct nook_arena *arena;
	struct leased *list;
	size_t n;
};

static int add_lease(void *data, const char *file, const struct nook_net_addr *addr,
		     struct nook_error *err)
{
	struct leases *all = data;
	int family = addr->family == AF_INET6 ? NOOK_NET_V6 : NOOK_NET_V4;
	char holder[NOOK_HOLDER_SIZE];
	struct leased *l = NULL;

	if (nook_claim_holder(all->base, NOOK_CLAIM_ADDRESSES, file, holder, NULL) < 0 ||
	    !lives(all->base, holder))
		return 0;
	for (size_t i = 0; i < all->n && !l; i++) {
		if (strcmp(all->list[i].container, holder) == 0 &&
		    !all->list[i].address[family].family)
			l = &all->list[i];
	}
	if (!l) {
		l = nook_append(all->arena, all->list, all->n);
		l->container = nook_strdup(all->arena, holder);
	}
	l->address[family] = *addr;
	return 0;
}

/* The addresses of the network that living containers hold. */
static int read_leases(int base, const char *name, struct nook_arena *a, struct leased **ret,
		       size_t *ret_n, struct nook_error *err)
{
	struct leases all = { .base = base, .arena = a };
	int rc = nook_leases_each(base, name, false, add_lease, &all, err);

	*ret = all.list;
	*ret_n = all.n;
	return rc;
}

int nook_net_is_used(int base, const char *name, bool *ret, struct nook_error *err)
{
	auto_arena struct nook_arena a = { 0 };
	struct leased *leases = NULL;
	size_t n = 0;
	int rc = nook_arena_open(&a, err);

	if (rc == 0)
		rc = read_leases(base, name, &a, &leases, &n, err);
	*ret = n > 0;
	return rc;
}

/* The link of a container that has one of these addresses. */
static const struct nook_plan_link *link_of(const struct nook_attached *at, const char *network,
					    const struct leased *l)
{
	for (size_t i = 0; i < at->n_links; i++) {
		const struct nook_plan_link *link = &at->links[i];

		for (int f = 0; f < NOOK_NET_FAMILIES; f++) {
			if (link->network && strcmp(link->network, network) == 0 &&
			    l->address[f].family &&
			    nook_net_equal(&link->address[f], &l->address[f]))
				return link;
		}
	}
	return NULL;
}

static bool leads_to(const struct nook_plan_port *port, const struct nook_plan_link *links,
		     size_t n)
{
	for (size_t i = 0; i < n; i++) {
		for (int f = 0; f < NOOK_NET_FAMILIES; f++) {
			if (port->to[f].family &&
			    nook_net_equal(&port->to[f], &links[i].address[f]))
				return true;
		}
	}
	return false;
}

static int by_address(const void *left, const void *right)
{
	const struct nook_net_member *a = left, *b = right;
	int f = a->address[NOOK_NET_V4].family && b->address[NOOK_NET_V4].family ? NOOK_NET_V4
										 : NOOK_NET_V6;

	return memcmp(a->address[f].bytes, b->address[f].bytes, sizeof(a->address[f].bytes));
}

int nook_net_members(const char *state_dir, const char *name, struct nook_arena *a,
		     struct nook_net_member **ret, size_t *ret_n, struct nook_error *err)
{
	struct leased *leases = NULL;
	struct nook_network network;
	size_t n = 0;
	int rc = nook_net_find(state_dir, name, a, &network, err);

	if (rc < 0)
		return rc;
	auto_close int base = nook_base_open(state_dir, false, err);

	if (base < 0)
		return base == -ENOENT ? nook_net_no_such(NO_FD, name, err) : base;
	rc = read_leases(base, name, a, &leases, &n, err);
	if (rc < 0)
		return rc;

	struct nook_net_member *members = nook_alloc_array(a, n, sizeof(*members));

	for (size_t i = 0; i < n; i++) {
		struct nook_attached at = { 0 };
		const struct nook_plan_link *link = NULL;

		members[i].container = leases[i].container;
		memcpy(members[i].address, leases[i].address, sizeof(members[i].address));
		members[i].inside = members[i].outside = "";
		/* One that can't be read has an address all the same. */
		if (nook_attached_read(base, leases[i].container, a, &at, NULL) == 0)
			link = link_of(&at, name, &leases[i]);
		if (!link)
			continue;
		members[i].inside = link->inside;
		members[i].outside = link->outside;
		memcpy(members[i].mac, link->mac, sizeof(link->mac));
		for (size_t k = 0; k < at.n_ports; k++) {
			if (leads_to(&at.ports[k], link, 1))
				*nook_append(a, members[i].ports, members[i].n_ports) = at.ports[k];
		}
		for (int f = 0; f < NOOK_NET_FAMILIES; f++) {
			if (nook_net_equal(&link->address[f], &members[i].address[f]))
				members[i].address[f].prefix = link->address[f].prefix;
		}
	}
	if (n)
		qsort(members, n, sizeof(*members), by_address);
	*ret = members;
	*ret_n = n;
	return 0;
}

/* ---- removal ---- */

/* Parts what a container has of this network from the rest. */
static void part(const struct nook_attached *all, const char *network, struct nook_arena *a,
		 struct nook_attached *of_it, struct nook_attached *rest)
{
	*of_it = *rest =
		(struct nook_attached){ .container = all->container, .hostname = all->hostname };
	for (size_t i = 0; i < all->n_links; i++) {
		const char *its = all->links[i].network;
		struct nook_attached *to = its && strcmp(its, network) == 0 ? of_it : rest;

		*nook_append(a, to->links, to->n_links) = all->links[i];
	}
	for (size_t i = 0; i < all->n_ports; i++) {
		struct nook_attached *to =
			leads_to(&all->ports[i], of_it->links, of_it->n_links) ? of_it : rest;

		*nook_append(a, to->ports, to->n_ports) = all->ports[i];
	}
}

/* The container lives on, without it. Its record still has all of it till that is gone. */
static int disconnect(int base, const char *container, const char *network, struct nook_arena *a,
		      struct nook_error *err)
{
	struct nook_attached all, of_it, rest;
	auto_close int lock = nook_attached_lock(base, container, err);

	if (lock < 0)
		return lock == -ENOENT ? 0 : lock;
	int rc = nook_attached_read(base, container, a, &all, err);

	if (rc < 0)
		return rc == -ENOENT ? 0 : rc;
	part(&all, network, a, &of_it, &rest);
	if (of_it.n_links == 0)
		return 0;

	struct nook_state s = nook_state_of(base, container);

	rc = nook_net_undo(&s, &of_it, err);
	return rc < 0 ? rc : nook_attached_write(base, &rest, err);
}

static int refuse_busy(const char *name, const struct leased *leases, size_t n,
		       struct nook_error *err)
{
	char list[200];
	size_t len = 0, i = 0;

	for (; i < n && len + strlen(leases[i].container) + 20 < sizeof(list); i++)
		len += nook_format(list + len, sizeof(list) - len, i ? ", %s" : "%s",
				   leases[i].container);
	if (i < n)
		(void)nook_format(list + len, sizeof(list) - len, "%s%zu more", i ? " and " : "",
				  n - i);
	nook_hint(err, "End them first, or disconnect them all: nook net rm --force %s", name);
	return nook_refuse(err, EBUSY, "network %s is used by %s", name, list);
}

/* Nobody new finds the network any more, and who takes an address looks once more: so whoever has
 * one now is all there is. */
static int empty_it(int base, const struct nook_network *network, bool force,
		    struct nook_error *err)
{
	auto_arena struct nook_arena a = { 0 };
	struct leased *leases = NULL;
	size_t n = 0;
	int rc = nook_arena_open(&a, err);

	if (rc == 0)
		rc = read_leases(base, network->name, &a, &leases, &n, err);
	if (rc == 0 && n && !force)
		return refuse_busy(network->name, leases, n, err);
	for (size_t i = 0; i < n && rc == 0; i++)
		rc = disconnect(base, leases[i].container, network->name, &a, err);
	return rc;
}

static int remove_locked(int base, const char *name, bool force, struct nook_arena *a,
			 struct nook_error *err)
{
	struct nook_network n;
	enum nook_net_phase phase;
	char bridge[16];
	struct nook_error why = { 0 };
	int rc = nook_net_record_read(base, name, a, &n, &phase, &why);

	if (rc == -ENOENT)
		return nook_net_no_such(base, name, err);
	if (rc == -EBADMSG && force) {
		nook_net_bridge_name(name, bridge);
		n = (struct nook_network){ .name = name, .bridge = bridge };
		phase = NOOK_NET_REMOVING;
	} else if (rc < 0) {
		if (err)
			*err = why;
		return rc;
	}

	/* Half made or half removed, it had nobody on it. */
	if (phase == NOOK_NET_THERE) {
		rc = nook_net_record_write(base, &n, NOOK_NET_REMOVING, err);
		if (rc < 0)
			return rc;
	}
	rc = empty_it(base, &n, force, err);
	if (rc == 0) {
		rc = nook_net_take_apart(base, &n, err);
		if (rc < 0)
			nook_hint(err, "`nook net rm --force %s` goes on with it.", name);
		return rc;
	}
	if (phase == NOOK_NET_THERE && nook_net_record_write(base, &n, NOOK_NET_THERE, NULL) < 0)
		nook_hint(err, "Its record can't be written, `nook net rm %s` goes on with it.",
			  name);
	return rc;
}

int nook_net_remove(const char *state_dir, const char *name, bool force, struct nook_error *err)
{
	auto_arena struct nook_arena a = { 0 };
	int rc = nook_net_check_name(name, err);

	if (rc == 0)
		rc = nook_arena_open(&a, err);
	if (rc < 0)
		return rc;
	auto_close int base = nook_base_open(state_dir, false, err);

	if (base < 0)
		return base == -ENOENT ? nook_net_no_such(NO_FD, name, err) : base;
	auto_close int lock = nook_net_lock(base, err);

	return lock < 0 ? lock : remove_locked(base, name, force, &a, err);
}
