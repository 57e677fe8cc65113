/* SPDX-License-Identifier: Apache-2.0 */
/* `nook net VERB` */
#include "net.h"

#include "base/own.h"
#include "keep/net_home.h"
#include "nook/container.h"

#include <string.h>

static const struct nook_option rows[] = { NOOK_OPTION_HELP_ROW };

const struct nook_option_table nook_net_table = { .command = "nook net",
						  .rows = rows,
						  .n = ARRAY_SIZE(rows) };

/* An ordinary user's networks are elsewhere; where there is none, no verb but `new` makes one. */
static int go_home(const char *verb, struct nook_error *err)
{
	static const char *const verbs[] = { "ls",         "show",    "rm",        "connect",
					     "disconnect", "publish", "unpublish", "repair",
					     "watch",      "explain" };
	const char *state_dir;

	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
		if (strcmp(verb, verbs[i]) != 0)
			continue;

		int rc = nook_state_dir(&state_dir, err);

		return rc < 0 ? rc : nook_net_home_enter(state_dir, false, err);
	}
	return 0;
}

int nook_cmd_net(int argc, char **argv)
{
	struct nook_error err = { 0 };

	if (argc > 1 && go_home(argv[1], &err) < 0)
		return nook_cli_failed(&err, NULL, NOOK_EXIT_FAILURE);
	return nook_cli_verb("net", argc, argv);
}
