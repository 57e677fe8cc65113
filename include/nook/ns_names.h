/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Namespaces with a name: made or kept so that they live on without a process in them, entered, and
 * released. The library never prints and never exits; what fails is in the error.
 */
#ifndef NOOK_NS_NAMES_H
#define NOOK_NS_NAMES_H

#include "container.h"
#include "error.h"
#include "kinds.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct nook_arena;

/* Sets of kinds. */
#define NOOK_NS_BIT(kind) (1u << (kind))
#define NOOK_NS_ALL       ((1u << NOOK_NS_COUNT) - 1)

/* What keeps a namespace. */
enum nook_ns_hold {
	NOOK_NS_HOLD_MOUNT,   /* a bind mount of it in STATE_DIR/ns-pins, or in /run/netns */
	NOOK_NS_HOLD_PROCESS, /* the holder process is in it */
	NOOK_NS_HOLD_FD,      /* the holder process has it open */
};

struct nook_ns_held {
	enum nook_ns_kind kind;
	enum nook_ns_hold how;
	const char *path;  /* where it can be opened: a pin, "/proc/HOLDER/ns/KIND",
			      "/proc/HOLDER/fd/N" */
	uint64_t dev, ino; /* of the namespace's file, stat(2) */
	const char *note;  /* why it isn't held by a mount where the others are, a sentence; NULL */
	bool there;        /* @path leads to this very namespace now */
};

/* A name and what it means. All texts live in the arena that it was read into. */
struct nook_ns_name {
	const char *name;
	bool foreign;    /* `ip netns add` made it, not nook: one net namespace, no record */
	bool in_netns;   /* `ip netns list` shows it too */
	bool finished;   /* false: being made, or left half-made by a nook that was killed */
	int64_t created; /* seconds since 1970; 0 when foreign */
	const char *boot_id;
	int holder;            /* pid of the holder process; 0: none */
	uint64_t holder_start; /* clock ticks, /proc/PID/stat field 22 */
	uint32_t kinds;        /* what @held has */
	uint32_t implied;      /* of these, nobody asked for: the user namespace around an ordinary
				  user's */
	uint32_t range;        /* first of 65,536 ids that its user namespace holds; 0: none */
	struct nook_ns_held held[NOOK_NS_COUNT];
	size_t n_held;
};

/* Every namespace of it is there? */
bool nook_ns_name_alive(const struct nook_ns_name *name);

/**
 * nook_ns_names() - all names: nook's own, and those of `ip netns`
 * @a:   arena for @ret
 * @ret: sorted by name
 *
 * Names in /run/netns that nook_valid_id() refuses are left out. Each namespace is opened to see
 * whether it is there. A record that can't be read is listed with finished false and no kinds.
 * Return: 0 or a negative errno.
 */
int nook_ns_names(const char *state_dir, struct nook_arena *a, struct nook_ns_name **ret,
		  size_t *ret_n, struct nook_error *err);

/* One of them. -ENOENT: there is no such name (@err says so, with the names there are); -EINVAL: it
 * can't be one. */
int nook_ns_name_find(const char *state_dir, const char *name, struct nook_arena *a,
		      struct nook_ns_name *ret, struct nook_error *err);

struct nook_ns_new_spec {
	const char *name;
	uint32_t kinds;       /* at least one */
	const char *hostname; /* of a new uts namespace; NULL: the caller's stays */
};

/**
 * nook_ns_new() - make namespaces that live on without a process of the caller's
 * @ret: receives what was made, in @a; may be NULL
 *
 * Root's are kept by bind mounts, others by a holder process (nook-hold), which is pid 1 of a new
 * pid namespace and reaps there; an ordinary user gets a user namespace around (ret->implied). The
 * holder is a child of the caller: a program that lives on reaps it when the name is released.
 *
 * Return: 0; -EEXIST the name is taken; -EBUSY another nook is at work on it; others. Nothing is
 * left on failure.
 */
