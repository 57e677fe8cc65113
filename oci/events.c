/* SPDX-License-Identifier: Apache-2.0 */
/* What a container uses, as lines of JSON, until it ends. */
#include "command_words.h"
#include "oci.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/own.h"
#include "run/oci.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <time.h>

#define AT(member) offsetof(struct oci_events_words, member)

static const struct oci_option rows[] = {
	{ "interval", 0, OCI_TEXT, AT(interval), "DURATION",
	  "time from one line to the next: 500ms, 1m30s; default: 5s" },
	{ "stats", 0, OCI_FLAG, AT(stats), NULL, "print one line, and end" },
	OCI_HELP_ROW,
};

const struct oci_table oci_events_table = { .rows = rows, .n = ARRAY_SIZE(rows) };

#define BILLION 1000000000

static void begin_event(struct nook_json_writer *w, struct nook_arena *a, const char *type,
			const char *id)
{
	nook_json_to_arena(w, a, false);
	nook_json_object(w, NULL);
	nook_json_put_text(w, "type", type);
	nook_json_put_text(w, "id", id);
}

static int end_event(struct oci *o, struct nook_json_writer *w)
{
	const char *text;
	size_t len;

	nook_json_end(w);
	(void)nook_json_finish(w, &text, &len); /* into memory: can't fail */
	return oci_print(o, text, len);
}

/* Each has an arena of its own: there may be many in a container's life. */
static int print_stats(struct oci *o, const struct nook_record *record, struct nook_error *err)
{
	auto_arena struct nook_arena a = { 0 };
	struct nook_json_writer w;
	int rc = nook_arena_open(&a, err);

	if (rc < 0)
		return rc;
	begin_event(&w, &a, "stats", record->name);
	rc = nook_oci_stats(record, &w, "data", err);
	return rc < 0 ? rc : end_event(o, &w);
}

static int print_oom(struct oci *o, const struct nook_record *record)
{
	auto_arena struct nook_arena a = { 0 };
	struct nook_json_writer w;

	if (nook_arena_init(&a) < 0)
		return OCI_FAILURE;
	begin_event(&w, &a, "oom", record->name);
	return end_event(o, &w);
}

/* Until @until, or till one of them tells something. */
static int wait_for(struct pollfd *fds, nfds_t n, int64_t until)
{
	int64_t left = until - nook_now_ns();
	struct timespec timeout = { .tv_sec = left > 0 ? left / BILLION : 0,
				    .tv_nsec = left > 0 ? left % BILLION : 0 };
	int rc = ppoll(fds, n, &timeout, NULL);

	if (rc >= 0)
		return rc;
	return errno == EINTR ? 0 : -errno;
}

static int follow(struct oci *o, const struct nook_record *record, int64_t interval,
		  struct nook_error *err)
{
	auto_close int pidfd = NO_FD;
	struct nook_oci_watch watch = { .fd = NO_FD };
	int64_t next = nook_now_ns() + interval;
	int rc = nook_state_pidfd(record, &pidfd, err);

	if (rc == -ESRCH) /* it has ended: there is nothing to tell */
		return 0;
	if (rc == 0)
		rc = nook_oci_watch_open(record, &watch, err);
	while (rc == 0) {
		struct pollfd fds[] = { { pidfd, POLLIN, 0 },
					{ watch.fd, watch.v2 ? POLLPRI : POLLIN, 0 } };

		int ready = wait_for(fds, ARRAY_SIZE(fds), next);

		if (ready < 0) {
			rc = nook_fail(err, -ready, "ppoll");
			break;
		}
		if (ready > 0 && fds[0].revents) /* it has ended */
			break;
		if (ready > 0 && fds[1].revents) {
			int oom = nook_oci_watch_oom(&watch);

			if (oom < 0) /* its cgroup is gone, and so is it */
				break;
			rc = oom ? print_oom(o, record) : 0;
		}
		if (rc == 0 && nook_now_ns() >= next) {
			rc = print_stats(o, record, err);
			next = nook_now_ns() + interval;
		}
	}
	close_fd(&watch.fd);
	return rc;
}

static int read_interval(const char *text, int64_t *ret, struct nook_error *err)
{
	if (!text)
		text = "5s";
	if (oci_duration(text, ret) == 0 && *ret > 0)
		return 0;
	nook_where(err, "--interval %s", text);
	return nook_refuse(err, EINVAL, "that is no time: write 500ms, 5s or 1m30s");
}

int oci_events(struct oci *o, const void *words)
{
	const struct oci_events_words *w = words;
	const char *id = o->argv[0];
	struct nook_oci_state state;
	struct nook_error err = { 0 };
	int64_t interval = 0;
	int rc = read_interval(w->interval, &interval, &err);

	if (rc == 0)
		rc = nook_oci_state(o->root, id, o->arena, &state, &err);
	if (rc == 0 && state.status == NOOK_OCI_STOPPED)
		rc = nook_refuse(&err, ESRCH, "container with id %s is not running", id);
	if (rc == 0)
		rc = w->stats ? print_stats(o, &state.record, &err)
			      : follow(o, &state.record, interval, &err);
	/* What can't be printed was told. */
	return rc < 0 ? oci_failed(o, &err) : rc;
}
