/* SPDX-License-Identifier: Apache-2.0 */
/* What creating an engine's container takes beside: the socket at which it waits, and what the
 * engine is told. */
#include "oci_parts.h"

#include "base/own.h"
#include "base/text.h"
#include "oci_sockets.h"
#include "sys/file.h"
#include "sys/process.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* A path of STATE_DIR can be longer than a socket's may be: by the folder's descriptor it never is.
 */
static socklen_t address(int starts, const char *name, struct sockaddr_un *ret)
{
	ret->sun_family = AF_UNIX;
	(void)nook_format(ret->sun_path, sizeof(ret->sun_path), "/proc/self/fd/%d/%s", starts,
			  name); /* 16 digits */
	return sizeof(*ret);
}

int open_start(void *ctx, struct nook_error *err)
{
	struct nook_create *c = ctx;
	struct sockaddr_un addr = { 0 };
	int starts = c->state.dirs[NOOK_FOLDER_START];
	socklen_t len = address(starts, c->record.start, &addr);
	auto_close int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return nook_fail(err, errno, "socket(AF_UNIX)");
	if (bind(fd, (const struct sockaddr *)&addr, len) < 0)
		return nook_fail(err, errno, "bind start/%s in the state directory",
				 c->record.start);
	c->start_made = true;
	/* Several may ask at once; one is heard. */
	if (listen(fd, 8) < 0)
		return nook_fail(err, errno, "listen");

	c->stage.start = move_fd(&fd);
	return 0;
}

void open_start_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	nook_show(rows, "where the program waits for its start",
		  "socket(SEQPACKET), bind(\"%s/start/NUMBER\"), listen", plan->state_dir);
}

/* Twice where it fails: a lack of memory may have passed. */
int close_start(void *ctx, struct nook_error *err)
{
	struct nook_create *c = ctx;
	int starts = c->state.dirs[NOOK_FOLDER_START];

	close_fd(&c->stage.start);
	for (int i = 0; i < 2 && c->start_made; i++)
		c->start_made = unlinkat(starts, c->record.start, 0) < 0 && errno != ENOENT;
	return c->start_made ? nook_fail(err, errno, "unlink start/%s in the state directory",
					 c->record.start)
			     : 0;
}

int nook_oci_start_mark(int starts, const char *name, struct nook_error *err)
{
	int rc = nook_mknod_below(starts, name, S_IFREG | 0600, 0);

	return rc < 0 ? nook_fail(err, -rc, "mknodat start/%s in the state directory", name) : 0;
}

bool nook_oci_start_waits(int starts, const char *name)
{
	return faccessat(starts, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

void nook_oci_start_over(int starts, const char *name)
{
	(void)unlinkat(starts, name, 0); /* ENOENT: somebody else has */
}

int nook_oci_connect_start(int starts, const char *name, struct nook_error *err)
{
	struct sockaddr_un addr = { 0 };
	socklen_t len = address(starts, name, &addr);
	auto_close int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return nook_fail(err, errno, "socket(AF_UNIX)");
	if (connect(fd, (const struct sockaddr *)&addr, len) < 0) {
		if (errno == ECONNREFUSED || errno == ENOENT)
			return -ECONNREFUSED;
		return nook_fail(err, errno, "connect to start/%s in the state directory", name);
	}
	return move_fd(&fd);
}

static int fill_in(struct nook_create *c, struct nook_error *err)
{
	c->record.pid = c->pid;
	c->record.phase = c->plan->start_later ? NOOK_PHASE_CREATED : NOOK_PHASE_RUNNING;
	c->record.n_cgroups = c->cgroups_made;
	return nook_start_time(c->pid, &c->record.start_time, err);
}

/* All but the rename, while the stage is at work: it waits for what comes after. */
int prepare_record(void *ctx, struct nook_error *err)
{
	struct nook_create *c = ctx;
	int rc = fill_in(c, err);

	if (rc == 0)
		rc = nook_state_prepare(&c->state, &c->record, err);
	c->prepared = rc == 0;
	return rc;
}

void prepare_record_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	nook_show(rows, "for the engine's later calls", "write(\"%s/new/%s\")", plan->state_dir,
		  plan->name);
}

/* A process that joins a container has no record of its own. */
static int keep_record(struct nook_create *c, struct nook_error *err)
{
	if (c->state.lock < 0)
		return 0;

	int rc = c->prepared ? 0 : fill_in(c, err);

	if (rc < 0)
		return rc;
	return c->prepared ? nook_state_commit(&c->state, err)
			   : nook_state_write(&c->state, &c->record, err);
}

/*
 * The engine hears of the container when all of it is there. The record last but the pid file: who
 * finds that one may call `start` at once.
 */
int tell_engine(void *ctx, struct nook_error *err)
{
	struct nook_create *c = ctx;
	int rc = 0;

	if (c->console_socket && c->master >= 0) {
		rc = nook_oci_send_console(c->console_socket, c->master, err);
		close_fd(&c->master);
	}
	if (rc == 0 && c->pidfd_socket)
		rc = nook_oci_send_pidfd(c->pidfd_socket, c->pidfd, c->state.lock >= 0, err);
	if (rc == 0)
		rc = keep_record(c, err);
	if (rc == 0 && c->pid_file)
		rc = nook_oci_write_pid_file(c->pid_file, c->pid, err);
	c->pid_written = rc == 0 && c->pid_file;
	return rc;
}

/* The program could not be started after all: no file is to name a pid that somebody else may get.
 */
int untell_engine(void *ctx, struct nook_error *err)
{
	struct nook_create *c = ctx;

	return c->pid_written ? nook_oci_remove_pid_file(c->pid_file, err) : 0;
}

void tell_engine_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	if (plan->process.terminal)
		nook_show(rows, "the terminal, when it has asked for it",
			  "sendmsg(console socket, SCM_RIGHTS)");
	nook_show(rows, "for the engine's later calls", "renameat2(\"%s/containers/%s\")",
		  plan->state_dir, plan->name);
	nook_show(rows, "the engine knows it by this", "write, rename(pid file)");
}
