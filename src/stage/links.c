/* SPDX-License-Identifier: Apache-2.0 */
/* The container's links, from the inside: the outside has made them. */
#include "stage.h"

#include "base/own.h"
#include "net/net.h"

int configure_links(void *ctx, struct nook_error *err)
{
	const struct nook_stage *s = ctx;

	return nook_link_configure(s->plan->links, s->plan->n_links,
				   s->proc_is_new ? s->proc : NO_FD, err);
}

void configure_links_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	char text[NOOK_NET_TEXT];

	for (size_t i = 0; i < plan->n_links; i++) {
		const struct nook_plan_link *l = &plan->links[i];

		for (int f = 0; f < NOOK_NET_FAMILIES; f++) {
			if (l->address[f].family)
				nook_show(rows, "its address", "netlink(NEWADDR \"%s\" %s)",
					  l->inside, nook_net_text_prefix(&l->address[f], text));
			if (l->gateway[f].family)
				nook_show(rows, "the way out", "netlink(NEWROUTE default via %s)",
					  nook_net_text(&l->gateway[f], text));
		}
		nook_show(rows, "it is up, and the loopback", "netlink(NEWLINK \"%s\" UP)",
			  l->inside);
	}
}

int settle_links(void *ctx, struct nook_error *err)
{
	const struct nook_stage *s = ctx;

	return nook_link_settle_inside(s->plan->links, s->plan->n_links, err);
}

void settle_links_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	char text[NOOK_NET_TEXT];

	for (size_t i = 0; i < plan->n_links; i++) {
		const struct nook_net_addr *v6 = &plan->links[i].address[NOOK_NET_V6];

		if (v6->family)
			nook_show(rows, "is it the kernel's by now?", "netlink(GETROUTE %s)",
				  nook_net_text(v6, text));
	}
}
