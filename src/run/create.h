/* SPDX-License-Identifier: Apache-2.0 */
/* The outside's list: from a plan to a running program, and back to nothing. */
#ifndef NOOK_RUN_CREATE_H
#define NOOK_RUN_CREATE_H

#include "stage/stage.h"
#include "state/state.h"

struct nook_create {
	const struct nook_plan *plan;
	struct nook_record record; /* what is written down of it */
	struct nook_state state;
	struct nook_walk walk;
	const struct nook_step *stage_steps;
	size_t n_stage_steps;
	struct nook_stage stage; /* prepared here, used by the child */
	int *sources;
	bool *for_stage; /* of these: the place alone, of which the stage makes a mount */
	int *joins;      /* descriptors of plan->joins: namespaces or pidfds */
	int *overlays;   /* of plan->overlays, in the stage */
	int changes;     /* the directory of --changes, locked */
	int time_ns, cgroup_ns, user_ns; /* to be joined by the stage; NO_FD: none is */
	int links;  /* the procfs through which joins are checked; NO_FD: there are none */
	int proc;   /* see nook_procfs_open() */
	int cgroup; /* v2, to be born in */
	int peer;   /* the stage's end of the channel, till the clone */
	int pid, pidfd;
	struct nook_new_net *new_net; /* see new_net.h; NULL: not begun */
	int master;                   /* the terminal's */
	/* The mask that we were called with; a program of an engine's begins with an empty one. */
	sigset_t before;
	/* of an engine's container */
	const char *console_socket, *pidfd_socket, *pid_file; /* NULL: none */
	bool pid_written;                                     /* and the pid file is there */
	bool prepared;                                        /* the record, but for its name */
	int pasta;                    /* pid of its keeper; 0: there is none */
	int pasta_tells, pasta_words; /* pipes from there, till it is ready */
	int notify;      /* the socket of its sd_notify(3); NO_FD: none, or `start` makes it */
	bool start_made; /* the socket of the start is in the state directory */
	bool rdt_made;
	struct nook_netdevs *netdevs; /* NULL: none were moved, or they are the container's */
	bool range_claimed;
	size_t cgroups_made;          /* of plan->cgroup.dirs */
	bool unit_started;            /* systemd's, with record.cgroups */
	struct nook_restore *restore; /* NULL: it isn't restored */
	bool hooked;                  /* hooks have run while it was restored */
};

/* Prepares @c; @sources and @joins come from @a. */
void nook_create_init(struct nook_create *c, const struct nook_plan *plan, struct nook_arena *a,
		      const struct nook_trace *trace);
/* What is open only to make the container: while it runs, nook holds no piece of it. */
void nook_create_close_pieces(struct nook_create *c);
void nook_create_close(struct nook_create *c);

/**
 * nook_create_walk() - walk the list, with the signals blocked that nook_supervise() is to find
 * @ret_done: as nook_steps_run()
 *
 * The caller's signal mask is in c->before from here on. A signal that ends what takes too
 * long is an -EINTR, and still pending.
 */
int nook_create_walk(struct nook_create *c, const struct nook_step *steps, size_t n,
		     size_t *ret_done, struct nook_error *err);

/**
 * nook_create_carry_out() - walk the list, stay while the program runs, undo the list
 * @ret_status: receives the program's status; when nothing ran, 125, or 126 and 127 for a command
 * that can't be executed
 *
 * Closes @c.
 */
int nook_create_carry_out(struct nook_create *c, const struct nook_step *steps, size_t n,
			  int *ret_status, struct nook_error *err);

/* A signalfd of what a person sends to end what takes too long; they are to be blocked. Without it
 * (NO_FD: no descriptor is left) it can't be interrupted. Nothing is read from it: the signal stays
 * pending. */
int nook_open_interrupt(void);

/* Takes those of them that are pending: the signal that ended us is not to end hooks at once too;
 * another may. */
void nook_forget_interrupt(void);

extern const struct nook_step nook_create_steps[];
extern const size_t nook_create_n_steps;
/* For a program that joins a container. */
extern const struct nook_step nook_exec_steps[];
extern const size_t nook_exec_n_steps;
/* For a container that CRIU restores. */
extern const struct nook_step nook_restore_steps[];
extern const size_t nook_restore_n_steps;

/* record.c: what of a plan every container's record has; the rest of @ret is the caller's to fill
 * in. All is borrowed from @plan. */
int nook_record_of_plan(struct nook_arena *a, const struct nook_plan *plan, struct nook_record *ret,
			struct nook_error *err);
