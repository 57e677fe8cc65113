/* SPDX-License-Identifier: Apache-2.0 */
/* `nook net connect` and `disconnect`. */
#include "net.h"

#include "base/own.h"
#include "nook/net.h"
#include "spec/words.h"

#include <errno.h>
#include <string.h>

static const struct nook_option rows[] = { NOOK_OPTION_HELP_ROW };

const struct nook_option_table nook_net_connect_table = { .command = "nook net connect",
							  .rows = rows,
							  .n = ARRAY_SIZE(rows) };
const struct nook_option_table nook_net_disconnect_table = { .command = "nook net disconnect",
							     .rows = rows,
							     .n = ARRAY_SIZE(rows) };

static int two_words(const struct nook_option_table *table, const struct nook_option_words *read)
{
	struct nook_error err = { 0 };

	if (read->n_words == 2)
		return -1;
	(void)nook_refuse(&err, EINVAL, "a container and a network are needed: %s CONTAINER NET",
			  table->command);
	return nook_cli_refused(&err);
}

int nook_cmd_net_connect(int argc, char **argv)
{
	auto_arena struct nook_arena a = { 0 };
	struct nook_option_words read;
	struct nook_link_spec link;
	struct nook_error err = { 0 };
	const char *state_dir;
	int status = nook_cli_read(&a, &nook_net_connect_table, argv, NULL, &read);

	(void)argc;
	if (status < 0)
		status = two_words(&nook_net_connect_table, &read);
	if (status >= 0)
		return status;
	if (nook_link_read(&a, read.words[1], &link, &err) < 0) {
		nook_where(&err, "%s", read.words[1]);
		return nook_cli_refused(&err);
	}
	if (nook_state_dir(&state_dir, &err) < 0 ||
	    nook_net_connect(state_dir, read.words[0], &link, &err) < 0)
		return nook_cli_failed(&err, NULL, NOOK_EXIT_FAILURE);
	return nook_cli_end(0);
}

int nook_cmd_net_disconnect(int argc, char **argv)
{
	auto_arena struct nook_arena a = { 0 };
	struct nook_option_words read;
	struct nook_error err = { 0 };
	const char *state_dir;
	int status = nook_cli_read(&a, &nook_net_disconnect_table, argv, NULL, &read);

	(void)argc;
	if (status < 0)
		status = two_words(&nook_net_disconnect_table, &read);
	if (status >= 0)
		return status;
	if (nook_state_dir(&state_dir, &err) < 0 ||
	    nook_net_disconnect(state_dir, read.words[0],
				strcmp(read.words[1], "bridge") == 0 ? NOOK_NET_DEFAULT
								     : read.words[1],
				&err) < 0)
		return nook_cli_failed(&err, NULL, NOOK_EXIT_FAILURE);
	return nook_cli_end(0);
}
