/* SPDX-License-Identifier: Apache-2.0 */
/* `nook net publish` and `unpublish`. */
#include "net.h"

#include "base/own.h"
#include "nook/net.h"
#include "spec/words.h"

#include <errno.h>

static const struct nook_option rows[] = { NOOK_OPTION_HELP_ROW };

const struct nook_option_table nook_net_publish_table = { .command = "nook net publish",
							  .rows = rows,
							  .n = ARRAY_SIZE(rows) };
const struct nook_option_table nook_net_unpublish_table = { .command = "nook net unpublish",
							    .rows = rows,
							    .n = ARRAY_SIZE(rows) };

typedef int change_fn(const char *state_dir, const char *container,
		      const struct nook_port_spec *port, struct nook_error *err);

/* All are read before the first is done; what fails then is told, and those before it stay. */
static int change(const struct nook_option_table *table, change_fn *fn, char **argv)
{
	auto_arena struct nook_arena a = { 0 };
	struct nook_option_words read;
	struct nook_port_spec *ports = NULL;
	size_t n = 0;
	struct nook_error err = { 0 };
	const char *state_dir;
	int status = nook_cli_read(&a, table, argv, NULL, &read);

	if (status >= 0)
		return status;
	if (read.n_words < 2) {
		(void)nook_refuse(&err, EINVAL,
				  "a container and a port are needed: %s CONTAINER 8080:80",
				  table->command);
		return nook_cli_refused(&err);
	}
	for (size_t i = 1; i < read.n_words; i++) {
		struct nook_port_spec *port = nook_append(&a, ports, n);

		if (nook_publish_read(&a, read.words[i], port, &err) < 0) {
			nook_where(&err, "%s", read.words[i]);
			return nook_cli_refused(&err);
		}
		port->from = read.words[i];
	}
	if (nook_state_dir(&state_dir, &err) < 0)
		return nook_cli_failed(&err, NULL, NOOK_EXIT_FAILURE);
	for (size_t i = 0; i < n; i++) {
		if (fn(state_dir, read.words[0], &ports[i], &err) < 0) {
			nook_where(&err, "%s", ports[i].from);
			return nook_cli_failed(&err, NULL, NOOK_EXIT_FAILURE);
		}
	}
	return nook_cli_end(0);
}

int nook_cmd_net_publish(int argc, char **argv)
{
	(void)argc;
	return change(&nook_net_publish_table, nook_net_publish, argv);
}

int nook_cmd_net_unpublish(int argc, char **argv)
{
	(void)argc;
	return change(&nook_net_unpublish_table, nook_net_unpublish, argv);
}
