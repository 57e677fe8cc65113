/* SPDX-License-Identifier: Apache-2.0 */
#include "ns_names.h"

#include "base/own.h"
#include "base/report.h"
#include "nook/container.h"
#include "ns/kinds.h"

#include <errno.h>
#include <string.h>

static const struct nook_option rows[] = {
	{ .name = "json", .set = nook_option_flag, .help = "print the answers as JSON" },
	NOOK_OPTION_HELP_ROW,
};

const struct nook_option_table nook_ns_can_table = { .command = "nook ns can",
						     .rows = rows,
						     .n = ARRAY_SIZE(rows) };

static const char *word(enum nook_ns_can_answer answer)
{
	return answer == NOOK_NS_CAN_ENTER ? "yes" : answer == NOOK_NS_CAN_NOTHING ? "own" : "no";
}

static int show_json(const char *target, const struct nook_ns_can *can, size_t n)
{
	struct nook_json_writer w;

	nook_json_to_file(&w, stdout, true);
	nook_json_object(&w, NULL);
	nook_json_put_u64(&w, "version", 1);
	nook_json_put_text(&w, "target", target);
	nook_json_array(&w, "namespaces");
	for (size_t i = 0; i < n; i++) {
		const struct nook_ns_can *c = &can[i];

		nook_json_object(&w, NULL);
		nook_json_put_text(&w, "kind", nook_ns_kinds[c->kind].name);
		if (c->ino)
			nook_json_put_u64(&w, "inode", c->ino);
		else
			nook_json_put_null(&w, "inode");
		nook_json_put_text(&w, "can", word(c->answer));
		nook_json_put_bool(&w, "after_user", c->after_user);
		if (c->answer == NOOK_NS_CAN_NOT) {
			nook_json_put_text(&w, "errno", strerrorname_np(c->errnum));
			nook_json_put_text(&w, "id", c->id);
			nook_json_put_text(&w, "why", c->why);
		}
		nook_json_end(&w);
	}
	nook_json_end(&w);
	nook_json_end(&w);
	return nook_cli_end_json(&w);
}

static int show(const struct nook_ns_can *can, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct nook_ns_can *c = &can[i];

		printf("%-6s  ", nook_ns_kinds[c->kind].name);
		if (c->answer == NOOK_NS_CAN_ENTER)
			puts("yes");
		else if (c->answer == NOOK_NS_CAN_NOTHING)
			puts("you are in it");
		else if (c->after_user)
			puts("yes, after its user namespace");
		else
			printf("no     %s [%s]\n", c->why, c->id);
	}
	return nook_cli_end(0);
}

int nook_cmd_ns_can(int argc, char **argv)
{
	auto_arena struct nook_arena a = { 0 };
	bool json = false;
	struct nook_option_words read;
	struct nook_ns_can can[NOOK_NS_COUNT];
	struct nook_error err = { 0 };
	const char *state_dir;
	size_t n = 0;
	int status = nook_cli_read(&a, &nook_ns_can_table, argv, &json, &read);

	(void)argc;
	if (status >= 0)
		return status;
	if (read.n_words != 1) {
		(void)nook_refuse(&err, EINVAL, "one NAME, PID or PATH is needed: nook ns can PID");
		return nook_cli_refused(&err);
	}
	if (nook_state_dir(&state_dir, &err) < 0 ||
	    nook_ns_can(state_dir, read.words[0], &a, can, &n, &err) < 0)
		return nook_cli_failed(&err, NULL, NOOK_EXIT_FAILURE);
	return json ? show_json(read.words[0], can, n) : show(can, n);
}
