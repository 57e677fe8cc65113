/* SPDX-License-Identifier: Apache-2.0 */
/* Is the table inet nook what it should be? The messages that would make it are compared with what
 * the kernel tells of it; and to make it again, they are sent. */
#include "rules_kernel.h"

#include "base/own.h"
#include "ports.h"

#include <arpa/inet.h>
#include <string.h>

#define TYPE(message) ((message)&0xff)

struct check {
	struct nook_rules_kernel kernel;
	struct nook_arena *arena;
	const char **found;
	size_t n_found;
	const char *what; /* whose elements are looked for: "network blue" */
};

#define tell(c, ...)                                                                               \
	(*nook_append((c)->arena, (c)->found, (c)->n_found) = nook_printf((c)->arena, __VA_ARGS__))

/* ---- objects ---- */

static const struct nlmsghdr *find_named(const struct check *c, uint16_t type, uint16_t attribute,
					 const char *name)
{
	for (size_t i = 0; i < c->kernel.n_objects; i++) {
		const struct nlmsghdr *h = c->kernel.objects[i];

		if (TYPE(h->nlmsg_type) == type && strcmp(nook_rules_text(h, attribute), name) == 0)
			return h;
	}
	return NULL;
}

/* Of a chain's rules the @nth, from 0. */
static const struct nlmsghdr *find_rule(const struct check *c, const char *chain, unsigned nth)
{
	for (size_t i = 0; i < c->kernel.n_objects; i++) {
		const struct nlmsghdr *h = c->kernel.objects[i];

		if (TYPE(h->nlmsg_type) == NFT_MSG_NEWRULE &&
		    strcmp(nook_rules_text(h, NFTA_RULE_CHAIN), chain) == 0 && nth-- == 0)
			return h;
	}
	return NULL;
}

static void check_named(struct check *c, const struct nlmsghdr *want, uint16_t attribute,
			const char *kind)
{
	const char *name = nook_rules_text(want, attribute);
	const struct nlmsghdr *have = find_named(c, TYPE(want->nlmsg_type), attribute, name);

	if (!have)
		tell(c, "the %s %s is missing", kind, name);
	else if (!nook_rules_alike(want, have))
		tell(c, "the %s %s is another one", kind, name);
}

/* How far the rules of the chain have been compared. They come chain after chain. */
struct progress {
	const char *chain; /* NULL: not begun */
	unsigned n;
	bool bad;
};

static void end_chain(struct check *c, struct progress *p)
{
	if (!p->chain || !find_named(c, NFT_MSG_NEWCHAIN, NFTA_CHAIN_NAME, p->chain))
		return; /* that it is missing was told */
	if (p->bad || find_rule(c, p->chain, p->n))
		tell(c, "rules of the chain %s were added, changed or are missing", p->chain);
}

static void check_rule(struct check *c, const struct nlmsghdr *want, struct progress *p)
{
	const char *chain = nook_rules_text(want, NFTA_RULE_CHAIN);

	if (!p->chain || strcmp(p->chain, chain) != 0) {
		end_chain(c, p);
		*p = (struct progress){ .chain = chain };
	}

	const struct nlmsghdr *have = find_rule(c, chain, p->n++);

	if (!have || !nook_rules_alike(want, have))
		p->bad = true;
}

static void check_objects(struct check *c)
{
	char *buffer = nook_alloc(c->arena, NOOK_RULES_TABLE_BYTES);
	struct progress p = { 0 };
	struct nook_nft t;

	nook_nft_begin(&t, buffer, NOOK_RULES_TABLE_BYTES, NOOK_RULES_TABLE);
	nook_rules_put_table(&t);
	nook_nft_end(&t);
	for (size_t at = 0; at < t.used;) {
		const struct nlmsghdr *want = (const struct nlmsghdr *)(const void *)(buffer + at);

		at += NLMSG_ALIGN(want->nlmsg_len);
		if (NFNL_SUBSYS_ID(want->nlmsg_type) != NFNL_SUBSYS_NFTABLES)
			continue; /* begin and end */
		switch (TYPE(want->nlmsg_type)) {
		case NFT_MSG_NEWTABLE:
			check_named(c, want, NFTA_TABLE_NAME, "table");
			break;
		case NFT_MSG_NEWSET:
			check_named(c, want, NFTA_SET_NAME, "set");
			break;
		case NFT_MSG_NEWCHAIN:
			check_named(c, want, NFTA_CHAIN_NAME, "chain");
			break;
		case NFT_MSG_NEWRULE:
			check_rule(c, want, &p);
			break;
		default:
			break; /* what empties a chain */
		}
	}
	end_chain(c, &p);
}

