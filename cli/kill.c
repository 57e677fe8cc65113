/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include "base/nearest.h"
#include "base/own.h"
#include "base/text.h"
#include "nook/container.h"
#include "sys/names.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <strings.h>

struct kill_words {
	int signal;
	bool all;
};

static int set_signal(const struct nook_option_use *use)
{
	struct kill_words *words = use->into;
	char near[16];

	words->signal = nook_signal_number(use->value);
	if (words->signal > 0)
		return 0;

	char *name = nook_strdup(use->arena, use->value);

	for (char *p = name; *p; p++)
		*p |= *p >= 'A' && *p <= 'Z' ? 0x20 : 0;
	if (nook_nearest_word(nook_starts(name, "sig") ? name + 3 : name, nook_signal_words, near,
			      sizeof(near)))
		nook_hint(use->err, "Did you mean %s?", near);
	nook_hint(use->err, "kill -l lists the signals.");
	return nook_refuse(use->err, EINVAL,
			   "'%s' is no signal: write its name or its number, from 1 to 64",
			   use->value);
}

static const struct nook_option rows[] = {
	{ .name = "signal",
	  .letter = 's',
	  .value = "SIGNAL",
	  .complete = NOOK_COMPLETE_WORDS,
	  .words = nook_signal_words,
	  .set = set_signal,
	  .help = "which one, by name (TERM, SIGTERM) or number; default: TERM" },
	{ .name = "all",
	  .set = nook_option_flag,
	  .at = offsetof(struct kill_words, all),
	  .help = "send it to every process inside" },
	NOOK_OPTION_HELP_ROW,
};

static const struct nook_option_foreign foreign[] = {
	{ "-9", "Write -s 9 or -s KILL." },
	{ "-1", "Write -s 1 or -s HUP." },
	{ "-15", "That is the default: leave it away." },
	{ "-a", "Write --all." },
	{ NULL, NULL },
};

const struct nook_option_table nook_kill_table = {
	.command = "nook kill", .rows = rows, .n = ARRAY_SIZE(rows), .foreign = foreign
};

static int kill_one(struct nook_arena *a, const char *state_dir, const char *name, const void *into,
		    struct nook_error *err)
{
	const struct kill_words *words = into;

	(void)a;
	return nook_kill(state_dir, name, words->signal, words->all, err);
}

int nook_cmd_kill(int argc, char **argv)
{
	struct kill_words words = { .signal = SIGTERM };

	(void)argc;
	return nook_cli_each(&nook_kill_table, argv, &words, kill_one);
}
