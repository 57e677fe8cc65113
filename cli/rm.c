/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include "base/own.h"
#include "keep/net_home.h"
#include "net/net.h"
#include "net/outside.h"
#include "nook/container.h"
#include "state/state.h"

#include <errno.h>

static const struct nook_option rows[] = {
	{ .name = "force",
	  .letter = 'f',
	  .set = nook_option_flag,
	  .help = "kill a container that still runs, and remove it" },
	NOOK_OPTION_HELP_ROW,
};

const struct nook_option_table nook_rm_table = { .command = "nook rm",
						 .rows = rows,
						 .n = ARRAY_SIZE(rows) };

/* What isn't there can't be removed; --force is for scripts, to which that is as good. */
static int check_there(struct nook_arena *a, const char *state_dir, const char *name,
		       struct nook_error *err)
{
	struct nook_record record;
	enum nook_life life;
	struct nook_error unread = { 0 };
	int rc = nook_state_read(state_dir, name, a, &record, &life, &unread);

	if (rc != -ENOENT)
		return 0; /* a record that can't be read is removed too */
	*err = unread;
	return rc;
}

/* What an ordinary user's container has of networks is where these are; when that has gone, so has
 * what was there. */
static int go_home(const char *state_dir, const char *name, struct nook_error *err)
{
	return nook_net_homeless() && nook_attached_is_there(state_dir, name)
		       ? nook_net_home_enter(state_dir, false, err)
		       : 0;
}

static int remove_one(struct nook_arena *a, const char *state_dir, const char *name,
		      const void *into, struct nook_error *err)
{
	bool force = *(const bool *)into;
	int rc = force ? 0 : check_there(a, state_dir, name, err);

	if (rc == 0)
		rc = go_home(state_dir, name, err);
	if (rc == 0)
		rc = nook_state_undo(state_dir, name, force, err);
	if (rc == -EBUSY && !force)
		nook_hint(err, "nook rm --force %s kills it first.", name);
	return rc;
}

int nook_cmd_rm(int argc, char **argv)
{
	bool force = false;

	(void)argc;
	return nook_cli_each(&nook_rm_table, argv, &force, remove_one);
}
