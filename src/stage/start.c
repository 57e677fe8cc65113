/* SPDX-License-Identifier: Apache-2.0 */
/* A created container waits for its start. */
#include "stage.h"

#include <errno.h>

int await_start(void *ctx, struct nook_error *err)
{
	(void)ctx;
	return nook_refuse(err, ENOSYS, "await_start is to come");
}

void await_start_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	(void)plan;
	(void)rows;
}
