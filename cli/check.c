/* SPDX-License-Identifier: Apache-2.0 */
/* nook check: what this machine allows this user, and what the ids in nook's errors mean. */
#include "check.h"
#include "options.h"

#include "base/nearest.h"
#include "base/own.h"

#include <string.h>

struct check_words {
	bool json, explain, all, markdown;
	const char *id;
};

static int set_explain(const struct nook_option_use *use)
{
	struct check_words *words = use->into;

	words->explain = true;
	words->id = use->value;
	return 0;
}

static const struct nook_option rows[] = {
	{ .name = "json",
	  .set = nook_option_flag,
	  .at = offsetof(struct check_words, json),
	  .help = "print JSON, for programs" },
	{ .name = "explain",
	  .value = "ID",
	  .flags = NOOK_OPTION_OPTIONAL,
	  .set = set_explain,
	  .help = "say what the id at the end of an error means, how to see it and what helps; "
		  "without ID: list the ids",
	  .more = "The ID may also follow as a word of its own." },
	{ .name = "explain-all",
	  .set = nook_option_flag,
	  .at = offsetof(struct check_words, all),
	  .help = "explain all ids" },
	{ .name = "markdown",
	  .set = nook_option_flag,
	  .at = offsetof(struct check_words, markdown),
	  .help = "with --explain-all: as Markdown, which is docs/errors.md" },
	NOOK_OPTION_HELP_ROW,
};

const struct nook_option_table nook_check_table = {
	.command = "nook check",
	.rows = rows,
	.n = ARRAY_SIZE(rows),
};

static const char *cause_name(const void *unused, size_t i)
{
	const struct nook_known_cause *cause = nook_known_cause_at(i);

	return cause ? cause->id : NULL;
}

static int refuse(const char *where, const char *why, const char *hint, const char *word)
{
	struct nook_error err = { 0 };

	nook_where(&err, "%s", where);
	nook_hint(&err, hint, word);
	(void)nook_refuse(&err, EINVAL, why, word);
	return nook_cli_refused(&err);
}

static int explain(const struct check_words *words)
{
	if (!words->id) {
		nook_causes_list(stdout);
		return nook_cli_end(0);
	}

	const struct nook_known_cause *cause = nook_known_cause(words->id);

	if (!cause) {
		struct nook_error err = { 0 };
		const char *near = nook_nearest(words->id, cause_name, NULL);

		nook_where(&err, "--explain %s", words->id);
		if (near)
			nook_hint(&err, "Did you mean %s? nook check --explain lists all ids.",
				  near);
		nook_hint(&err, "nook check --explain lists all ids.");
		(void)nook_refuse(&err, EINVAL, "there is no cause with this id");
		return nook_cli_refused(&err);
	}
	if (words->json)
		(void)nook_cause_print_json(stdout,
					    cause); /* nook_cli_end() tells of a full pipe */
	else
		nook_cause_print(stdout, cause);
	return nook_cli_end(0);
}

static int explain_all(const struct check_words *words)
{
	if (words->markdown)
		nook_causes_markdown(stdout);
	else if (words->json)
		(void)nook_causes_print_json(stdout); /* nook_cli_end() tells of a full pipe */
	else
		nook_causes_print(stdout);
	return nook_cli_end(0);
}

/* NO_COLOR counts when it is set and not empty. https://no-color.org */
static bool wants_colour(void)
{
	const char *no = getenv("NO_COLOR");
	const char *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && !(no && *no) && !(term && strcmp(term, "dumb") == 0);
}

static int check_machine(struct nook_arena *a, bool json)
{
	struct nook_probes probes;

	nook_probe_machine(a, &probes);
	nook_check_run(&probes);
	if (json)
		(void)nook_check_print_json(stdout, &probes); /* nook_cli_end() tells */
	else
		nook_check_print(stdout, &probes, wants_colour());
	return nook_cli_end(nook_probes_suffice(&probes) ? 0 : 1);
}

int nook_cmd_check(int argc, char **argv)
{
	auto_arena struct nook_arena a = { 0 };
	struct nook_option_words given = { 0 };
	struct check_words words = { 0 };
	int status = nook_cli_read(&a, &nook_check_table, argv, &words, &given);

	if (status >= 0)
		return status;
	if (words.explain && !words.id && given.n_words == 1)
		words.id = given.words[0];
	else if (given.n_words)
		return nook_cli_no_words(&nook_check_table, &given);
	if (words.markdown && !words.all)
		return refuse("--markdown", "goes together with --explain-all only",
			      "nook check --explain-all --markdown", "");
	if (words.all && (words.explain || (words.json && words.markdown)))
		return refuse("--explain-all", "goes with one of --json and --markdown at most",
			      "nook check --explain-all", "");
	if (words.all)
		return explain_all(&words);
	return words.explain ? explain(&words) : check_machine(&a, words.json);
}
