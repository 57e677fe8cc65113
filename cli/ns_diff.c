/* SPDX-License-Identifier: Apache-2.0 */
/* `nook ns diff` */
#include "options.h"

#include "base/json.h"
#include "base/own.h"
#include "nook/container.h"
#include "ns/diff.h"
#include "ns/translate.h"
#include "ns/words.h"
#include "table.h"

#include <errno.h>
#include <string.h>

#define VALUE_WIDTH 60

struct diff_words {
	bool json, env;
};

static int set_json(const struct nook_option_use *use)
{
	((struct diff_words *)use->into)->json = true;
	return 0;
}

static int set_env(const struct nook_option_use *use)
{
	((struct diff_words *)use->into)->env = true;
	return 0;
}

static const struct nook_option rows[] = {
	{ .name = "env",
	  .set = set_env,
	  .help = "compare their environment variables, too",
	  .more = "Variables often hold passwords, so they are shown only when asked for." },
	{ .name = "json", .set = set_json, .help = "print it as JSON" },
	NOOK_OPTION_HELP_ROW,
};

const struct nook_option_table nook_ns_diff_table = { .command = "nook ns diff",
						      .rows = rows,
						      .n = ARRAY_SIZE(rows) };

struct sides {
	const char *words[2];
	struct nook_diff_process process[2];
	struct nook_diff diff;
};

/* ---- for people ---- */

static const char *value_text(struct nook_arena *a, const struct nook_diff_fact *f)
{
	if (!f)
		return "-";
	if (f->errnum)
		return nook_printf(a, "? (%s)", strerror(f->errnum));
	if (!f->value)
		return "?";
	return *f->value ? nook_cli_cut(a, nook_cli_safe(a, f->value), VALUE_WIDTH) : "\"\"";
}

/* Of a set only what the other has not: "+net_admin +sys_admin". */
static const char *only_text(struct nook_arena *a, const char *words)
{
	const char *text = "";

	for (const char *p = words; *p;) {
		int n = (int)strcspn(p, " ");

		text = nook_printf(a, "%s%s+%.*s", text, *text ? " " : "", n, p);
		p += n + (p[n] == ' ');
	}
	return *text ? nook_cli_safe(a, text) : "-";
}

static void print_rows(struct nook_arena *a, const struct sides *s, const struct nook_diff_row *rws,
		       size_t n)
{
	enum { SECTION, NAME, A, B, COLUMNS };
	const char *(*cells)[COLUMNS] = nook_alloc_array(a, n + 1, sizeof(*cells));

	cells[0][SECTION] = "DIFFERS";
	cells[0][NAME] = "";
	for (int i = 0; i < 2; i++)
		cells[0][A + i] = nook_cli_safe(
			a, nook_printf(a, "%s (%s)", s->words[i], s->process[i].name));
	for (size_t i = 0; i < n; i++) {
		const struct nook_diff_row *r = &rws[i];
		const char **row = cells[i + 1];

		row[SECTION] = nook_diff_section_names[r->section];
		row[NAME] = nook_cli_cut(a, nook_cli_safe(a, r->name), VALUE_WIDTH);
		row[A] = r->only_a ? only_text(a, r->only_a) : value_text(a, r->a);
		row[B] = r->only_b ? only_text(a, r->only_b) : value_text(a, r->b);
	}
	nook_cli_table(cells[0], n + 1, COLUMNS);
}

static void print_same(struct nook_arena *a, const struct nook_diff *d)
{
	const char *text = "";

	for (int i = 0; i < NOOK_DIFF_SECTIONS; i++) {
		if (d->same[i])
			text = nook_printf(a, "%s%s%zu %s", text, *text ? ", " : "", d->same[i],
					   i == NOOK_DIFF_MOUNT_OPTIONS
						   ? "sets of mount options"
						   : nook_diff_section_words[i]);
	}
	printf("\nThe same: %s.\n", *text ? text : "nothing");
}

static void print_unknown(struct nook_arena *a, const struct sides *s)
{
	if (s->diff.n_unknown == 0)
		return;
	puts("\nNot compared, because it can't be read:");
	for (size_t i = 0; i < s->diff.n_unknown; i++) {
		const struct nook_diff_row *r = &s->diff.unknown[i];
		const struct nook_diff_fact *f = r->a && r->a->errnum ? r->a : r->b;
		int which = f == r->a ? 0 : 1;

		printf("  %s%s%s of %s: %s\n", nook_diff_section_names[r->section],
		       *r->name ? " " : "", nook_cli_safe(a, r->name),
		       nook_cli_safe(a, s->words[which]), strerror(f->errnum));
	}
}

static void print_people(struct nook_arena *a, const struct sides *s)
{
	if (s->diff.n_rows)
		print_rows(a, s, s->diff.rows, s->diff.n_rows);
	else
		puts("Nothing differs.");
	print_same(a, &s->diff);
	print_unknown(a, s);
}

