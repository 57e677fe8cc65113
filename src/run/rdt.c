/* SPDX-License-Identifier: Apache-2.0 */
/* The container's group in resctrl. */
#include "create.h"

#include <errno.h>

int join_rdt(void *ctx, struct nook_error *err)
{
	(void)ctx;
	return nook_refuse(err, ENOSYS, "join_rdt is to come");
}

void join_rdt_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	(void)plan;
	(void)rows;
}

int leave_rdt(void *ctx, struct nook_error *err)
{
	(void)ctx;
	(void)err;
	return 0;
}
