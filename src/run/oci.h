/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An engine's containers, over their whole life: what oci/ calls. Each function is one command of
 * the runtime, whole: it reads, checks, acts, and undoes what it began when it fails. Nothing is
 * printed. What is read and decided lies in the caller's arena: who ends next need not unmap it.
 */
#ifndef NOOK_RUN_OCI_H
#define NOOK_RUN_OCI_H

#include "base/arena.h"
#include "nook/container.h"
#include "nook/error.h"
#include "plan/bundle.h"
#include "spec/bundle.h"
#include "state/state.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Who is told what is worth a line of level "warning" in the log. */
struct nook_oci_log {
	void (*warn)(void *data, const char *text); /* NULL: nobody is */
	void *data;
};

/* What CRIU is told, for checkpoint and for restore. All NULL, 0 and false: not said. */
struct nook_oci_criu {
	const char *program;                /* --criu: a path or a name in PATH */
	const char *image_path, *work_path; /* directories */
	const char *parent_path;            /* relative to image_path */
	const char *page_server;            /* ADDRESS:PORT */
	const char *cgroups_mode;           /* soft, full, strict, ignore */
	const char *status_fd;              /* a number */
	const char *const *empty_ns;        /* NULL-terminated or NULL */
	const char *lsm_profile, *lsm_mount_context;
	bool leave_running, pre_dump;
	bool tcp_established, tcp_skip_in_flight, tcp_close, link_remap, ext_unix_sk, shell_job,
		lazy_pages, file_locks, auto_dedup;
};

struct nook_oci_create {
	struct nook_arena *arena;
	struct nook_bundle_options options; /* id, state_dir, cgroups… */
	const char *bundle;                 /* the directory */
	const char *config;         /* read in place of its config.json, relative to it; NULL */
	const char *pid_file;       /* NULL: none; relative to the caller's directory */
	const char *console_socket; /* NULL: none */
	const char *pidfd_socket;   /* NULL: none */
	bool detach;                /* run: don't wait for the program */
	bool keep;                  /* run: leave the stopped container there */
	const struct nook_oci_criu *restore; /* run: as it was saved there; NULL: anew */
	const struct nook_trace *trace;
	struct nook_oci_log log;
};

/* Everything up to the program, which waits for nook_oci_start(). -EEXIST: the id is in use. */
int nook_oci_create(const struct nook_oci_create *c, struct nook_error *err);

/* create, start, and unless @detach wait for the program, pass signals and the terminal on, delete.
 * @ret_status: the program's exit status, 128+N when signal N ended it; 1 when it did not run, 0
 * with
 * @detach. */
int nook_oci_run(const struct nook_oci_create *c, int *ret_status, struct nook_error *err);

/* What `create` would do. */
int nook_oci_plan(const struct nook_oci_create *c, enum nook_plan_format format, FILE *out,
		  struct nook_error *err);

struct nook_oci_start {
	struct nook_arena *arena;
	const char *state_dir, *id;
	const char *notify_socket; /* the engine's NOTIFY_SOCKET; NULL: none */
};

/* Lets the program begin, then the poststart hooks, whose failure ends it. -EINVAL: it isn't in the
 * state "created". */
int nook_oci_start(const struct nook_oci_start *s, struct nook_error *err);

/* Saves what runs in it to files, by which it ends, unless it is to be left running. */
int nook_oci_checkpoint(const char *state_dir, const char *id, const struct nook_oci_criu *criu,
			struct nook_error *err);

enum nook_oci_status {
	NOOK_OCI_CREATING,
	NOOK_OCI_CREATED,
	NOOK_OCI_RUNNING,
	NOOK_OCI_PAUSED,
	NOOK_OCI_STOPPED,
};

const char *nook_oci_status_text(enum nook_oci_status status);

struct nook_oci_state {
	enum nook_oci_status status;
	struct nook_record record; /* with its bundle, rootfs and annotations */
	struct nook_error error;   /* in a list: errnum set when the record can't be read */
};

