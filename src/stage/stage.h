/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stage: the process inside the new namespaces, from the clone to the program. It carries out
 * the plan and decides nothing. No allocation, no stdio and no name service here: it is a fork
 * whose C library knows of no fork.
 */
#ifndef NOOK_STAGE_STAGE_H
#define NOOK_STAGE_STAGE_H

#include "step.h"

#include <signal.h>

/* The last step's purpose: a failure of it is the command's own, exit status 126 or 127. */
#define NOOK_WANTED_EXEC "execute the command"

struct nook_stage {
	const struct nook_plan *plan;
	struct nook_arena *arena; /* where the plan is: pid 1 lets go of it */
	struct nook_walk walk;
	int (*function)(void *arg); /* called instead of executing the program; NULL: execute it */
	void *function_arg;
	bool keep_groups; /* setgroups(2) is refused here: as the plan says, or by a user namespace
			     that was joined */
	int *sources;     /* descriptors of plan->sources: detached mounts */
	bool *for_stage;  /* of these: the place alone, for lock_sources(); NULL: none */
	int *overlays; /* mounts of plan->overlays but the root, when they are to become read-only
			*/
	const char *const *env; /* the program's, with its HOME; NULL: as the plan has it */
	bool cwd_later;         /* only the program's user may enter the working directory */
	int proc;         /* our own procfs of the new pid namespace, or the host's, checked */
	bool proc_is_new; /* it is a mount of its own, not the one that /proc is */
	int scratch; /* a tmpfs that nobody else sees, on which layers and masks are laid out */
	int changes; /* where the writable layers are: scratch, or the root of --changes */
	int root;    /* the container's root */
	int own[2]; /* what was mounted on /proc and on /sys: places in these are reached from there
		     */
	int mask;   /* a read-only tmpfs with an empty file and an empty directory */
	int dev;    /* the tmpfs on its /dev; NO_FD: it has none of ours */
	int fresh;  /* of a bundle: the tmpfs that was mounted last, while only what lies in it
		       follows */
	const char *fresh_target;
	int pts;        /* the container's devpts */
	int console;    /* the terminal's slave */
	int label;      /* what takes the program's security label, from outside; NO_FD: by @proc */
	int start;      /* a listening socket, on which `start` will come; NO_FD: it comes on the
			   channel */
	bool networked; /* the network namespace that was made beside is entered */
	int own_mount;  /* of the file that we were executed from; NO_FD: of no use any more */
	sigset_t signals; /* the mask that the program gets: our caller's, or none of an engine's */
};

/* The stage's list, for --plan, for the tests and for nook_stage_run(). */
extern const struct nook_step nook_stage_steps[];
extern const size_t nook_stage_n_steps;

/* The shorter list for a process that enters a container that is there (exec, or --join of a mount
 * namespace). */
extern const struct nook_step nook_enter_steps[];
extern const size_t nook_enter_n_steps;

/**
 * nook_stage_run() - be the stage; called in the child, never returns
 * @steps, @n:  one of the lists above
 * @channel:    our end
 * @tracing:    report each step
 */
_Noreturn void nook_stage_run(const struct nook_step *steps, size_t n, struct nook_stage *stage,
			      int channel, bool tracing);

/* credentials.c: nook's death is our end from here on. It may be dead already, and who has nothing
 * to wait for would not hear of it: its end of the channel says so. */
int nook_tie(const struct nook_stage *s, struct nook_error *err);

/* The steps, by file. sources.c; also a step of the outside when plan->sources_outside. */
int nook_open_sources(const struct nook_plan *plan, int *fds, struct nook_error *err);
/* Those that the stage can come to by itself: the place alone, and @ret true. Of a bundle with a
 * user namespace. The others are left. */
int nook_find_sources(const struct nook_plan *plan, int *fds, bool *ret, struct nook_error *err);
bool nook_locks_sources(const struct nook_plan *plan);
void nook_show_sources(const struct nook_plan *plan, struct nook_rows *rows);
/* A detached mount of the host's node at @path, which must be this device. @type: S_IFCHR, S_IFBLK
 */
int nook_open_device(const char *path, uint32_t type, uint64_t rdev, struct nook_error *err);

/* When hooks run outside between the mounts and the root; when it is an engine's container. */
bool nook_outer_hooks(const struct nook_plan *plan);
bool nook_container_hooks(const struct nook_plan *plan); /* … and inside: createContainer */
bool nook_of_bundle(const struct nook_plan *plan);
/* outside.c: what the outside does to a process: into cgroups of v1, id maps for its mounts, into a
 * resctrl group, security labels. */
