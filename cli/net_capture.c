/* SPDX-License-Identifier: Apache-2.0 */
#include "net_tools.h"

#include "base/own.h"
#include "nook/container.h"
#include "run/net_capture.h"

#include <errno.h>
#include <string.h>

static const struct nook_option rows[] = { NOOK_OPTION_HELP_ROW };

const struct nook_option_table nook_net_capture_table = {
	.command = "nook net capture", .rows = rows, .n = ARRAY_SIZE(rows), .command_follows = true
};

int nook_cmd_net_capture(int argc, char **argv)
{
	auto_arena struct nook_arena a = { 0 };
	struct nook_option_words read;
	struct nook_error err = { 0 };
	const char *state_dir;
	int status = nook_cli_read(&a, &nook_net_capture_table, argv, NULL, &read);
	char **command = read.words + 1;

	(void)argc;
	if (status >= 0)
		return status;
	if (read.n_words > 1 && strcmp(*command, "--") == 0)
		command++;
	if (read.n_words == 0 || !*command) {
		(void)nook_refuse(&err, EINVAL,
				  "what to run, or where, is missing: nook net capture CONTAINER "
				  "-- tcpdump -n");
		return nook_cli_refused(&err);
	}
	status = NOOK_EXIT_FAILURE;
	if (nook_state_dir(&state_dir, &err) == 0)
		(void)nook_net_capture(state_dir, read.words[0], command, &status, &err);
	return nook_cli_failed(&err, NULL, status);
}
