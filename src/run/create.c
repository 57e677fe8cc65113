/* SPDX-License-Identifier: Apache-2.0 */
#include "create.h"

#include "base/own.h"
#include "base/text.h"
#include "cgroup.h"
#include "sys/process.h"
#include "sys/pidfd.h"
#include "sys/procfs.h"
#include "terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>

void nook_create_init(struct nook_create *c, const struct nook_plan *plan, struct nook_arena *a,
		      const struct nook_trace *trace)
{
	*c = (struct nook_create){
		.plan = plan,
		.state = NOOK_STATE_NONE,
		.sources = nook_alloc_array(a, plan->n_sources, sizeof(int)),
		.joins = nook_alloc_array(a, plan->n_joins, sizeof(int)),
		.overlays = nook_alloc_array(a, plan->n_overlays, sizeof(int)),
		.changes = NO_FD,
		.time_ns = NO_FD,
		.cgroup_ns = NO_FD,
		.user_ns = NO_FD,
		.links = NO_FD,
		.proc = NO_FD,
		.cgroup = NO_FD,
		.peer = NO_FD,
		.pidfd = NO_FD,
		.master = NO_FD,
		.notify = NO_FD,
		.stage_steps = nook_stage_steps,
		.n_stage_steps = nook_stage_n_steps,
	};
	for (size_t i = 0; i < plan->n_sources; i++)
		c->sources[i] = NO_FD;
	for (size_t i = 0; i < plan->n_joins; i++)
		c->joins[i] = NO_FD;
	for (size_t i = 0; i < plan->n_overlays; i++)
		c->overlays[i] = NO_FD;

	c->walk = (struct nook_walk){
		.plan = plan,
		.ctx = c,
		.channel = NO_FD,
		.peer = NO_FD,
		.interrupt = NO_FD,
		.send_fd = NO_FD,
		.ret_fd = &c->master,
		.trace = trace,
		.other = c->stage_steps,
		.n_other = c->n_stage_steps,
	};
	c->stage = (struct nook_stage){
		.plan = plan,
		.arena = a,
		.keep_groups = plan->userns.deny_setgroups || plan->process.keep_groups,
		.sources = c->sources,
		.overlays = c->overlays,
		.proc = NO_FD,
		.scratch = NO_FD,
		.changes = NO_FD,
		.root = NO_FD,
		.own = { NO_FD, NO_FD },
		.mask = NO_FD,
		.dev = NO_FD,
		.fresh = NO_FD,
		.pts = NO_FD,
		.console = NO_FD,
		.start = NO_FD,
		.label = NO_FD,
	};
}

void nook_create_close_pieces(struct nook_create *c)
{
	for (size_t i = 0; i < c->plan->n_sources; i++)
		close_fd(&c->sources[i]);
	for (size_t i = 0; i < c->plan->n_joins; i++)
		close_fd(&c->joins[i]);
	close_fd(&c->time_ns);
	close_fd(&c->cgroup_ns);
	close_fd(&c->user_ns);
	close_fd(&c->links);
	close_fd(&c->proc);
	close_fd(&c->cgroup);
	close_fd(&c->peer);
	close_fd(&c->walk.channel);
}

void nook_create_close(struct nook_create *c)
{
	nook_create_close_pieces(c);
	close_fd(&c->pidfd);
	close_fd(&c->changes);
	close_fd(&c->master);
	close_fd(&c->notify);
	nook_state_close(&c->state);
}

static bool has_range(const struct nook_plan *p)
{
	return p->userns.range;
}

static bool has_changes(const struct nook_plan *p)
{
	return p->has_changes;
}

static bool outside(const struct nook_plan *p)
{
	return p->n_sources > 0 && p->sources_outside && !p->bundle;
}

/* A bundle shows the container's own cgroups, which must be there. */
static bool bundle_outside(const struct nook_plan *p)
{
	return p->n_sources > 0 && p->sources_outside && p->bundle;
}

static bool has_cgroup(const struct nook_plan *p)
{
	return p->cgroup.n_dirs > 0;
}

static bool has_unit(const struct nook_plan *p)
{
	return p->cgroup.unit != NULL;
}

static bool has_v1(const struct nook_plan *p)
{
	for (size_t i = 0; i < p->cgroup.n_dirs; i++) {
		if (!p->cgroup.dirs[i].v2)
			return true;
	}
	return false;
}

static bool joins(const struct nook_plan *p)
{
	return p->n_joins > 0;
}

static bool has_maps(const struct nook_plan *p)
{
	return p->userns.writer != NOOK_IDMAP_NONE;
}

