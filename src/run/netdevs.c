/* SPDX-License-Identifier: Apache-2.0 */
/* Network devices of the host that the container gets. */
#include "create.h"

#include <errno.h>

int move_netdevs(void *ctx, struct nook_error *err)
{
	(void)ctx;
	return nook_refuse(err, ENOSYS, "move_netdevs is to come");
}

void move_netdevs_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	(void)plan;
	(void)rows;
}