/* -ENOENT: there is no such container. */
int nook_oci_state(const char *state_dir, const char *id, struct nook_arena *a,
		   struct nook_oci_state *ret, struct nook_error *err);
int nook_oci_list(const char *state_dir, struct nook_arena *a, struct nook_oci_state **ret,
		  size_t *ret_n, struct nook_error *err);

/* @all: every process of its cgroup. -ESRCH: it is not running, but 0 with @all when it is stopped.
 */
int nook_oci_kill(const char *state_dir, const char *id, int signal, bool all, struct nook_arena *a,
		  struct nook_error *err);

/* Removes a stopped or created container; any with @force, by which one that isn't there is no
 * error. Runs the poststop hooks. */
int nook_oci_delete(const char *state_dir, const char *id, bool force, struct nook_arena *a,
		    const struct nook_oci_log *log, struct nook_error *err);

struct nook_oci_exec {
	struct nook_arena *arena;
	const char *state_dir, *id;
	const char *process; /* --process: a file with a process object, "-": stdin; NULL: as said
				below */
	const char *const *args;
	bool terminal;                  /* --tty */
	const char *cwd, *user;         /* NULL: the container's; user: "UID[:GID]" */
	const char *const *env;         /* added; NULL-terminated or NULL */
	const char *const *groups;      /* --additional-gids: numbers; NULL-terminated or NULL */
	const char *const *caps;        /* --cap: added; NULL-terminated or NULL */
	const char *apparmor, *selinux; /* NULL: the container's */
	const char *cgroup;             /* --cgroup: below the container's; NULL */
	enum nook_tristate no_new_privs;
	unsigned preserve_fds;
	bool detach, ignore_paused;
	const char *pid_file, *console_socket, *pidfd_socket;
	struct nook_oci_log log;
};

/* One more program in a running container. @ret_status as nook_oci_run(), but 255 when it did not
 * run.
 */
int nook_oci_exec(const struct nook_oci_exec *e, int *ret_status, struct nook_error *err);

/* ---- of its cgroups: cgroup_freeze.c, cgroup_pids.c, cgroup_update.c, cgroup_stats.c,
 * cgroup_watch.c ---- */

/* Freezes or thaws. -EINVAL with the state when it isn't running or paused. */
int nook_oci_pause(const char *state_dir, const char *id, bool pause, struct nook_error *err);

/* Processes in it, as we see them. */
int nook_oci_pids(const char *state_dir, const char *id, struct nook_arena *a, int **ret,
		  size_t *ret_n, struct nook_error *err);

/* Writes new limits; what @r doesn't say stays. */
int nook_oci_update(const char *state_dir, const char *id, const struct nook_bundle_resources *r,
		    struct nook_error *err);

struct nook_json_writer;

/* The member "data" of a runc event of type "stats": cpu, memory, pids, blkio, hugetlb… */
int nook_oci_stats(const struct nook_record *record, struct nook_json_writer *w, const char *key,
		   struct nook_error *err);

/* A descriptor that poll(2) reports when the container ran out of memory or ended; see events. */
struct nook_oci_watch {
	int fd; /* cgroup.events or memory.events (v2: POLLPRI), or an eventfd (v1: POLLIN) */
	bool v2;
	uint64_t oom_kills; /* seen so far */
};
int nook_oci_watch_open(const struct nook_record *record, struct nook_oci_watch *ret,
			struct nook_error *err);
/* Has there been one more since? Return: 1, 0, or a negative errno when the cgroup is gone. */
int nook_oci_watch_oom(struct nook_oci_watch *w);

/* Is it frozen? Of a record whose container runs. */
bool nook_oci_is_paused(const struct nook_record *record);

/* What of a bundle this host can't do: `nook-oci check`. Calls @tell for each; return: how many, or
 * a negative errno. */
int nook_oci_check(const struct nook_oci_create *c,
		   void (*tell)(void *data, const struct nook_error *what), void *data,
		   struct nook_error *err);

#endif
