/* SPDX-License-Identifier: Apache-2.0 */
/* The lists of the outside, and when each of their steps is needed. */
#include "create.h"
#include "net_steps.h"
#include "new_net.h"

#include "base/own.h"
#include "cgroup.h"

void nook_create_init(struct nook_create *c, const struct nook_plan *plan, struct nook_arena *a,
		      const struct nook_trace *trace)
{
	*c = (struct nook_create){
		.plan = plan,
		.state = NOOK_STATE_NONE,
		.sources = nook_alloc_array(a, plan->n_sources, sizeof(int)),
		.for_stage = nook_alloc_array(a, plan->n_sources, sizeof(bool)),
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
		.pasta_tells = NO_FD,
		.pasta_words = NO_FD,
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
		.for_stage = c->for_stage,
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
		.own_mount = NO_FD,
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
	close_fd(&c->stage.own_mount);
	close_fd(&c->walk.channel);
}

void nook_create_close(struct nook_create *c)
{
	nook_create_close_pieces(c);
	nook_netdevs_leave(c);
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

static bool has_resolv(const struct nook_plan *p)
{
	return p->resolv;
}

static bool pasta(const struct nook_plan *p)
{
	return p->pasta;
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

static bool devices_later(const struct nook_plan *p)
{
	return nook_cgroup_devices_later(&p->cgroup);
}

static bool has_unit(const struct nook_plan *p)
{
	return p->cgroup.unit != NULL;
}

static bool joins(const struct nook_plan *p)
{
	return p->n_joins > 0;
}

static bool has_maps(const struct nook_plan *p)
{
	return p->userns.writer != NOOK_IDMAP_NONE;
}

static bool has_oom(const struct nook_plan *p)
{
	return p->process.set_oom_score_adj;
}

static bool terminal(const struct nook_plan *p)
{
	return p->process.terminal;
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

/* A label is set by a file that the stage can't reach any more when it has entered a container. */
static bool writes_its_proc(const struct nook_plan *p)
{
	return nook_writes_proc(p) || nook_has_labels(p);
}

static bool preserves(const struct nook_plan *p)
{
	return p->process.preserve_fds > 0;
}

static bool first_cpus(const struct nook_plan *p)
{
	return p->process.affinity;
}

#define STEP(fn, purpose, when) NOOK_RUN(fn, purpose, .needed = when, .show = fn##_show)
#define STEP_UNDO(fn, back, purpose, when)                                                         \
	NOOK_RUN(fn, purpose, .undo = back, .needed = when, .show = fn##_show)

const struct nook_step nook_create_steps[] = {
	STEP(check_preserved, "pass descriptors on", preserves),
	STEP_UNDO(claim_name, drop_name, "take the name", NULL),
	STEP(write_intent, "write down what will be made", NULL),
	STEP_UNDO(begin_network, end_network, "make its network namespace", nook_new_net_beside),
	STEP_UNDO(claim_range, release_range, "take a range of ids", has_range),
	STEP_UNDO(claim_addresses, leave_networks, "take addresses on its networks",
		  nook_has_attached),
	STEP(claim_ports, "take the ports of the host", nook_has_ports),
	STEP(write_resolv, "write its resolv.conf", has_resolv),
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
	STEP(open_proc, "open a procfs", nook_writes_proc),
	STEP(write_idmaps, "map the container's ids", has_maps),
	STEP(idmap_sources, "show the files with the container's ids", nook_idmaps),
	STEP(enter_cgroups, "enter the cgroup", nook_enters_v1),
	STEP(set_oom_score, "set the OOM score", has_oom),
	STEP_UNDO(join_rdt, leave_rdt, "enter the resctrl group", nook_has_rdt),
	STEP_UNDO(move_netdevs, return_netdevs, "move network devices in", netdevs),
	STEP(connect_links, "connect it to its networks", nook_has_links),
	STEP_UNDO(start_pasta, stop_pasta, "start pasta", pasta),
	NOOK_SEND_IF(MAPS_WRITTEN, nook_set_up_outside),
	STEP(take_network, "make its network namespace", nook_new_net_beside),
	NOOK_SEND_IF(NETWORK, nook_new_net_beside),
	/* While the stage mounts: the kernel takes its time for a program. */
	STEP(limit_devices, "limit its devices", devices_later),
	STEP(publish_ports, "publish its ports", nook_serves_ports),
	STEP(start_relay, "relay the host's own connections", nook_serves_ports),
	STEP(join_hosts, "tell the others its name", nook_has_networks),
	STEP(save_record, "save the record", early_record), /* while the stage mounts */
	STEP(await_pasta, "connect it by pasta", pasta),
	NOOK_WAIT_IF(MOUNTED, nook_outer_hooks),
	STEP(run_outer_hooks, "run the prestart and createRuntime hooks", nook_outer_hooks),
	NOOK_SEND_IF(HOOKED, nook_outer_hooks),
	STEP(prepare_record, "prepare the record", nook_of_bundle),
	STEP(tell_listener, "tell who answers for its system calls", nook_seccomp_told),
	NOOK_WAIT(STAGE_READY),
	STEP(settle_ends, "see to it that its links carry packets", nook_has_networks),
	STEP(take_master, "take the terminal", terminal),
	STEP_UNDO(tell_engine, untell_engine, "tell the engine", nook_of_bundle),
	NOOK_SEND_IF(DETACH, nook_kept_outside),
	NOOK_SEND_IF(START, starts_now),
	STEP(await_program, "start the program", starts_now),
};
const size_t nook_create_n_steps = ARRAY_SIZE(nook_create_steps);

const struct nook_step nook_exec_steps[] = {
	STEP(check_preserved, "pass descriptors on", preserves),
	STEP(open_cgroup, "open the container's cgroup", has_cgroup),
	STEP(open_proc, "open a procfs", writes_its_proc),
	STEP(set_first_cpus, "begin on the CPUs that are for this", first_cpus),
	STEP(open_channel, "open a channel", NULL),
	STEP(open_joins, "open the container's namespaces", joins),
	STEP_UNDO(clone_stage, kill_stage, "enter the container", NULL),
	STEP(enter_its_cgroups, "enter the cgroup", nook_enters_v1),
	STEP(set_oom_score, "set the OOM score", has_oom),
	STEP(enter_rdt, "enter the resctrl group", nook_has_rdt),
	STEP(open_label, "open where its security label is set", nook_has_labels),
	NOOK_SEND_IF(START, nook_entered_outside),
	STEP(tell_listener, "tell who answers for its system calls", nook_seccomp_told),
	NOOK_WAIT(STAGE_READY),
	STEP(take_master, "take the terminal", terminal),
	STEP_UNDO(tell_engine, untell_engine, "tell the engine", nook_of_bundle),
	NOOK_SEND_IF(DETACH, nook_told_outside),
	STEP(await_program, "start the program", NULL),
};
const size_t nook_exec_n_steps = ARRAY_SIZE(nook_exec_steps);

/* What the stage does for a new one, CRIU does from its files. */
const struct nook_step nook_restore_steps[] = {
	STEP_UNDO(claim_name, drop_name, "take the name", NULL),
	STEP(write_intent, "write down what will be made", NULL),
	STEP_UNDO(make_cgroup, remove_cgroup, "make the cgroup", has_cgroup),
	STEP(limit_devices, "limit its devices", devices_later),
	STEP_UNDO(start_criu, kill_stage, "start CRIU", NULL),
	STEP_UNDO(start_unit, stop_unit, "have systemd make its unit", has_unit),
	STEP(enter_cgroups, "enter the cgroup", nook_enters_v1),
	STEP(save_record, "save the record", NULL),
	STEP_UNDO(restore_processes, end_restored, "restore the container's processes", NULL),
	STEP(take_master, "take the terminal", terminal),
	STEP(tell_engine, "tell the engine", nook_of_bundle),
};
const size_t nook_restore_n_steps = ARRAY_SIZE(nook_restore_steps);
