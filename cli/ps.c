/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include "base/json.h"
#include "base/own.h"
#include "nook/container.h"
#include "state/state.h"
#include "table.h"

#include <string.h>
#include <time.h>

enum { NAME, PID, STATUS, UPTIME, COMMAND, ROOT, COLUMNS };

#define COMMAND_WIDTH 40

struct ps_words {
	bool json, quiet;
};

static const struct nook_option rows[] = {
	{ .name = "json",
	  .set = nook_option_flag,
	  .at = offsetof(struct ps_words, json),
	  .help = "print them as JSON" },
	{ .name = "quiet",
	  .letter = 'q',
	  .set = nook_option_flag,
	  .at = offsetof(struct ps_words, quiet),
	  .help = "print their names only" },
	NOOK_OPTION_HELP_ROW,
};

static const struct nook_option_foreign foreign[] = {
	{ "-a", "nook ps always lists all: leave -a away." },
	{ "--all", "nook ps always lists all: leave --all away." },
	{ NULL, NULL },
};

const struct nook_option_table nook_ps_table = {
	.command = "nook ps", .rows = rows, .n = ARRAY_SIZE(rows), .foreign = foreign
};

static const char *status_word(const struct nook_state_entry *e)
{
	if (e->error.errnum)
		return "unreadable";
	return e->life == NOOK_LIFE_RUNNING    ? "running"
	       : e->life == NOOK_LIFE_STARTING ? "starting"
					       : "gone";
}

/* Seconds that pid 1 has run; -1: it does not. Not from the time of day, which can be set. */
static int64_t uptime(const struct nook_state_entry *e)
{
	struct timespec now;
	long ticks = sysconf(_SC_CLK_TCK);

	if (e->error.errnum || e->life != NOOK_LIFE_RUNNING || ticks <= 0 ||
	    clock_gettime(CLOCK_BOOTTIME, &now) < 0)
		return -1;

	int64_t seconds = now.tv_sec - (int64_t)(e->record.start_time / (uint64_t)ticks);

	return seconds < 0 ? 0 : seconds;
}

static const char *uptime_text(struct nook_arena *a, int64_t s)
{
	if (s < 0)
		return "-";
	if (s < 60)
		return nook_printf(a, "%lds", (long)s);
	if (s < 3600)
		return nook_printf(a, "%ldm%02lds", (long)s / 60, (long)s % 60);
	if (s < 86400)
		return nook_printf(a, "%ldh%02ldm", (long)s / 3600, (long)s / 60 % 60);
	return nook_printf(a, "%ldd%02ldh", (long)s / 86400, (long)s / 3600 % 24);
}

static const char *command_text(struct nook_arena *a, const char *const *argv)
{
	const char *line = "";

	/* What is past the width is not shown, so a long command isn't read to its end. */
	for (size_t i = 0; argv && argv[i] && nook_cli_columns(line) <= COMMAND_WIDTH; i++)
		line = nook_printf(a, "%s%s%.200s", line, i ? " " : "", argv[i]);
	return nook_cli_cut(a, nook_cli_safe(a, line), COMMAND_WIDTH);
}

static void print_table(struct nook_arena *a, const struct nook_state_entry *entries, size_t n)
{
	static const char *const heads[COLUMNS] = { "NAME",   "PID",     "STATUS",
						    "UPTIME", "COMMAND", "ROOT" };
	const char *(*cells)[COLUMNS] = nook_alloc_array(a, n + 1, sizeof(*cells));

	memcpy(cells[0], heads, sizeof(heads));
	for (size_t i = 0; i < n; i++) {
		const struct nook_state_entry *e = &entries[i];
		const struct nook_record *r = &e->record;
		bool known = e->error.errnum == 0;

		cells[i + 1][NAME] = nook_cli_safe(a, r->name);
		cells[i + 1][PID] = known && r->pid > 0 && e->life == NOOK_LIFE_RUNNING
					    ? nook_printf(a, "%d", r->pid)
					    : "-";
		cells[i + 1][STATUS] = status_word(e);
		cells[i + 1][UPTIME] = uptime_text(a, uptime(e));
		cells[i + 1][COMMAND] = known ? command_text(a, r->argv) : "-";
		cells[i + 1][ROOT] = known && r->root ? nook_cli_safe(a, r->root) : "-";
	}

	nook_cli_table(cells[0], n + 1, COLUMNS);
}

/* The form is documented in nook-ps(1): members are added, never changed, while version is 1. */
static int print_json(const struct nook_state_entry *entries, size_t n)
{
	struct nook_json_writer w;

	nook_json_to_file(&w, stdout, true);
	nook_json_object(&w, NULL);
	nook_json_put_u64(&w, "version", 1);
	nook_json_array(&w, "containers");
	for (size_t i = 0; i < n; i++) {
		const struct nook_state_entry *e = &entries[i];
		const struct nook_record *r = &e->record;
		int64_t seconds = uptime(e);

		nook_json_object(&w, NULL);
		nook_json_put_text(&w, "name", r->name);
		nook_json_put_text(&w, "status", status_word(e));
		if (e->error.errnum) {
			nook_json_put_text(&w, "error", e->error.why);
			nook_json_end(&w);
			continue;
		}
		if (e->life == NOOK_LIFE_RUNNING && r->pid > 0)
			nook_json_put_i64(&w, "pid", r->pid);
		else
			nook_json_put_null(&w, "pid");
		nook_json_put_i64(&w, "created", r->created);
		if (seconds >= 0)
			nook_json_put_i64(&w, "uptime", seconds);
		else
			nook_json_put_null(&w, "uptime");
		nook_json_put_text(&w, "hostname", r->hostname);
		nook_json_put_text(&w, "root", r->root);
		nook_json_array(&w, "command");
		for (size_t k = 0; r->argv && r->argv[k]; k++)
			nook_json_put_text(&w, NULL, r->argv[k]);
		nook_json_end(&w);
		nook_json_end(&w);
	}
	nook_json_end(&w);
	nook_json_end(&w);
	return nook_json_finish(&w, NULL, NULL);
}

int nook_cmd_ps(int argc, char **argv)
{
	auto_arena struct nook_arena a = { 0 };
	struct ps_words words = { 0 };
	struct nook_option_words read;
	struct nook_state_entry *entries = NULL;
	size_t n = 0;
	struct nook_error err = { 0 };
	const char *state_dir;
	int status = nook_cli_read(&a, &nook_ps_table, argv, &words, &read);

	(void)argc;
	if (status < 0)
		status = nook_cli_no_words(&nook_ps_table, &read);
	if (status >= 0)
		return status;
	if (nook_state_dir(&state_dir, &err) < 0 ||
	    nook_state_list(state_dir, &a, &entries, &n, &err) < 0)
		return nook_cli_failed(&err, NULL, NOOK_EXIT_FAILURE);

	if (words.json) {
		int rc = print_json(entries, n);

		if (rc < 0) {
			(void)nook_fail(&err, -rc, "write to stdout");
			return nook_cli_refused(&err);
		}
	} else if (words.quiet) {
		for (size_t i = 0; i < n; i++)
			puts(nook_cli_safe(&a, entries[i].record.name));
	} else {
		print_table(&a, entries, n);
	}

	status = 0;
	for (size_t i = 0; i < n; i++) {
		if (entries[i].error.errnum)
			status = nook_cli_refused(&entries[i].error);
	}
	return nook_cli_end(status);
}
