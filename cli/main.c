/* SPDX-License-Identifier: Apache-2.0 */
/* The program nook: makes itself safe, then calls the command's function. */
#include "options.h"

#include "base/nearest.h"
#include "run/safe.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *command_name(const void *list, size_t i)
{
	(void)list;
	return i < nook_n_commands ? nook_commands[i].name : NULL; /* of a verb: its command */
}

static int no_command(const char *word)
{
	struct nook_error err = { 0 };
	const char *near = nook_nearest(word, command_name, NULL);

	if (near)
		nook_hint(&err, "Did you mean nook %s?", near);
	nook_hint(&err,
		  word[0] == '-' ? "Options stand behind the command: nook run %s."
				 : "nook help lists the commands; nook run %s runs a program.",
		  word);
	(void)nook_refuse(&err, EINVAL, "there is no %s '%s'",
			  word[0] == '-' ? "such option of nook itself:" : "command", word);
	return nook_cli_refused(&err);
}

int main(int argc, char **argv, char **env)
{
	struct nook_error err = { 0 };

	if (nook_safe_start("nook", NOOK_EXIT_FAILURE, argc, argv, env, &err) < 0)
		return nook_cli_refused(&err);
	(void)signal(SIGPIPE, SIG_DFL); /* fails for a wrong number only */

	/* Some C libraries write a first line at once, and forget what became of it: at the end it
	 * is known. */
	if (!isatty(STDOUT_FILENO))
		(void)setvbuf(stdout, NULL, _IOFBF, 0); /* fails for a bad mode only */

	if (argc < 2) {
		fputs("nook: the command is missing\n\n", stderr);
		nook_help_commands(stderr);
		return NOOK_EXIT_FAILURE;
	}

	const struct nook_command *command = nook_command_find(argv[1]);

	if (command && nook_command_verb(command, ""))
		return command->main(argc - 1, argv + 1);
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		nook_help_commands(stdout);
		return nook_cli_end(0);
	}
	if (strcmp(argv[1], "--version") == 0)
		return nook_cmd_version(1, (char *[]){ argv[1], NULL });
	return no_command(argv[1]);
}