static bool idmaps(const struct nook_plan *p)
{
	for (size_t i = 0; i < p->n_sources; i++) {
		if (p->sources[i].idmap || p->sources[i].own_maps)
			return true;
	}
	return false;
}

static bool writes_proc(const struct nook_plan *p)
{
	return has_maps(p) || idmaps(p) || p->process.set_oom_score_adj || p->n_netdevs;
}

static bool has_oom(const struct nook_plan *p)
{
	return p->process.set_oom_score_adj;
}

static int claim_name(void *ctx, struct nook_error *err)
{
	struct nook_create *c = ctx;

	if (c->plan->bundle)
		return nook_state_claim_new(c->plan->state_dir, c->plan->name, &c->state, err);
	return nook_state_claim(c->plan->state_dir, c->plan->name, &c->state, err);
}

static int drop_name(void *ctx, struct nook_error *err)
{
	struct nook_create *c = ctx;

	return c->state.lock < 0 ? 0 : nook_state_drop(&c->state, err);
}

static void claim_name_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	nook_show(rows, "the name is ours while we live",
		  "openat2(\"%s/locks/%s\"), fcntl(F_OFD_SETLK)", plan->state_dir, plan->name);
}

static int write_intent(void *ctx, struct nook_error *err)
{
	struct nook_create *c = ctx;

	return nook_state_write(&c->state, &c->record, err);
}

static void write_intent_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	nook_show(rows, "what will be made, so that it can be undone",
		  "write, renameat2(\"%s/containers/%s\")", plan->state_dir, plan->name);
}

static int claim_range(void *ctx, struct nook_error *err)
{
	struct nook_create *c = ctx;
	int rc = nook_range_claim(&c->state, c->plan->userns.range, err);

	c->range_claimed = rc == 0;
	return rc;
}

static int release_range(void *ctx, struct nook_error *err)
{
	struct nook_create *c = ctx;

	if (!c->range_claimed)
		return 0;
	c->range_claimed = false;
	return nook_range_release(&c->state, c->plan->userns.range, err);
}

static void claim_range_show(const struct nook_plan *plan, struct nook_rows *rows)
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

static int lock_changes(void *ctx, struct nook_error *err)
{
	struct nook_create *c = ctx;
	const struct nook_plan_source *src = &c->plan->sources[c->plan->changes_source];
	int rc = lock_directory(src->path, &c->changes, err);

	if (rc < 0)
		nook_where(err, "%s", src->from);
	return rc;
}

static int unlock_changes(void *ctx, struct nook_error *err)
{
	(void)err;
	close_fd(&((struct nook_create *)ctx)->changes);
	return 0;
}

static void lock_changes_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	nook_show(rows, "one container at a time", "mkdir(\"%s\"), flock(LOCK_EX)",
		  plan->sources[plan->changes_source].path);
}

static int open_sources(void *ctx, struct nook_error *err)
{
	struct nook_create *c = ctx;

	return nook_open_sources(c->plan, c->sources, err);
}

static int make_cgroup(void *ctx, struct nook_error *err)
{
	struct nook_create *c = ctx;

	return nook_cgroup_make(&c->plan->cgroup, &c->cgroup, &c->cgroups_made, err);
}

/* Those of v1 that were made for a unit that did not come. */
static int remove_beside_unit(struct nook_create *c, struct nook_error *err)
{
	const struct nook_plan_cgroup *cg = &c->plan->cgroup;
	size_t first = cg->n_dirs == 1 && cg->dirs[0].v2;
	int rc = c->cgroups_made > first
			 ? nook_cgroup_remove(cg->dirs + first, c->cgroups_made - first, err)
			 : 0;

	if (rc == 0)
		c->cgroups_made = 0;
	return rc;
}

static int remove_cgroup(void *ctx, struct nook_error *err)
{
	struct nook_create *c = ctx;
	const struct nook_plan_cgroup *cg = &c->plan->cgroup;

	if (!c->cgroups_made)
		return 0;
	close_fd(&c->cgroup);
	/* systemd's own has never begun. */
	if (cg->unit)
		return remove_beside_unit(c, err);

	/* With a pid namespace shared, what the program has left running is still in there. */
	int rc = c->plan->clone_flags & CLONE_NEWPID
			 ? 0
			 : nook_cgroup_kill(cg->dirs, c->cgroups_made, err);

	if (rc == 0)
		rc = nook_cgroup_remove(cg->dirs, c->cgroups_made, err);
	if (rc == 0)
		c->cgroups_made = 0;
	return rc;
}

static void make_cgroup_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	nook_cgroup_show(&plan->cgroup, rows);
}

