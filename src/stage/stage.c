/* SPDX-License-Identifier: Apache-2.0 */
#include "stage.h"

#include "base/own.h"
#include "base/text.h"
#include "sys/call.h"
#include "sys/process.h"

#include <errno.h>
#include <sys/prctl.h>
#include <sys/stat.h>

static bool own_userns(const struct nook_plan *p)
{
	return p->own_userns;
}

static bool own_root(const struct nook_plan *p)
{
	return p->root_how != NOOK_PLAN_ROOT_KEEP;
}

static bool sources_here(const struct nook_plan *p)
{
	return p->n_sources > 0 && !p->sources_outside;
}

static bool needs_proc(const struct nook_plan *p)
{
	return own_root(p) || p->late_time || p->n_sysctls || nook_has_labels(p);
}

static bool joins_userns(const struct nook_plan *p)
{
	for (size_t i = 0; i < p->n_joins; i++) {
		if (p->joins[i].kind == NOOK_NS_USER)
			return true;
	}
	return false;
}

/* An ordinary user's process has no such files in /proc, while it is not dumpable. */
static bool offsets_first(const struct nook_plan *p)
{
	return p->late_time && p->sources_outside && joins_userns(p);
}

static bool offsets(const struct nook_plan *p)
{
	return p->late_time && !offsets_first(p);
}

static bool named(const struct nook_plan *p)
{
	return p->hostname || p->domainname;
}

static bool loopback(const struct nook_plan *p)
{
	return p->loopback_up && !p->net_beside;
}

static bool net_beside(const struct nook_plan *p)
{
	return p->net_beside;
}

static bool links(const struct nook_plan *p)
{
	return p->n_links > 0;
}

static bool has_v6(const struct nook_plan *p)
{
	for (size_t i = 0; i < p->n_links; i++) {
		if (p->links[i].address[NOOK_NET_V6].family)
			return true;
	}
	return false;
}

static bool read_only(const struct nook_plan *p)
{
	return p->root_read_only;
}

static bool rlimits(const struct nook_plan *p)
{
	return p->process.n_rlimits > 0;
}

static bool terminal(const struct nook_plan *p)
{
	return p->process.terminal;
}

/* exec_program loads a late one; drop_privilege has loaded one that it has to load early. Somebody
 * who is to be told is told before the outside goes. */
static bool seccomp(const struct nook_plan *p)
{
	return p->process.seccomp && !p->process.seccomp_late && p->process.no_new_privs &&
	       !p->process.seccomp_listener;
}

static bool told_seccomp(const struct nook_plan *p)
{
	return nook_seccomp_told(p) && !p->process.seccomp_late && p->process.no_new_privs;
}

static bool init(const struct nook_plan *p)
{
	return p->process.init;
}

static bool no_init(const struct nook_plan *p)
{
	return !p->process.init;
}

static bool own_seccomp(const struct nook_plan *p)
{
	return seccomp(p) && p->process.seccomp_own;
}

static bool other_seccomp(const struct nook_plan *p)
{
	return seccomp(p) && !p->process.seccomp_own;
}

static bool late_cgroup(const struct nook_plan *p)
{
	return p->late_cgroup;
}

static bool sysctls(const struct nook_plan *p)
{
	return p->n_sysctls > 0;
}

bool nook_container_hooks(const struct nook_plan *p)
{
	return p->hooks && p->hooks->n[NOOK_HOOK_CREATE_CONTAINER];
}

static bool start_hooks(const struct nook_plan *p)
{
	return p->hooks && p->hooks->n[NOOK_HOOK_START_CONTAINER];
}

bool nook_outer_hooks(const struct nook_plan *p)
{
	return p->hooks &&
	       (p->hooks->n[NOOK_HOOK_PRESTART] || p->hooks->n[NOOK_HOOK_CREATE_RUNTIME]);
}

/* Once its maker goes, who else has the time for it when the program starts. A filter that is
 * loaded by then need not know of close(2). */
bool nook_lets_go_later(const struct nook_plan *p)
{
	return p->bundle && p->start_later && !told_seccomp(p) && !nook_seccomp_early(p);
}

bool nook_of_bundle(const struct nook_plan *p)
{
	return p->bundle;
}

/* Else await_start has heard of it, by another way. */
static bool starts_now(const struct nook_plan *p)
{
	return !p->start_later;
}

static bool looks(const struct nook_plan *p)
{
	return p->bundle && !p->process.no_program;
}

static bool scheduling(const struct nook_plan *p)
{
	const struct nook_plan_process *pr = &p->process;

	return (pr->scheduler && pr->scheduler->set) || pr->set_ioprio || pr->affinity_final ||
	       pr->set_personality || (pr->memory_policy && pr->memory_policy->set);
}

static bool keyring(const struct nook_plan *p)
{
	return p->bundle && !p->process.keep_keyring;
}

static bool own_directory(const struct nook_plan *p)
{
	return p->bundle && own_root(p);
}

static bool own_home(const struct nook_plan *p)
{
	return p->process.own_home;
}

static bool stdio(const struct nook_plan *p)
{
	return p->process.chown_stdio && !p->process.terminal;
}

/* The struct's members in one row: the function, what it is for, when, and how it is shown. */
#define STAGE(fn, purpose, when) NOOK_RUN(fn, purpose, .needed = when, .show = fn##_show)

