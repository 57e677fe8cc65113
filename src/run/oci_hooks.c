/* SPDX-License-Identifier: Apache-2.0 */
/* Hooks that run in the runtime's namespaces. */
#include "create.h"

#include <errno.h>

int run_outer_hooks(void *ctx, struct nook_error *err)
{
	(void)ctx;
	return nook_refuse(err, ENOSYS, "run_outer_hooks is to come");
}

void run_outer_hooks_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	(void)plan;
	(void)rows;
}