/* ---- JSON, docs/ns-json.md ---- */

static void json_words(struct nook_json_writer *w, struct nook_arena *a, const char *key,
		       const char *words)
{
	nook_json_array(w, key);
	for (const char *p = words; *p;) {
		size_t n = strcspn(p, " ");

		nook_json_put_text(w, NULL, nook_strndup(a, p, n));
		p += n + (p[n] == ' ');
	}
	nook_json_end(w);
}

static void json_row(struct nook_json_writer *w, struct nook_arena *a,
		     const struct nook_diff_row *r)
{
	nook_json_object(w, NULL);
	nook_json_put_text(w, "section", nook_diff_section_words[r->section]);
	nook_json_put_text(w, "name", r->name);
	nook_json_put_text(w, "a", r->a ? r->a->value : NULL);
	nook_json_put_text(w, "b", r->b ? r->b->value : NULL);
	if (r->only_a && r->only_b) {
		json_words(w, a, "only_a", r->only_a);
		json_words(w, a, "only_b", r->only_b);
	}
	if (r->a && r->a->errnum)
		nook_json_put_text(w, "error_a", strerrorname_np(r->a->errnum));
	if (r->b && r->b->errnum)
		nook_json_put_text(w, "error_b", strerrorname_np(r->b->errnum));
	nook_json_end(w);
}

static void print_json(struct nook_arena *a, const struct sides *s)
{
	struct nook_json_writer w;

	nook_json_to_file(&w, stdout, true);
	nook_json_object(&w, NULL);
	nook_json_put_u64(&w, "version", 1);
	for (int i = 0; i < 2; i++) {
		nook_json_object(&w, i ? "b" : "a");
		nook_json_put_text(&w, "words", s->words[i]);
		nook_json_put_i64(&w, "pid", s->process[i].pid);
		nook_json_put_text(&w, "name", s->process[i].name);
		nook_json_end(&w);
	}
	nook_json_array(&w, "differs");
	for (size_t i = 0; i < s->diff.n_rows; i++)
		json_row(&w, a, &s->diff.rows[i]);
	nook_json_end(&w);
	nook_json_array(&w, "unknown");
	for (size_t i = 0; i < s->diff.n_unknown; i++)
		json_row(&w, a, &s->diff.unknown[i]);
	nook_json_end(&w);
	nook_json_object(&w, "same");
	for (int i = 0; i < NOOK_DIFF_SECTIONS; i++)
		nook_json_put_u64(&w, nook_diff_section_words[i], s->diff.same[i]);
	nook_json_end(&w);
	nook_json_end(&w);
	(void)nook_json_finish(&w, NULL, NULL); /* nook_cli_end() tells */
}

/* ---- */

static int read_side(struct nook_arena *a, const char *state_dir, bool env, struct sides *s,
		     size_t i, struct nook_error *err)
{
	int pid = nook_ns_words_inner(state_dir, s->words[i], err);

	return pid < 0 ? pid : nook_diff_read(a, pid, env, &s->process[i], err);
}

static int read_sides(struct nook_arena *a, bool env, struct sides *s, struct nook_error *err)
{
	const char *state_dir;
	int rc = nook_state_dir(&state_dir, err);

	if (rc == 0)
		rc = nook_translate_check(err);
	for (size_t i = 0; i < 2 && rc == 0; i++) {
		rc = read_side(a, state_dir, env, s, i, err);
		if (rc < 0)
			nook_where(err, "%s", s->words[i]);
	}
	return rc;
}

int nook_cmd_ns_diff(int argc, char **argv)
{
	auto_arena struct nook_arena a = { 0 };
	struct diff_words words = { .json = false };
	struct nook_option_words read;
	struct nook_error err = { 0 };
	struct sides s = { .words = { NULL } };
	int status = nook_cli_read(&a, &nook_ns_diff_table, argv, &words, &read);

	(void)argc;
	if (status >= 0)
		return status;
	if (read.n_words != 2) {
		nook_hint(&err, "nook ns diff self NAME compares this shell's rights with a "
				"container's.");
		(void)nook_refuse(&err, EINVAL,
				  "nook ns diff needs two processes: a PID, a container's NAME, "
				  "NAME:PID, or self");
		return nook_cli_refused(&err);
	}
	s.words[0] = read.words[0];
	s.words[1] = read.words[1];
	if (read_sides(&a, words.env, &s, &err) < 0)
		return nook_cli_failed(&err, NULL, NOOK_EXIT_FAILURE);

	nook_diff_compare(&a, &s.process[0], &s.process[1], &s.diff);
	if (words.json)
		print_json(&a, &s);
	else
		print_people(&a, &s);
	return nook_cli_end(s.diff.n_rows ? 1 : 0);
}
