/* SPDX-License-Identifier: Apache-2.0 */
/* Steps of the outside that are a call or two each: the name, the record, the channel, the end. */
#include "create.h"

#include "base/own.h"
#include "base/text.h"
#include "net_steps.h"
#include "sys/process.h"
#include "sys/procfs.h"
#include "terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>

int claim_name(void *ctx, struct nook_error *err)
{
	struct nook_create *c = ctx;

	int rc = c->plan->bundle
			 ? nook_state_claim_new(c->plan->state_dir, c->plan->name, &c->state, err)
			 : nook_state_claim(c->plan->state_dir, c->plan->name, &c->state, err);

	c->state.scratch = c->stage.arena;
	return rc;
}

int drop_name(void *ctx, struct nook_error *err)
{
	struct nook_create *c = ctx;

	if (c->state.lock < 0)
		return 0;
	/* What is still there can be removed later only as long as the record tells of it. */
	if (c->walk.undo_failed) {
		nook_state_close(&c->state);
		return 0;
	}

	/* Of what `nook net connect` has added to one that began without any. An engine's container
	 * has its networks from the engine. */
	int rc = c->plan->bundle ? 0 : nook_net_leave(&c->state, err);

	if (rc < 0) {
		nook_state_close(&c->state);
		return rc;
	}
	return nook_state_drop(&c->state, err);
}

void claim_name_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	nook_show(rows, "the name is ours while we live",
		  "openat2(\"%s/locks/%s\"), fcntl(F_OFD_SETLK)", plan->state_dir, plan->name);
}

int write_intent(void *ctx, struct nook_error *err)
{
	struct nook_create *c = ctx;

	return nook_state_write(&c->state, &c->record, err);
}

void write_intent_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	nook_show(rows, "what will be made, so that it can be undone",
		  "write, renameat2(\"%s/containers/%s\")", plan->state_dir, plan->name);
}

int claim_range(void *ctx, struct nook_error *err)
{
	struct nook_create *c = ctx;
	int rc = nook_range_claim(&c->state, c->plan->userns.range, err);

	c->range_claimed = rc == 0;
	return rc;
}

int release_range(void *ctx, struct nook_error *err)
{
	struct nook_create *c = ctx;

	if (!c->range_claimed)
		return 0;
	c->range_claimed = false;
	return nook_range_release(&c->state, c->plan->userns.range, err);
}

void claim_range_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	nook_show(rows, "65,536 ids that nobody else gets", "symlink(\"%s\", \"%s/ids/%u\")",
		  plan->name, plan->state_dir, plan->userns.range);
}

/*
 * Two overlays on one writable layer spoil it, and the kernel does not always refuse. The lock is
 * on the directory itself, so that it holds for containers of every name and state directory; it
 * ends with us.
 */
static int lock_directory(const char *path, int *ret_fd, struct nook_error *err)
{
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		return nook_fail(err, errno, "mkdir %s", path);

	auto_close int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return nook_fail(err, errno, "open %s", path);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		int saved = errno;

		if (saved == EWOULDBLOCK) {
			nook_cause(err, "overlay-in-use",
				   "another container keeps its changes in %s now", path);
			nook_hint(err, "wait for its end (`nook ps`), or choose another directory");
		}
		return nook_fail(err, saved, "flock %s", path);
	}
	*ret_fd = move_fd(&fd);
	return 0;
}

int lock_changes(void *ctx, struct nook_error *err)
{
	struct nook_create *c = ctx;
	const struct nook_plan_source *src = &c->plan->sources[c->plan->changes_source];
	int rc = lock_directory(src->path, &c->changes, err);

	if (rc < 0)
		nook_where(err, "%s", src->from);
	return rc;
}

int unlock_changes(void *ctx, struct nook_error *err)
{
	(void)err;
	close_fd(&((struct nook_create *)ctx)->changes);
	return 0;
}

void lock_changes_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	nook_show(rows, "one container at a time", "mkdir(\"%s\"), flock(LOCK_EX)",
		  plan->sources[plan->changes_source].path);
}

int open_sources(void *ctx, struct nook_error *err)
{
	struct nook_create *c = ctx;

	int rc = nook_locks_sources(c->plan)
			 ? nook_find_sources(c->plan, c->sources, c->for_stage, err)
			 : 0;

	return rc < 0 ? rc : nook_open_sources(c->plan, c->sources, err);
}

