/* SPDX-License-Identifier: Apache-2.0 */
#include "ns_names.h"

#include "base/own.h"
#include "nook/container.h"
#include "ns/kinds.h"

#include <errno.h>
#include <string.h>

struct rm_words {
	bool force, json;
};

static const struct nook_option rows[] = {
	{ .name = "force",
	  .letter = 'f',
	  .set = nook_option_flag,
	  .at = offsetof(struct rm_words, force),
	  .help = "end the processes of a pid namespace too; remove what ip netns add has made" },
	{ .name = "json",
	  .set = nook_option_flag,
	  .at = offsetof(struct rm_words, json),
	  .help = "print who still holds them as JSON" },
	NOOK_OPTION_HELP_ROW,
};

const struct nook_option_table nook_ns_rm_table = { .command = "nook ns rm",
						    .rows = rows,
						    .n = ARRAY_SIZE(rows) };

static void tell_users(const char *name, const struct nook_ns_user *users, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		printf("%s: process %d still holds", name, users[i].pid);
		for (int k = 0; k < NOOK_NS_COUNT; k++) {
			if (users[i].kinds & NOOK_NS_BIT(k))
				printf(" %s", nook_ns_kinds[k].name);
		}
		putchar('\n');
	}
}

static void put_users(struct nook_json_writer *w, const char *name,
		      const struct nook_ns_user *users, size_t n)
{
	nook_json_object(w, NULL);
	nook_json_put_text(w, "name", name);
	nook_json_array(w, "held_by");
	for (size_t i = 0; i < n; i++) {
		nook_json_object(w, NULL);
		nook_json_put_i64(w, "pid", users[i].pid);
		nook_cli_put_kinds(w, "kinds", users[i].kinds);
		nook_json_end(w);
	}
	nook_json_end(w);
	nook_json_end(w);
}

int nook_cmd_ns_rm(int argc, char **argv)
{
	auto_arena struct nook_arena a = { 0 };
	struct rm_words words = { 0 };
	struct nook_option_words read;
	struct nook_json_writer w;
	struct nook_error err = { 0 };
	const char *state_dir;
	int status = nook_cli_read(&a, &nook_ns_rm_table, argv, &words, &read);

	(void)argc;
	if (status >= 0)
		return status;
	if (read.n_words == 0) {
		(void)nook_refuse(&err, EINVAL, "the NAME is missing: nook ns rm NAME");
		return nook_cli_refused(&err);
	}
	if (nook_state_dir(&state_dir, &err) < 0)
		return nook_cli_failed(&err, NULL, NOOK_EXIT_FAILURE);

	if (words.json) {
		nook_json_to_file(&w, stdout, true);
		nook_json_object(&w, NULL);
		nook_json_put_u64(&w, "version", 1);
		nook_json_array(&w, "released");
	}
	status = 0;
	for (size_t i = 0; i < read.n_words; i++) {
		struct nook_ns_user *users = NULL;
		size_t n = 0;

		memset(&err, 0, sizeof(err));
		if (nook_ns_release(state_dir, read.words[i], words.force, &a, &users, &n, &err) <
		    0)
			status = nook_cli_failed(&err, NULL, NOOK_EXIT_FAILURE);
		else if (words.json)
			put_users(&w, read.words[i], users, n);
		else
			tell_users(read.words[i], users, n);
	}
	if (!words.json)
		return nook_cli_end(status);

	nook_json_end(&w);
	nook_json_end(&w);

	int written = nook_cli_end_json(&w);

	return status ? status : written;
}
