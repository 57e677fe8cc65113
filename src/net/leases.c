/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses of networks: which are free, and who has which. */
#include "leases.h"

#include "base/own.h"
#include "base/text.h"
#include "claims.h"
#include "networks.h"
#include "outside.h"
#include "ports.h"
#include "relay.h"
#include "state/files.h"
#include "store.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

/* Of a larger subnet these many are told apart; what lies behind is looked at one by one. */
#define WINDOW 65536u
#define PROBES 256

struct window {
	const struct nook_net_addr *subnet, *gateway;
	uint64_t size;
	uint64_t taken[WINDOW / 64];
};

static void file_of(const char *network, const struct nook_net_addr *addr,
		    char out[NOOK_LEASE_FILE])
{
	char text[NOOK_NET_TEXT];

	(void)nook_format(out, NOOK_LEASE_FILE, "%s:%s", network, nook_net_text(addr, text));
}

int nook_leases_each(int base, const char *network, bool any, nook_lease_each *each, void *data,
		     struct nook_error *err)
{
	auto_closedir DIR *dir = NULL;
	char prefix[NOOK_NET_NAME_MAX + 2];
	int rc = nook_net_folder_list(base, NOOK_CLAIM_ADDRESSES, &dir, err);

	if (rc < 0)
		return rc == -ENOENT ? 0 : rc;
	(void)nook_format(prefix, sizeof(prefix), "%s:", network);

	const char *file;

	while (rc == 0 && (rc = nook_net_folder_next(dir, NOOK_CLAIM_ADDRESSES, &file, err)) > 0) {
		struct nook_net_addr addr;
		const char *text = nook_after(file, prefix);
		bool is_one = text && nook_net_parse_address(text, &addr, NULL) == 0;

		rc = is_one || (text && any) ? each(data, file, is_one ? &addr : NULL, err) : 0;
	}
	return rc;
}

static bool is_host(const struct window *w, const struct nook_net_addr *addr)
{
	return nook_net_usable(w->subnet, addr) && !nook_net_equal(w->gateway, addr);
}

/* Which one of the subnet's addresses it is; WINDOW when it lies behind the window. */
static uint64_t place(const struct nook_net_addr *subnet, const struct nook_net_addr *addr)
{
	struct nook_net_addr first = nook_net_nth(subnet, 0);
	uint64_t n = 0;

	for (unsigned i = 0; i < nook_net_bytes(addr->family); i++) {
		n = n << 8 | (uint8_t)(addr->bytes[i] ^ first.bytes[i]);
		if (n >= WINDOW)
			return WINDOW;
	}
	return n;
}

static void mark(struct window *w, uint64_t n)
{
	w->taken[n / 64] |= UINT64_C(1) << n % 64;
}

static bool is_marked(const struct window *w, uint64_t n)
{
	return w->taken[n / 64] >> n % 64 & 1;
}

static int mark_lease(void *data, const char *file, const struct nook_net_addr *addr,
		      struct nook_error *err)
{
	struct window *w = data;
	uint64_t n = nook_net_contains(w->subnet, addr) ? place(w->subnet, addr) : WINDOW;

	if (n < WINDOW)
		mark(w, n);
	return 0;
}

/* Marks what no container can have. */
static void mark_others(struct window *w)
{
	const uint64_t ends[] = { 0, 1, w->size - 1 };

	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		struct nook_net_addr addr = nook_net_nth(w->subnet, ends[i]);

		if (ends[i] < WINDOW && !is_host(w, &addr))
			mark(w, ends[i]);
	}
}

static uint64_t any(uint64_t below)
{
	uint64_t n = 0;

	/* Without a random number the lowest is as good, only slower for many at once. */
	return getrandom(&n, sizeof(n), GRND_NONBLOCK) == sizeof(n) ? n % below : 0;
}

/* The @skip-th free one. */
static bool pick(const struct window *w, uint64_t skip, uint64_t *ret)
{
	for (uint64_t n = 0; n < w->size && n < WINDOW; n++) {
		if (!is_marked(w, n) && skip-- == 0) {
			*ret = n;
			return true;
		}
	}
	return false;
}

static uint64_t count_free(const struct window *w)
{
	uint64_t free = 0;

	for (uint64_t n = 0; n < w->size && n < WINDOW; n++)
		free += !is_marked(w, n);
	return free;
}

