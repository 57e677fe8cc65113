/* SPDX-License-Identifier: Apache-2.0 */
/* `nook ns VERB`, and how any command with verbs finds the one that is meant. */
#include "options.h"

#include "base/nearest.h"
#include "base/own.h"

#include <errno.h>
#include <string.h>

static const char *verb_name(const void *command, size_t i)
{
	/* The i-th verb: the table is short. */
	for (size_t k = 0; k < nook_n_commands; k++) {
		const char *verb = nook_command_verb(&nook_commands[k], command);

		if (verb && i-- == 0)
			return verb;
	}
	return NULL;
}

static int no_verb(const char *command, const char *word)
{
	struct nook_error err = { 0 };
	const char *near = nook_nearest(word, verb_name, command);

	if (near)
		nook_hint(&err, "Did you mean nook %s %s?", command, near);
	nook_hint(&err, "nook %s --help lists the verbs.", command);
	(void)nook_refuse(&err, EINVAL, "nook %s has no verb '%s'", command, word);
	return nook_cli_refused(&err);
}

int nook_cli_verb(const char *command, int argc, char **argv)
{
	struct nook_error err = { 0 };

	if (argc < 2) {
		nook_hint(&err, "nook %s --help lists the verbs.", command);
		(void)nook_refuse(&err, EINVAL, "the verb is missing: nook %s VERB", command);
		return nook_cli_refused(&err);
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
		return nook_help_command(command);

	for (size_t i = 0; i < nook_n_commands; i++) {
		const char *verb = nook_command_verb(&nook_commands[i], command);

		if (verb && strcmp(verb, argv[1]) == 0)
			return nook_commands[i].main(argc - 1, argv + 1);
	}
	return no_verb(command, argv[1]);
}

static const struct nook_option rows[] = { NOOK_OPTION_HELP_ROW };

const struct nook_option_table nook_ns_table = { .command = "nook ns",
						 .rows = rows,
						 .n = ARRAY_SIZE(rows) };

int nook_cmd_ns(int argc, char **argv)
{
	return nook_cli_verb("ns", argc, argv);
}
