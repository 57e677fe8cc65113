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
#define LINE_WIDTH  96

struct diff_words {
	bool json, env;
};

static const struct nook_option rows[] = {
	{ .name = "env",
	  .set = nook_option_flag,
	  .at = offsetof(struct diff_words, env),
	  .help = "compare their environment variables, too",
	  .more = "Variables often hold passwords, so they are shown only when asked for." },
	{ .name = "json",
	  .set = nook_option_flag,
	  .at = offsetof(struct diff_words, json),
	  .help = "print it as JSON" },
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
		return nook_printf(a, "? (%s)", strerrordesc_np(f->errnum));
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

/* What stands in a column; sets, only what the other has not. */
static const char *cell(struct nook_arena *a, const struct nook_diff_fact *f, const char *only)
{
	return only ? only_text(a, only) : value_text(a, f);
}

/* A set that is too long for a column gets lines of its own below the table. */
static bool is_long(const struct nook_diff_row *r)
{
	return r->only_a && r->only_b &&
	       (strlen(r->only_a) > VALUE_WIDTH || strlen(r->only_b) > VALUE_WIDTH);
}

static const char *side_text(struct nook_arena *a, const struct sides *s, int i)
{
	return nook_cli_safe(a, nook_printf(a, "%s (%s)", s->words[i], s->process[i].name));
}

static void print_rows(struct nook_arena *a, const struct sides *s)
{
	enum { SECTION, NAME, A, B, COLUMNS };
	const char *(*cells)[COLUMNS] = nook_alloc_array(a, s->diff.n_rows + 1, sizeof(*cells));
	size_t n = 1;

	cells[0][SECTION] = "DIFFERS";
	cells[0][NAME] = "";
	cells[0][A] = side_text(a, s, 0);
	cells[0][B] = side_text(a, s, 1);
	for (size_t i = 0; i < s->diff.n_rows; i++) {
		const struct nook_diff_row *r = &s->diff.rows[i];
		const char **row = cells[n];

		if (is_long(r))
			continue;
		n++;
		row[SECTION] = nook_diff_section_names[r->section];
		row[NAME] = nook_cli_cut(a, nook_cli_safe(a, r->name), VALUE_WIDTH);
		row[A] = cell(a, r->a, r->only_a);
		row[B] = cell(a, r->b, r->only_b);
	}
	nook_cli_table(cells[0], n, COLUMNS);
}

static void print_words(struct nook_arena *a, const char *side, const char *words)
{
	int at = printf("  only %s:", nook_cli_safe(a, side));

	if (!*words)
		printf(" none");
	for (const char *p = words; *p;) {
		int len = (int)strcspn(p, " ");

		if (at + 1 + len > LINE_WIDTH)
			at = printf("\n   ");
		printf(" %s", nook_cli_safe(a, nook_strndup(a, p, (size_t)len)));
		at += 1 + len;
		p += len + (p[len] == ' ');
	}
	putchar('\n');
}

static bool same_long(const struct nook_diff_row *x, const struct nook_diff_row *y)
{
	return is_long(y) && x->section == y->section && strcmp(x->only_a, y->only_a) == 0 &&
	       strcmp(x->only_b, y->only_b) == 0;
}

/* Sets in which the same words differ, as those of capabilities often do, are told at once. */
static void print_long(struct nook_arena *a, const struct sides *s)
{
	const struct nook_diff_row *rws = s->diff.rows;
	bool *told = nook_alloc_array(a, s->diff.n_rows + 1, sizeof(*told));

	for (size_t i = 0; i < s->diff.n_rows; i++) {
		const char *names = nook_cli_safe(a, rws[i].name);

		if (!is_long(&rws[i]) || told[i])
			continue;
		for (size_t k = i + 1; k < s->diff.n_rows; k++) {
			if (!same_long(&rws[i], &rws[k]))
				continue;
			told[k] = true;
			names = nook_printf(a, "%s, %s", names, nook_cli_safe(a, rws[k].name));
		}
		printf("\n%s %s\n", nook_diff_section_names[rws[i].section], names);
		print_words(a, s->words[0], rws[i].only_a);
		print_words(a, s->words[1], rws[i].only_b);
	}
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
		       nook_cli_safe(a, s->words[which]), strerrordesc_np(f->errnum));
	}
}

static void print_people(struct nook_arena *a, const struct sides *s)
{
	if (s->diff.n_rows) {
		print_rows(a, s);
		print_long(a, s);
	} else {
		puts("Nothing differs.");
	}
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
