/* SPDX-License-Identifier: Apache-2.0 */
/* The resolv.conf of containers on networks. Their hosts files: net_steps.c. */
#include "create.h"

#include "net/names.h"

#include <string.h>

int write_resolv(void *ctx, struct nook_error *err)
{
	struct nook_create *c = ctx;

	return nook_resolv_write(c->state.base, c->plan->resolv, err);
}

void write_resolv_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	nook_show(rows, "the host's name servers that can be reached from there",
		  "write(\"%s/" NOOK_RESOLV_FILE "\", %zu bytes)", plan->state_dir,
		  strlen(plan->resolv));
}