/* ---- elements ---- */

static bool same(const void *a, size_t a_len, const void *b, size_t b_len)
{
	return a_len == b_len && (a_len == 0 || memcmp(a, b, a_len) == 0);
}

/* For nook_nft_filter(): nothing is put, but all is looked at. */
static bool look_at(void *data, const char *set, const struct nook_nft_element *e)
{
	struct check *c = data;
	struct nook_rules_element *have = nook_rules_find(&c->kernel, set, e->key, e->key_len);

	if (!find_named(c, NFT_MSG_NEWSET, NFTA_SET_NAME, set))
		return false; /* that it is missing was told */
	if (!have)
		tell(c, "%s is missing from the set %s", c->what, set);
	else if (!same(e->end, e->end ? e->key_len : 0, have->end, have->end_len) ||
		 !same(e->data, e->data ? e->data_len : 0, have->data, have->data_len))
		tell(c, "%s leads elsewhere in the set %s", c->what, set);
	if (have)
		have->wanted = true;
	return false;
}

static void check_elements(struct check *c, const struct nook_network *networks, size_t n_networks,
			   const struct nook_plan_port *ports, size_t n_ports, unsigned guard)
{
	char buffer[256];
	struct nook_nft t;

	nook_nft_begin(&t, buffer, sizeof(buffer), NOOK_RULES_TABLE);
	nook_nft_filter(&t, look_at, c);
	for (size_t i = 0; i < n_networks; i++) {
		c->what = nook_printf(c->arena, "network %s", networks[i].name);
		nook_rules_put_network(&t, &networks[i], false);
	}
	for (size_t i = 0; i < n_ports; i++) {
		for (unsigned k = 0; k < ports[i].count; k++) {
			c->what = nook_printf(c->arena, "port %u (%s) of the host",
					      ports[i].host_port + k,
					      nook_port_protocol(ports[i].protocol));
			nook_rules_put_port(&t, &ports[i], k, 1, false);
		}
	}
	c->what = "what guards the host from becoming a router";
	nook_rules_put_guard(&t, guard);
}

static void check_others(struct check *c)
{
	for (size_t i = 0; i < c->kernel.n_elements;) {
		const char *set = c->kernel.elements[i].set;
		unsigned n = 0;

		for (; i < c->kernel.n_elements && strcmp(c->kernel.elements[i].set, set) == 0; i++)
			n += !c->kernel.elements[i].wanted;
		/* Who forwards without nook is nowhere but in the set, at times: see forwarding.c.
		 */
		if (n && strcmp(set, NOOK_SET_GUARDED) != 0)
			tell(c, "the set %s has %u of nobody", set, n);
	}
}

static int check_forwarding(struct check *c, const struct nook_network *networks, size_t n,
			    struct nook_error *err)
{
	unsigned off = 0;

	for (size_t i = 0; i < n; i++) {
		unsigned families = 0;
		bool localnet = false;
		int rc = nook_forwarding_check(&networks[i], &families, &localnet, err);

		if (rc < 0)
			return rc;
		off |= families;
		if (localnet)
			tell(c, "network %s is not reached from 127.0.0.1: route_localnet is off",
			     networks[i].name);
	}
	if (off & NOOK_FAMILY_V4)
		tell(c, "packets of IPv4 are not forwarded");
	if (off & NOOK_FAMILY_V6)
		tell(c, "packets of IPv6 are not forwarded");
	return 0;
}

