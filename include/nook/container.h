/* SPDX-License-Identifier: Apache-2.0 */
/* Containers from start to end. The library never prints and never exits; what fails is in the
 * error. */
#ifndef NOOK_CONTAINER_H
#define NOOK_CONTAINER_H

#include "error.h"
#include "spec.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A step that was carried out: for --trace. Texts are static or live until the call returns. */
struct nook_trace_row {
	bool inside;      /* by the stage, in the new namespaces; else by us */
	const char *name; /* "write_idmaps" */
	const char *call; /* the kernel calls with their arguments */
	const char *what; /* in a few words, what for */
	uint64_t nanoseconds;
};

/* What is told while a container is made. Each may be NULL. */
struct nook_trace {
	void (*row)(void *data, const struct nook_trace_row *row);
	/* Something will not be there that was asked for, and the container can do without: a
	 * sentence, and what to do. Once each. */
	void (*warning)(void *data, const char *what, const char *remedy);
	void *data;
};

/**
 * nook_run() - run a container in the foreground until its program ends, then remove it
 * @spec:       what was asked
 * @trace:      told of every step; NULL: nobody is
 * @ret_status: receives the program's exit status, or 128+N when signal N ended it; 126 and 127
 * when the command could not be executed or was not found (then the return value is negative too)
 * @err:        receives why nothing was run
 *
 * Uses stdin, stdout and stderr for the program.
 *
 * The container's first process is a copy of the caller, and its /proc/PID/exe leads those inside
 * to the caller's own program. Where a user inside has the id of that file's owner (an ordinary
 * user's own binary, --userns host, id maps by hand), they could write to it once nobody executes
 * it any more. The program nook executes itself from a sealed copy then; the library can't do that
 * to its caller: who runs hostile programs by it is best installed as root's, not writable for the
 * user that it runs as.
 *
 * Return: 0 when the program ran; a negative errno
 * when nothing did, and nothing was left behind.
 */
int nook_run(const struct nook_spec *spec, const struct nook_trace *trace, int *ret_status,
	     struct nook_error *err);

/**
 * nook_call() - run a function in a container, as nook_run() runs a program
 * @fn:  called with @arg in a copy of this process, inside; it returns the exit status, 0 to 255.
 * What it changes in memory is lost: results go out by exit status, stdout, or a volume
 *
 * The copy is made as by fork(2), which in a process with several threads is only safe for
 * functions that are async-signal-safe. It has the caller's memory, environment variables too, and
 * no descriptor but stdin, stdout and stderr. Streams are flushed before, and in the copy after
 * @fn; exit handlers run only here. When spec->ns joins namespaces, @fn has 64 KiB of stack.
 * spec->argv is for `nook ps`; NULL will do.
 *
 * Return: as nook_run().
 */
int nook_call(const struct nook_spec *spec, int (*fn)(void *arg), void *arg, int *ret_status,
	      struct nook_error *err);

/* What nook_run() would do, written to @out; nothing is done, no privilege is needed. */
enum nook_plan_format { NOOK_PLAN_TEXT, NOOK_PLAN_JSON };
int nook_run_plan(const struct nook_spec *spec, enum nook_plan_format format, FILE *out,
		  struct nook_error *err);

struct nook_exec_spec {
	const char *name;  /* the container's */
	const char **argv; /* NULL-terminated */
	const char **env;  /* "NAME=VALUE" or "NAME", added to the container's own */
	size_t n_env;
	const char *cwd, *cwd_from;   /* NULL: the container's */
	const char *user, *user_from; /* as in struct nook_spec; NULL: the container's */
	enum nook_tristate terminal;
};

/* Runs a program in a running container: its namespaces, cgroup, credentials and seccomp filter.
 * Status as nook_run(). */
int nook_exec(const char *state_dir, const struct nook_exec_spec *spec,
	      const struct nook_trace *trace, int *ret_status, struct nook_error *err);

/**
 * nook_kill() - send a signal to a container's pid 1, or to all that is inside
 *
 * Return: 0; -ENOENT no such container; -ESRCH it does not run any more.
 */
int nook_kill(const char *state_dir, const char *name, int signal, bool all,
	      struct nook_error *err);

/* /run/nook for root; $XDG_RUNTIME_DIR/nook, else /tmp/nook-UID for an ordinary user. Static
 * storage. */
int nook_state_dir(const char **ret, struct nook_error *err);

#ifdef __cplusplus
}
#endif

#endif