const struct nook_step nook_stage_steps[] = {
	/* These need no ids: they are done while the outside writes the maps. */
	STAGE(set_hostname, "set the host name", named),
	STAGE(raise_loopback, "bring the loopback up", loopback),
	STAGE(set_clock_offsets_first, "set the clocks", offsets_first),
	STAGE(lock_sources, "lock what the container is to see of the host", nook_locks_sources),
	STAGE(detach_from_caller, "detach from the caller", NULL),
	NOOK_WAIT_IF(MAPS_WRITTEN, nook_set_up_outside),
	STAGE(become_root, "become root in the user namespace", own_userns),
	STAGE(open_sources_inside, "open what the container is to see of the host", sources_here),
	STAGE(enter_cgroup_namespace, "make a cgroup namespace", late_cgroup),
	STAGE(prepare_mounts, "prepare the mounts", needs_proc),
	STAGE(configure_links, "set up its links", links),
	STAGE(set_clock_offsets, "set the clocks", offsets),
	STAGE(set_sysctls, "set the sysctls", sysctls),
	STAGE(mount_rootfs, "mount the root file system", own_root),
	STAGE(mount_all, "mount what the container needs", own_root),
	STAGE(enter_network, "enter its network namespace", net_beside),
	NOOK_SEND_IF(MOUNTED, nook_outer_hooks),
	NOOK_WAIT_IF(HOOKED, nook_outer_hooks),
	STAGE(run_container_hooks, "run the createContainer hooks", nook_container_hooks),
	STAGE(make_directory, "make the working directory", own_directory),
	STAGE(lock_root, "make the root read-only", read_only),
	STAGE(pivot, "enter the root file system", own_root),
	STAGE(take_terminal, "open a terminal", terminal),
	STAGE(set_limits, "set the limits of the program", rlimits),
	STAGE(set_scheduling, "set how the program is scheduled", scheduling),
	STAGE(join_keyring, "make a session keyring", keyring),
	STAGE(set_labels, "set the program's security label", nook_has_labels),
	STAGE(enter_directory, "enter the working directory", NULL),
	STAGE(find_home, "find the user's home", own_home),
	STAGE(own_stdio, "give the program its standard streams", stdio),
	STAGE(begin_session, "begin a session", nook_of_bundle),
	STAGE(settle_links, "wait for its addresses", has_v6),
	STAGE(drop_privilege, "drop privilege", NULL),
	STAGE(find_program, NOOK_WANTED_EXEC, looks),
	STAGE(outlive_maker, "outlive the one who made it", nook_of_bundle),
	STAGE(load_seccomp, "load the seccomp filter", told_seccomp),
	NOOK_SEND(STAGE_READY),
	STAGE(let_go_of_self, "let go of nook's own file", nook_lets_go_later),
	/* Our own filter lets us hear of the start, and is loaded meanwhile; another's may not. */
	STAGE(load_seccomp, "load the seccomp filter", own_seccomp),
	NOOK_WAIT_IF(DETACH, nook_kept_outside),
	STAGE(await_start, "wait for the start", nook_kept_outside),
	NOOK_WAIT_IF(START, starts_now),
	STAGE(run_start_hooks, "run the startContainer hooks", start_hooks),
	STAGE(load_seccomp, "load the seccomp filter", other_seccomp),
	STAGE(start_program, "start the program below pid 1", init),
	STAGE(exec_program, NOOK_WANTED_EXEC, no_init),
};
const size_t nook_stage_n_steps = ARRAY_SIZE(nook_stage_steps);

const struct nook_step nook_enter_steps[] = {
	NOOK_WAIT_IF(START, nook_entered_outside),
	STAGE(become_root, "become root in the user namespace", own_userns),
	STAGE(detach_from_caller, "detach from the caller", NULL),
	STAGE(take_terminal, "open a terminal", terminal),
	STAGE(set_limits, "set the limits of the program", rlimits),
	STAGE(set_scheduling, "set how the program is scheduled", scheduling),
	STAGE(join_keyring, "make a session keyring", keyring),
	STAGE(set_labels, "set the program's security label", nook_has_labels),
	STAGE(enter_directory, "enter the working directory", NULL),
	STAGE(find_home, "find the user's home", own_home),
	STAGE(own_stdio, "give the program its standard streams", stdio),
	STAGE(begin_session, "begin a session", nook_of_bundle),
	STAGE(drop_privilege, "drop privilege", NULL),
	STAGE(find_program, NOOK_WANTED_EXEC, looks),
	STAGE(outlive_maker, "outlive the one who made it", nook_of_bundle),
	STAGE(load_seccomp, "load the seccomp filter", told_seccomp),
	NOOK_SEND(STAGE_READY),
	NOOK_WAIT_IF(DETACH, nook_told_outside),
	STAGE(load_seccomp, "load the seccomp filter", seccomp),
	STAGE(exec_program, NOOK_WANTED_EXEC, NULL),
};
const size_t nook_enter_n_steps = ARRAY_SIZE(nook_enter_steps);

_Noreturn void nook_stage_run(const struct nook_step *steps, size_t n, struct nook_stage *stage,
			      int channel, bool tracing)
{
	struct nook_error err = { 0 };
	size_t done;
	int rc;

	nook_fault_in_stage();
	stage->walk = (struct nook_walk){
		.plan = stage->plan,
		.ctx = stage,
		.channel = channel,
		.peer = NO_FD,
		.interrupt = NO_FD,
		.send_fd = NO_FD,
		.ret_fd = &stage->label,
		.tracing = tracing,
		.inside = true,
	};

	(void)umask(0); /* modes are the plan's; the program gets its own by detach_from_caller */

	/* When nook dies, so do we, and all below pid 1 with us. */
	rc = nook_tie(stage, &err);
	if (rc < 0) {
		(void)nook_format(err.wanted, sizeof(err.wanted), "tie the container to nook");
	} else {
		rc = nook_steps_run(steps, n, &stage->walk, &done, &err);
	}

	/* Lost only when nobody is there to hear it; it may be another than at the beginning. */
	if (rc < 0)
		(void)nook_send(stage->walk.channel, NOOK_MSG_FAILED, &err, sizeof(err), NO_FD);
	_exit(125);
}
