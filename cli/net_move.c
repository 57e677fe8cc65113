/* SPDX-License-Identifier: Apache-2.0 */
#include "net.h"

#include "base/own.h"
#include "nook/container.h"
#include "nook/net.h"

#include <errno.h>
#include <string.h>

static int set_name(const struct nook_option_use *use)
{
	*(const char **)use->into = use->value;
	return 0;
}

static const struct nook_option rows[] = {
	{ .name = "name",
	  .value = "NAME",
	  .set = set_name,
	  .help = "its name there; default: the same" },
	NOOK_OPTION_HELP_ROW,
};

const struct nook_option_table nook_net_move_table = { .command = "nook net move",
						       .rows = rows,
						       .n = ARRAY_SIZE(rows) };

int nook_cmd_net_move(int argc, char **argv)
{
	auto_arena struct nook_arena a = { 0 };
	const char *name = NULL, *state_dir;
	struct nook_option_words read;
	struct nook_net_moved moved;
	struct nook_error err = { 0 };
	int status = nook_cli_read(&a, &nook_net_move_table, argv, &name, &read);

	(void)argc;
	if (status >= 0)
		return status;
	if (read.n_words != 2) {
		nook_hint(&err, "nook net move eth1 blue");
		(void)nook_refuse(&err, EINVAL,
				  "a link and a namespace are needed: nook net move LINK TARGET");
		return nook_cli_refused(&err);
	}
	if (nook_state_dir(&state_dir, &err) < 0 ||
	    nook_net_move(state_dir, read.words[0], read.words[1], name, &moved, &err) < 0)
		return nook_cli_failed(&err, NULL, NOOK_EXIT_FAILURE);
	printf("%s is %s in %s. When that namespace ends, it ", read.words[0], moved.name,
	       read.words[1]);
	if (!moved.physical)
		printf("ends with it: it is no physical device.\n");
	else if (strcmp(moved.name, read.words[0]) != 0)
		printf("comes home to the machine's first one, as %s.\n", moved.name);
	else
		printf("comes home to the machine's first one.\n");
	return nook_cli_end(0);
}
