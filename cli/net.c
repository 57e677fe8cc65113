/* SPDX-License-Identifier: Apache-2.0 */
/* `nook net VERB` */
#include "net.h"

#include "base/own.h"

static const struct nook_option rows[] = { NOOK_OPTION_HELP_ROW };

const struct nook_option_table nook_net_table = { .command = "nook net",
						  .rows = rows,
						  .n = ARRAY_SIZE(rows) };

int nook_cmd_net(int argc, char **argv)
{
	return nook_cli_verb("net", argc, argv);
}
