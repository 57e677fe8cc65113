/* SPDX-License-Identifier: Apache-2.0 */
/* Removing what a container has of networks. Its record stands before anything of it is taken: so
 * what it names may be another container's, who was faster. Only what this one holds is undone. */
#include "leases.h"
#include "outside.h"
#include "ports.h"
#include "relay.h"

#include "base/own.h"

#include <errno.h>

static void keep_first(int *first, int rc)
{
	if (*first == 0)
		*first = rc;
}

/* A port is published after all of it was taken, and given back after that was undone. */
static int unpublish(const struct nook_state *state, const struct nook_attached *at,
		     struct nook_error *err)
{
	size_t mine = 0, led = 0;
	int rc = 0;

	while (led < at->n_ports && !nook_port_leads(&at->ports[led]))
		led++;
	if (led == at->n_ports) /* no rule has any of them */
		return 0;
	while (mine < at->n_ports && nook_port_is_mine(state, &at->ports[mine]))
		mine++;
	if (mine == at->n_ports) /* as a rule: one transaction */
		return mine ? nook_rules_unpublish(at->ports, mine, err) : 0;
	for (size_t i = 0; i < at->n_ports; i++) {
		if (nook_port_leads(&at->ports[i]) && nook_port_is_mine(state, &at->ports[i]))
			keep_first(&rc, nook_rules_unpublish(&at->ports[i], 1, rc ? NULL : err));
	}
	return rc;
}

int nook_net_undo(const struct nook_state *state, const struct nook_attached *attached,
		  struct nook_error *err)
{
	int relay = nook_relay_stop(state, err);
	bool here = !nook_net_homeless();
	int rc = here ? unpublish(state, attached, relay ? NULL : err) : 0;

	/* The first failure is told; what can be removed is, all the same. */
	keep_first(&rc, relay);
	if (rc == 0)
		rc = nook_ports_release(state, attached->ports, attached->n_ports, err);
	keep_first(&rc, nook_hosts_leave(state->base, attached->container, attached->links,
					 attached->n_links, rc ? NULL : err));
	for (size_t i = 0; i < attached->n_links; i++) {
		const struct nook_plan_link *link = &attached->links[i];
		int gone = 0;

		/* Named by its address: without that the link of this name is another's, whose
		 * alias it may not have yet. */
		if (here && (!link->network || nook_lease_is_mine(state, link)))
			gone = nook_link_disconnect(link, attached->container, rc ? NULL : err);

		/* An address is free only when nothing answers for it any more. */
		keep_first(&rc, gone);
		if (gone == 0)
			keep_first(&rc, nook_net_release(state, link, rc ? NULL : err));
	}
	return rc;
}
