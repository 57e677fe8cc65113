/* SPDX-License-Identifier: Apache-2.0 */
/* Whoever answers for system calls that a filter asks about: config-linux.md, "The Container
 * Process State". */
#include "create.h"

#include "base/json.h"
#include "base/own.h"
#include "oci_sockets.h"
#include "sys/send_fd.h"

#include <errno.h>
#include <sys/socket.h>

static void put_state(struct nook_json_writer *w, const struct nook_create *c)
{
	const struct nook_record *r = &c->record;
	bool first = !r->pid || r->pid == c->pid; /* else it joins a container that is there */

	nook_json_object(w, "state");
	nook_json_put_text(w, "ociVersion", r->oci_version ? r->oci_version : "1.0.2");
	nook_json_put_text(w, "id", c->plan->name);
	nook_json_put_text(w, "status", first ? "creating" : "running");
	nook_json_put_i64(w, "pid", first ? c->pid : r->pid);
	nook_json_put_text(w, "bundle", r->bundle ? r->bundle : "");
	if (r->n_annotations) {
		nook_json_object(w, "annotations");
		for (size_t i = 0; i < r->n_annotations; i++)
			nook_json_put_text(w, r->annotations[i][0], r->annotations[i][1]);
		nook_json_end(w);
	}
	nook_json_end(w);
}

static const char *compose(const struct nook_create *c, size_t *ret_len)
{
	const struct nook_plan_process *p = &c->plan->process;
	struct nook_json_writer w;
	const char *text;

	nook_json_to_arena(&w, c->stage.arena, false);
	nook_json_object(&w, NULL);
	nook_json_put_text(&w, "ociVersion",
			   c->record.oci_version ? c->record.oci_version : "1.0.2");
	nook_json_array(&w, "fds");
	nook_json_put_text(&w, NULL, "seccompFd");
	nook_json_end(&w);
	nook_json_put_i64(&w, "pid", c->pid);
	if (p->seccomp_listener_data)
		nook_json_put_text(&w, "metadata", p->seccomp_listener_data);
	put_state(&w, c);
	nook_json_end(&w);
	(void)nook_json_finish(&w, &text, ret_len); /* into an arena it can't fail */
	return text;
}

/* The descriptor goes with the first bytes; the end says that this is all. */
static int send_state(int socket, int fd, const char *text, size_t len)
{
	for (size_t done = 0; done < len;) {
		struct iovec part = { (char *)(uintptr_t)text + done, len - done };
		struct msghdr msg = { .msg_iov = &part, .msg_iovlen = 1 };
		ssize_t n = nook_sendmsg_fd(socket, &msg, done == 0 ? fd : NO_FD);

		if (n < 0 && n != -EINTR)
			return n == -EAGAIN ? -ETIMEDOUT : (int)n;
		if (n > 0)
			done += (size_t)n;
	}
	return 0;
}

int tell_listener(void *ctx, struct nook_error *err)
{
	struct nook_create *c = ctx;
	const char *path = c->plan->process.seccomp_listener;
	auto_close int fd = NO_FD;
	int *usual = c->walk.ret_fd;

	/* The stage's helper says it, see src/stage/seccomp.c. */
	c->walk.ret_fd = &fd;

	int rc = nook_wait(&c->walk, NOOK_MSG_FILTERED, err);

	c->walk.ret_fd = usual;
	if (rc == -EPIPE)
		return nook_refuse(err, EPIPE,
				   "the container's first process ended before it had "
				   "loaded its seccomp filter");
	if (rc < 0)
		return rc;
	if (fd < 0)
		return nook_refuse(err, EPROTO, "the filter's notify descriptor did not come");

	nook_where(err, "/linux/seccomp/listenerPath");

	auto_close int socket = nook_oci_connect(path, SOCK_STREAM, false, err);
	size_t len = 0;
	const char *text = socket < 0 ? NULL : compose(c, &len);

	if (socket < 0)
		return socket;
	rc = send_state(socket, fd, text, len);
	if (rc < 0)
		return nook_fail(err, -rc, "send the notify descriptor to %s", path);
	if (err)
		err->where[0] = '\0';
	return 0;
}

void tell_listener_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	nook_show(rows, "who is to be asked about system calls",
		  "recvmsg(from the inside), connect(\"%s\"), sendmsg(SCM_RIGHTS)",
		  plan->process.seccomp_listener);
}
