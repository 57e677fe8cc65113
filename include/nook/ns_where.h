/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One thing, seen from several namespaces: a process' numbers and ids, and the place behind a path.
 * The structures hold no pointers and are the caller's; they are large (up to 20 KiB).
 */
#ifndef NOOK_NS_WHERE_H
#define NOOK_NS_WHERE_H

#include "error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The kernel nests 32 pid namespaces below the first, and 33 user namespaces. */
#define NOOK_NS_WHERE_LEVELS 34

/* A process in one pid namespace. */
struct nook_ns_where_pid {
	uint64_t inode; /* of the namespace's file; 0: may not be looked at */
	int pid, tgid;  /* they differ for a thread that isn't its process' first */
	int pgid, sid;  /* 0: the leader is no process of this namespace */
};

struct nook_ns_where_id {
	bool mapped; /* false: this user namespace has no such id: shown as 65534 inside */
	uint32_t id;
};

/* Its credentials in one user namespace: real, effective, saved, file system. */
struct nook_ns_where_user {
	uint64_t inode;
	bool known; /* false: the maps of this namespace can't be read, and nothing below is set */
	struct nook_ns_where_id uid[4], gid[4];
};

struct nook_ns_where {
	char name[64]; /* as the process calls itself: hostile text */
	/* From the caller's namespace down to the process' own. */
	struct nook_ns_where_pid pids[NOOK_NS_WHERE_LEVELS];
	size_t n_pids;
	struct nook_ns_where_user users[NOOK_NS_WHERE_LEVELS];
	size_t n_users;
	bool users_hidden; /* there are more user namespaces, which may not be looked at: the one
			      given is the caller's */
};

/**
 * nook_ns_where() - a process at every level
 * @state_dir: nook_state_dir()
 * @process:   "PID" of the caller's namespace, "self", a "NAME" (the first process of a container,
 * or of a pid namespace that is kept), or "NAME:PID" and "PID:PID": a pid inside of such a one
 *
 * Return: 0; -ESRCH no such process, or it has ended meanwhile; -ENOENT no such name; -EINVAL;
 * -EXDEV /proc is another pid namespace's; others.
 */
int nook_ns_where(const char *state_dir, const char *process, struct nook_ns_where *ret,
		  struct nook_error *err);

/**
 * nook_ns_where_at() - the same in one pid namespace only
 * @at:  as @process of nook_ns_where(), or the path of a pid namespace's file; it need not be one
 * below the caller's
 * @ret: its pids has one element; pgid and sid are 0 when they can't be told; no users
 *
 * Return: as nook_ns_where(); -ESRCH, too, when the process is not in there.
 */
int nook_ns_where_at(const char *state_dir, const char *process, const char *at,
		     struct nook_ns_where *ret, struct nook_error *err);

/* What holds the bytes behind a path. */
enum nook_ns_where_kind {
	NOOK_NS_WHERE_HOST,   /* the host shows the same file: @host */
	NOOK_NS_WHERE_UPPER,  /* the writable layer of an overlay mount */
	NOOK_NS_WHERE_LOWER,  /* a read-only layer of one */
	NOOK_NS_WHERE_LAYERS, /* an overlay mount whose layers the host can't reach */
	NOOK_NS_WHERE_INSIDE, /* a file system that is mounted nowhere on the host */
};

struct nook_ns_where_path {
	enum nook_ns_where_kind kind;
	char inside[4096]; /* the path in the container, no symlink in it */
	char host[4096];   /* the host's path to it; "" when there is none */
	bool sure;         /* @host and @inside were opened and are the same file; else it is what
			      the layers say, see @note */
	unsigned major, minor; /* of the file system that is mounted at @point inside */
	char point[4096];
	char fstype[64];
	char note[256]; /* a sentence: why it isn't sure, why there is no path; "" */
};

/**
 * nook_ns_where_path() - what is behind a path of a container
 * @target: a container's name or a pid
 * @path:   absolute, as a process inside would say it
 *
 * Return: 0; -ENOENT no such container, or nothing is at @path; -EACCES and others.
 */
int nook_ns_where_path(const char *state_dir, const char *target, const char *path,
		       struct nook_ns_where_path *ret, struct nook_error *err);

/**
 * nook_ns_where_host() - where a container sees a path of the host
 *
 * Return: 0; -ENOENT, too, when no place inside shows it.
 */
int nook_ns_where_host(const char *state_dir, const char *target, const char *path,
		       struct nook_ns_where_path *ret, struct nook_error *err);

#ifdef __cplusplus
}
#endif

#endif
