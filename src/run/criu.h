/* SPDX-License-Identifier: Apache-2.0 */
/*
 * criu(8), asked over a socket: one child `criu swrk FD`, one request, and what it asks back
 * meanwhile. Its messages are protobuf (images/rpc.proto of CRIU); the few that are used are put
 * together and taken apart here.
 */
#ifndef NOOK_RUN_CRIU_H
#define NOOK_RUN_CRIU_H

#include "base/arena.h"
#include "nook/error.h"

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* criu_req_type */
enum nook_criu_what {
	NOOK_CRIU_DUMP = 1,
	NOOK_CRIU_RESTORE = 2,
	NOOK_CRIU_PRE_DUMP = 4,
	NOOK_CRIU_NOTIFY = 6,
};

/* Fields of criu_opts. */
enum nook_criu_option {
	NOOK_CRIU_IMAGES_DIR = 1, /* descriptors are ours: it opens /proc/OUR-PID/fd/N */
	NOOK_CRIU_PID = 2,
	NOOK_CRIU_LEAVE_RUNNING = 3,
	NOOK_CRIU_EXT_UNIX_SK = 4,
	NOOK_CRIU_TCP_ESTABLISHED = 5,
	NOOK_CRIU_EVASIVE_DEVICES = 6,
	NOOK_CRIU_SHELL_JOB = 7,
	NOOK_CRIU_FILE_LOCKS = 8,
	NOOK_CRIU_LOG_LEVEL = 9,
	NOOK_CRIU_LOG_FILE = 10,
	NOOK_CRIU_PAGE_SERVER = 11,
	NOOK_CRIU_NOTIFY_SCRIPTS = 12,
	NOOK_CRIU_ROOT = 13,
	NOOK_CRIU_PARENT_IMAGES = 14,
	NOOK_CRIU_TRACK_MEMORY = 15,
	NOOK_CRIU_AUTO_DEDUP = 16,
	NOOK_CRIU_WORK_DIR = 17,
	NOOK_CRIU_LINK_REMAP = 18,
	NOOK_CRIU_MANAGE_CGROUPS = 24,
	NOOK_CRIU_CGROUP_ROOT = 25,
	NOOK_CRIU_SIBLING = 26,
	NOOK_CRIU_INHERIT_FD = 27,
	NOOK_CRIU_EXTERNAL_SHARING = 29,
	NOOK_CRIU_EXTERNAL_MASTERS = 30,
	NOOK_CRIU_CGROUPS_MODE = 34,
	NOOK_CRIU_EXTERNAL = 37,
	NOOK_CRIU_EMPTY_NS = 38,
	NOOK_CRIU_JOIN_NS = 39,
	NOOK_CRIU_FREEZE_CGROUP = 44,
	NOOK_CRIU_TCP_SKIP_IN_FLIGHT = 46,
	NOOK_CRIU_LAZY_PAGES = 48,
	NOOK_CRIU_STATUS_FD = 49,
	NOOK_CRIU_ORPHAN_PTS_MASTER = 50,
	NOOK_CRIU_TCP_CLOSE = 52,
	NOOK_CRIU_LSM_PROFILE = 53,
	NOOK_CRIU_LSM_MOUNT_CONTEXT = 63,
};

/* ---- messages: criu_message.c ---- */

/* A message that grows in an arena. */
struct nook_criu_message {
	struct nook_arena *arena;
	unsigned char *bytes;
	size_t len, size;
};

void nook_criu_number(struct nook_criu_message *m, unsigned field, uint64_t value);
void nook_criu_text(struct nook_criu_message *m, unsigned field, const char *text);
void nook_criu_part(struct nook_criu_message *m, unsigned field,
		    const struct nook_criu_message *part);

/* What it answers, or asks back. */
struct nook_criu_answer {
	enum nook_criu_what what;
	bool success;
	int pid;         /* of RESTORE: the restored process; of NOTIFY: the one it is about */
	int errnum;      /* 0: not said */
	char script[32]; /* of NOTIFY: "post-restore"; "" */
	char why[256];   /* "" */
};

/* Return: 0; -EBADMSG. */
int nook_criu_read(const unsigned char *bytes, size_t len, struct nook_criu_answer *ret);

/* ---- the process: criu.c ---- */

/* What the child is, from the clone to execve. */
struct nook_criu_start {
	const char *program; /* path or name in PATH; NULL: "criu" */
	int cgroup;          /* v2, to be born in; NO_FD */
	const int *fds;      /* get the numbers NOOK_CRIU_FIRST_FD and on */
	size_t n_fds;
	const sigset_t *signals; /* its mask */
	bool dies_with_us;
	/* Done in the child before; NULL: nothing. */
	int (*prepare)(void *data, struct nook_error *err);
	void *data;
};
#define NOOK_CRIU_FIRST_FD 4

/* @ret_sock: receives our end. Return: its pid, our child, or a negative errno. */
int nook_criu_start(const struct nook_criu_start *s, int *ret_sock, int *ret_pidfd,
		    struct nook_error *err);

struct nook_criu_talk {
	int sock;
	int interrupt; /* signalfd, readable: -EINTR; NO_FD */
	enum nook_criu_what what;
	const struct nook_criu_message *options;
	/* What it asks back; @fd: what came with it, or NO_FD, the callee's. NULL: all is well. */
	int (*notify)(void *data, const char *script, int pid, int fd, struct nook_error *err);
	void *data;
};

/**
 * nook_criu_ask() - send the request and answer till it is done
 * @ret_pid: receives the restored process's; NULL: none is wanted
 *
 * Return: 0; what @notify has failed with; -EIO: CRIU says no, and @err what it says.
 */
int nook_criu_ask(const struct nook_criu_talk *t, int *ret_pid, struct nook_error *err);

/* ---- mounts: criu_mounts.c ---- */

/* Those of process @pid that CRIU can't make anew: binds from outside, and masks. Each becomes an
 * option "external". */
int nook_criu_dump_mounts(struct nook_arena *a, int pid, bool cgroup_ns,
			  struct nook_criu_message *options, struct nook_error *err);

struct nook_plan;

/**
 * nook_criu_restore_mounts() - where they come from, and the directories that they lie on
 * @root: the container's root, a descriptor; what is missing in there is made
 * @masks: directory with "dir" and "file", what masks are binds of
 */
int nook_criu_restore_mounts(struct nook_arena *a, const struct nook_plan *plan, int root,
			     const char *masks, struct nook_criu_message *options,
			     struct nook_error *err);

/* Waits for its end; kills it first when @kill. */
void nook_criu_end(int pid, int pidfd, bool kill);

/* Adds to an error where CRIU's log is, and its last line that tells of an error. */
void nook_criu_log(int work_dir, const char *dir, const char *name, struct nook_error *err);

#endif
