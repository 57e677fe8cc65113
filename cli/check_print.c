/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "base/json.h"
#include "base/report.h"

#include <string.h>
#include <unistd.h>

static const struct {
	const char *word, *json, *colour;
} verdicts[] = {
	[NOOK_VERDICT_YES] = { "yes", "yes", "\033[32m" },
	[NOOK_VERDICT_PARTLY] = { "partly", "partly", "\033[33m" },
	[NOOK_VERDICT_NO] = { "no", "no", "\033[31m" },
	[NOOK_VERDICT_FACT] = { "", "fact", "" },
};

#define INDENT "          "

static void print_below(FILE *out, const char *label, const char *text, const char *id)
{
	if (!*text)
		return;
	fprintf(out, INDENT "%-6s ", label);
	nook_print_safe(out, text);
	if (*id)
		fprintf(out, " [%s]", id);
	fputc('\n', out);
}

/* Was the same cause told for an earlier row? */
static bool told_before(const struct nook_probes *probes, size_t index)
{
	const struct nook_probe *row = &probes->rows[index];

	for (size_t i = 0; i < index; i++) {
		const struct nook_probe *other = &probes->rows[i];

		if (other->verdict != NOOK_VERDICT_YES && strcmp(other->why, row->why) == 0 &&
		    strcmp(other->cause, row->cause) == 0 && strcmp(other->fix, row->fix) == 0)
			return true;
	}
	return false;
}

static void print_row(FILE *out, const struct nook_probes *probes, size_t index, bool colour)
{
	const struct nook_probe *row = &probes->rows[index];
	const char *word = verdicts[row->verdict].word;

	fprintf(out, "  %s%-6s%s  ", colour ? verdicts[row->verdict].colour : "", word,
		colour && *word ? "\033[0m" : "");
	nook_print_safe(out, row->title);
	if (*row->detail) {
		fprintf(out, "%*s  ", (int)(strlen(row->title) < 30 ? 30 - strlen(row->title) : 0),
			"");
		nook_print_safe(out, row->detail);
	}
	bool good = row->verdict == NOOK_VERDICT_YES || row->verdict == NOOK_VERDICT_FACT;
	bool again = !good && told_before(probes, index);

	if (again && *row->cause)
		fprintf(out, " [%s]", row->cause);
	fputc('\n', out);
	if (good || again)
		return;
	print_below(out, "cause:", row->why, row->cause);
	print_below(out, "try:", row->fix, "");
}

void nook_check_print(FILE *out, const struct nook_probes *probes, bool colour)
{
	const char *group = "";

	for (size_t i = 0; i < probes->n; i++) {
		if (strcmp(group, probes->rows[i].group) != 0) {
			group = probes->rows[i].group;
			fprintf(out, "%s%s\n", i ? "\n" : "", group);
		}
		print_row(out, probes, i, colour);
	}
	if (nook_probes_suffice(probes)) {
		fputs("\n`nook run` works here for this user.\n", out);
		return;
	}
	fputs("\n`nook run` does not work here for this user without options; these are in its "
	      "way:",
	      out);
	for (size_t i = 0; i < probes->n; i++) {
		if (probes->rows[i].needed && probes->rows[i].verdict == NOOK_VERDICT_NO)
			fprintf(out, " %s", probes->rows[i].id);
	}
	fputs(".\n", out);
}

int nook_check_print_json(FILE *out, const struct nook_probes *probes)
{
	struct nook_json_writer w;

	nook_json_to_file(&w, out, true);
	nook_json_object(&w, NULL);
	nook_json_put_u64(&w, "version", 1);
	nook_json_put_u64(&w, "uid", geteuid());
	nook_json_put_bool(&w, "works", nook_probes_suffice(probes));
	nook_json_array(&w, "probes");
	for (size_t i = 0; i < probes->n; i++) {
		const struct nook_probe *row = &probes->rows[i];

		nook_json_object(&w, NULL);
		nook_json_put_text(&w, "group", row->group);
		nook_json_put_text(&w, "id", row->id);
		nook_json_put_text(&w, "title", row->title);
		nook_json_put_text(&w, "verdict", verdicts[row->verdict].json);
		nook_json_put_bool(&w, "needed", row->needed);
		nook_json_put_text(&w, "detail", row->detail);
		nook_json_put_text(&w, "why", row->why);
		nook_json_put_text(&w, "cause", row->cause);
		nook_json_put_text(&w, "fix", row->fix);
		nook_json_end(&w);
	}
	nook_json_end(&w);
	nook_json_end(&w);
	return nook_json_finish(&w, NULL, NULL);
}
