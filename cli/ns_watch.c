/* SPDX-License-Identifier: Apache-2.0 */
/* `nook ns watch` */
#include "options.h"

#include "base/clock.h"
#include "base/own.h"
#include "base/text.h"
#include "ns/kinds.h"
#include "ns/watch.h"
#include "ns_graph.h"
#include "ns_names.h"
#include "table.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>
#include <time.h>

#define LEAST_MS      50
#define LONGEST_MS    3600000
#define COMMAND_WIDTH 40

struct watch_words {
	bool json;
	uint32_t kinds;            /* bit N: this kind; 0: all */
	uint64_t interval, for_ms; /* milliseconds; for_ms 0: without end */
	uint64_t count;            /* lines; 0: without end */
};

/* "2", "0.25": to milliseconds. */
static int parse_seconds(const char *text, uint64_t least, uint64_t *ret)
{
	char whole[16], part[4] = "000";
	const char *dot = strchr(text, '.');
	size_t len = dot ? (size_t)(dot - text) : strlen(text);
	uint64_t ms = 0;

	if (len >= sizeof(whole))
		return -ERANGE;
	(void)nook_format(whole, sizeof(whole), "%.*s", (int)len, text);
	if (nook_parse_u64(whole, LONGEST_MS / 1000, &ms) < 0)
		return -EINVAL;
	ms *= 1000;
	if (dot) {
		size_t n = strspn(dot + 1, "0123456789");

		if (n == 0 || n > 3 || dot[1 + n])
			return -EINVAL;
		memcpy(part, dot + 1, n);
		ms += (uint64_t)(part[0] - '0') * 100 + (uint64_t)(part[1] - '0') * 10 +
		      (uint64_t)(part[2] - '0');
	}
	if (ms < least || ms > LONGEST_MS)
		return -ERANGE;
	*ret = ms;
	return 0;
}

static int set_seconds(const struct nook_option_use *use, uint64_t *ret)
{
	if (parse_seconds(use->value, LEAST_MS, ret) == 0)
		return 0;
	return nook_refuse(use->err, EINVAL,
			   "'%s' is no number of seconds from 0.05 to 3600, with three digits "
			   "behind the point at most",
			   use->value);
}

static int set_interval(const struct nook_option_use *use)
{
	return set_seconds(use, &((struct watch_words *)use->into)->interval);
}

static int set_for(const struct nook_option_use *use)
{
	return set_seconds(use, &((struct watch_words *)use->into)->for_ms);
}

static int set_count(const struct nook_option_use *use)
{
	if (nook_parse_u64(use->value, UINT32_MAX, &((struct watch_words *)use->into)->count) ==
		    0 &&
	    ((struct watch_words *)use->into)->count > 0)
		return 0;
	return nook_refuse(use->err, EINVAL, "'%s' is no number of lines from 1 to %u", use->value,
			   UINT32_MAX);
}

static const struct nook_option rows[] = {
	NOOK_CLI_KIND_ROW(struct watch_words),
	{ .name = "interval",
	  .value = "SECONDS",
	  .set = set_interval,
	  .help = "how often to look; default: 1",
	  .more = "From 0.05 to 3600. What lives shorter than that may be missed. As root it is "
		  "also looked when a process forks, executes or ends, but not more often than "
		  "every 0.05 seconds." },
	{ .name = "for",
	  .value = "SECONDS",
	  .set = set_for,
	  .help = "end after this time; default: go on until interrupted" },
	{ .name = "count", .value = "N", .set = set_count, .help = "end after this many lines" },
	{ .name = "json",
	  .set = nook_option_flag,
	  .at = offsetof(struct watch_words, json),
	  .help = "print each as a line of JSON" },
	NOOK_OPTION_HELP_ROW,
};

static const struct nook_option_foreign foreign[] = {
	{ "-n", "The time between two looks is said by --interval: nook ns watch --interval 2." },
	{ "-t", "The kind is said by --kind: nook ns watch --kind net." },
	{ NULL, NULL },
};

const struct nook_option_table nook_ns_watch_table = {
	.command = "nook ns watch", .rows = rows, .n = ARRAY_SIZE(rows), .foreign = foreign
};

/* ---- a line ---- */

struct watch {
	const struct watch_words *words;
	struct nook_arena *arena; /* of this look */
	struct nook_ns_graph *before, *after;
	uint64_t printed;
	bool events; /* the kernel tells of processes */
};

/* 2026-11-22T05:00:00.123Z */
static const char *now_text(struct nook_arena *a)
{
	struct timespec now;
	struct tm tm;
	char text[32];

	if (clock_gettime(CLOCK_REALTIME, &now) < 0 || !gmtime_r(&now.tv_sec, &tm) ||
	    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm) == 0)
		return "-";
	return nook_printf(a, "%s.%03ldZ", text, now.tv_nsec / 1000000);
}

static void json_line(struct watch *w, bool born, struct nook_ns_graph *g, const struct nook_ns *ns)
{
	struct nook_json_writer json;

	nook_json_to_file(&json, stdout, false);
	nook_json_object(&json, NULL);
	nook_json_put_u64(&json, "version", 1);
	nook_json_put_text(&json, "event", born ? "born" : "gone");
	nook_json_put_text(&json, "time", now_text(w->arena));
	nook_cli_ns_json(&json, "namespace", g, ns);
	nook_json_end(&json);
	(void)nook_json_finish(&json, NULL, NULL); /* nook_cli_end() tells */
}

