/* SPDX-License-Identifier: Apache-2.0 */
/* Removing what a container has of networks. Its record stands before anything of it is taken: so
 * what it names may be another container's, who was faster. Only what this one holds is undone. */
#include "net.h"

#include "base/own.h"
int nook_ports_undo(const struct nook_state *state, const struct nook_plan_port *ports, size_t n, struct nook_error *err);

#include <errno.h>

static void keep_first(int *first, int rc)
{
	if (*first == 0)
		*first = rc;
}

int nook_net_undo(const struct nook_state *state, const struct nook_attached *attached,
		  struct nook_error *err)
{
	int rc = 0;

	/* The first failure is told; what can be removed is, all the same. */
	keep_first(&rc, nook_ports_undo(state, attached->ports, attached->n_ports, err));
	keep_first(&rc, nook_hosts_leave(state->base, attached->container, attached->links,
					 attached->n_links, rc ? NULL : err));
	for (size_t i = 0; i < attached->n_links; i++) {
		const struct nook_plan_link *link = &attached->links[i];

		/* An address is free only when nothing answers for it any more. */
		int gone = nook_link_disconnect(link, attached->container, rc ? NULL : err);

		keep_first(&rc, gone);
		if (gone == 0)
			keep_first(&rc, nook_net_release(state, link, rc ? NULL : err));
	}
	return rc;
}
