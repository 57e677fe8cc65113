/* SPDX-License-Identifier: Apache-2.0 */
#include "step.h"

#include "base/clock.h"
#include "base/own.h"
#include "base/text.h"
#include "sys/call.h"
#include "sys/send_fd.h"

#include <poll.h>
#include <stdarg.h>
#include <sys/socket.h>

void nook_show(struct nook_rows *rows, const char *what, const char *call_fmt, ...)
{
	char call[512];
	va_list ap;

	va_start(ap, call_fmt);
	(void)nook_vformat(call, sizeof(call), call_fmt, ap); /* cut: it is for reading */
	va_end(ap);

	struct nook_row *row = nook_append(rows->arena, rows->row, rows->n);

	row->inside = rows->inside;
	row->step = rows->step;
	row->call = nook_strdup(rows->arena, call);
	row->what = nook_strdup(rows->arena, what);
}

static const char *message_name(enum nook_message m)
{
	static const char *const names[] = {
		[NOOK_MSG_MAPS_WRITTEN] = "ids and cgroups are as planned",
		[NOOK_MSG_NETWORK] = "its network namespace",
		[NOOK_MSG_MOUNTED] = "the mounts are there",
		[NOOK_MSG_HOOKED] = "the hooks have run",
		[NOOK_MSG_STAGE_READY] = "all is ready but the program",
		[NOOK_MSG_DETACH] = "it is written down, and lives on",
		[NOOK_MSG_START] = "go",
	};

	return m < ARRAY_SIZE(names) && names[m] ? names[m] : "";
}

void nook_steps_show(const struct nook_step *steps, size_t n, const struct nook_plan *plan,
		     struct nook_rows *rows)
{
	for (size_t i = 0; i < n; i++) {
		const struct nook_step *s = &steps[i];

		if (s->needed && !s->needed(plan))
			continue;
		rows->step = s->name;
		if (s->kind == NOOK_STEP_SEND)
			nook_show(rows, message_name(s->message), "sendmsg(to the %s)",
				  rows->inside ? "outside" : "inside");
		else if (s->kind == NOOK_STEP_WAIT)
			nook_show(rows, message_name(s->message), "recvmsg(from the %s)",
				  rows->inside ? "outside" : "inside");
		else if (s->show)
			s->show(plan, rows);
	}
}

int nook_send(int channel, enum nook_message message, const void *data, size_t len, int fd)
{
	uint32_t head = message;
	struct iovec parts[2] = { { &head, sizeof(head) }, { (void *)(uintptr_t)data, len } };
	struct msghdr msg = { .msg_iov = parts, .msg_iovlen = len ? 2 : 1 };
	ssize_t n = nook_sendmsg_fd(channel, &msg, fd);

	if (n < 0)
		return n == -ECONNRESET ? -EPIPE : (int)n; /* see receive() */
	return 0;
}

struct trace_body {
	uint32_t step;
	uint64_t nanoseconds;
};

union body {
	struct nook_error error;
	struct trace_body trace;
};

/* Is it a failure, not of ours to wait, and seen for the first time? It may have passed. */
static bool may_pass(ssize_t rc, bool *again)
{
	bool first = !*again;

	*again = true;
	return first && rc != -EAGAIN;
}

/* Return: bytes of the body that came, or a negative errno; -EPIPE when the other side is gone. */
static ssize_t receive(struct nook_walk *walk, int flags, uint32_t *ret_message, union body *body)
{
	struct iovec parts[2] = { { ret_message, sizeof(*ret_message) }, { body, sizeof(*body) } };
	struct msghdr msg = { .msg_iov = parts, .msg_iovlen = 2 };
	auto_close int fd = NO_FD; /* closed where nobody asked for one */
	bool again = false;
	ssize_t len;

	/* ECONNRESET, said once: the other side ended without having read all of ours. Its own last
	 * message, which says why, comes after that. And the other side may have gone in the belief
	 * that we have heard it: what passes is not to be our end. */
	do {
		len = nook_recvmsg_fd(walk->channel, &msg, flags, &fd);
		walk->unheard |= len == -ECONNRESET;
	} while (len == -EINTR || len == -ECONNRESET || (len < 0 && may_pass(len, &again)));

	if (len < 0)
		return len == -EAGAIN ? -EPIPE : len;
	if (len < (ssize_t)sizeof(*ret_message))
		return -EPIPE;

	if (fd >= 0 && walk->ret_fd) {
		close_fd(walk->ret_fd);
		*walk->ret_fd = move_fd(&fd);
	}
	return len - (ssize_t)sizeof(*ret_message);
}

static void report(struct nook_walk *walk, bool inside, const struct nook_step *step, uint64_t ns)
{
	auto_arena struct nook_arena arena = { 0 };
	struct nook_rows rows = { .arena = &arena, .inside = inside, .step = step->name };

	if (nook_arena_init(&arena) < 0)
		return; /* a trace is worth no failure */
	nook_steps_show(step, 1, walk->plan, &rows);

	struct nook_trace_row row = {
		.inside = inside,
		.name = step->name,
		.call = rows.n ? rows.row[0].call : "",
		.what = rows.n ? rows.row[0].what : step->wanted,
		.nanoseconds = ns,
	};

	if (rows.n > 1) {
		row.call = nook_printf(&arena, "%s … and %zu more", row.call, rows.n - 1);
		row.what = step->wanted;
	}
	walk->trace->row(walk->trace->data, &row);
}

