/* SPDX-License-Identifier: Apache-2.0 */
/* The options of `nook exec`. */
#include "words.h"

#include "base/own.h"
#include "values.h"

static struct nook_exec_spec *spec_of(const struct nook_option_use *use)
{
	return &((struct nook_exec_words *)use->into)->spec;
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

static int set_env(const struct nook_option_use *use)
{
	struct nook_exec_spec *spec = spec_of(use);

	*nook_append(use->arena, spec->env, spec->n_env) = use->value;
	return nook_value_env(use->value, use->err);
}

static int set_tty(const struct nook_option_use *use)
{
	spec_of(use)->terminal = use->no ? NOOK_NO : NOOK_YES;
	return 0;
}

static const struct nook_option rows[] = {
	{ .name = "user",
	  .letter = 'u',
	  .value = "USER[:GROUP]",
	  .complete = NOOK_COMPLETE_USER,
	  .set = set_user,
	  .help = "run as this user of the container, by name or id; default: as its own command" },
	{ .name = "cwd",
	  .letter = 'w',
	  .value = "DIR",
	  .complete = NOOK_COMPLETE_DIR,
	  .set = set_cwd,
	  .help = "start in this directory of the container; default: where its own command "
		  "began" },
	{ .name = "env",
	  .letter = 'e',
	  .value = "NAME[=VALUE]",
	  .flags = NOOK_OPTION_MANY,
	  .complete = NOOK_COMPLETE_ENV,
	  .set = set_env,
	  .help = "set a variable; without =VALUE: as you have it" },
	{ .name = "tty",
	  .letter = 't',
	  .flags = NOOK_OPTION_NO,
	  .set = set_tty,
	  .help = "a terminal of its own; default: when stdin and stdout are one" },
	{ .name = "trace",
	  .set = nook_option_flag,
	  .at = offsetof(struct nook_exec_words, trace),
	  .help = "print every step and how long it took, on stderr" },
	NOOK_OPTION_HELP_ROW,
};

static const struct nook_option_foreign foreign[] = {
	{ "-i", "stdin is always passed on: leave -i away." },
	{ "--interactive", "stdin is always passed on: leave it away." },
	{ "--workdir", "nook calls it --cwd." },
	{ NULL, NULL },
};

const struct nook_option_table nook_exec_table = {
	.command = "nook exec",
	.rows = rows,
	.n = ARRAY_SIZE(rows),
	.command_follows = true,
	.foreign = foreign,
};
