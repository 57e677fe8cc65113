/* SPDX-License-Identifier: Apache-2.0 */
/* What creating an engine's container takes beside. */
#include "create.h"

#include <errno.h>

int open_start(void *ctx, struct nook_error *err)
{
	(void)ctx;
	return nook_refuse(err, ENOSYS, "open_start is to come");
}

void open_start_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	(void)plan;
	(void)rows;
}

int close_start(void *ctx, struct nook_error *err)
{
	(void)ctx;
	(void)err;
	return 0;
}

int tell_engine(void *ctx, struct nook_error *err)
{
	(void)ctx;
	return nook_refuse(err, ENOSYS, "tell_engine is to come");
}

void tell_engine_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	(void)plan;
	(void)rows;
}
