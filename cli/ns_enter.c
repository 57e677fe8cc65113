/* SPDX-License-Identifier: Apache-2.0 */
#include "ns_names.h"

#include "base/own.h"
#include "host/causes.h"
#include "nook/container.h"
#include "spec/values.h"

#include <errno.h>

struct enter_words {
	struct nook_ns_enter_spec spec;
	bool trace;
};

static struct nook_ns_enter_spec *spec_of(const struct nook_option_use *use)
{
	return &((struct enter_words *)use->into)->spec;
}

static int set_only(const struct nook_option_use *use)
{
	spec_of(use)->only_from = use->from;
	return nook_cli_kinds(use->arena, use->value, &spec_of(use)->only, use->err);
}

static int set_user(const struct nook_option_use *use)
{
	spec_of(use)->user = use->value;
	spec_of(use)->user_from = use->from;
	return nook_value_user(use->value, true, use->err);
}

static int set_cwd(const struct nook_option_use *use)
{
	spec_of(use)->cwd = use->value;
	spec_of(use)->cwd_from = use->from;
	return nook_value_inside(use->value, use->err);
}

static int set_tty(const struct nook_option_use *use)
{
	spec_of(use)->terminal = use->no ? NOOK_NO : NOOK_YES;
	return 0;
}

static const struct nook_option rows[] = {
	{ .name = "only",
	  .value = "KIND,...",
	  .flags = NOOK_OPTION_MANY,
	  .complete = NOOK_COMPLETE_LIST,
	  .words = "user mnt cgroup ipc uts net pid time",
	  .set = set_only,
	  .help = "enter these kinds; default: all that are not yours already" },
	{ .name = "user",
	  .letter = 'u',
	  .value = "USER[:GROUP]",
	  .complete = NOOK_COMPLETE_USER,
	  .set = set_user,
	  .help = "run as this user, as the files inside name it; default: root of a user "
		  "namespace that is entered, else you" },
	{ .name = "cwd",
	  .letter = 'w',
	  .value = "DIR",
	  .complete = NOOK_COMPLETE_DIR,
	  .set = set_cwd,
	  .help = "start in this directory; default: where you are, or / when it isn't there" },
	{ .name = "tty",
	  .letter = 't',
	  .flags = NOOK_OPTION_NO,
	  .set = set_tty,
	  .help = "a terminal of its own; default: when stdin and stdout are one" },
	{ .name = "trace",
	  .set = nook_option_flag,
	  .at = offsetof(struct enter_words, trace),
	  .help = "print every step and how long it took, on stderr" },
	NOOK_OPTION_HELP_ROW,
};

static const struct nook_option_foreign foreign[] = {
	{ "-a", "All are entered by default: leave -a away." },
	{ "-n", "Write --only net." },
	{ "-m", "Write --only mnt." },
	{ "-i", "stdin is always passed on: leave -i away." },
	{ NULL, NULL },
};

const struct nook_option_table nook_ns_enter_table = { .command = "nook ns enter",
						       .rows = rows,
						       .n = ARRAY_SIZE(rows),
						       .command_follows = true,
						       .foreign = foreign };

int nook_cmd_ns_enter(int argc, char **argv)
{
	auto_arena struct nook_arena a = { 0 };
	struct enter_words words = { 0 };
	struct nook_option_words read;
	struct nook_error err = { 0 };
	const char *state_dir;
	int status = nook_cli_read(&a, &nook_ns_enter_table, argv, &words, &read);

	(void)argc;
	if (status >= 0)
		return status;
	if (read.n_words == 0) {
		(void)nook_refuse(&err, EINVAL,
				  "what to enter is missing: nook ns enter NAME|PID|PATH COMMAND");
		return nook_cli_refused(&err);
	}

	/* The words behind the target are a command of its own, with its own "--" perhaps. */
	char **command = read.words + 1;

	if (*command && command[0][0] == '-' && command[0][1] == '-' && !command[0][2])
		command++;
	words.spec.target = read.words[0];
	words.spec.argv = (const char **)(uintptr_t)command;
	status = NOOK_EXIT_FAILURE;

	int rc = nook_state_dir(&state_dir, &err);

	if (rc == 0)
		rc = nook_ns_enter(state_dir, &words.spec, words.trace ? nook_cli_trace() : NULL,
				   &status, &err);
	if (words.trace)
		nook_cli_trace_end();
	return rc < 0 ? nook_cli_failed(&err, NULL, status) : status;
}
