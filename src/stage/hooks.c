/* SPDX-License-Identifier: Apache-2.0 */
/* Hooks: programs of the bundle's. */
#include "stage.h"

#include <errno.h>

int run_container_hooks(void *ctx, struct nook_error *err)
{
	(void)ctx;
	return nook_refuse(err, ENOSYS, "run_container_hooks is to come");
}

void run_container_hooks_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	(void)plan;
	(void)rows;
}

int run_start_hooks(void *ctx, struct nook_error *err)
{
	(void)ctx;
	return nook_refuse(err, ENOSYS, "run_start_hooks is to come");
}

void run_start_hooks_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	(void)plan;
	(void)rows;
}