/* How any program enters a container that is there: its namespaces and its filter. */
void nook_plan_of_record(struct nook_arena *a, const struct nook_record *r, struct nook_plan *ret);

/* The lists' step functions, by file; each has a show function, NAME and NAME_show. They return 0
 * or a negative errno. */
#define NOOK_CREATE_STEP(name)                                                                     \
	int name(void *ctx, struct nook_error *err);                                               \
	void name##_show(const struct nook_plan *plan, struct nook_rows *rows)
NOOK_CREATE_STEP(claim_name); /* create_steps.c */
int drop_name(void *ctx, struct nook_error *err);
NOOK_CREATE_STEP(write_intent);
NOOK_CREATE_STEP(claim_range);
int release_range(void *ctx, struct nook_error *err);
NOOK_CREATE_STEP(write_resolv); /* net_names.c */
NOOK_CREATE_STEP(start_pasta);  /* pasta.c */
int stop_pasta(void *ctx, struct nook_error *err);
NOOK_CREATE_STEP(await_pasta);
NOOK_CREATE_STEP(lock_changes);
int unlock_changes(void *ctx, struct nook_error *err);
NOOK_CREATE_STEP(open_sources);
NOOK_CREATE_STEP(open_channel);
NOOK_CREATE_STEP(open_proc);
NOOK_CREATE_STEP(set_oom_score);
NOOK_CREATE_STEP(save_record);
NOOK_CREATE_STEP(take_master);
NOOK_CREATE_STEP(await_program);
NOOK_CREATE_STEP(make_cgroup); /* cgroup_steps.c */
NOOK_CREATE_STEP(limit_devices);
int remove_cgroup(void *ctx, struct nook_error *err);
NOOK_CREATE_STEP(enter_cgroups);
NOOK_CREATE_STEP(open_cgroup); /* of exec */
NOOK_CREATE_STEP(enter_its_cgroups);
NOOK_CREATE_STEP(write_idmaps); /* idmap.c */
NOOK_CREATE_STEP(idmap_sources);
/* join.c: the namespace that a path leads to, if it is the one that was meant. */
int nook_join_open(const struct nook_plan_join *j, struct nook_error *err);
NOOK_CREATE_STEP(open_joins);  /* join.c */
NOOK_CREATE_STEP(clone_stage); /* clone.c */
int kill_stage(void *ctx, struct nook_error *err);

/* … of an engine's container */
NOOK_CREATE_STEP(open_start); /* oci_steps.c */
int close_start(void *ctx, struct nook_error *err);
NOOK_CREATE_STEP(make_notify); /* oci_notify.c */
int remove_notify(void *ctx, struct nook_error *err);
NOOK_CREATE_STEP(prepare_record);
NOOK_CREATE_STEP(tell_engine); /* console socket, pidfd socket, record, pid file */
int untell_engine(void *ctx, struct nook_error *err);
NOOK_CREATE_STEP(run_outer_hooks); /* oci_hooks.c */
NOOK_CREATE_STEP(tell_listener);   /* oci_listener.c */
NOOK_CREATE_STEP(check_preserved); /* oci_settings.c */
NOOK_CREATE_STEP(open_label);      /* of exec */
NOOK_CREATE_STEP(set_first_cpus);
NOOK_CREATE_STEP(start_unit); /* cgroup_unit.c */
int stop_unit(void *ctx, struct nook_error *err);
NOOK_CREATE_STEP(start_criu); /* oci_restore.c */
NOOK_CREATE_STEP(restore_processes);
int end_restored(void *ctx, struct nook_error *err);
NOOK_CREATE_STEP(move_netdevs); /* netdevs.c */
int return_netdevs(void *ctx, struct nook_error *err);
/* They are the container's from here on, also when it ends at once. */
void nook_netdevs_leave(struct nook_create *c);
NOOK_CREATE_STEP(join_rdt); /* rdt.c */
int leave_rdt(void *ctx, struct nook_error *err);
NOOK_CREATE_STEP(enter_rdt); /* of exec */

/* By the joiner: enters what it can, and compares its own links with what was opened. */
int nook_join_all(const struct nook_create *c, struct nook_error *err);
/* By the stage: what the joiner has left to it. */
int nook_join_late(const struct nook_create *c, struct nook_error *err);
/* CLONE_NEW* bits of those that are left to it. */
uint64_t nook_joined_by_stage(const struct nook_plan *plan);
/* Will the stage be seen by the processes of a pid namespace that is entered? */
bool nook_joins_seen(const struct nook_plan *plan);

#endif
