/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include "base/own.h"
#include "host/causes.h"
#include "nook/container.h"
#include "spec/words.h"

int nook_cmd_exec(int argc, char **argv)
{
	auto_arena struct nook_arena a = { 0 };
	struct nook_exec_words words;
	struct nook_error err = { 0 };
	const char *state_dir;
	int status = NOOK_EXIT_FAILURE;
	int rc = nook_arena_open(&a, &err);

	(void)argc;
	if (rc < 0)
		return nook_cli_failed(&err, NULL, status);

	if (nook_words_exec(&a, argv + 1, &words, &err) < 0)
		return nook_cli_refused(&err);
	if (words.help)
		return nook_help_command("exec");

	rc = nook_state_dir(&state_dir, &err);
	if (rc == 0)
		rc = nook_exec(state_dir, &words.spec, words.trace ? nook_cli_trace() : NULL,
			       &status, &err);
	if (words.trace)
		nook_cli_trace_end();
	return rc < 0 ? nook_cli_failed(&err, NULL, status) : status;
}
