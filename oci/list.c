/* SPDX-License-Identifier: Apache-2.0 */
#include "command_words.h"
#include "state_json.h"

#include "base/json.h"
#include "base/own.h"
#include "base/report.h"

#include <errno.h>
#include <string.h>

#define AT(member) offsetof(struct oci_list_words, member)

static const struct oci_option rows[] = {
	{ "format", 'f', OCI_TEXT, AT(format), "table|json", "how to print them; default: table" },
	{ "quiet", 'q', OCI_FLAG, AT(quiet), NULL, "print their ids only" },
	OCI_HELP_ROW,
};

const struct oci_table oci_list_table = { .rows = rows, .n = ARRAY_SIZE(rows) };

enum { ID, PID, STATUS, BUNDLE, CREATED, OWNER, COLUMNS };
#define MIN_WIDTH 12 /* of a column, as runc's tabwriter has it */
#define GAP       3

/* On one line, for programs. */
static int print_json(struct oci *o, const struct nook_oci_state *states, size_t n)
{
	struct nook_json_writer w;
	const char *text;
	size_t len;

	nook_json_to_arena(&w, o->arena, false);
	nook_json_array(&w, NULL);
	for (size_t i = 0; i < n; i++) {
		if (!states[i].error.errnum)
			oci_state_json(&w, &states[i], oci_owner(o->arena));
	}
	nook_json_end(&w);
	(void)nook_json_finish(&w, &text, &len); /* into memory: can't fail */
	return oci_print(o, text, len);
}

static const char *safe(struct nook_arena *a, const char *text)
{
	size_t size = 4 * strlen(text) + 16; /* most take as much as before, none more than \u{…} */
	char *out = nook_alloc(a, size);

	(void)nook_safe_text(out, size, text);
	return out;
}

static void fill_row(struct oci *o, const char **cells, const struct nook_oci_state *s)
{
	char created[40];
	int pid = s->status == NOOK_OCI_STOPPED ? 0 : s->record.pid;

	oci_time_text(s->record.created, (unsigned)s->record.created_nsec, created);
	cells[ID] = safe(o->arena, s->record.name);
	cells[PID] = nook_printf(o->arena, "%d", pid);
	cells[STATUS] = nook_oci_status_text(s->status);
	cells[BUNDLE] = safe(o->arena, s->record.bundle ? s->record.bundle : "");
	cells[CREATED] = nook_strdup(o->arena, created);
	cells[OWNER] = oci_owner(o->arena);
}

static int print_table(struct oci *o, const struct nook_oci_state *states, size_t n)
{
	static const char *const titles[COLUMNS] = { "ID",     "PID",     "STATUS",
						     "BUNDLE", "CREATED", "OWNER" };
	const char **cells = nook_alloc_array(o->arena, (n + 1) * COLUMNS, sizeof(*cells));
	size_t width[COLUMNS], rows_used = 1;

	memcpy(cells, titles, sizeof(titles));
	for (size_t i = 0; i < n; i++) {
		if (!states[i].error.errnum)
			fill_row(o, &cells[rows_used++ * COLUMNS], &states[i]);
	}

	for (size_t c = 0; c < COLUMNS; c++) {
		width[c] = MIN_WIDTH - GAP;
		for (size_t r = 0; r < rows_used; r++) {
			size_t len = strlen(cells[r * COLUMNS + c]);

			width[c] = len > width[c] ? len : width[c];
		}
	}
	for (size_t r = 0; r < rows_used; r++) {
		for (size_t c = 0; c < COLUMNS - 1; c++)
			printf("%-*s", (int)width[c] + GAP, cells[r * COLUMNS + c]);
		printf("%s\n", cells[r * COLUMNS + OWNER]);
	}
	return oci_print_end(o);
}

static int print_ids(struct oci *o, const struct nook_oci_state *states, size_t n)
{
	for (size_t i = 0; i < n; i++)
		puts(safe(o->arena, states[i].record.name));
	return oci_print_end(o);
}

int oci_list(struct oci *o, const void *words)
{
	const struct oci_list_words *w = words;
	struct nook_oci_state *states = NULL;
	struct nook_error err = { 0 };
	size_t n = 0;
	bool json = false;

	if (oci_format(w->format, &json, &err) < 0 ||
	    nook_oci_list(o->root, o->arena, &states, &n, &err) < 0)
		return oci_failed(o, &err);

	int status = w->quiet ? print_ids(o, states, n)
		     : json   ? print_json(o, states, n)
			      : print_table(o, states, n);

	for (size_t i = 0; i < n; i++) {
		if (states[i].error.errnum)
			status = oci_failed(o, &states[i].error);
	}
	return status;
}
