/* SPDX-License-Identifier: Apache-2.0 */
#include "move_parts.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <string.h>

/* What of an address is its own; the rest of the flags is what became of it. */
#define KEPT_FLAGS (IFA_F_NODAD | IFA_F_NOPREFIXROUTE | IFA_F_MCAUTOJOIN | IFA_F_HOMEADDRESS)

#define ADDRESS_BYTES 128 /* more than the message of one */

struct reading {
	struct nook_arena *arena;
	int index;
	struct nook_link_address *addresses;
	size_t n;
};

static int take_address(void *data, const struct nlmsghdr *h)
{
	struct reading *r = data;
	const struct ifaddrmsg *head = NLMSG_DATA(h);
	const size_t n = sizeof(*head);

	if (h->nlmsg_type != RTM_NEWADDR || h->nlmsg_len < NLMSG_LENGTH(n) ||
	    head->ifa_index != (unsigned)r->index || head->ifa_scope != RT_SCOPE_UNIVERSE)
		return 0;

	uint32_t flags = nook_nl_u32(nook_nl_find(h, n, IFA_FLAGS), head->ifa_flags);

	if (!(flags & IFA_F_PERMANENT))
		return 0;

	struct nook_link_address *a = nook_append(r->arena, r->addresses, r->n);

	a->head = *head;
	a->flags = flags & KEPT_FLAGS;
	a->local_len = nook_nl_bytes(nook_nl_find(h, n, IFA_LOCAL), a->local, sizeof(a->local));
	a->peer_len = nook_nl_bytes(nook_nl_find(h, n, IFA_ADDRESS), a->peer, sizeof(a->peer));
	a->broadcast_len = nook_nl_bytes(nook_nl_find(h, n, IFA_BROADCAST), a->broadcast,
					 sizeof(a->broadcast));
	a->metric = nook_nl_u32(nook_nl_find(h, n, IFA_RT_PRIORITY), 0);
	return 0;
}

int nook_link_addresses(int socket, int index, struct nook_arena *a, struct nook_link_address **ret,
			size_t *ret_n, struct nook_nl_refusal *refusal)
{
	const struct ifaddrmsg head = { .ifa_family = AF_UNSPEC };
	struct reading r = { .arena = a, .index = index };
	struct nook_nl q;

	nook_nl_clear(&q);
	nook_nl_begin(&q, RTM_GETADDR, NLM_F_DUMP, &head, sizeof(head));

	int rc = nook_nl_ask(socket, &q, take_address, &r, refusal);

	if (rc < 0)
		return rc;
	*ret = r.addresses;
	*ret_n = r.n;
	return 0;
}

static void put_address(struct nook_nl *q, int index, const struct nook_link_address *a)
{
	const struct ifaddrmsg head = {
		.ifa_family = a->head.ifa_family,
		.ifa_prefixlen = a->head.ifa_prefixlen,
		.ifa_scope = a->head.ifa_scope,
		.ifa_index = (unsigned)index,
	};

	nook_nl_begin(q, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &head, sizeof(head));
	if (a->local_len)
		nook_nl_put(q, IFA_LOCAL, a->local, a->local_len);
	if (a->peer_len)
		nook_nl_put(q, IFA_ADDRESS, a->peer, a->peer_len);
	if (a->broadcast_len)
		nook_nl_put(q, IFA_BROADCAST, a->broadcast, a->broadcast_len);
	if (a->metric)
		nook_nl_put_u32(q, IFA_RT_PRIORITY, a->metric);
	nook_nl_put_u32(q, IFA_FLAGS, a->flags);
	nook_nl_fine(q, EEXIST);
}

static int set_up(int socket, int index, struct nook_nl_refusal *refusal)
{
	const struct ifinfomsg head = { .ifi_family = AF_UNSPEC,
					.ifi_index = index,
					.ifi_flags = IFF_UP,
					.ifi_change = IFF_UP };
	struct nook_nl q;

	nook_nl_clear(&q);
	nook_nl_begin(&q, RTM_NEWLINK, 0, &head, sizeof(head));
	return nook_nl_send(socket, &q, refusal);
}

int nook_link_give(int socket, int index, const struct nook_link_address *addresses, size_t n,
		   bool up, const char **ret_what, struct nook_nl_refusal *refusal)
{
	struct nook_nl q;
	int rc = 0;

	*ret_what = "give it its addresses again";
	nook_nl_clear(&q);
	for (size_t i = 0; i < n && rc == 0; i++) {
		if (nook_nl_room(&q) < ADDRESS_BYTES) {
			rc = nook_nl_send(socket, &q, refusal);
			nook_nl_clear(&q);
		}
		put_address(&q, index, &addresses[i]);
	}
	if (rc == 0)
		rc = nook_nl_send(socket, &q, refusal);
	if (rc < 0 || !up)
		return rc;
	*ret_what = "set it up";
	return set_up(socket, index, refusal);
}
