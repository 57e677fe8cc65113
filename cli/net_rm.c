/* SPDX-License-Identifier: Apache-2.0 */
/* `nook net rm` */
#include "net_networks.h"

#include "base/own.h"
#include "keep/net_home.h"
#include "nook/container.h"

#include <errno.h>
#include <string.h>

static const struct nook_option rows[] = {
	{ .name = "force",
	  .letter = 'f',
	  .set = nook_option_flag,
	  .help = "disconnect the containers that are on it; one that isn't there is no error" },
	NOOK_OPTION_HELP_ROW,
};

const struct nook_option_table nook_net_rm_table = { .command = "nook net rm",
						     .rows = rows,
						     .n = ARRAY_SIZE(rows) };

int nook_cmd_net_rm(int argc, char **argv)
{
	auto_arena struct nook_arena a = { 0 };
	struct nook_option_words read;
	struct nook_error err = { 0 };
	const char *state_dir;
	bool force = false;
	int status = nook_cli_read(&a, &nook_net_rm_table, argv, &force, &read);

	(void)argc;
	if (status >= 0)
		return status;
	if (read.n_words == 0) {
		nook_hint(&err, "nook net ls lists the networks.");
		(void)nook_refuse(&err, EINVAL, "the NAME is missing: nook net rm NAME");
		return nook_cli_refused(&err);
	}
	if (nook_state_dir(&state_dir, &err) < 0)
		return nook_cli_failed(&err, NULL, NOOK_EXIT_FAILURE);

	status = 0;
	for (size_t i = 0; i < read.n_words; i++) {
		memset(&err, 0, sizeof(err));
		int rc = nook_net_remove(state_dir, read.words[i], force, &err);

		if (rc < 0 && !(force && rc == -ENOENT))
			status = nook_cli_failed(&err, NULL, NOOK_EXIT_FAILURE);
	}
	memset(&err, 0, sizeof(err));
	if (nook_net_home_tidy(state_dir, &err) < 0)
		status = nook_cli_failed(&err, NULL, NOOK_EXIT_FAILURE);
	return nook_cli_end(status);
}
