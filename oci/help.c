/* SPDX-License-Identifier: Apache-2.0 */
/* --help and the man page's lists, from the tables. */
#include "oci.h"

#include "base/own.h"
#include "command_words.h"

#include <ctype.h>
#include <string.h>

#define WIDTH       96 /* of a line */
#define HELP_COLUMN 34 /* where an option's help begins */

/* Words from column @at on, in lines that begin at column @left. */
static void wrap(const char *text, int at, int left)
{
	while (*text) {
		int len = (int)strcspn(text, " ");

		if (at > left && at + 1 + len > WIDTH) {
			printf("\n%*s", left, "");
			at = left;
		} else if (at > left) {
			putchar(' ');
			at++;
		}
		printf("%.*s", len, text);
		at += len;
		text += len + (text[len] == ' ');
	}
	putchar('\n');
}

/* "[=text|json]", " DIR" */
static const char *before_value(const struct oci_option *o)
{
	return !o->value ? "" : o->kind == OCI_OPTIONAL ? "[=" : " ";
}

static void print_options(const struct oci_table *table)
{
	for (size_t i = 0; i < table->n; i++) {
		const struct oci_option *o = &table->rows[i];

		if (!o->help)
			continue;

		int at = o->letter ? printf("  -%c, ", o->letter) : printf("      ");

		at += printf("--%s%s%s%s", o->name, before_value(o), o->value ? o->value : "",
			     o->kind == OCI_OPTIONAL ? "]" : "");
		if (at + 2 > HELP_COLUMN) {
			putchar('\n');
			at = 0;
		}
		printf("%*s", HELP_COLUMN - at, "");
		wrap(o->help, HELP_COLUMN, HELP_COLUMN);
	}
}

int oci_help_command(struct oci *o, const struct oci_command *c)
{
	printf("nook-oci %s%s%s\n\n", c->name, c->synopsis[0] ? " " : "", c->synopsis);
	printf("%c%s.\n", toupper((unsigned char)c->summary[0]), c->summary + 1);
	if (c->about[0])
		wrap(c->about, 0, 0);
	puts("\nOptions");
	print_options(c->options);
	puts("\nman nook-oci says more.");
	return oci_print_end(o);
}

int oci_help_commands(struct oci *o)
{
	puts("nook-oci [OPTION...] COMMAND [OPTION...] [WORD...]\n\n"
	     "An OCI runtime: what Podman, Buildah, containerd, CRI-O and Docker "
	     "call.\n\nCommands");
	for (size_t i = 0; i < oci_n_commands; i++)
		printf("  %-12s %s\n", oci_commands[i].name, oci_commands[i].summary);
	puts("\nOptions before the command");
	print_options(&oci_global_table);
	puts("\nnook-oci COMMAND --help shows a command's options.");
	return oci_print_end(o);
}

/* ---- scdoc(5) ---- */

static void put_scdoc(const char *text)
{
	for (; *text; text++) {
		if (strchr("\\*_#[]|`~", *text))
			putchar('\\');
		putchar(*text);
	}
}

static void scdoc_options(const struct oci_table *table)
{
	for (size_t i = 0; i < table->n; i++) {
		const struct oci_option *o = &table->rows[i];

		if (!o->help)
			continue;
		putchar('\n');
		if (o->letter)
			printf("*-%c*, ", o->letter);
		fputs("*--", stdout);
		put_scdoc(o->name);
		putchar('*');
		if (o->value) {
			fputs(before_value(o), stdout);
			putchar('_');
			put_scdoc(o->value);
			putchar('_');
			fputs(o->kind == OCI_OPTIONAL ? "]" : "", stdout);
		}
		printf("\n\t%c", toupper((unsigned char)o->help[0]));
		put_scdoc(o->help + 1);
		puts(".");
	}
}

static int scdoc(struct oci *o)
{
	puts("# OPTIONS BEFORE THE COMMAND");
	scdoc_options(&oci_global_table);
	puts("\n# COMMANDS");
	for (size_t i = 0; i < oci_n_commands; i++) {
		const struct oci_command *c = &oci_commands[i];

		/* A heading takes every character as it is. */
		printf("\n## %s %s\n", c->name, c->synopsis);
		printf("\n%c", toupper((unsigned char)c->summary[0]));
		put_scdoc(c->summary + 1);
		fputs(c->about[0] ? ". " : ".", stdout);
		put_scdoc(c->about);
		putchar('\n');
		if (c->options != &oci_no_options)
			scdoc_options(c->options);
	}
	return oci_print_end(o);
}

static const struct oci_option rows[] = {
	{ "scdoc", 0, OCI_FLAG, offsetof(struct oci_help_words, scdoc), NULL, NULL },
	OCI_HELP_ROW,
};

const struct oci_table oci_help_table = { .rows = rows, .n = ARRAY_SIZE(rows) };

int oci_help(struct oci *o, const void *words)
{
	const struct oci_help_words *w = words;
	struct nook_error err = { 0 };

	if (w->scdoc)
		return scdoc(o);
	if (o->n == 0)
		return oci_help_commands(o);

	const struct oci_command *c = oci_command_find(o->argv[0]);

	if (c)
		return oci_help_command(o, c);
	(void)nook_refuse(&err, EINVAL, "there is no command '%s'", o->argv[0]);
	return oci_failed(o, &err);
}