/* Behind the window, where it is hardly ever needed to look. */
static bool pick_behind(int base, const struct window *w, const char *network,
			struct nook_net_addr *ret)
{
	for (int i = 0; i < PROBES && w->size > WINDOW; i++) {
		struct nook_net_addr addr = nook_net_nth(w->subnet, WINDOW + any(w->size - WINDOW));
		char file[NOOK_LEASE_FILE], holder[NOOK_HOLDER_SIZE];

		file_of(network, &addr, file);
		if (is_host(w, &addr) &&
		    nook_claim_holder(base, NOOK_CLAIM_ADDRESSES, file, holder, NULL) == -ENOENT) {
			*ret = addr;
			return true;
		}
	}
	return false;
}

/* One of a container that is dead: to take it undoes that one first. */
static bool pick_dead(int base, const struct window *w, const char *network,
		      struct nook_net_addr *ret)
{
	for (uint64_t n = 0; n < w->size && n < WINDOW; n++) {
		struct nook_net_addr addr = nook_net_nth(w->subnet, n);
		char file[NOOK_LEASE_FILE];

		if (!is_host(w, &addr))
			continue;
		file_of(network, &addr, file);
		if (nook_claim_is_dead(base, NOOK_CLAIM_ADDRESSES, file)) {
			*ret = addr;
			return true;
		}
	}
	return false;
}

static int refuse_full(const struct nook_network *network, unsigned family, struct nook_error *err)
{
	char text[NOOK_NET_TEXT];

	nook_hint(err,
		  "`nook net show %s` lists who has them; a network with a larger --subnet "
		  "has more.",
		  network->name);
	nook_cause(err, "network-full", "every address of a network's subnet has a container");
	return nook_refuse(err, EADDRNOTAVAIL, "no address is free in %s, the subnet of network %s",
			   nook_net_text_prefix(&network->subnet[family], text), network->name);
}

/* The one that has the place in its subnet that @like has in its own, if nobody has it. */
static bool pick_alike(int base, const struct window *w, const struct nook_network *network,
		       const struct nook_net_addr *like, struct nook_net_addr *ret)
{
	unsigned other = like->family == AF_INET ? NOOK_NET_V4 : NOOK_NET_V6;
	uint64_t n = place(&network->subnet[other], like);
	char file[NOOK_LEASE_FILE], holder[NOOK_HOLDER_SIZE];

	if (n >= WINDOW || n >= w->size)
		return false;
	*ret = nook_net_nth(w->subnet, n);
	file_of(network->name, ret, file);
	return is_host(w, ret) &&
	       nook_claim_holder(base, NOOK_CLAIM_ADDRESSES, file, holder, NULL) == -ENOENT;
}

int nook_net_find_address(const char *state_dir, const struct nook_network *network,
			  unsigned family, unsigned tries, const struct nook_net_addr *like,
			  struct nook_net_addr *ret, struct nook_error *err)
{
	struct window w = { .subnet = &network->subnet[family],
			    .gateway = &network->gateway[family],
			    .size = nook_net_size(&network->subnet[family]) };
	auto_close int base = nook_base_open(state_dir, false, err);
	uint64_t n = 0;
	int rc = 0;

	if (base < 0 && base != -ENOENT)
		return base;
	if (base >= 0 && like && like->family && pick_alike(base, &w, network, like, ret))
		return 0;
	mark_others(&w);
	if (base >= 0)
		rc = nook_leases_each(base, network->name, false, mark_lease, &w, err);
	if (rc < 0)
		return rc;

	/* The first who looks gets the lowest. Of those who were too late each takes another. */
	uint64_t free = tries ? count_free(&w) : 0;

	if (pick(&w, free ? any(free) : 0, &n)) {
		*ret = nook_net_nth(w.subnet, n);
		return 0;
	}
	if (base >= 0 &&
	    (pick_behind(base, &w, network->name, ret) || pick_dead(base, &w, network->name, ret)))
		return 0;
	return refuse_full(network, family, err);
}

/* ---- taking and giving back ---- */

static int refuse_taken(int errnum, const struct nook_net_addr *addr, const char *network,
			const char *from, const char *holder, struct nook_error *err)
{
	char text[NOOK_NET_TEXT];

	if (from)
		nook_where(err, "%s", from);
	nook_hint(err, "Take another, or leave it to nook by not saying any.");
	nook_cause(err, "address-taken",
		   "an address belongs to one container of a network at a time");
	return nook_refuse(err, errnum, "the address %s of network %s is that of container %s",
			   nook_net_text(addr, text), network, holder);
}

