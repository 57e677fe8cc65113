/* SPDX-License-Identifier: Apache-2.0 */
/* `nook net VERB` */
#include "net.h"

#include "base/own.h"
#include "keep/net_home.h"
#include "net/outside.h"
#include "nook/container.h"
#include "nook/net.h"

#include <string.h>

static const struct nook_option rows[] = { NOOK_OPTION_HELP_ROW };

const struct nook_option_table nook_net_table = { .command = "nook net",
						  .rows = rows,
						  .n = ARRAY_SIZE(rows) };

/* Are there networks? */
static bool is_any(const char *state_dir)
{
	auto_arena struct nook_arena a = { 0 };
	struct nook_network *list;
	size_t n = 0;

	return nook_arena_open(&a, NULL) == 0 && /* of a failure the verb will tell */
	       nook_net_list(state_dir, &a, &list, &n, NULL) == 0 && n;
}

/* An ordinary user's networks are elsewhere; where there are none, no verb but `new` makes that. */
static int go_home(const char *verb, struct nook_error *err)
{
	static const struct {
		const char *verb;
		bool mends; /* networks whose home was killed */
		bool opens; /* ports of the machine */
	} verbs[] = {
		{ "ls", false, false },        { "show", false, false },
		{ "rm", false, false },        { "connect", false, false },
		{ "disconnect", false, true }, { "publish", false, true },
		{ "unpublish", false, true },  { "repair", true, true },
		{ "watch", true, true },       { "explain", false, false },
	};
	const char *state_dir;

	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
		if (strcmp(verb, verbs[i].verb) != 0)
			continue;

		int rc = nook_state_dir(&state_dir, err);

		if (rc == 0 && verbs[i].opens)
			rc = nook_outside_begin(err);
		return rc < 0 ? rc
			      : nook_net_home_enter(state_dir, verbs[i].mends && is_any(state_dir),
						    err);
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