/* The other side's error is data from a process that may be hostile by now: texts get their end. */
static int take_error(const union body *body, ssize_t len, struct nook_error *err)
{
	if (len != sizeof(struct nook_error))
		return nook_refuse(err, EPROTO, "the stage sent an error of %zd bytes", len);
	if (!err)
		return -EIO;

	*err = body->error;
	err->id[sizeof(err->id) - 1] = '\0';
	err->wanted[sizeof(err->wanted) - 1] = '\0';
	err->where[sizeof(err->where) - 1] = '\0';
	err->why[sizeof(err->why) - 1] = '\0';
	err->cause[sizeof(err->cause) - 1] = '\0';
	err->hint[sizeof(err->hint) - 1] = '\0';
	if (err->errnum <= 0 || err->errnum > 4095)
		err->errnum = EIO;
	return -err->errnum;
}

/*
 * The channel's end tells that the other side is gone; but somebody else may hold a copy of it, so
 * its pidfd is asked too. And the signals stay blocked, so that none is lost to the program; but
 * Ctrl-C must end a start that hangs. Return: flags for recvmsg(2), or a negative errno.
 */
static int wait_readable(const struct nook_walk *walk, struct nook_error *err)
{
	struct pollfd fds[3] = { { walk->channel, POLLIN, 0 },
				 { walk->peer, POLLIN, 0 },
				 { walk->interrupt, POLLIN, 0 } };

	bool again = false;

	if (walk->peer < 0 && walk->interrupt < 0)
		return 0;
	while (poll(fds, ARRAY_SIZE(fds), -1) < 0) {
		if (errno != EINTR && !may_pass(-errno, &again))
			return nook_fail(err, errno, "poll");
	}
	if (fds[0].revents)
		return 0;
	if (fds[1].revents) /* what it sent before it ended comes first */
		return MSG_DONTWAIT;
	nook_hint(err, "nothing is left behind; start it again when you like");
	return nook_refuse(err, EINTR, "interrupted by a signal before the program was started");
}

int nook_wait(struct nook_walk *walk, enum nook_message message, struct nook_error *err)
{
	for (;;) {
		uint32_t got;
		union body body;
		int flags = wait_readable(walk, err);

		if (flags < 0)
			return flags;

		ssize_t len = receive(walk, flags, &got, &body);

		if (len == -EPIPE)
			return -EPIPE;
		if (len < 0)
			return nook_fail(err, (int)-len, "receive from the %s",
					 walk->inside ? "runtime" : "stage");
		if (got == NOOK_MSG_FAILED)
			return take_error(&body, len, err);
		if (got == NOOK_MSG_TRACE && walk->trace && len == sizeof(body.trace) &&
		    body.trace.step < walk->n_other) {
			report(walk, true, &walk->other[body.trace.step], body.trace.nanoseconds);
			continue;
		}
		if (got == (uint32_t)message)
			return 0;
		return nook_refuse(err, EPROTO, "message %u came where %u was awaited", got,
				   message);
	}
}

static int run_step(const struct nook_step *s, struct nook_walk *walk, struct nook_error *err)
{
	int rc = nook_fault_step(s->name);

	if (rc < 0)
		return nook_fail(err, -rc, "%s (injected)", s->name);

	switch (s->kind) {
	case NOOK_STEP_SEND:
		rc = nook_send(walk->channel, s->message, NULL, 0, walk->send_fd);
		close_fd(&walk->send_fd);
		/* The other side is gone, and may have said why. */
		if (rc == -EPIPE && !walk->inside && nook_wait(walk, NOOK_MSG_NONE, err) != -EPIPE)
			return -err->errnum;
		return rc < 0 ? nook_fail(err, -rc, "sendmsg to the %s",
					  walk->inside ? "runtime" : "stage")
			      : 0;
	case NOOK_STEP_WAIT:
		rc = nook_wait(walk, s->message, err);
		if (rc == -EPIPE && err)
			(void)nook_format(err->wanted, sizeof(err->wanted), "start the container");
		if (rc == -EPIPE)
			return nook_refuse(err, EPIPE, "the %s ended before it said why",
					   walk->inside ? "runtime" : "container's first process");
		return rc;
	case NOOK_STEP_RUN:
		break;
	}
	return s->run(walk->ctx, err);
}

int nook_steps_run(const struct nook_step *steps, size_t n, struct nook_walk *walk,
		   size_t *ret_done, struct nook_error *err)
{
	bool timed = walk->tracing || walk->trace;

	for (size_t i = 0; i < n; i++) {
		const struct nook_step *s = &steps[i];

		if (s->needed && !s->needed(walk->plan))
			continue;
		*ret_done = i + 1;

		int64_t begin = timed ? nook_now_ns() : 0;
		int rc = run_step(s, walk, err);

		if (rc < 0) {
			if (s->wanted && err && !err->wanted[0])
				(void)nook_format(err->wanted, sizeof(err->wanted), "%s",
						  s->wanted);
			return rc;
		}
		if (walk->trace && !walk->inside)
			report(walk, false, s, (uint64_t)(nook_now_ns() - begin));
		if (walk->tracing) {
			struct trace_body body = { (uint32_t)i, (uint64_t)(nook_now_ns() - begin) };

			(void)nook_send(walk->channel, NOOK_MSG_TRACE, &body, sizeof(body), NO_FD);
			/* lost when the other side has gone, which the next message shows */
		}
	}
	return 0;
}

int nook_steps_undo(const struct nook_step *steps, size_t done, struct nook_walk *walk,
		    struct nook_error *err)
{
	int first = 0;

	for (size_t i = done; i-- > 0;) {
		const struct nook_step *s = &steps[i];

		if (!s->undo || (s->needed && !s->needed(walk->plan)))
			continue;

		int rc = s->undo(walk->ctx, first == 0 ? err : NULL);

		if (rc < 0 && first == 0)
			first = rc;
		walk->undo_failed |= rc < 0;
	}
	return first;
}