bool nook_enters_v1(const struct nook_plan *plan);
bool nook_idmaps(const struct nook_plan *plan);
bool nook_has_rdt(const struct nook_plan *plan);
bool nook_has_labels(const struct nook_plan *plan);
/* Does it go by the process's files in /proc: maps, the OOM score, what enters its network? */
bool nook_writes_proc(const struct nook_plan *plan);
/* Has the outside something to do to a process that is there before it can go on, to a new
 * container's first or to one that enters? */
bool nook_set_up_outside(const struct nook_plan *plan);
bool nook_entered_outside(const struct nook_plan *plan);
/* Does an engine's process wait until it is written down? */
bool nook_kept_outside(const struct nook_plan *plan);
bool nook_told_outside(const struct nook_plan *plan); /* the same of one that enters */
/* Each of a stage's step functions has a show function, NAME and NAME_show. */
#define NOOK_STAGE_STEP(name)                                                                      \
	int name(void *ctx, struct nook_error *err);                                               \
	void name##_show(const struct nook_plan *plan, struct nook_rows *rows)

NOOK_STAGE_STEP(become_root); /* credentials.c */
NOOK_STAGE_STEP(drop_privilege);
NOOK_STAGE_STEP(load_seccomp);        /* seccomp.c */
NOOK_STAGE_STEP(open_sources_inside); /* sources.c */
NOOK_STAGE_STEP(lock_sources);
NOOK_STAGE_STEP(set_clock_offsets); /* world.c */
NOOK_STAGE_STEP(set_clock_offsets_first);
NOOK_STAGE_STEP(set_hostname);
NOOK_STAGE_STEP(raise_loopback);
NOOK_STAGE_STEP(enter_network);
NOOK_STAGE_STEP(configure_links); /* links.c */
NOOK_STAGE_STEP(settle_links);
NOOK_STAGE_STEP(detach_from_caller);
NOOK_STAGE_STEP(join_keyring);   /* keyring.c */
NOOK_STAGE_STEP(prepare_mounts); /* root.c */
NOOK_STAGE_STEP(mount_rootfs);
NOOK_STAGE_STEP(pivot);     /* pivot.c */
NOOK_STAGE_STEP(mount_all); /* mounts.c */
NOOK_STAGE_STEP(lock_root);
NOOK_STAGE_STEP(enter_cgroup_namespace); /* settings.c: what a bundle says about the process */
NOOK_STAGE_STEP(set_sysctls);
NOOK_STAGE_STEP(set_labels);     /* AppArmor's and SELinux', for execve */
NOOK_STAGE_STEP(own_stdio);      /* what it writes to becomes the program's user's */
NOOK_STAGE_STEP(set_scheduling); /* scheduling.c: scheduler, I/O priority, CPUs, memory policy,
				    personality */
NOOK_STAGE_STEP(make_directory); /* directory.c: the working directory */
NOOK_STAGE_STEP(enter_directory);
NOOK_STAGE_STEP(find_home);           /* home.c */
NOOK_STAGE_STEP(run_container_hooks); /* hooks.c: createContainer */
NOOK_STAGE_STEP(run_start_hooks);     /* startContainer */
NOOK_STAGE_STEP(outlive_maker);       /* start.c */
NOOK_STAGE_STEP(await_start);         /* start.c */
NOOK_STAGE_STEP(find_program);        /* find_program.c */
NOOK_STAGE_STEP(set_limits);          /* program.c */
NOOK_STAGE_STEP(take_terminal);
NOOK_STAGE_STEP(begin_session);
NOOK_STAGE_STEP(let_go_of_self);
NOOK_STAGE_STEP(start_program);
NOOK_STAGE_STEP(exec_program);

/* world.c: enters the network namespace that is made beside, as soon as something depends on it;
 * again, and without one, it does nothing. */
int nook_enter_network(struct nook_stage *s, struct nook_error *err);

/* overlay.c: the union of plan->overlays[number], detached. Return: a mount's descriptor or a
 * negative errno. */
int nook_overlay_mount(struct nook_stage *s, unsigned number, struct nook_error *err);
void nook_overlay_show(const struct nook_plan *plan, unsigned number, struct nook_rows *rows);

/* root.c: is the root put together where the bundle has it, not on top of "/"? */
bool nook_root_in_sight(const struct nook_plan *plan);

/* directory.c: tries once more, as the program's user, when root was refused. */
int nook_enter_late(struct nook_stage *s, struct nook_error *err);

/* seccomp.c: is the filter loaded before privilege is dropped? Is somebody told of system calls?
 * Then NOOK_MSG_FILTERED brings what it is told by, as soon as the filter is loaded. */
bool nook_seccomp_early(const struct nook_plan *plan);
bool nook_seccomp_told(const struct nook_plan *plan);
/* stage.c: does the stage keep own_mount until it waits for its maker? */
bool nook_lets_go_later(const struct nook_plan *plan);
/* The row of the filter, in whichever step loads it. */
void nook_show_seccomp(const struct nook_plan *plan, struct nook_rows *rows);

#endif