int nook_ns_new(const char *state_dir, const struct nook_ns_new_spec *spec, struct nook_arena *a,
		struct nook_ns_name *ret, struct nook_error *err);

/**
 * nook_ns_keep() - give a name to namespaces that a process is in, and keep them
 * @kinds: 0: all that differ from the caller's
 *
 * A pid namespace is not kept alive by this: it ends with its pid 1. Return: as nook_ns_new();
 * -ESRCH no such process; -ENOENT nothing to keep: it is in the caller's own.
 */
int nook_ns_keep(const char *state_dir, int pid, const char *name, uint32_t kinds,
		 struct nook_arena *a, struct nook_ns_name *ret, struct nook_error *err);

/* Who else has a namespace of a name. */
struct nook_ns_user {
	int pid;
	uint32_t kinds; /* it is in these, or has them open */
};

/**
 * nook_ns_release() - give a name back, and let go of its namespaces
 * @force: also end the processes in a pid namespace that nook holds, and remove a name that
 *         `ip netns add` made
 * @ret:   receives, in @a, the processes that still are in a namespace of it or have it open, and
 *         so keep it; of those that can be seen
 *
 * Return: 0; -ENOENT; -EBUSY: processes would be ended by it, or the name is foreign, and @force
 * was not said; others. Can be repeated after a failure.
 */
int nook_ns_release(const char *state_dir, const char *name, bool force, struct nook_arena *a,
		    struct nook_ns_user **ret, size_t *ret_n, struct nook_error *err);

struct nook_ns_enter_spec {
	const char
		*target; /* a name that is kept, a running container's, a pid, or a path with a / */
	uint32_t only;   /* these kinds; 0: all that it has */
	const char *only_from; /* the words that said so */
	const char **argv;     /* NULL-terminated */
	const char *user,
		*user_from; /* as in struct nook_spec, by the /etc/passwd inside; NULL: root of a
			       user namespace that is entered, else the caller */
	const char *cwd, *cwd_from; /* NULL: where the caller is, else / */
	enum nook_tristate terminal;
};

/**
 * nook_ns_enter() - run a command in namespaces that are there
 *
 * Everything is opened first; the user namespace is entered last by who has CAP_SYS_ADMIN now, and
 * first by who gets the right from it; after each entry the process' own links must name what was
 * opened. Status as nook_run().
 */
int nook_ns_enter(const char *state_dir, const struct nook_ns_enter_spec *spec,
		  const struct nook_trace *trace, int *ret_status, struct nook_error *err);

enum nook_ns_can_answer {
	NOOK_NS_CAN_ENTER,
	NOOK_NS_CAN_NOTHING, /* it is the caller's own: entered already */
	NOOK_NS_CAN_NOT,
};

/* May the caller enter one namespace? */
struct nook_ns_can {
	enum nook_ns_kind kind;
	uint64_t dev, ino;              /* 0: it could not be looked at */
	enum nook_ns_can_answer answer; /* by setns(2) alone, as the caller is now */
	bool after_user; /* CAN_NOT, but it can after the target's user namespace was entered first
			  */
	int errnum;      /* CAN_NOT: positive errno that open(2) or setns(2) gives */
	char id[40];     /* CAN_NOT: id of the cause, docs/errors.md */
	char why[384];   /* CAN_NOT: a sentence */
};

/**
 * nook_ns_can() - forecast whether the caller may enter each namespace of a target
 * @target: as nook_ns_enter_spec.target
 * @ret:    receives a row a kind that the target has
 *
 * By the rules of setns(2), from what can be read; nothing is entered. Return: 0; -ENOENT, -ESRCH
 * and others when there is no such target.
 */
int nook_ns_can(const char *state_dir, const char *target, struct nook_arena *a,
		struct nook_ns_can ret[NOOK_NS_COUNT], size_t *ret_n, struct nook_error *err);

#endif
