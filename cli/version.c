/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include "base/own.h"

static const struct nook_option rows[] = { NOOK_OPTION_HELP_ROW };

const struct nook_option_table nook_version_table = { .command = "nook version",
						      .rows = rows,
						      .n = ARRAY_SIZE(rows) };

int nook_cmd_version(int argc, char **argv)
{
	auto_arena struct nook_arena a = { 0 };
	struct nook_option_words words;
	int status = nook_cli_read(&a, &nook_version_table, argv, NULL, &words);

	(void)argc;
	if (status < 0)
		status = nook_cli_no_words(&nook_version_table, &words);
	if (status >= 0)
		return status;

	puts("nook " NOOK_VERSION);
	return nook_cli_end(0);
}
