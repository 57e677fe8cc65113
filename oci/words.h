/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command line as runc and crun read it: one or two dashes before any name, "--x v" and
 * "--x=v", "--flag=false", letters together, the last of two holds. Tables of what is allowed, from
 * which --help and the man page come, too.
 */
#ifndef NOOK_OCI_WORDS_H
#define NOOK_OCI_WORDS_H

#include "base/arena.h"
#include "nook/error.h"

#include <stdbool.h>
#include <stddef.h>

enum oci_kind {
	OCI_FLAG,     /* bool; "=VALUE" as Go's strconv.ParseBool() reads it */
	OCI_TRISTATE, /* enum nook_tristate: a flag that may be left unsaid */
	OCI_TEXT,     /* const char * */
	OCI_OPTIONAL, /* const char *: "" when no value was given, which only "=" can */
	OCI_LIST,     /* struct oci_list: each time one more */
	OCI_NUMBER,   /* unsigned */
	OCI_NOTHING,  /* a value that is read and not looked at */
	OCI_HELP,     /* asks for help: nothing after it is read */
};

struct oci_list {
	const char **items; /* NULL-terminated; NULL: none */
	size_t n;
};

struct oci_option {
	const char *name; /* "bundle" */
	char letter;      /* 'b'; 0: none */
	unsigned char kind;
	unsigned short at; /* where in the command's struct: offsetof() */
	const char *value; /* "DIR" as people read it; NULL for flags */
	const char *help;  /* no full stop; NULL: accepted, and not shown */
};

#define OCI_HELP_ROW                                                                               \
	{                                                                                          \
		.name = "help", .letter = 'h', .kind = OCI_HELP, .help = "print this"              \
	}

struct oci_table {
	const struct oci_option *rows;
	size_t n;
	bool in_order; /* the first word that is no option ends them */
};

/**
 * oci_read_words() - read options
 * @command: "create", for errors; "": the words before the command
 * @argv: NULL-terminated; words that are no options move to its front
 * @into: the struct that the rows' offsets belong to, zeroed
 * @ret_n: receives how many words stand at argv's front; with @in_order they begin at argv[@ret_at]
 *
 * "--" ends the options. Return: 0; -ECANCELED after OCI_HELP; -EINVAL with the words in
 * err->where.
 */
int oci_read_words(const char *command, const struct oci_table *table, struct nook_arena *a,
		   char **argv, void *into, size_t *ret_at, size_t *ret_n, struct nook_error *err);

#endif
