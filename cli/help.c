/* SPDX-License-Identifier: Apache-2.0 */
/* --help, from the tables. */
#include "options.h"

#include "base/nearest.h"
#include "base/own.h"

#include <errno.h>
#include <string.h>

#define WIDTH       96 /* of a line */
#define HELP_COLUMN 34 /* where an option's help begins */

/* Bold for people, plain for files and pagers. */
static void heading(FILE *out, const char *text)
{
	const char *term = getenv("TERM");
	bool bold = isatty(fileno(out)) && term && strcmp(term, "dumb") != 0;

	fprintf(out, "%s%s%s\n", bold ? "\033[1m" : "", text, bold ? "\033[0m" : "");
}

/* Words from column @at on, in lines that begin at column @left. */
static void wrap(FILE *out, const char *text, int at, int left)
{
	while (*text) {
		int len = (int)strcspn(text, " ");

		if (at > left && at + 1 + len > WIDTH) {
			fprintf(out, "\n%*s", left, "");
			at = left;
		} else if (at > left) {
			fputc(' ', out);
			at++;
		}
		fprintf(out, "%.*s", len, text);
		at += len;
		text += len + (text[len] == ' ');
	}
	fputc('\n', out);
}

/* "  -v, --volume SRC:DST" */
static int print_option(FILE *out, const struct nook_option *o)
{
	int n = o->letter ? fprintf(out, "  -%c, ", o->letter) : fprintf(out, "      ");

	if (o->flags & NOOK_OPTION_NO)
		n += fprintf(out, "--%s, --no-%s", o->name, o->name);
	else
		n += fprintf(out, "--%s", o->name);
	if (o->value && (o->flags & NOOK_OPTION_OPTIONAL))
		n += fprintf(out, "[=%s]", o->value);
	else if (o->value)
		n += fprintf(out, " %s", o->value);
	return n;
}

static void print_options(FILE *out, const struct nook_option_table *table)
{
	if (table->n > 0 && table->rows[0].name) {
		fputc('\n', out);
		heading(out, "Options");
	}
	for (size_t i = 0; i < table->n; i++) {
		const struct nook_option *o = &table->rows[i];

		if (!o->name) {
			fputc('\n', out);
			heading(out, o->help);
			continue;
		}

		int at = print_option(out, o);

		if (at + 2 > HELP_COLUMN) {
			fputc('\n', out);
			at = 0;
		}
		fprintf(out, "%*s", HELP_COLUMN - at, "");
		wrap(out, o->help, HELP_COLUMN, HELP_COLUMN);
	}
}

int nook_help_command(const char *name)
{
	const struct nook_command *c = nook_command_find(name);

	if (!c)
		return NOOK_EXIT_FAILURE;

	printf("nook %s%s%s\n", c->name, c->synopsis[0] ? " " : "", c->synopsis);
	if (c->about[0]) {
		putchar('\n');
		wrap(stdout, c->about, 0, 0);
	}
	if (c->operands == NOOK_OPERANDS_VERB) {
		putchar('\n');
		heading(stdout, "Verbs");
		nook_help_verbs(stdout, c->name);
	}
	print_options(stdout, c->options);
	if (c->operands == NOOK_OPERANDS_VERB)
		printf("\nnook %s VERB --help shows a verb's options. man nook-%s says more.\n",
		       c->name, c->name);
	else if (c->operands != NOOK_OPERANDS_NOOK_COMMAND && c->options->n > 1)
		printf("\nman nook-%.*s says more.\n", (int)strcspn(c->name, " "), c->name);
	return nook_cli_end(0);
}

void nook_help_verbs(FILE *out, const char *command)
{
	for (size_t i = 0; i < nook_n_commands; i++) {
		const char *verb = nook_command_verb(&nook_commands[i], command);

		if (verb)
			fprintf(out, "  %-12s %s\n", verb, nook_commands[i].summary);
	}
}

void nook_help_commands(FILE *out)
{
	fputs("nook COMMAND [OPTION...]\n\nContainers from Linux namespaces.\n", out);
	for (size_t i = 0; i < nook_n_commands; i++) {
		const struct nook_command *c = &nook_commands[i];

		if (c->group) {
			fputc('\n', out);
			heading(out, c->group);
		}
		if (nook_command_verb(c, ""))
			fprintf(out, "  %-12s %s\n", c->name, c->summary);
	}
	fputs("\nnook COMMAND --help shows a command's options. To begin with: nook run\n", out);
}

/* ---- nook help ---- */

static const struct nook_option rows[] = {
	{ .name = "scdoc",
	  .set = nook_option_flag,
	  .help = "print the OPTIONS section of a command's man page, as scdoc(1) reads it; for "
		  "nook's build" },
	NOOK_OPTION_HELP_ROW,
};

const struct nook_option_table nook_help_table = { .command = "nook help",
						   .rows = rows,
						   .n = ARRAY_SIZE(rows) };

static const char *command_name(const void *list, size_t i)
{
	(void)list;
	return i < nook_n_commands ? nook_commands[i].name : NULL; /* of a verb: its command */
}

static int unknown_command(const char *word)
{
	struct nook_error err = { 0 };
	const char *near = nook_nearest(word, command_name, NULL);

	if (near)
		nook_hint(&err, "Did you mean nook help %s?", near);
	nook_hint(&err, "nook help lists the commands.");
	(void)nook_refuse(&err, EINVAL, "there is no command '%s'", word);
	return nook_cli_refused(&err);
}

int nook_cmd_help(int argc, char **argv)
{
	auto_arena struct nook_arena a = { 0 };
	bool scdoc = false;
	struct nook_option_words words;
	int status = nook_cli_read(&a, &nook_help_table, argv, &scdoc, &words);
	struct nook_error err = { 0 };

	(void)argc;
	if (status >= 0)
		return status;
	if (words.n_words == 0 && !scdoc) {
		nook_help_commands(stdout);
		return nook_cli_end(0);
	}

	/* "nook help ns ls": a verb's name is two words. */
	const char *name = words.n_words == 2
				   ? nook_printf(&a, "%s %s", words.words[0], words.words[1])
				   : words.words[0];
	const struct nook_command *c = words.n_words ? nook_command_find(name) : NULL;

	if (words.n_words == 0 || words.n_words > 2 || (!c && words.n_words == 2)) {
		(void)nook_refuse(&err, EINVAL, "nook help takes the name of one command");
		return nook_cli_refused(&err);
	}
	if (!c)
		return unknown_command(name);
	if (!scdoc)
		return nook_help_command(c->name);
	nook_help_scdoc(stdout, c->options);
	return nook_cli_end(0);
}
