/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command line, one table a command. The reading here, --help, the shells' completion and the
 * OPTIONS of the man page (cli/) all come from the same rows.
 */
#ifndef NOOK_BASE_OPTION_H
#define NOOK_BASE_OPTION_H

#include "arena.h"
#include "nook/error.h"

#include <stdbool.h>
#include <stddef.h>

/* What a shell offers for an option's value. */
enum nook_complete {
	NOOK_COMPLETE_NOTHING,
	NOOK_COMPLETE_WORDS, /* those of .words */
	NOOK_COMPLETE_LIST,  /* those of .words, separated by commas */
	NOOK_COMPLETE_FILE,
	NOOK_COMPLETE_DIR,
	NOOK_COMPLETE_USER,
	NOOK_COMPLETE_ENV,     /* names of the caller's variables */
	NOOK_COMPLETE_NETWORK, /* those of .words, and names of networks */
};

enum {
	NOOK_OPTION_MANY = 1,     /* may be given again */
	NOOK_OPTION_NO = 2,       /* takes no value; --no-NAME says the opposite */
	NOOK_OPTION_OPTIONAL = 4, /* the value may be left away: --plan, --plan=json */
	NOOK_OPTION_HELP = 8,     /* asks for help: nothing after it is read, and nothing checked */
};

struct nook_option_use;

struct nook_option {
	const char *name;       /* "volume"; NULL: this row is a heading, .help its text */
	char letter;            /* 'v'; 0: none */
	unsigned char flags;    /* NOOK_OPTION_* */
	unsigned char complete; /* enum nook_complete */
	const char *value;      /* "SRC:DST[:OPTION,...]" as people read it; NULL: takes none */
	const char *words;      /* separated by spaces */
	const char *help;       /* for --help: a line or two, no full stop */
	const char *more;       /* for the man page: further sentences; NULL */
	/* Return: 0; a negative errno with use->err. NULL: nothing is noted (see
	 * nook_option_given). */
	int (*set)(const struct nook_option_use *use);
	size_t at; /* for nook_option_flag() and its like: where in use->into the value is */
};

#define NOOK_OPTION_HEADING(text)                                                                  \
	{                                                                                          \
		.help = text                                                                       \
	}
#define NOOK_OPTION_HELP_ROW                                                                       \
	{                                                                                          \
		.name = "help", .letter = 'h', .flags = NOOK_OPTION_HELP, .help = "print this"     \
	}

/* An option as it was given. */
struct nook_option_use {
	const struct nook_option *option;
	const char *value; /* NULL: none was given */
	bool no;           /* --no-NAME */
	const char *from;  /* the user's words: "--volume a:b" */
	struct nook_arena *arena;
	void *into; /* the caller's */
	struct nook_error *err;
};

/* A set(): the option says yes. */
int nook_option_flag(const struct nook_option_use *use);

/* Options of other tools that people's fingers know, and what nook has instead. */
struct nook_option_foreign {
	const char *name; /* "--rm", "-d" */
	const char *hint; /* a sentence */
};

struct nook_option_table {
	const char *command; /* "nook run" */
	const struct nook_option *rows;
	size_t n;
	bool command_follows; /* the first word that is no option begins a command of its own; else
				 options may follow it */
	const struct nook_option_foreign *foreign; /* ends with a NULL name; NULL: none */
};

/* What was read. */
struct nook_option_words {
	struct nook_option_use *uses; /* in the order given */
	size_t n_uses;
	char **words; /* those that are no options, NULL-terminated; inside argv */
	size_t n_words;
	bool dashes; /* "--" stood before the words */
};

/**
 * nook_options_read() - read a command line
 * @table: what is allowed; each option's set() is called as it comes
 * @argv:  NULL-terminated words after the command's name; reordered when options follow words
 * @into:  for the set() functions
 *
 * "--name value", "--name=value", "-n value", "-nvalue", and letters without a value together
 * ("-tv a:b"). "--" ends the options. An option without NOOK_OPTION_MANY may be repeated only with
 * the same value.
 *
 * Return: 0; -ECANCELED after NOOK_OPTION_HELP; -EINVAL, with the words in err->where: unknown
 * option (nearest one in err->hint), value missing or not wanted, contradicting repetition; else
 * what set() returned.
 */
int nook_options_read(const struct nook_option_table *table, struct nook_arena *a, char **argv,
		      void *into, struct nook_option_words *ret, struct nook_error *err);

/* The user's words that gave option @name, the last ones; NULL when nobody did. */
const char *nook_option_given(const struct nook_option_words *words, const char *name);

#endif
