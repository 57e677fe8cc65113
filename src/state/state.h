/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is known of each container, in files of STATE_DIR that bear its name:
 *
 *	containers/NAME  the record, JSON
 *	new/NAME         the record while it is written, then renamed
 *	locks/NAME       locked by the process that runs the container, as long as it lives
 *	seccomp/NAME     its filter: struct sock_filter as in memory
 *	ids/FIRST        a range of ids that it holds: a symbolic link whose text is NAME
 *	start/NUMBER     an engine's container that was created waits at this socket for its start
 *
 * The record is written before the first object is made, so that whoever finds it later can undo
 * everything from any phase. Not a directory for each container: where /run is on a disk's file
 * system, to free a directory costs more than all the rest together.
 */
#ifndef NOOK_STATE_STATE_H
#define NOOK_STATE_STATE_H

#include "base/arena.h"
#include "base/own.h"
#include "nook/error.h"
#include "nook/plan.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum nook_phase {
	NOOK_PHASE_CREATING, /* objects may or may not exist yet */
	NOOK_PHASE_CREATED,  /* of a bundle: everything is there, the program waits for `start` */
	NOOK_PHASE_RUNNING,
};

/* Network devices that `create` was about to move into a namespace that was there before, and does
 * not end with the container. */
struct nook_record_netdevs {
	const char *path;         /* of that namespace */
	uint64_t ino, home;       /* its number, and that of the one that they come from */
	const char *const *links; /* notes, net/move_note.h; NULL-terminated */
};

/* Everything a later command needs, and everything an undo needs. Texts live in the arena of
 * whoever read or made it. */
struct nook_record {
	const char *name;
	enum nook_phase phase;
	const char *boot_id; /* /proc/sys/kernel/random/boot_id: after a reboot nothing of the rest
				exists */
	int keeper;          /* pid of the process that runs the container, and holds the lock */
	int pid;             /* the container's pid 1 as we see it; 0: not made yet */
	uint64_t start_time; /* its start, in clock ticks: /proc/PID/stat field 22 */
	int64_t created;     /* seconds since 1970 */
	const char *hostname;
	const char *root; /* for people: "host", "/srv/tree", "3 layers" */

	/* to undo */
	uint32_t range; /* id range held; 0: none */
	struct nook_plan_cgroup_dir *cgroups;
	size_t n_cgroups;

	/* to exec */
	uint64_t namespaces; /* CLONE_NEW* bits of the namespaces that differ from the maker's */
	const char *const *argv;
	const char *const *env;
	const char *cwd;
	uint32_t uid, gid;
	const uint32_t *groups;
	size_t n_groups;
	bool keep_groups;
	struct nook_plan_caps caps;
	bool no_new_privs;
	const char *seccomp_name;          /* NULL: none */
	const struct sock_filter *seccomp; /* kept in a file of its own beside the record */
	size_t n_seccomp;
	unsigned seccomp_flags;
	bool set_oom_score_adj;
	int oom_score_adj;

	/* of an engine's container: NULL and 0 in those of `nook run` */
	const char *bundle; /* absolute; not NULL marks it as an engine's */
	const char *rootfs; /* absolute */
	const char *oci_version;
	int32_t created_nsec; /* the rest of @created */
	const char *process;  /* JSON text of the bundle's process: what exec begins with */
	const char *hooks; /* JSON text of the bundle's hooks: poststart and poststop are still to
			      come;   NULL: none */
	const char *hook_state;        /* see struct nook_plan_hooks */
	const char *(*annotations)[2]; /* key, value */
	size_t n_annotations;
	const char *unit;  /* the systemd scope that holds it; NULL: none */
	const char *start; /* name of its socket in start/: a socket's path has room for 107 bytes,
			      an id has 255 */
	const char *rdt;   /* its group in resctrl that is ours to remove; NULL: none */
	const struct nook_record_netdevs *netdevs; /* NULL: none */
	const char *rdt_tasks; /* the group in resctrl that its processes are in; NULL: any */
	bool no_new_keyring;
	const char *seccomp_listener, *seccomp_listener_data; /* who answers for the filter's
								 questions, for exec too */
};

/* A container's name, held. */
struct nook_state {
	int base; /* STATE_DIR */
	int lock; /* locks/NAME, locked. The lock lives as long as any copy of this descriptor, so
		     a child that doesn't execute at once (the stage, an init) closes its copy. */
	int dirs[6]; /* containers, new, locks, seccomp, ids, start: so that a cleanup takes no new
			descriptor when these have run out */
	bool there;  /* containers/NAME is, because we have written it */
	bool bare;   /* nothing of it is there but the lock, because we have deleted it */
	const struct sock_filter *filter; /* what seccomp/NAME holds; NULL: nothing yet */
	struct nook_arena
		*scratch; /* what writing takes is taken there, and given back; may be NULL */
	char name[256];
};
#define NOOK_STATE_NONE                                                                            \
	((struct nook_state){ .base = NO_FD,                                                       \
			      .lock = NO_FD,                                                       \
			      .dirs = { NO_FD, NO_FD, NO_FD, NO_FD, NO_FD, NO_FD } })

/**
 * nook_state_claim() - take a name and lock it
 *
 * STATE_DIR is made when missing (0700; refused when it is another user's, writable for others or a
 * symlink). What a keeper that died has left under the name is undone first.
 *
 * Return: 0; -EEXIST when a living container has the name, @err says since when and what to do;
 * others.
 */
int nook_state_claim(const char *state_dir, const char *name, struct nook_state *ret,
		     struct nook_error *err);

/* The same for an engine's container, whose record outlives its maker: a record that is there, in
 * whatever state, keeps the name. */
