/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include "base/own.h"
#include "nook/container.h"
#include "state/state.h"

#include <errno.h>
#include <string.h>

static int set_force(const struct nook_option_use *use)
{
	*(bool *)use->into = true;
	return 0;
}

static const struct nook_option rows[] = {
	{ .name = "force",
	  .letter = 'f',
	  .set = set_force,
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

int nook_cmd_rm(int argc, char **argv)
{
	auto_arena struct nook_arena a = { 0 };
	bool force = false;
	struct nook_option_words names;
	int status = nook_cli_names(&a, &nook_rm_table, argv, &force, &names);
	struct nook_error err = { 0 };
	const char *state_dir;

	(void)argc;
	if (status >= 0)
		return status;
	if (nook_state_dir(&state_dir, &err) < 0)
		return nook_cli_failed(&err, NULL, NOOK_EXIT_FAILURE);

	status = 0;
	for (size_t i = 0; i < names.n_words; i++) {
		memset(&err, 0, sizeof(err));

		int rc = force ? 0 : check_there(&a, state_dir, names.words[i], &err);

		if (rc == 0)
			rc = nook_state_undo(state_dir, names.words[i], force, &err);

		if (rc == -EBUSY && !force)
			nook_hint(&err, "nook rm --force %s kills it first.", names.words[i]);
		if (rc < 0)
			status = nook_cli_failed(&err, NULL, NOOK_EXIT_FAILURE);
	}
	return status;
}
