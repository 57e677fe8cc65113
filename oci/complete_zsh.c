/* SPDX-License-Identifier: Apache-2.0 */
#include "complete.h"

#include "base/report.h"

static const char head[] =
	"#compdef nook-oci\n"
	"# zsh completion of nook-oci: written by `nook-oci completion zsh`\n"
	"\n"
	"_nook_oci_ids() {\n"
	"\tlocal -a ids\n"
	"\tids=(${(f)\"$(_call_program containers nook-oci $root list --quiet 2>/dev/null)\"})\n"
	"\t_describe -t containers container ids\n"
	"}\n";

static const char tail[] =
	"\n"
	"\t[[ $state == words ]] || return\n"
	"\troot=(${opt_args[--root]:+--root} ${(Q)opt_args[--root]})\n"
	"\t(( $+functions[_nook_oci_${words[1]}] )) && _nook_oci_${words[1]}\n"
	"}\n"
	"\n"
	"[[ $funcstack[1] == _nook-oci ]] && _nook_oci \"$@\" || compdef _nook_oci nook-oci\n";

/* @words: of OCI_COMPLETE_WORDS */
static void put_action(FILE *out, enum oci_complete what, const char *words)
{
	static const char *const actions[] = {
		[OCI_COMPLETE_NOTHING] = " ",
		[OCI_COMPLETE_FILE] = "_files",
		[OCI_COMPLETE_DIR] = "_files -/",
		[OCI_COMPLETE_ID] = "_nook_oci_ids",
		[OCI_COMPLETE_SIGNAL] = "_signals -s",
		[OCI_COMPLETE_COMMAND] = "_nook_oci_commands",
		[OCI_COMPLETE_PROGRAM] = "_normal",
	};

	if (what != OCI_COMPLETE_WORDS) {
		fputs(actions[what], out);
		return;
	}
	fputc('(', out);
	oci_complete_put_words(out, words, ' ');
	fputc(')', out);
}

/* One spec of _arguments for one spelling of an option. */
static void put_spelling(FILE *out, const struct oci_option *o, const char *dashes,
			 const char *name)
{
	fputs(" \\\n\t\t'", out);
	if (o->kind == OCI_LIST)
		fputc('*', out);
	else if (o->letter)
		fprintf(out, "(-%c --%s)", o->letter, o->name);
	fprintf(out, "%s%s", dashes, name);
	if (o->value)
		fputs(o->kind == OCI_OPTIONAL ? "=-" : dashes[1] ? "=" : "+", out);
	fputc('[', out);
	nook_print_zsh(out, o->help);
	fputc(']', out);
	if (o->value) {
		fputs(o->kind == OCI_OPTIONAL ? "::" : ":", out);
		nook_print_zsh(out, o->value);
		fputc(':', out);
		put_action(out, oci_complete_value(o->value), o->value);
	}
	fputc('\'', out);
}

static void put_options(FILE *out, const struct oci_table *t)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct oci_option *o = &t->rows[i];
		const char letter[] = { o->letter, '\0' };

		if (!o->help)
			continue;
		put_spelling(out, o, "--", o->name);
		if (o->letter)
			put_spelling(out, o, "-", letter);
	}
}

static void put_operands(FILE *out, const struct oci_command *c)
{
	for (size_t n = 0; n < 2; n++) {
		enum oci_complete what = oci_complete_operand(c, n);

		if (what == OCI_COMPLETE_NOTHING)
			continue;
		if (what == OCI_COMPLETE_PROGRAM)
			fputs(" \\\n\t\t'*::command:", out);
		else
			fprintf(out, " \\\n\t\t'%zu: :", n + 1);
		put_action(out, what, c->synopsis);
		fputc('\'', out);
	}
}

static void put_commands(FILE *out)
{
	fputs("\n_nook_oci_commands() {\n\tlocal -a commands\n\tcommands=(", out);
	for (size_t i = 0; i < oci_n_commands; i++) {
		fprintf(out, "\n\t\t'%s:", oci_commands[i].name);
		nook_print_zsh(out, oci_commands[i].summary);
		fputc('\'', out);
	}
	fputs("\n\t)\n\t_describe -t commands command commands\n}\n", out);
}

void oci_complete_zsh(FILE *out)
{
	fputs(head, out);
	put_commands(out);
	for (size_t i = 0; i < oci_n_commands; i++) {
		fprintf(out, "\n_nook_oci_%s() {\n\t_arguments -s -S", oci_commands[i].name);
		put_options(out, oci_commands[i].options);
		put_operands(out, &oci_commands[i]);
		fputs("\n}\n", out);
	}
	fputs("\n_nook_oci() {\n\tlocal curcontext=$curcontext state line\n\tlocal -a root\n"
	      "\tlocal -A opt_args\n\n\t_arguments -C",
	      out);
	put_options(out, &oci_global_table);
	fputs(" \\\n\t\t'1: :_nook_oci_commands' \\\n\t\t'*:: :->words'", out);
	fputs(tail, out);
}