static void text_line(struct watch *w, bool born, struct nook_ns_graph *g, const struct nook_ns *ns)
{
	const char *names = nook_cli_ns_names(w->arena, ns);
	/* Of one that has gone: who was in it. */
	const char *first = ns->first ? nook_cli_cut(w->arena, nook_cli_ns_first(w->arena, g, ns),
						     COMMAND_WIDTH)
				      : nook_cli_ns_held(w->arena, ns, false);

	printf("%s  %s  %-6s  %" PRIu64 "  %s%s%s\n", now_text(w->arena), born ? "born" : "gone",
	       nook_ns_kinds[ns->kind].name, ns->inode, nook_cli_safe(w->arena, first),
	       *names ? "  " : "", names);
}

static void tell(void *data, bool born, const struct nook_ns *ns)
{
	struct watch *w = data;
	struct nook_ns_graph *g = born ? w->after : w->before;

	if (w->words->kinds && !(w->words->kinds & (1u << ns->kind)))
		return;
	if (w->words->count && w->printed >= w->words->count)
		return;
	w->printed++;
	if (w->words->json)
		json_line(w, born, g, ns);
	else
		text_line(w, born, g, ns);
}

/* ---- looking ---- */

static void begin_line(struct watch *w)
{
	struct nook_json_writer json;

	if (!w->words->json) {
		fprintf(stderr, "nook: %zu namespaces are there; %s\n", w->before->n,
			w->events ? "looking when processes come and go"
				  : "looking in intervals: the kernel does not tell you of "
				    "processes");
		nook_cli_ns_unseen(w->before);
		return;
	}
	nook_json_to_file(&json, stdout, false);
	nook_json_object(&json, NULL);
	nook_json_put_u64(&json, "version", 1);
	nook_json_put_text(&json, "event", "begin");
	nook_json_put_text(&json, "time", now_text(w->arena));
	nook_json_put_bool(&json, "process_events", w->events);
	nook_json_put_u64(&json, "namespaces", w->before->n);
	nook_json_end(&json);
	(void)nook_json_finish(&json, NULL, NULL); /* nook_cli_end() tells */
}

/* When one has gone, so has the process that would tell what it was. */
static void read_commands(struct nook_ns_graph *g)
{
	for (size_t i = 0; i < g->n; i++) {
		if (g->all[i]->first)
			(void)nook_ns_command(g, g->all[i]->first); /* the graph keeps it */
	}
}

/* Return: -1: go on; else the exit status. */
static int look(struct watch *w)
{
	auto_arena struct nook_arena a = { 0 };
	struct nook_error err = { 0 };
	int rc = nook_arena_open(&a, &err);
	int status;

	if (rc < 0)
		return nook_cli_failed(&err, NULL, NOOK_EXIT_FAILURE);

	status = nook_cli_ns_graph(&a, 0, &w->after);
	if (status >= 0)
		return status;
	w->arena = &a;
	read_commands(w->after);
	if (w->before)
		nook_watch_compare(w->before, w->after, tell, w);
	nook_ns_graph_free(w->before);
	w->before = w->after;
	w->after = NULL;
	/* A reader at the other end of a pipe wants each line when it is made, and its end ends
	 * us. */
	return fflush(stdout) != 0 ? nook_cli_end(0) : -1;
}

/* Until a process has come or gone, or the interval has passed; not before @earliest. */
static void wait_for_events(int fd, int64_t earliest, int64_t latest)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	bool told = false;

	for (;;) {
		int64_t now = nook_now_ms(), until = told ? earliest : latest;

		if (now >= until)
			return;
		p.fd = told ? -1 : fd; /* what follows belongs to the same look */
		if (poll(&p, 1, (int)(until - now)) > 0)
			told = nook_watch_drain(fd);
	}
}

static int run(struct watch *w, int events)
{
	int64_t end = w->words->for_ms ? nook_now_ms() + (int64_t)w->words->for_ms : INT64_MAX;
	int status = -1;

	while (status < 0 && nook_now_ms() < end &&
	       (w->words->count == 0 || w->printed < w->words->count)) {
		int64_t began = nook_now_ms();
		bool first = !w->before;

		status = look(w);
		if (status >= 0)
			return status;
		if (first) {
			auto_arena struct nook_arena a = { 0 };

			if (nook_arena_init(&a) == 0) {
				w->arena = &a;
				begin_line(w);
				if (fflush(stdout) != 0)
					return nook_cli_end(0);
			}
		}

		/* A machine where processes come and go all the time is left three quarters of its
		 * time. */
		int64_t pause = (nook_now_ms() - began) * 4;
		int64_t earliest = began + (pause > LEAST_MS ? pause : LEAST_MS);
		int64_t latest = began + (int64_t)w->words->interval;

		if (latest < earliest)
			latest = earliest;
		if (latest > end)
			latest = end;
		wait_for_events(events, earliest < end ? earliest : end, latest);
	}
	return nook_cli_end(0);
}

int nook_cmd_ns_watch(int argc, char **argv)
{
	auto_arena struct nook_arena a = { 0 };
	struct watch_words words = { .interval = 1000 };
	struct nook_option_words read;
	struct watch w = { .words = &words };
	int status = nook_cli_read(&a, &nook_ns_watch_table, argv, &words, &read);

	(void)argc;
	if (status < 0)
		status = nook_cli_no_words(&nook_ns_watch_table, &read);
	if (status >= 0)
		return status;

	auto_close int events = nook_watch_open();

	w.events = events >= 0;
	status = run(&w, events);
	nook_ns_graph_free(w.before);
	return status;
}
