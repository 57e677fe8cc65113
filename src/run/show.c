/* SPDX-License-Identifier: Apache-2.0 */
#include "show.h"

#include "base/json.h"
#include "base/report.h"
#include "create.h"

#include <errno.h>
#include <string.h>

/* The stage's steps from @at until it has sent @message (NONE: to its end). */
static size_t show_inside(const struct nook_plan *plan, size_t at, enum nook_message message,
			  struct nook_rows *rows)
{
	rows->inside = true;
	while (at < nook_stage_n_steps) {
		const struct nook_step *s = &nook_stage_steps[at++];

		nook_steps_show(s, 1, plan, rows);
		if (s->kind == NOOK_STEP_SEND && s->message == message)
			break;
	}
	rows->inside = false;
	return at;
}

/* Both lists in the order in which they run: where the outside waits, the inside goes on. */
static void interleave(const struct nook_plan *plan, struct nook_rows *rows)
{
	size_t inside = 0;

	for (size_t i = 0; i < nook_create_n_steps; i++) {
		const struct nook_step *s = &nook_create_steps[i];

		if (s->kind == NOOK_STEP_WAIT)
			inside = show_inside(plan, inside, s->message, rows);
		else if (i + 1 == nook_create_n_steps)
			inside = show_inside(plan, inside, NOOK_MSG_NONE, rows);
		nook_steps_show(s, 1, plan, rows);
	}
}

/* Columns count characters, not bytes: "×" and "…" are one. */
static size_t columns(const char *text)
{
	size_t n = 0;

	for (const char *p = text; *p; p++)
		n += (*p & 0xc0) != 0x80;
	return n;
}

/* Names and paths are anybody's bytes. */
static void print_padded(FILE *out, const char *text, size_t width)
{
	size_t n = columns(text);

	nook_print_safe(out, text);
	fprintf(out, "%*s", n < width ? (int)(width - n) : 0, "");
}

/* Wide enough for nearly all calls: the few long ones push their purpose aside. */
static size_t call_width(const struct nook_rows *rows)
{
	enum { WIDEST = 64 };
	size_t width = 0;

	for (size_t i = 0; i < rows->n; i++) {
		size_t n = columns(rows->row[i].call);

		if (n > width && n <= WIDEST)
			width = n;
	}
	return width;
}

static void print_text(const struct nook_plan *plan, const struct nook_rows *rows, FILE *out)
{
	const char *step = "";
	size_t width = call_width(rows);

	fprintf(out, "# What `%s` would do for the container %s; nothing is done.\n",
		!plan->bundle       ? "nook run"
		: plan->start_later ? "nook-oci create"
				    : "nook-oci run",
		plan->name);
	fputs("# outside: nook itself; inside: the process that it clones, which becomes the "
	      "container's first.\n",
	      out);
	for (size_t i = 0; i < rows->n; i++) {
		const struct nook_row *r = &rows->row[i];

		fprintf(out, "%-7s  %-19s  ", r->inside ? "inside" : "outside",
			strcmp(step, r->step) == 0 ? "" : r->step);
		print_padded(out, r->call, width);
		fputs("  # ", out);
		nook_print_safe(out, r->what);
		fputc('\n', out);
		step = r->step;
	}
}

static void print_json(const struct nook_plan *plan, const struct nook_rows *rows, FILE *out)
{
	struct nook_json_writer w;

	nook_json_to_file(&w, out, true);
	nook_json_object(&w, NULL);
	nook_json_put_u64(&w, "version", 1);
	nook_json_put_text(&w, "name", plan->name);
	nook_json_array(&w, "steps");
	for (size_t i = 0; i < rows->n; i++) {
		const struct nook_row *r = &rows->row[i];

		nook_json_object(&w, NULL);
		nook_json_put_text(&w, "side", r->inside ? "inside" : "outside");
		nook_json_put_text(&w, "step", r->step);
		nook_json_put_text(&w, "call", r->call);
		nook_json_put_text(&w, "what", r->what);
		nook_json_end(&w);
	}
	nook_json_end(&w);
	nook_json_end(&w);
	(void)nook_json_finish(&w, NULL, NULL); /* the flush of our caller tells */
}

int nook_plan_show(const struct nook_plan *plan, enum nook_plan_format format, struct nook_arena *a,
		   FILE *out, struct nook_error *err)
{
	struct nook_rows rows = { .arena = a };

	interleave(plan, &rows);
	if (format == NOOK_PLAN_JSON)
		print_json(plan, &rows, out);
	else
		print_text(plan, &rows, out);

	if (fflush(out) != 0 || ferror(out))
		return nook_fail(err, errno, "write the plan");
	return 0;
}