static int open_channel(void *ctx, struct nook_error *err)
{
	struct nook_create *c = ctx;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return nook_fail(err, errno, "socketpair");
	c->walk.channel = pair[0];
	c->peer = pair[1];
	return 0;
}

static void open_channel_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	(void)plan;
	nook_show(rows, "a channel to it", "socketpair(SEQPACKET)");
}

static int open_proc(void *ctx, struct nook_error *err)
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

static void open_proc_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	if (plan->sources_outside)
		nook_show(rows, "a procfs that nobody can have covered",
			  "fsopen(\"proc\", subset=pid), fsmount(NOSUID|NODEV|NOEXEC)");
	else
		nook_show(rows, "the host's procfs, if it is one", "openat2(\"/proc\"), fstatfs");
}

static int enter_cgroups(void *ctx, struct nook_error *err)
{
	struct nook_create *c = ctx;

	return nook_cgroup_enter_v1(c->plan->cgroup.dirs, c->cgroups_made, c->pid, err);
}

static void enter_cgroups_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	for (size_t i = 0; i < plan->cgroup.n_dirs; i++) {
		if (!plan->cgroup.dirs[i].v2)
			nook_show(rows, "into its cgroup", "write(\"%s%s/cgroup.procs\", PID)",
				  plan->cgroup.dirs[i].mount, plan->cgroup.dirs[i].path);
	}
}

static int set_oom_score(void *ctx, struct nook_error *err)
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

static void set_oom_score_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	nook_show(rows, "who goes first when memory is short",
		  "write(\"PID/oom_score_adj\", \"%d\")", plan->process.oom_score_adj);
}

static int save_record(void *ctx, struct nook_error *err)
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

static void save_record_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	nook_show(rows, "for ps, exec and kill", "write, renameat2(\"%s/containers/%s\")",
		  plan->state_dir, plan->name);
}

/* The terminal has its size before the program can ask for it. */
static int take_master(void *ctx, struct nook_error *err)
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

static void take_master_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	(void)plan;
	nook_show(rows, "the terminal gets our size", "ioctl(TIOCSWINSZ)");
}

static bool terminal(const struct nook_plan *p)
{
	return p->process.terminal;
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
static int await_program(void *ctx, struct nook_error *err)
{
	struct nook_create *c = ctx;
	int rc = nook_wait(&c->walk, NOOK_MSG_NONE, err);

	if (rc == -EINTR && executed_meanwhile(c)) {
		*err = (struct nook_error){ 0 };
		c->walk.interrupt = NO_FD;
		rc = nook_wait(&c->walk, NOOK_MSG_NONE, err);
	}
	nook_create_close_pieces(c);
	return rc == -EPIPE ? 0 : rc;
}

static void await_program_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	(void)plan;
	nook_show(rows, "its end says that the program runs", "recvmsg(from the inside)");
}

static bool has_start(const struct nook_plan *p)
{
	return p->start_later;
}

static bool starts_now(const struct nook_plan *p)
{
	return !p->start_later;
}

/* An engine's is written when all is there, unless a hook may ask for it before: while we live the
 * stage ends with us, so nothing would be gained. */
static bool early_record(const struct nook_plan *p)
{
	return !p->bundle || nook_outer_hooks(p);
}

static bool notify(const struct nook_plan *p)
{
	return p->notify;
}

static bool netdevs(const struct nook_plan *p)
{
	return p->n_netdevs > 0;
}

static bool labels(const struct nook_plan *p)
{
	return p->process.apparmor || p->process.selinux;
}

/* A label is set by a file that the stage can't reach any more when it has entered a container. */
static bool writes_its_proc(const struct nook_plan *p)
{
	return writes_proc(p) || labels(p);
}

static bool preserves(const struct nook_plan *p)
{
	return p->process.preserve_fds > 0;
}

static bool first_cpus(const struct nook_plan *p)
{
	return p->process.affinity;
}

static bool rdt(const struct nook_plan *p)
{
	return p->rdt && p->rdt->set;
}

#define STEP(fn, purpose, when) NOOK_RUN(fn, purpose, .needed = when, .show = fn##_show)
#define STEP_UNDO(fn, back, purpose, when)                                                         \
	NOOK_RUN(fn, purpose, .undo = back, .needed = when, .show = fn##_show)

static void open_sources_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	nook_show_sources(plan, rows);
}

