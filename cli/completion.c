/* SPDX-License-Identifier: Apache-2.0 */
/* `nook completion`: which shell's script is wanted. The scripts are in complete_bash.c and
 * complete_zsh.c. */
#include "options.h"

#include "base/own.h"
#include "complete.h"

#include <errno.h>
#include <string.h>

static const struct nook_option rows[] = { NOOK_OPTION_HELP_ROW };

const struct nook_option_table nook_completion_table = { .command = "nook completion",
							 .rows = rows,
							 .n = ARRAY_SIZE(rows) };

int nook_cmd_completion(int argc, char **argv)
{
	auto_arena struct nook_arena a = { 0 };
	struct nook_option_words words;
	struct nook_error err = { 0 };
	int status = nook_cli_read(&a, &nook_completion_table, argv, NULL, &words);

	(void)argc;
	if (status >= 0)
		return status;
	if (words.n_words == 1 && strcmp(words.words[0], "bash") == 0) {
		nook_complete_bash(stdout);
		return nook_cli_end(0);
	}
	if (words.n_words == 1 && strcmp(words.words[0], "zsh") == 0) {
		nook_complete_zsh(stdout);
		return nook_cli_end(0);
	}

	nook_hint(&err, "source <(nook completion bash)");
	(void)nook_refuse(&err, EINVAL, "nook completion takes one word: bash or zsh");
	return nook_cli_refused(&err);
}
