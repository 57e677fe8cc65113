/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include "base/report.h"
#include "host/causes.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>

int nook_cli_refused(const struct nook_error *err)
{
	nook_error_print(stderr, "nook", err);
	return NOOK_EXIT_FAILURE;
}

int nook_cli_failed(struct nook_error *err, const struct nook_explain_context *ctx, int status)
{
	nook_explain(err, ctx);
	(void)nook_cli_refused(err);
	return status == 126 || status == 127 ? status : NOOK_EXIT_FAILURE;
}

int nook_cli_end(int status)
{
	struct nook_error err = { 0 };
	bool failed = ferror(stdout);

	/* An earlier write's errno is lost; what it could not write is still there, and tells. */
	clearerr(stdout);
	if (fflush(stdout) != 0)
		(void)nook_fail(&err, errno, "write to stdout");
	else if (failed)
		(void)nook_refuse(&err, EIO, "a part could not be written to stdout");
	else
		return status;
	return nook_cli_refused(&err);
}