const struct nook_step nook_create_steps[] = {
	STEP(check_preserved, "pass descriptors on", preserves),
	STEP_UNDO(claim_name, drop_name, "take the name", NULL),
	STEP(write_intent, "write down what will be made", NULL),
	STEP_UNDO(claim_range, release_range, "take a range of ids", has_range),
	STEP_UNDO(lock_changes, unlock_changes, "lock the directory of changes", has_changes),
	STEP_UNDO(make_notify, remove_notify, "make the place of its NOTIFY_SOCKET", notify),
	STEP(open_sources, "open what the container is to see of the host", outside),
	STEP_UNDO(make_cgroup, remove_cgroup, "make the cgroup", has_cgroup),
	STEP(open_sources, "open what the container is to see of the host", bundle_outside),
	STEP_UNDO(open_start, close_start, "make the socket of the start", has_start),
	STEP(open_channel, "open a channel", NULL),
	STEP(open_joins, "open the namespaces to join", joins),
	STEP_UNDO(clone_stage, kill_stage, "start the container's first process", NULL),
	STEP_UNDO(start_unit, stop_unit, "have systemd make its unit", has_unit),
	STEP(open_proc, "open a procfs", writes_proc),
	STEP(write_idmaps, "map the container's ids", has_maps),
	STEP(idmap_sources, "show the files with the container's ids", idmaps),
	STEP(enter_cgroups, "enter the cgroup", has_v1),
	STEP(set_oom_score, "set the OOM score", has_oom),
	STEP_UNDO(join_rdt, leave_rdt, "enter the resctrl group", rdt),
	STEP(move_netdevs, "move network devices in", netdevs),
	NOOK_SEND(MAPS_WRITTEN),
	STEP(save_record, "save the record", early_record), /* while the stage mounts */
	NOOK_WAIT_IF(MOUNTED, nook_outer_hooks),
	STEP(run_outer_hooks, "run the prestart and createRuntime hooks", nook_outer_hooks),
	NOOK_SEND_IF(HOOKED, nook_outer_hooks),
	STEP(tell_listener, "tell who answers for its system calls", nook_seccomp_told),
	NOOK_WAIT(STAGE_READY),
	STEP(take_master, "take the terminal", terminal),
	STEP(tell_engine, "tell the engine", nook_of_bundle),
	NOOK_SEND_IF(DETACH, nook_of_bundle),
	NOOK_SEND_IF(START, starts_now),
	STEP(await_program, "start the program", starts_now),
};
const size_t nook_create_n_steps = ARRAY_SIZE(nook_create_steps);

static int open_cgroup(void *ctx, struct nook_error *err)
{
	struct nook_create *c = ctx;

	c->cgroups_made = 0; /* they are the container's: nothing to undo here */
	return nook_cgroup_open(c->plan->cgroup.dirs, c->plan->cgroup.n_dirs, &c->cgroup, err);
}

static void open_cgroup_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	nook_show(rows, "the container's cgroup", "openat2(\"%s%s\")", plan->cgroup.dirs[0].mount,
		  plan->cgroup.dirs[0].path);
}

static int enter_its_cgroups(void *ctx, struct nook_error *err)
{
	struct nook_create *c = ctx;

	return nook_cgroup_enter_v1(c->plan->cgroup.dirs, c->plan->cgroup.n_dirs, c->pid, err);
}

static void enter_its_cgroups_show(const struct nook_plan *plan, struct nook_rows *rows)
{
	enter_cgroups_show(plan, rows);
}

const struct nook_step nook_exec_steps[] = {
	STEP(check_preserved, "pass descriptors on", preserves),
	STEP(open_cgroup, "open the container's cgroup", has_cgroup),
	STEP(open_proc, "open a procfs", writes_its_proc),
	STEP(set_first_cpus, "begin on the CPUs that are for this", first_cpus),
	STEP(open_channel, "open a channel", NULL),
	STEP(open_joins, "open the container's namespaces", joins),
	STEP_UNDO(clone_stage, kill_stage, "enter the container", NULL),
	STEP(enter_its_cgroups, "enter the cgroup", has_v1),
	STEP(set_oom_score, "set the OOM score", has_oom),
	STEP(enter_rdt, "enter the resctrl group", rdt),
	STEP(open_label, "open where its security label is set", labels),
	NOOK_SEND(START),
	STEP(tell_listener, "tell who answers for its system calls", nook_seccomp_told),
	NOOK_WAIT(STAGE_READY),
	STEP(take_master, "take the terminal", terminal),
	STEP(tell_engine, "tell the engine", nook_of_bundle),
	NOOK_SEND_IF(DETACH, nook_of_bundle),
	STEP(await_program, "start the program", NULL),
};
const size_t nook_exec_n_steps = ARRAY_SIZE(nook_exec_steps);
