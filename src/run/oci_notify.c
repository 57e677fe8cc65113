/* SPDX-License-Identifier: Apache-2.0 */
#include "oci_notify.h"

#include "base/clock.h"
#include "base/own.h"
#include "base/report.h"
#include "base/text.h"
#include "create.h"
#include "oci_sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

/* A message of sd_notify(3) is one datagram; what is longer is dropped whole. */
#define MESSAGE 4096

/* A manager that doesn't know of barriers, and keeps the descriptor, is not waited for longer. */
#define BARRIER_MS 5000

bool nook_oci_notify_is_socket(const char *host)
{
	return host && (host[0] == '/' || host[0] == '@') && host[1];
}

/* ---- what the container sees ---- */

static void add_mount(struct nook_arena *a, struct nook_bundle *b, const char *dir)
{
	static const char *const options[] = { "bind", "nosuid", "noexec", "nodev", "ro", NULL };
	struct nook_bundle_mount *all = nook_alloc_array(a, b->n_mounts + 1, sizeof(*all));

	for (size_t i = 0; i < b->n_mounts; i++)
		all[i] = b->mounts[i];
	all[b->n_mounts++] = (struct nook_bundle_mount){
		.destination = NOOK_NOTIFY_INSIDE,
		.type = "bind",
		.source = dir,
		.options = options,
		.from = "NOTIFY_SOCKET",
	};
	b->mounts = all;
}

/* The bundle's own variable of that name goes: it would lead nowhere inside. */
static void add_variable(struct nook_arena *a, struct nook_bundle_process *p)
{
	const char **env;
	size_t n = 0, kept = 0;

	while (p->env[n])
		n++;
	env = nook_alloc_array(a, n + 2, sizeof(*env));
	for (size_t i = 0; i < n; i++) {
		if (!nook_starts(p->env[i], "NOTIFY_SOCKET="))
			env[kept++] = p->env[i];
	}
	env[kept] = "NOTIFY_SOCKET=" NOOK_NOTIFY_INSIDE "/" NOOK_NOTIFY_NAME;
	p->env = env;
}

void nook_oci_notify_add(struct nook_arena *a, struct nook_bundle *b, const char *state_dir,
			 const char *id)
{
	if (!b->process.set)
		return;
	add_mount(a, b, nook_printf(a, "%s/" NOOK_NOTIFY_FOLDER "/%s", state_dir, id));
	add_variable(a, &b->process);
}

int make_notify(void *ctx, struct nook_error *err)
{
	struct nook_create *c = ctx;
	int rc = nook_oci_notify_make(c->state.base, c->plan->name, err);

	if (rc < 0 || c->plan->start_later)
		return rc;
	c->notify = nook_oci_notify_listen(c->state.base, c->plan->name, err);
	return c->notify < 0 ? c->notify : 0;
}

int remove_notify(void *ctx, struct nook_error *err)
{
	struct nook_create *c = ctx;

	close_fd(&c->notify);
	/* Undone after a claim that has failed, it would be another container's. */
	if (c->state.lock < 0)
		return 0;
	/* Twice where it fails: a lack of memory may have passed. */
	if (nook_oci_notify_remove(c->state.base, c->plan->name, NULL) == 0)
		return 0;
	return nook_oci_notify_remove(c->state.base, c->plan->name, err);
}

void make_notify_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	nook_show(rows, "where the program says that it is ready",
		  "mkdirat(\"%s/" NOOK_NOTIFY_FOLDER "/%s\")", plan->state_dir, plan->name);
}

/* ---- what is passed on ---- */

int nook_oci_notify_begin(struct nook_oci_notify *n, int listener, const char *host, int pid,
			  struct nook_error *err)
{
	*n = (struct nook_oci_notify){ .listener = listener, .host = NO_FD, .pid = pid };
	n->host = nook_oci_connect(host, SOCK_DGRAM, true, err);
	if (n->host < 0)
		nook_where(err, "NOTIFY_SOCKET=%s", host);
	return n->host < 0 ? n->host : 0;
}

void nook_oci_notify_end(struct nook_oci_notify *n)
{
	close_fd(&n->host);
}

static int tell(const struct nook_oci_notify *n, const char *text, struct nook_error *err)
{
	while (send(n->host, text, strlen(text), MSG_NOSIGNAL) < 0) {
		if (errno == EINTR)
			continue;
		return nook_fail(err, errno == EAGAIN ? ETIMEDOUT : errno,
				 "send to the service manager's NOTIFY_SOCKET");
	}
	return 0;
}

/* The manager shows it to people, in terminals and logs. */
static void make_safe(const char *status, char *out, size_t size)
{
	FILE *f = fmemopen(out, size, "w");

	out[0] = '\0';
	if (!f)
		return; /* no memory: an empty status */
	nook_print_safe(f, status);
	(void)fclose(f); /* cut when it is too long; memory can't refuse it otherwise */
	out[size - 1] = '\0';
}