int nook_rules_check(const struct nook_network *networks, size_t n_networks,
		     const struct nook_plan_port *ports, size_t n_ports, struct nook_arena *a,
		     const char *const **ret, size_t *ret_n, struct nook_error *err)
{
	struct check c = { .arena = a };
	unsigned guard = 0;
	auto_close int fd = NO_FD;
	int rc = nook_forwarding_ours(NULL, &guard, err);

	if (rc == 0)
		rc = nook_rules_open_table(&fd, err);
	if (rc > 0)
		rc = nook_rules_read(fd, a, &c.kernel, err);
	if (rc < 0)
		return rc;
	if (!c.kernel.any && n_networks) {
		tell(&c, "the table inet nook is missing");
	} else if (c.kernel.any) {
		check_objects(&c);
		check_elements(&c, networks, n_networks, ports, n_ports, guard);
		check_others(&c);
	}
	rc = check_forwarding(&c, networks, n_networks, err);
	*ret = c.found;
	*ret_n = c.n_found;
	return rc;
}

/* ---- making it again ---- */

/* Families that the rules guard now, or should. */
static int find_guard(int fd, const struct nook_network *networks, size_t n, unsigned *ret,
		      struct nook_error *err)
{
	static const uint8_t protocols[] = { NFPROTO_IPV4, NFPROTO_IPV6 };
	int rc = nook_rules_have_table(fd);

	for (unsigned i = 0; i < ARRAY_SIZE(protocols) && rc > 0; i++) {
		const struct nook_nft_element e = { .key = &protocols[i], .key_len = 1 };

		if (nook_nft_have_element(fd, NOOK_RULES_TABLE, NOOK_SET_GUARDED, &e))
			*ret |= 1u << i;
	}
	if (rc < 0)
		return nook_rules_fail(rc, NULL, err, "look for it");
	rc = 0;
	for (size_t i = 0; i < n && rc == 0; i++) {
		unsigned more = 0;

		rc = nook_forwarding_ours(&networks[i], &more, err);
		*ret |= more;
	}
	return rc;
}

static int send_all(int fd, struct nook_arena *a, const struct nook_network *networks,
		    size_t n_networks, const struct nook_plan_port *ports, size_t n_ports,
		    unsigned guard, struct nook_nl_refusal *refusal)
{
	size_t size = NOOK_RULES_TABLE_BYTES + n_networks * NOOK_RULES_NETWORK_BYTES +
		      nook_rules_ports_bytes(ports, n_ports);
	struct nook_nft t;

	nook_nft_begin(&t, nook_alloc(a, size), size, NOOK_RULES_TABLE);
	/* One that is not there can't be deleted. */
	nook_nft_table(&t, NULL);
	nook_nft_table_delete(&t);
	if (n_networks) {
		nook_rules_put_table(&t);
		nook_rules_put_guard(&t, guard);
	}
	for (size_t i = 0; i < n_networks; i++)
		nook_rules_put_network(&t, &networks[i], false);
	for (size_t i = 0; i < n_ports && n_networks; i++)
		nook_rules_put_port(&t, &ports[i], 0, ports[i].count, false);
	return nook_nft_commit(fd, &t, refusal);
}

int nook_rules_restore(const struct nook_network *networks, size_t n_networks,
		       const struct nook_plan_port *ports, size_t n_ports, struct nook_error *err)
{
	auto_arena struct nook_arena a = { 0 };
	struct nook_nl_refusal refusal = { 0 };
	unsigned guard = 0;
	auto_close int fd = nook_rules_open(err);
	int rc = fd < 0 ? fd : nook_arena_open(&a, err);

	if (rc == 0)
		rc = find_guard(fd, networks, n_networks, &guard, err);
	if (rc < 0)
		return rc;
	rc = send_all(fd, &a, networks, n_networks, ports, n_ports, guard, &refusal);
	if (rc < 0)
		return nook_rules_fail(rc, &refusal, err, "make it again");
	for (size_t i = 0; i < n_networks && rc == 0; i++)
		rc = nook_forwarding_on(&networks[i], err);
	return rc < 0 || n_networks ? rc : nook_forwarding_off(err);
}
