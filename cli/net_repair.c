/* SPDX-License-Identifier: Apache-2.0 */
/* `nook net repair` and `nook net watch` */
#include "net_tools.h"

#include "base/json.h"
#include "base/own.h"
#include "keep/net_home.h"
#include "net/outside.h"
#include "nook/container.h"
#include "run/net_repair.h"
#include "run/net_watch.h"
#include "table.h"

#include <errno.h>
#include <string.h>

static const struct nook_option rows[] = {
	{ .name = "json", .set = nook_option_flag, .help = "print each thing as a line of JSON" },
	NOOK_OPTION_HELP_ROW,
};

const struct nook_option_table nook_net_repair_table = { .command = "nook net repair",
							 .rows = rows,
							 .n = ARRAY_SIZE(rows) };

const struct nook_option_table nook_net_watch_table = { .command = "nook net watch",
							.rows = rows,
							.n = ARRAY_SIZE(rows) };

static void tell(void *data, const char *network, const char *container, const char *what)
{
	struct nook_json_writer w;

	if (!*(bool *)data) {
		printf("mended %s%s%s%s%s: %s\n",
		       network     ? "network "
		       : container ? ""
				   : "the rules",
		       network ? network : "", network && container ? ", " : "",
		       container ? "container " : "", container ? container : "", what);
		return;
	}
	nook_json_to_file(&w, stdout, false);
	nook_json_object(&w, NULL);
	nook_json_put_u64(&w, "version", 1);
	nook_json_put_text(&w, "network", network);
	nook_json_put_text(&w, "container", container);
	nook_json_put_text(&w, "mended", what);
	nook_json_end(&w);
	(void)nook_json_finish(&w, NULL, NULL); /* nook_cli_end() tells */
}

int nook_cmd_net_repair(int argc, char **argv)
{
	auto_arena struct nook_arena a = { 0 };
	bool json = false;
	struct nook_option_words read;
	struct nook_error err = { 0 };
	const char *state_dir;
	int status = nook_cli_read(&a, &nook_net_repair_table, argv, &json, &read);

	(void)argc;
	if (status >= 0)
		return status;
	if (read.n_words > 1) {
		(void)nook_refuse(&err, EINVAL,
				  "nook net repair takes one network, and not also '%s'; or none, "
				  "for all of them",
				  read.words[1]);
		return nook_cli_refused(&err);
	}
	if (nook_state_dir(&state_dir, &err) < 0 ||
	    nook_net_repair(state_dir, read.words[0], tell, &json, &err) < 0)
		return nook_cli_end(nook_cli_failed(&err, NULL, NOOK_EXIT_FAILURE));
	return nook_cli_end(0);
}

/* What can't be mended now may be after the next change: it is told, once as long as it is the
 * same. */
static void tell_failure(const struct nook_error *err, struct nook_error *last)
{
	struct nook_error shown = *err;

	if (err->errnum && memcmp(err, last, sizeof(*err)) != 0)
		(void)nook_cli_failed(&shown, NULL, NOOK_EXIT_FAILURE);
	*last = *err;
}

static int watch(const struct nook_net_watch *w, const char *state_dir, bool *json)
{
	struct nook_error last = { 0 };

	for (bool first = true;; first = false) {
		struct nook_error err = { 0 };

		(void)nook_net_repair(state_dir, NULL, tell, json, &err);
		tell_failure(&err, &last);
		/* A reader at the other end of a pipe wants each line when it is made, and its end
		 * ends us. */
		if (fflush(stdout) != 0)
			return nook_cli_end(0);
		if (first)
			fputs("nook: watching the networks\n", stderr);
		memset(&err, 0, sizeof(err));
		if (nook_net_watch_wait(w, &err) < 0)
			return nook_cli_failed(&err, NULL, NOOK_EXIT_FAILURE);
	}
}

int nook_cmd_net_watch(int argc, char **argv)
{
	auto_arena struct nook_arena a = { 0 };
	bool json = false;
	struct nook_option_words read;
	struct nook_net_watch w = { .links = NO_FD, .rules = NO_FD };
	auto_close int keeper = NO_FD;
	struct nook_error err = { 0 };
	const char *state_dir;
	int status = nook_cli_read(&a, &nook_net_watch_table, argv, &json, &read);

	(void)argc;
	if (status < 0)
		status = nook_cli_no_words(&nook_net_watch_table, &read);
	if (status >= 0)
		return status;
	if (nook_net_homeless()) {
		nook_hint(&err, "`nook net new` makes one");
		(void)nook_refuse(&err, ENOENT, "you have no networks that could be watched");
		return nook_cli_failed(&err, NULL, NOOK_EXIT_FAILURE);
	}
	if (nook_state_dir(&state_dir, &err) < 0 ||
	    nook_net_home_keeper(state_dir, &keeper, &err) < 0 ||
	    nook_net_watch_open(&w, keeper, &err) < 0)
		status = nook_cli_failed(&err, NULL, NOOK_EXIT_FAILURE);
	else
		status = watch(&w, state_dir, &json);
	nook_net_watch_close(&w);
	return status;
}