/* Ends when the manager has taken all that was said: it may then ask who we are, and look for our
 * cgroup, as long as we live. sd_notify_barrier(3). */
static void wait_barrier(const struct nook_oci_notify *n)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return; /* it has been told; only its answer is not waited for */

	struct pollfd p = { .fd = ends[0] };

	if (nook_oci_send_fd(n->host, "BARRIER=1", ends[1]) == 0) {
		close_fd(&ends[1]);
		while (poll(&p, 1, BARRIER_MS) < 0 && errno == EINTR)
			;
	}
	close_fd(&ends[1]);
	close_fd(&ends[0]);
}

struct said {
	bool ready;
	const char *status; /* in the message; NULL: none */
};

/* @message is cut into its lines. */
static struct said read_message(char *message)
{
	struct said said = { 0 };
	char *rest = message;

	for (char *line; (line = strsep(&rest, "\n"));) {
		if (strcmp(line, "READY=1") == 0)
			said.ready = true;
		else if (nook_starts(line, "STATUS="))
			said.status = line + strlen("STATUS=");
	}
	return said;
}

/* However much it says: the manager shall have time for others. */
static bool may_say_more(struct nook_oci_notify *n)
{
	int64_t now = nook_now_ms();

	if (n->lines == 0 || now - n->since >= NOOK_NOTIFY_WINDOW_MS) {
		n->since = now;
		n->lines = 0;
	}
	if (n->lines == NOOK_NOTIFY_LINES)
		return false;
	n->lines++;
	return true;
}

static int pass_on(struct nook_oci_notify *n, const struct said *said, struct nook_error *err)
{
	char text[NOOK_NOTIFY_STATUS + 64], status[NOOK_NOTIFY_STATUS];
	bool ready = said->ready && !n->ready;
	size_t len = 0;

	if (said->status && may_say_more(n)) {
		make_safe(said->status, status, sizeof(status));
		len = nook_format(text, sizeof(text), "STATUS=%s\n", status);
	}
	if (ready)
		len += nook_format(text + len, sizeof(text) - len, "MAINPID=%d\nREADY=1\n", n->pid);
	if (len == 0)
		return 0;

	int rc = tell(n, text, err);

	if (rc == 0 && ready) {
		n->ready = true;
		if (!n->staying)
			wait_barrier(n);
	}
	return rc;
}

int nook_oci_notify_take(struct nook_oci_notify *n, struct nook_error *err)
{
	/* As many at a time: whoever fills the queue as fast as we read must not keep us. */
	for (int i = 0; i < NOOK_NOTIFY_LINES && (n->staying || !n->ready); i++) {
		char message[MESSAGE + 1];
		/* Descriptors that come with it are the kernel's to drop: there is no room for
		 * them. */
		ssize_t len = recv(n->listener, message, MESSAGE, MSG_DONTWAIT | MSG_TRUNC);

		if (len < 0 && errno == EINTR)
			continue;
		if (len < 0)
			return errno == EAGAIN ? 0 : nook_fail(err, errno, "recv from inside");
		if (len > MESSAGE || memchr(message, '\0', (size_t)len))
			continue;
		message[len] = '\0';

		const struct said said = read_message(message);
		int rc = pass_on(n, &said, err);

		if (rc < 0)
			return rc;
	}
	return 0;
}

static int wait_ready(struct nook_oci_notify *n, int pidfd, int interrupt, struct nook_error *err)
{
	struct pollfd p[3] = { { n->listener, POLLIN, 0 },
			       { pidfd, POLLIN, 0 },
			       { interrupt, POLLIN, 0 } };

	while (!n->ready) {
		int rc;

		if (poll(p, ARRAY_SIZE(p), -1) < 0) {
			if (errno == EINTR)
				continue;
			return nook_fail(err, errno, "poll");
		}
		/* What it said last comes before its end. */
		rc = p[0].revents ? nook_oci_notify_take(n, err) : 0;
		if (rc < 0)
			return rc;
		if (p[1].revents)
			return 0;
		if (p[2].revents)
			return nook_refuse(err, EINTR,
					   "interrupted while waiting for the container's READY=1");
	}
	return 0;
}

int nook_oci_notify_forward(int listener, const char *host, int pidfd, int pid,
			    struct nook_error *err)
{
	auto_close int interrupt = nook_open_interrupt();
	struct nook_oci_notify n;
	int rc = nook_oci_notify_begin(&n, listener, host, pid, err);

	if (rc == 0)
		rc = wait_ready(&n, pidfd, interrupt, err);
	nook_oci_notify_end(&n);
	return rc;
}