int open_channel(void *ctx, struct nook_error *err)
{
	struct nook_create *c = ctx;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return nook_fail(err, errno, "socketpair");
	c->walk.channel = pair[0];
	c->peer = pair[1];
	return 0;
}

void open_channel_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	(void)plan;
	nook_show(rows, "a channel to it", "socketpair(SEQPACKET)");
}

int open_proc(void *ctx, struct nook_error *err)
{
	struct nook_create *c = ctx;

	bool engine = c->plan->bundle;

	c->proc = nook_procfs_open(c->plan->sources_outside, engine ? NULL : err);
	/* Root of a user namespace whose pid namespace is another's, as rootless Podman is: what it
	 * sees of /proc must do. */
	if (c->proc < 0 && engine)
		c->proc = nook_procfs_open(false, err);
	return c->proc < 0 ? c->proc : 0;
}

void open_proc_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	if (plan->sources_outside)
		nook_show(rows, "a procfs that nobody can have covered",
			  "fsopen(\"proc\", subset=pid), fsmount(NOSUID|NODEV|NOEXEC)");
	else
		nook_show(rows, "the host's procfs, if it is one", "openat2(\"/proc\"), fstatfs");
}

int set_oom_score(void *ctx, struct nook_error *err)
{
	struct nook_create *c = ctx;
	char text[16];

	(void)nook_format(text, sizeof(text), "%d", c->plan->process.oom_score_adj);

	int rc = nook_procfs_write(c->proc, c->pid, "oom_score_adj", text, err);

	if (rc == -EACCES || rc == -EPERM) {
		nook_cause(err, "missing-capability",
			   "lowering the OOM score takes CAP_SYS_RESOURCE, which is missing here");
		nook_hint(err, "give a value of at least nook's own (/proc/self/oom_score_adj)");
	}
	return rc;
}

void set_oom_score_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	nook_show(rows, "who goes first when memory is short",
		  "write(\"PID/oom_score_adj\", \"%d\")", plan->process.oom_score_adj);
}

int save_record(void *ctx, struct nook_error *err)
{
	struct nook_create *c = ctx;
	int rc = nook_start_time(c->pid, &c->record.start_time, err);

	if (rc < 0)
		return rc;
	c->record.pid = c->pid;
	if (!c->plan->bundle)
		c->record.phase = NOOK_PHASE_RUNNING;
	c->record.n_cgroups = c->cgroups_made;
	return nook_state_write(&c->state, &c->record, err);
}

void save_record_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	nook_show(rows, "for ps, exec and kill", "write, renameat2(\"%s/containers/%s\")",
		  plan->state_dir, plan->name);
}

/* The terminal has its size before the program can ask for it. */
int take_master(void *ctx, struct nook_error *err)
{
	struct nook_create *c = ctx;

	(void)err;
	if (c->master < 0 || c->console_socket)
		return 0;
	if (c->plan->bundle)
		nook_terminal_plain(c->master);
	nook_terminal_copy_size(c->master);
	return 0;
}

void take_master_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	(void)plan;
	nook_show(rows, "the terminal gets our size", "ioctl(TIOCSWINSZ)");
}

/*
 * A program below our pid 1 can be at work, and somebody can have seen that and sent it a signal,
 * before pid 1 has got to close its copy of the channel: the signal is for the program then.
 */
static bool executed_meanwhile(const struct nook_create *c)
{
	struct pollfd channel = { .fd = c->walk.channel, .events = POLLIN };

	return poll(&channel, 1, 200) > 0;
}

/* The channel ends when execve closes it; what comes before the end is why it did not. */
int await_program(void *ctx, struct nook_error *err)
{
	struct nook_create *c = ctx;

	close_fd(&c->stage.own_mount); /* while execve(2) takes its time */

	int rc = nook_wait(&c->walk, NOOK_MSG_NONE, err);

	if (rc == -EINTR && executed_meanwhile(c)) {
		*err = (struct nook_error){ 0 };
		c->walk.interrupt = NO_FD;
		rc = nook_wait(&c->walk, NOOK_MSG_NONE, err);
	}
	nook_create_close_pieces(c);
	return rc == -EPIPE ? 0 : rc;
}

void await_program_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	(void)plan;
	nook_show(rows, "its end says that the program runs", "recvmsg(from the inside)");
}

void open_sources_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	nook_show_sources(plan, rows);
}
