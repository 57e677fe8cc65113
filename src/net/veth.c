/* SPDX-License-Identifier: Apache-2.0 */
#include "veth.h"

#include "base/text.h"
#include "links_parts.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/veth.h>
#include <net/if.h>

#define ADDRESS_BYTES 128 /* more than the message of one */

/* The kernel would only say that something is there already, not at which end. */
static int check(const struct nook_veth_end *e, struct nook_error *err)
{
	int rc = nook_nl_index(e->socket, e->end->link);

	if (rc == -ENODEV)
		return 0;
	nook_where(err, "%s", e->end->from);
	if (rc < 0)
		return nook_fail(err, -rc, "look for a link %s", e->end->link);
	nook_hint(err, "give it another name");
	return nook_refuse(err, EEXIST, "%s has a link %s already", e->end->target, e->end->link);
}

static void put_end(struct nook_nl *m, const struct nook_veth_end *e)
{
	nook_nl_put_text(m, IFLA_IFNAME, e->end->link);
	nook_nl_put_u32(m, IFLA_NET_NS_FD, (uint32_t)e->netns);
}

static int make(const struct nook_veth_end ends[2], struct nook_error *err)
{
	const struct ifinfomsg peer_head = { .ifi_family = AF_UNSPEC };
	struct nook_link_batch b;

	nook_link_batch_init(&b, ends[0].socket, ends[0].end->link, ends[0].end->from);
	nook_link_begin(&b, "make the pair", NLM_F_CREATE | NLM_F_EXCL, 0, 0, 0);
	put_end(&b.nl, &ends[0]);
	nook_nl_put_u32(&b.nl, IFLA_GROUP, NOOK_LINK_GROUP);

	size_t info = nook_nl_nest(&b.nl, IFLA_LINKINFO);

	nook_nl_put_text(&b.nl, IFLA_INFO_KIND, "veth");

	size_t data = nook_nl_nest(&b.nl, IFLA_INFO_DATA);
	size_t peer = nook_nl_nest(&b.nl, VETH_INFO_PEER);

	nook_nl_append(&b.nl, &peer_head, sizeof(peer_head));
	put_end(&b.nl, &ends[1]);
	nook_nl_nest_end(&b.nl, peer);
	nook_nl_nest_end(&b.nl, data);
	nook_nl_nest_end(&b.nl, info);
	return nook_link_flush(&b, err);
}

static int configure(const struct nook_veth_end *e, const struct nook_net_end *other,
		     struct nook_error *err)
{
	int index = nook_nl_index(e->socket, e->end->link), rc = 0;
	struct nook_link_batch b;
	char alias[NOOK_LINK_ALIAS];

	if (index < 0)
		return nook_fail(err, -index, "look for the new link %s", e->end->link);
	(void)nook_format(alias, sizeof(alias), "nook veth to %.200s:%s", other->target,
			  other->link);
	nook_link_batch_init(&b, e->socket, e->end->link, e->end->from);
	nook_link_begin(&b, "name", 0, index, 0, 0);
	nook_nl_put_text(&b.nl, IFLA_IFALIAS, alias);
	nook_nl_put_u32(&b.nl, IFLA_GROUP, 0);
	nook_link_begin(&b, "bring up", 0, index, IFF_UP, IFF_UP);
	for (size_t i = 0; i < e->end->n_addresses && rc == 0; i++) {
		if (nook_nl_room(&b.nl) < ADDRESS_BYTES)
			rc = nook_link_flush(&b, err);
		nook_link_put_address(&b, index, &e->end->addresses[i]);
	}
	return rc == 0 ? nook_link_flush(&b, err) : rc;
}

/* Either end takes the other along. */
static void remove_pair(const struct nook_veth_end *e)
{
	int index = nook_nl_index(e->socket, e->end->link);

	if (index > 0)
		(void)nook_link_remove(e->socket, e->end->link, index, NULL); /* the first error
										 counts */
}

int nook_veth_make(const struct nook_veth_end ends[2], struct nook_error *err)
{
	int rc = check(&ends[0], err);

	if (rc == 0)
		rc = check(&ends[1], err);
	if (rc < 0)
		return rc;
	rc = make(ends, err);
	if (rc < 0) {
		nook_link_remove_nameless(ends[0].socket, ends[0].end->link, "veth");
		return rc;
	}
	rc = configure(&ends[0], ends[1].end, err);
	if (rc == 0)
		rc = configure(&ends[1], ends[0].end, err);
	if (rc < 0)
		remove_pair(&ends[0]);
	return rc;
}
