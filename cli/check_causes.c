/* SPDX-License-Identifier: Apache-2.0 */
/* The pages of `nook check --explain`, and docs/errors.md, from the one table. */
#include "check.h"

#include "base/json.h"

#include <string.h>

/* Each line of @text with @before in front. */
static void print_lines(FILE *out, const char *before, const char *text)
{
	while (*text) {
		size_t len = strcspn(text, "\n");

		fprintf(out, "%s%.*s\n", before, (int)len, text);
		text += len + (text[len] == '\n');
	}
}

void nook_cause_print(FILE *out, const struct nook_known_cause *cause)
{
	fprintf(out, "%s: %s\n\n%s\n", cause->id, cause->title, cause->meaning);
	if (*cause->since)
		fprintf(out, "Matters since: %s\n", cause->since);
	fputs("\nHow to see it\n", out);
	print_lines(out, "  - ", cause->see);
	fputs("\nWhat helps\n", out);
	print_lines(out, "  - ", cause->fix);
}

static void put_lines(struct nook_json_writer *w, const char *key, const char *text)
{
	char line[1024];

	nook_json_array(w, key);
	while (*text) {
		size_t len = strcspn(text, "\n");

		snprintf(line, sizeof(line), "%.*s", (int)len, text);
		nook_json_put_text(w, NULL, line);
		text += len + (text[len] == '\n');
	}
	nook_json_end(w);
}

static void put_cause(struct nook_json_writer *w, const struct nook_known_cause *cause)
{
	nook_json_object(w, NULL);
	nook_json_put_text(w, "id", cause->id);
	nook_json_put_text(w, "title", cause->title);
	nook_json_put_text(w, "meaning", cause->meaning);
	put_lines(w, "see", cause->see);
	put_lines(w, "fix", cause->fix);
	nook_json_put_text(w, "since", cause->since);
	nook_json_end(w);
}

int nook_cause_print_json(FILE *out, const struct nook_known_cause *cause)
{
	struct nook_json_writer w;

	nook_json_to_file(&w, out, true);
	put_cause(&w, cause);
	return nook_json_finish(&w, NULL, NULL);
}

void nook_causes_list(FILE *out)
{
	const struct nook_known_cause *cause;

	for (size_t i = 0; (cause = nook_known_cause_at(i)); i++)
		fprintf(out, "%-24s %s\n", cause->id, cause->title);
}

void nook_causes_print(FILE *out)
{
	const struct nook_known_cause *cause;

	for (size_t i = 0; (cause = nook_known_cause_at(i)); i++) {
		fputs(i ? "\n\n" : "", out);
		nook_cause_print(out, cause);
	}
}

int nook_causes_print_json(FILE *out)
{
	const struct nook_known_cause *cause;
	struct nook_json_writer w;

	nook_json_to_file(&w, out, true);
	nook_json_object(&w, NULL);
	nook_json_put_u64(&w, "version", 1);
	nook_json_array(&w, "causes");
	for (size_t i = 0; (cause = nook_known_cause_at(i)); i++)
		put_cause(&w, cause);
	nook_json_end(&w);
	nook_json_end(&w);
	return nook_json_finish(&w, NULL, NULL);
}

void nook_causes_markdown(FILE *out)
{
	const struct nook_known_cause *cause;

	fputs("<!-- Made by `nook check --explain-all --markdown`; a test compares. Change "
	      "src/host/causes_*.c instead. -->\n"
	      "# Errors and their causes\n\n"
	      "When a step fails, nook says what was wanted, which call failed, the most likely "
	      "cause and what to do:\n\n"
	      "```\n"
	      "nook: cannot WANTED (YOUR WORDS): THE CALL: WHAT THE KERNEL SAID\n"
	      "  cause: what probing the machine found [ID]\n"
	      "  try:   the next thing to try\n"
	      "  more:  nook check --explain ID\n"
	      "```\n\n"
	      "A cause is named only when its evidence was seen. The ids are stable: scripts may "
	      "compare them. Each has a section here;\n"
	      "`nook check --explain ID` prints the same, and `nook check` tries beforehand what "
	      "this machine allows.\n\n",
	      out);
	for (size_t i = 0; (cause = nook_known_cause_at(i)); i++)
		fprintf(out, "- [%s](#%s): %s\n", cause->id, cause->id, cause->title);

	for (size_t i = 0; (cause = nook_known_cause_at(i)); i++) {
		fprintf(out, "\n## %s\n\n**%s.** %s\n", cause->id, cause->title, cause->meaning);
		if (*cause->since)
			fprintf(out, "\nMatters since: %s.\n", cause->since);
		fputs("\nHow to see it:\n\n", out);
		print_lines(out, "- ", cause->see);
		fputs("\nWhat helps:\n\n", out);
		print_lines(out, "- ", cause->fix);
	}
}