int nook_state_claim_new(const char *state_dir, const char *name, struct nook_state *ret,
			 struct nook_error *err);

/* Takes the lock of a container that is there: for commands that change it. -ENOENT: there is none.
 * Waits while another command has it. */
int nook_state_take(const char *state_dir, const char *name, int patience_ms,
		    struct nook_state *ret, struct nook_error *err);

/**
 * nook_state_write() - write the record aside and rename it into place; the filter beside it
 *
 * record->name is not looked at: it is the claimed one. The filter is written once, when it first
 * appears. Nothing is synced to disk, see record_write.c. Return: 0; -E2BIG more arguments and
 * variables than can be kept; others.
 */
int nook_state_write(struct nook_state *state, const struct nook_record *record,
		     struct nook_error *err);
/* Its two halves: all that takes time is done when the first has returned. */
int nook_state_prepare(struct nook_state *state, const struct nook_record *record,
		       struct nook_error *err);
int nook_state_commit(struct nook_state *state, struct nook_error *err);

/* Deletes the container's files, the lock last, and closes @state even on failure. */
int nook_state_drop(struct nook_state *state, struct nook_error *err);

void nook_state_close(struct nook_state *state); /* keeps the files, lets go of the lock */

enum nook_life {
	NOOK_LIFE_RUNNING,  /* its pid 1 is the process that the record names */
	NOOK_LIFE_STARTING, /* its keeper lives and has not yet recorded a pid 1 */
	NOOK_LIFE_GONE, /* pid 1 has ended, its keeper died, or the machine was booted since: to be
			   undone, if its keeper isn't at it already */
};

/**
 * nook_state_read() - a container's record, checked
 * @a:        arena for @record
 * @ret_life: receives what is true of it now
 *
 * The file is taken as hostile: bounded, strict types, names and ranges checked. Just after a claim
 * there is no record yet: then name, phase and keeper are all that is known. Return: 0; -ENOENT
 * when there is no such container, with a hint that lists those there are; -EINVAL for a name that
 * can't be one; -EBADMSG for a record that is none (@ret_life is set).
 */
int nook_state_read(const char *state_dir, const char *name, struct nook_arena *a,
		    struct nook_record *record, enum nook_life *ret_life, struct nook_error *err);

struct nook_state_entry {
	struct nook_record record;
	enum nook_life life;
	struct nook_error
		error; /* errnum set when the record can't be read: then only record.name is */
};

/* All of them, by name. No directory is no error: @ret_n is 0. */
int nook_state_list(const char *state_dir, struct nook_arena *a, struct nook_state_entry **ret,
		    size_t *ret_n, struct nook_error *err);

/**
 * nook_state_undo() - remove what a dead container left, from its record: processes, cgroups, id
 * range, files
 *
 * May be repeated; returns 0 only when all is gone. -EBUSY while its keeper lives, unless @kill:
 * then its program is killed, and the keeper too when it hasn't cleaned up a second later. In
 * src/run/undo.c, because it takes cgroups apart.
 */
int nook_state_undo(const char *state_dir, const char *name, bool kill, struct nook_error *err);

/* The part of it that needs the lock, which @state holds: all but the lock is gone on return 0.
 * src/run/undo.c */
int nook_state_clear(struct nook_state *state, struct nook_error *err);
/* The same for those who know the record, because they have read or written it under this lock. */
int nook_state_clear_of(struct nook_state *state, const struct nook_record *record,
			struct nook_error *err);

/* Opens the container's pid 1: the pidfd, after which its start time was compared with the
 * record's. -ESRCH: it has ended, though it may not be reaped yet. */
int nook_state_pidfd(const struct nook_record *record, int *ret_pidfd, struct nook_error *err);

/* The same by its number and start time. -ESRCH, nothing noted: it has ended, or is another. */
int nook_process_open(int pid, uint64_t start_time, int *ret_pidfd, struct nook_error *err);

/* Start time of a process in clock ticks; /proc/PID/stat. */
int nook_start_time(int pid, uint64_t *ret, struct nook_error *err);

/* Is it another program than the one that cloned it? 1, 0, or a negative errno; -ESRCH. As above.
 */
int nook_has_executed(int pid, struct nook_error *err);

/* /proc/sys/kernel/random/boot_id. @out: 37 bytes. */
int nook_boot_id(char out[37], struct nook_error *err);

/* ---- ranges of 65,536 ids for root's containers ---- */

#define NOOK_RANGE_SIZE 65536u

/**
 * nook_range_find() - a range that nobody has
 *
 * Looks in 0x70000000 to 0x7fff0000, which no distribution hands out, past what /etc/subuid,
 * /etc/subgid and accounts use, and past the ranges of living containers; a range whose container
 * is gone is free. Reads only. Return: 0; -EUSERS.
 */
int nook_range_find(const char *state_dir, uint32_t *ret, struct nook_error *err);

/**
 * nook_range_claim() - take a range for the container
 *
 * A dead container that still holds it is undone first. Return: 0; -EEXIST when somebody was
 * faster: the caller finds another and plans again.
 */
int nook_range_claim(const struct nook_state *state, uint32_t first, struct nook_error *err);

/* Gives it back; 0 when another name holds it or nobody. */
int nook_range_release(const struct nook_state *state, uint32_t first, struct nook_error *err);

/* The same for a user namespace that lives on without a process, under the name @name of `nook ns`:
 * the range is taken till it is given back. @base: STATE_DIR. -EEXIST: somebody has it. */
int nook_range_keep(int base, const char *name, uint32_t first, struct nook_error *err);
int nook_range_unkeep(int base, const char *name, uint32_t first, struct nook_error *err);

#endif
