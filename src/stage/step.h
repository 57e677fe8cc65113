/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A step, and the walk along a list of them. Creating a container is two such lists, ours
 * (src/run/create.c) and the stage's (src/stage/stage.c), which meet at named messages; running,
 * --plan and --trace all come from these lists.
 */
#ifndef NOOK_STAGE_STEP_H
#define NOOK_STAGE_STEP_H

#include "base/arena.h"
#include "nook/container.h"
#include "nook/error.h"
#include "nook/plan.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum nook_message {
	NOOK_MSG_NONE,
	NOOK_MSG_MAPS_WRITTEN, /* out → in: ids, idmapped sources and cgroups are as planned */
	NOOK_MSG_NETWORK, /* out → in: brings the network namespace that was made beside; waited for
			     by nook_enter_network() */
	NOOK_MSG_MOUNTED, /* in → out: the mounts are there, the root is not entered yet: for hooks
			   */
	NOOK_MSG_HOOKED,  /* out → in: the runtime's hooks have run */
	NOOK_MSG_FILTERED,    /* in → out: brings the filter's notify descriptor; by no row of the
				 lists, see src/stage/seccomp.c */
	NOOK_MSG_STAGE_READY, /* in → out: all is set up but the program; brings the terminal's
				 master */
	NOOK_MSG_DETACH, /* out → in: the container is written down, and lives on without us */
	NOOK_MSG_START,  /* out → in: the record is saved, go */
	NOOK_MSG_FAILED, /* in → out: a struct nook_error follows */
	NOOK_MSG_TRACE,  /* in → out: a step is done */
};

/* A row of --plan: one kernel call, or several of one shape. */
struct nook_row {
	bool inside;
	const char *step, *call, *what;
};

struct nook_rows {
	struct nook_arena *arena;
	struct nook_row *row;
	size_t n;
	bool inside;
	const char *step;
};

/* Adds a row to the step that is being shown. */
void nook_show(struct nook_rows *rows, const char *what, const char *call_fmt, ...)
	__attribute__((format(printf, 3, 4)));

enum nook_step_kind { NOOK_STEP_RUN, NOOK_STEP_SEND, NOOK_STEP_WAIT };

struct nook_step {
	enum nook_step_kind kind;
	enum nook_message message;
	const char *name;
	const char *wanted; /* what it does, in the user's terms, after "cannot" */
	/* Carried out when @needed says so (NULL: always). @ctx is the list's own struct. */
	bool (*needed)(const struct nook_plan *plan);
	int (*run)(void *ctx, struct nook_error *err);
	/* Called backwards for the steps that were begun, the failed one too: undoes what is there,
	 * may be repeated. */
	int (*undo)(void *ctx, struct nook_error *err);
	void (*show)(const struct nook_plan *plan, struct nook_rows *rows);
};

#define NOOK_RUN(fn, purpose, ...)                                                                 \
	{                                                                                          \
		.kind = NOOK_STEP_RUN, .name = #fn, .wanted = purpose, .run = fn, __VA_ARGS__      \
	}
#define NOOK_WANTED_TALK "pass a message between nook and the container's first process"
/* @msg: without NOOK_MSG_ */
#define NOOK_SEND(msg) NOOK_TALK(NOOK_STEP_SEND, msg)
#define NOOK_WAIT(msg) NOOK_TALK(NOOK_STEP_WAIT, msg)
/* The same when the plan says so, on both sides. */
#define NOOK_SEND_IF(msg, when) NOOK_TALK(NOOK_STEP_SEND, msg, .needed = when)
#define NOOK_WAIT_IF(msg, when) NOOK_TALK(NOOK_STEP_WAIT, msg, .needed = when)
#define NOOK_TALK(how, msg, ...)                                                                   \
	{                                                                                          \
		.kind = how, .message = NOOK_MSG_##msg, .name = #msg, .wanted = NOOK_WANTED_TALK,  \
		__VA_ARGS__                                                                        \
	}

/* What the walk needs to know beside the list. */
struct nook_walk {
	const struct nook_plan *plan;
	void *ctx;
	int channel; /* SOCK_SEQPACKET to the other side, NO_FD before it is made: read each time */
	int peer; /* pidfd of the other side, whose end ends a WAIT too; NO_FD inside, where that of
		     the other side is ours */
	int interrupt; /* signalfd of what ends us while we wait; NO_FD: nothing does */
	int send_fd;   /* goes with the next SEND, then it is closed; NO_FD: none */
	int *ret_fd; /* where a descriptor that comes with a message goes; NULL: none is expected */
	const struct nook_trace *trace; /* outside */
	bool tracing;                   /* inside: report each step */
	bool inside;
	bool undo_failed; /* set when the undo of a step was not possible */
	bool unheard;     /* set when the other side ended without having read all of ours */
	const struct nook_step *other; /* outside: the stage's list, to name what it reports */
	size_t n_other;
};

/**
 * nook_steps_run() - walk the list
 * @ret_done: receives how many steps were begun, for nook_steps_undo()
 *
 * Return: 0, or the failed step's negative errno with @err->wanted set; a failure that the other
 * side sent counts as ours, with its text.
 */
int nook_steps_run(const struct nook_step *steps, size_t n, struct nook_walk *walk,
		   size_t *ret_done, struct nook_error *err);

/* Undoes the first @done steps backwards. All are tried; the first failure is in @err. */
int nook_steps_undo(const struct nook_step *steps, size_t done, struct nook_walk *walk,
		    struct nook_error *err);

void nook_steps_show(const struct nook_step *steps, size_t n, const struct nook_plan *plan,
		     struct nook_rows *rows);

/* One datagram. @fd: NO_FD, or a descriptor to pass on. */
int nook_send(int channel, enum nook_message message, const void *data, size_t len, int fd);
/* Waits for @message, for as long as it takes: a network mount may. -EINTR: a signal of @interrupt
 * came. -EPIPE: the other side is gone; a NOOK_MSG_FAILED becomes the return value.
 */
int nook_wait(struct nook_walk *walk, enum nook_message message, struct nook_error *err);

#endif
