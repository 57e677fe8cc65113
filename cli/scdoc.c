/* SPDX-License-Identifier: Apache-2.0 */
/* The OPTIONS section of a man page in scdoc(5)'s form: tools/manpage puts it into man/. */
#include "options.h"

#include <ctype.h>
#include <string.h>

/* scdoc reads these as formatting. */
static void put(FILE *out, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (strchr("\\*_#[]|`~", text[i]))
			fputc('\\', out);
		fputc(text[i], out);
	}
}

static void put_all(FILE *out, const char *text)
{
	put(out, text, strlen(text));
}

/* A fragment of --help as a sentence. */
static void put_sentence(FILE *out, const char *text)
{
	size_t len = strlen(text);

	if (len == 0)
		return;
	fputc(toupper((unsigned char)text[0]), out);
	put(out, text + 1, len - 1);
	if (text[len - 1] != '.')
		fputc('.', out);
}

static void put_option(FILE *out, const struct nook_option *o)
{
	if (o->letter)
		fprintf(out, "*-%c*, ", o->letter);
	fputs("*--", out);
	put_all(out, o->name);
	fputc('*', out);
	if (o->flags & NOOK_OPTION_NO) {
		fputs(", *--no-", out);
		put_all(out, o->name);
		fputc('*', out);
	}
	if (o->value) {
		fputs(o->flags & NOOK_OPTION_OPTIONAL ? "[=" : " ", out);
		fputc('_', out);
		put_all(out, o->value);
		fputc('_', out);
		if (o->flags & NOOK_OPTION_OPTIONAL)
			fputc(']', out);
	}
	fputc('\n', out);
}

void nook_help_scdoc(FILE *out, const struct nook_option_table *table)
{
	const char *verb = strchr(table->command + strlen("nook "), ' ');

	/* A page of a command with verbs has one such section for each. */
	fputs(verb ? "# OPTIONS OF" : "# OPTIONS", out);
	for (; verb && *verb; verb++)
		fputc(toupper((unsigned char)*verb), out);
	fputc('\n', out);
	for (size_t i = 0; i < table->n; i++) {
		const struct nook_option *o = &table->rows[i];

		fputc('\n', out);
		if (!o->name) {
			fprintf(out, "## %s\n", o->help);
			continue;
		}
		put_option(out, o);
		fputc('\t', out);
		put_sentence(out, o->help);
		if (o->flags & NOOK_OPTION_MANY)
			fputs(" May be repeated.", out);
		if (o->more) {
			fputc(' ', out);
			put_all(out, o->more);
		}
		fputc('\n', out);
	}
}
