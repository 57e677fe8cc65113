/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is known of each container: a directory STATE_DIR/containers/NAME with the record and a lock
 * that the process which runs the container holds as long as it lives. The record is written before
 * the first object is made, so that whoever finds it later can undo everything from any phase.
 */
#ifndef NOOK_STATE_STATE_H
#define NOOK_STATE_STATE_H

#include "base/arena.h"
#include "nook/error.h"
#include "nook/plan.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum nook_phase {
	NOOK_PHASE_CREATING, /* objects may or may not exist yet */
	NOOK_PHASE_RUNNING,
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
};

struct nook_state {
	int dir;  /* of this container */
	int lock; /* held: LOCK_EX */
	int base; /* STATE_DIR */
	char name[256];
};
#define NOOK_STATE_NONE ((struct nook_state){ .dir = NO_FD, .lock = NO_FD, .base = NO_FD })

/**
 * nook_state_claim() - make a container's directory and lock it
 *
 * STATE_DIR is made when missing (0700; refused when it is another user's, writable for others or a
 * symlink). A directory left by a keeper that died is first undone: nook_state_undo().
 *
 * Return: 0; -EEXIST when a living container has the name, @err says since when and what to do;
 * others.
 */
int nook_state_claim(const char *state_dir, const char *name, struct nook_state *ret,
		     struct nook_error *err);

/* Writes the record aside and renames it into place. */
int nook_state_write(const struct nook_state *state, const struct nook_record *record,
		     struct nook_error *err);

/* Deletes the directory entry by entry, and closes @state. Only what a container's directory holds
 * is deleted. */
int nook_state_drop(struct nook_state *state, struct nook_error *err);

void nook_state_close(struct nook_state *state); /* keeps the directory */

enum nook_life {
	NOOK_LIFE_RUNNING, /* its pid 1 is the process that the record names */
	NOOK_LIFE_STARTING,
	NOOK_LIFE_GONE, /* its keeper died, or the machine was booted since: to be undone */
};

/**
 * nook_state_read() - a container's record, checked
 * @a:        arena for @record
 * @ret_life: receives what is true of it now
 *
 * The file is taken as hostile: bounded, strict types, names and ranges checked. Return: 0; -ENOENT
 * when there is no such container, with a hint that lists those there are; -EINVAL for a name that
 * can't be one.
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
 * range, directory
 *
 * May be repeated; returns 0 only when all is gone. -EBUSY while its keeper lives, unless @kill:
 * then it is killed first.
 */
int nook_state_undo(const char *state_dir, const char *name, bool kill, struct nook_error *err);

/* Opens the container's pid 1: the pidfd, after which its start time was compared with the
 * record's. -ESRCH: gone. */
int nook_state_pidfd(const struct nook_record *record, int *ret_pidfd, struct nook_error *err);

/* Start time of a process in clock ticks; /proc/PID/stat. */
int nook_start_time(int pid, uint64_t *ret, struct nook_error *err);

/* /proc/sys/kernel/random/boot_id. @out: 37 bytes. */
int nook_boot_id(char out[37], struct nook_error *err);

/* ---- ranges of 65,536 ids for root's containers: STATE_DIR/ids/FIRST, a file that holds the
 * container's name ---- */

#define NOOK_RANGE_SIZE 65536u

/**
 * nook_range_find() - a range that nobody has
 *
 * Looks in 0x70000000 to 0x7fff0000, which no distribution hands out, past what /etc/subuid,
 * /etc/subgid and accounts use, and past the ranges of living containers; a range whose container
 * is gone is free. Return: 0; -EUSERS.
 */
int nook_range_find(const char *state_dir, uint32_t *ret, struct nook_error *err);
/* O_EXCL: -EEXIST when somebody was faster; the caller probes and plans again. */
int nook_range_claim(const char *state_dir, uint32_t first, const char *name,
		     struct nook_error *err);
int nook_range_release(const char *state_dir, uint32_t first, const char *name,
		       struct nook_error *err);

#endif
