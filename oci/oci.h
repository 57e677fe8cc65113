/* SPDX-License-Identifier: Apache-2.0 */
/* What the commands of nook-oci share: the words before the command, the log, and how one ends. */
#ifndef NOOK_OCI_OCI_H
#define NOOK_OCI_OCI_H

#include "base/arena.h"
#include "nook/error.h"
#include "words.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OCI_SPEC_VERSION "1.3.0"

/* Exit statuses of failures. */
#define OCI_FAILURE      1
#define OCI_EXEC_FAILURE 255 /* exec's own: 1 could be the program's */

struct oci_globals {
	const char *root, *log, *log_format, *cgroup_manager, *rootless, *criu;
	bool debug, systemd_cgroup, version;
};

struct oci_command;

struct oci {
	const char *program; /* "nook-oci", or "runc", "crun" by a link of that name */
	struct nook_arena *arena;
	struct oci_globals globals;
	const struct oci_command *command; /* NULL: none was read yet */
	char **argv;                       /* words after the options, NULL-terminated */
	size_t n;
	const char *root; /* --root, absolute, or its default */
	bool log_json;
};

struct oci_command {
	const char *name;
	const char *synopsis; /* what stands behind the name */
	const char *summary;  /* a line, no full stop */
	const char *about;    /* sentences for --help; "" */
	size_t least, most;   /* words that must and may follow the options */
	const struct oci_table *options;
	size_t size; /* of the struct that the options are read into */
	int (*main)(struct oci *o, const void *words); /* returns the exit status */
	bool no_root; /* it looks at no container: --root isn't asked for */
};

extern const struct oci_command oci_commands[];
extern const size_t oci_n_commands;
extern const struct oci_table oci_global_table;

#define OCI_COMMAND(name)                                                                          \
	extern const struct oci_table oci_##name##_table;                                          \
	int oci_##name(struct oci *o, const void *words)

OCI_COMMAND(create);
OCI_COMMAND(start);
OCI_COMMAND(run);
OCI_COMMAND(state);
OCI_COMMAND(kill);
OCI_COMMAND(delete);
OCI_COMMAND(exec);
OCI_COMMAND(ps);
OCI_COMMAND(list);
OCI_COMMAND(pause);
OCI_COMMAND(resume);
OCI_COMMAND(update);
OCI_COMMAND(events);
OCI_COMMAND(features);
OCI_COMMAND(spec);
OCI_COMMAND(check);
OCI_COMMAND(checkpoint);
OCI_COMMAND(restore);
OCI_COMMAND(completion);
OCI_COMMAND(help);

/* For commands without options. */
extern const struct oci_table oci_no_options;

/* ---- help.c, version.c ---- */

int oci_help_commands(struct oci *o);
int oci_help_command(struct oci *o, const struct oci_command *c);
const struct oci_command *oci_command_find(const char *name);
int oci_version(struct oci *o);

/* ---- log.c ---- */

/* One line of the log: --log's file, else stderr. @level: "debug", "warning", "error". */
void oci_log(const struct oci *o, const char *level, const char *text);

/* For struct nook_oci_log; @o is the struct oci. */
void oci_warn(void *o, const char *text);

/* Shows an error, in the log and on stderr. Return: OCI_FAILURE, or OCI_EXEC_FAILURE of exec. */
int oci_failed(const struct oci *o, const struct nook_error *err);

/* The same, having looked for the cause: of commands that make or start something. */
int oci_failed_why(const struct oci *o, struct nook_error *err, const char *bundle);

/* For --debug: each step becomes a line of the log. NULL without it. */
const struct nook_trace *oci_trace(struct oci *o);

/* ---- print.c ---- */

/* Writes to stdout. Return: 0, or OCI_FAILURE with a message. */
int oci_print(const struct oci *o, const char *text, size_t len);

/* What a stream on stdout still holds. Return: as oci_print(). */
int oci_print_end(const struct oci *o);

/* "2026-11-22T06:31:44.25Z"; RFC 3339, as Go writes it. @nanoseconds: below a billion. */
void oci_time_text(int64_t seconds, unsigned nanoseconds, char out[40]);

/* "5s", "1m30s", "500ms", "1.5h": Go's time.ParseDuration(), in nanoseconds. -EINVAL. */
int oci_duration(const char *text, int64_t *ret);

/* Absolute, by the working directory. */
const char *oci_absolute(struct nook_arena *a, const char *path);

#endif