int nook_net_check_free(const char *state_dir, const char *network,
			const struct nook_net_addr *addr, const char *from, struct nook_error *err)
{
	char file[NOOK_LEASE_FILE], holder[NOOK_HOLDER_SIZE];
	auto_close int base = nook_base_open(state_dir, false, err);

	if (base < 0)
		return base == -ENOENT ? 0 : base;
	file_of(network, addr, file);
	int rc = nook_claim_holder(base, NOOK_CLAIM_ADDRESSES, file, holder, err);

	if (rc == -ENOENT || (rc == 0 && nook_claim_is_dead(base, NOOK_CLAIM_ADDRESSES, file)))
		return 0;
	return rc < 0 ? rc : refuse_taken(EADDRINUSE, addr, network, from, holder, err);
}

/* Who removes a network says so in its record, then looks who has an address of it. We have one,
 * and look into the record: one of the two sees the other. */
static int still_there(const struct nook_state *state, const char *network, struct nook_error *err)
{
	auto_arena struct nook_arena scratch = { 0 };
	struct nook_network n;
	int rc = nook_arena_open(&scratch, err);

	if (rc == 0)
		rc = nook_net_read_there(state->base, network, &scratch, &n, err);
	return rc == -ENOENT ? nook_net_no_such(state->base, network, err) : rc;
}

static int claim(const struct nook_state *state, const struct nook_plan_link *link,
		 struct nook_error *err)
{
	char file[NOOK_LEASE_FILE], holder[NOOK_HOLDER_SIZE];

	for (int i = 0; i < NOOK_NET_FAMILIES && link->network; i++) {
		const struct nook_net_addr *addr = &link->address[i];

		if (!addr->family)
			continue;
		file_of(link->network, addr, file);

		int rc = nook_claim_take(state, NOOK_CLAIM_ADDRESSES, file, holder, err);

		if (rc == -EEXIST)
			rc = refuse_taken(EEXIST, addr, link->network, link->from, holder, err);
		if (rc < 0)
			return rc;
	}
	return link->network ? still_there(state, link->network, err) : 0;
}

int nook_net_claim(const struct nook_state *state, const struct nook_plan_link *link,
		   struct nook_error *err)
{
	int rc = claim(state, link, err);

	if (rc < 0)
		(void)nook_net_release(state, link, NULL); /* undone once more at the end */
	return rc;
}

bool nook_lease_is_mine(const struct nook_state *state, const struct nook_plan_link *link)
{
	const struct nook_net_addr *addr =
		&link->address[link->address[NOOK_NET_V4].family ? NOOK_NET_V4 : NOOK_NET_V6];
	char file[NOOK_LEASE_FILE];

	if (!link->network || !addr->family)
		return false;
	file_of(link->network, addr, file);
	return nook_claim_is_mine(state, NOOK_CLAIM_ADDRESSES, file);
}

int nook_net_release(const struct nook_state *state, const struct nook_plan_link *link,
		     struct nook_error *err)
{
	int first = 0;

	for (int i = 0; i < NOOK_NET_FAMILIES && link->network; i++) {
		char file[NOOK_LEASE_FILE];

		if (!link->address[i].family)
			continue;
		file_of(link->network, &link->address[i], file);

		int rc = nook_claim_release(state, NOOK_CLAIM_ADDRESSES, file, first ? NULL : err);

		if (first == 0)
			first = rc;
	}
	return first;
}

/* Rules that lead to it, and its relay: a port is free when nothing serves it any more. */
static int stop_serving(const struct nook_state *state, struct nook_error *err)
{
	auto_arena struct nook_arena a = { 0 };
	struct nook_plan_port *ports;
	size_t n = 0;
	int rc = nook_relay_stop(state, err);

	if (rc < 0 || nook_net_homeless())
		return rc;
	rc = nook_arena_open(&a, err);
	if (rc == 0)
		rc = nook_ports_held(state, &a, &ports, &n, err);
	return rc == 0 && n ? nook_rules_unpublish(ports, n, err) : rc;
}

int nook_net_release_all(const struct nook_state *state, struct nook_error *err)
{
	int serving = stop_serving(state, err);
	int addresses = nook_claim_release_all(state, NOOK_CLAIM_ADDRESSES, serving ? NULL : err);
	int ports =
		serving ? serving
			: nook_claim_release_all(state, NOOK_CLAIM_PORTS, addresses ? NULL : err);

	return addresses ? addresses : ports;
}
