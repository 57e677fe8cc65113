/* SPDX-License-Identifier: Apache-2.0 */
/* The commands as a table: dispatch, --help, completion and the man pages' OPTIONS come from it and
 * from each command's option table. */
#ifndef NOOK_CLI_OPTIONS_H
#define NOOK_CLI_OPTIONS_H

#include "base/option.h"

#include <stdio.h>

/* What stands behind a command's options. */
enum nook_operands {
	NOOK_OPERANDS_NONE,
	NOOK_OPERANDS_COMMAND,           /* a program and its arguments */
	NOOK_OPERANDS_CONTAINERS,        /* names */
	NOOK_OPERANDS_CONTAINER_COMMAND, /* a name, then a program and its arguments */
	NOOK_OPERANDS_NOOK_COMMAND,      /* a command of nook */
	NOOK_OPERANDS_SHELL,             /* bash or zsh */
	NOOK_OPERANDS_VERB,              /* one of the verbs of this command: rows named "ns ls" */
	NOOK_OPERANDS_NAMESPACE,         /* a name of a namespace, a PID or a path */
	NOOK_OPERANDS_NETWORKS,          /* names of networks */
	NOOK_OPERANDS_CONTAINER_NETWORK, /* a container's name, then a network's */
};

struct nook_command {
	const char *name;  /* "run"; "ns ls": the verb ls of the command ns, and argv[0] is "ls" */
	const char *group; /* heading in `nook --help`; NULL: as the one before */
	const char *synopsis; /* what stands behind the name */
	const char *summary;  /* a line, no full stop */
	const char *about;    /* sentences for --help */
	const struct nook_option_table *options;
	enum nook_operands operands;
	int (*main)(int argc, char **argv); /* argv[0] is the command's name; returns the exit
					       status */
};

extern const struct nook_command nook_commands[];
extern const size_t nook_n_commands;

/* By its name; NULL: there is none. */
const struct nook_command *nook_command_find(const char *name);

/* The verb's own name, when @c is a verb of @command ("ns"); NULL: it is none. With "" for
 * @command: the name, when
 * @c is no verb at all. */
const char *nook_command_verb(const struct nook_command *c, const char *command);

/**
 * nook_cli_verb() - call the verb that argv[1] names
 * @command: "ns"
 *
 * Return: the exit status.
 */
int nook_cli_verb(const char *command, int argc, char **argv);

int nook_cmd_run(int argc, char **argv);
int nook_cmd_exec(int argc, char **argv);
int nook_cmd_ps(int argc, char **argv);
int nook_cmd_kill(int argc, char **argv);
int nook_cmd_rm(int argc, char **argv);
int nook_cmd_check(int argc, char **argv);
int nook_cmd_ns(int argc, char **argv);
int nook_cmd_ns_ls(int argc, char **argv);
int nook_cmd_ns_tree(int argc, char **argv);
int nook_cmd_ns_show(int argc, char **argv);
int nook_cmd_ns_where(int argc, char **argv);
int nook_cmd_ns_diff(int argc, char **argv);
int nook_cmd_ns_watch(int argc, char **argv);
int nook_cmd_help(int argc, char **argv);
int nook_cmd_completion(int argc, char **argv);
int nook_cmd_version(int argc, char **argv);

extern const struct nook_option_table nook_ps_table, nook_kill_table, nook_rm_table,
	nook_check_table, nook_ns_table, nook_ns_ls_table, nook_ns_tree_table, nook_ns_show_table,
	nook_ns_where_table, nook_ns_diff_table, nook_ns_watch_table, nook_help_table,
	nook_completion_table, nook_version_table;

/* ---- what commands print ---- */

#define NOOK_EXIT_FAILURE 125 /* nook itself failed, or was not understood */

/* Shows an error that the words caused. Return: NOOK_EXIT_FAILURE. */
int nook_cli_refused(const struct nook_error *err);

struct nook_explain_context;

/**
 * nook_cli_failed() - look for the cause of an error, and show it
 * @ctx:    what the caller knows, for the search; may be NULL
 * @status: as nook_run() gave it: 126 and 127 are kept
 *
 * Return: the exit status.
 */
int nook_cli_failed(struct nook_error *err, const struct nook_explain_context *ctx, int status);

/* Flushes stdout. Return: @status; NOOK_EXIT_FAILURE, with a message, when it can't be written. */
int nook_cli_end(int status);

/* ---- what commands read ---- */

/**
 * nook_cli_read() - the options of a command
 * @a:    made here; the caller frees it in any case
 * @argv: the command's name first
 * @into: for the table's set() functions
 *
 * Return: -1: go on; else the exit status: help was asked for and printed, or the words were wrong
 * and that was said.
 */
int nook_cli_read(struct nook_arena *a, const struct nook_option_table *table, char **argv,
		  void *into, struct nook_option_words *ret);

/* The same, where one name of a container or more must follow. */
int nook_cli_names(struct nook_arena *a, const struct nook_option_table *table, char **argv,
		   void *into, struct nook_option_words *ret);

/* What a command does with one container. */
typedef int nook_cli_one(struct nook_arena *a, const char *state_dir, const char *name,
			 const void *words, struct nook_error *err);

/* The same, and then @one for each name; a failure is told, and the next one tried. Return: the
 * exit status. */
int nook_cli_each(const struct nook_option_table *table, char **argv, void *words,
		  nook_cli_one *one);

/* Refuses words that are no options. Return: as nook_cli_read(). */
int nook_cli_no_words(const struct nook_option_table *table, const struct nook_option_words *words);

/* `nook --help`: the commands. */
void nook_help_commands(FILE *out);
/* The verbs of a command, a line each. */
void nook_help_verbs(FILE *out, const char *command);
/* `nook run --help`. Return: the exit status. */
int nook_help_command(const char *name);

/* The OPTIONS section of a command's man page, scdoc(5). */
void nook_help_scdoc(FILE *out, const struct nook_option_table *table);

/* ---- --trace ---- */

struct nook_trace;

/* A trace that prints each step to stderr as it is done. Static storage. */
const struct nook_trace *nook_cli_trace(void);
/* The sum under it; nothing when no step was told. */
void nook_cli_trace_end(void);

#endif
