/* SPDX-License-Identifier: Apache-2.0 */
#include "complete.h"

#include "base/report.h"
#include "options.h"

#include <string.h>

static const char head[] =
	"#compdef nook\n"
	"# zsh completion of nook: written by `nook completion zsh`\n"
	"\n"
	"_nook_names() {\n"
	"\tlocal -a names\n"
	"\tnames=(${(f)\"$(_call_program containers nook ps --quiet 2>/dev/null)\"})\n"
	"\t_describe -t containers container names\n"
	"}\n"
	"\n"
	"_nook_namespaces() {\n"
	"\tlocal -a names\n"
	"\tnames=(${(f)\"$(_call_program namespaces nook ns ls --quiet 2>/dev/null)\"})\n"
	"\t_describe -t namespaces namespace names\n"
	"}\n"
	"\n"
	"# Its words, and the networks.\n"
	"_nook_networks() {\n"
	"\tlocal -a names\n"
	"\tnames=(\"$@\" ${(f)\"$(_call_program networks nook net ls --quiet 2>/dev/null)\"})\n"
	"\t_describe -t networks network names\n"
	"}\n";

static const char tail[] = "\n"
			   "_nook() {\n"
			   "\tlocal curcontext=$curcontext state line\n"
			   "\n"
			   "\t_arguments -C '--help[print help]' '--version[print the version]' "
			   "'1: :_nook_commands' '*:: :->words'\n"
			   "\t[[ $state == words ]] || return\n"
			   "\t(( $+functions[_nook_${words[1]}] )) && _nook_${words[1]}\n"
			   "}\n"
			   "\n"
			   "[[ $funcstack[1] == _nook ]] && _nook \"$@\" || compdef _nook nook\n";

/* ":MESSAGE:ACTION" */
static void put_action(FILE *out, const struct nook_option *o)
{
	if (!o->value)
		return;
	fputs(o->flags & NOOK_OPTION_OPTIONAL ? "::" : ":", out);
	nook_print_zsh(out, o->value);
	fputc(':', out);

	switch ((enum nook_complete)o->complete) {
	case NOOK_COMPLETE_WORDS:
		fprintf(out, "(%s)", o->words);
		break;
	case NOOK_COMPLETE_LIST:
		fprintf(out, "_values -s , value %s", o->words);
		break;
	case NOOK_COMPLETE_FILE:
		fputs("_files", out);
		break;
	case NOOK_COMPLETE_DIR:
		fputs("_files -/", out);
		break;
	case NOOK_COMPLETE_USER:
		fputs("_users", out);
		break;
	case NOOK_COMPLETE_ENV:
		fputs("_parameters -g \"*export*\"", out);
		break;
	case NOOK_COMPLETE_NETWORK: /* the blank keeps _arguments from adding words of its own */
		fprintf(out, " _nook_networks %s", o->words);
		break;
	case NOOK_COMPLETE_NOTHING:
		fputc(' ', out);
		break;
	}
}

/* One spec of _arguments for one spelling of an option. */
static void put_spelling(FILE *out, const struct nook_option *o, const char *dashes,
			 const char *name)
{
	bool is_long = dashes[1] == '-';

	fputs(" \\\n\t\t'", out);
	if (o->flags & NOOK_OPTION_MANY)
		fputc('*', out);
	else if (o->letter)
		fprintf(out, "(-%c --%s)", o->letter, o->name);
	fprintf(out, "%s%s", dashes, name);
	if (o->value && (o->flags & NOOK_OPTION_OPTIONAL))
		fputs("=-", out);
	else if (o->value)
		fputc(is_long ? '=' : '+', out);
	fputc('[', out);
	nook_print_zsh(out, o->help);
	fputc(']', out);
	put_action(out, o);
	fputc('\'', out);
}

static void put_option(FILE *out, const struct nook_option *o)
{
	const char letter[] = { o->letter, '\0' };

	put_spelling(out, o, "--", o->name);
	if (o->letter)
		put_spelling(out, o, "-", letter);
	if (o->flags & NOOK_OPTION_NO)
		put_spelling(out, o, "--no-", o->name);
}

/* The function that describes the commands, or the verbs of one: "_nook_commands",
 * "_nook_ns_verbs". */
static void put_list(FILE *out, const char *command)
{
	fprintf(out, "\n_nook_%s%s() {\n\tlocal -a commands\n\tcommands=(", command,
		command[0] ? "_verbs" : "commands");
	for (size_t i = 0; i < nook_n_commands; i++) {
		const char *name = nook_command_verb(&nook_commands[i], command);

		if (!name)
			continue;
		fprintf(out, "\n\t\t'%s:", name);
		nook_print_zsh(out, nook_commands[i].summary);
		fputc('\'', out);
	}
	fputs("\n\t)\n\t_describe -t commands command commands\n}\n", out);
}

static void put_operands(FILE *out, const struct nook_command *c)
{
	switch (c->operands) {
	case NOOK_OPERANDS_NONE:
		break;
	case NOOK_OPERANDS_COMMAND:
		fputs(" \\\n\t\t'*::command:_normal'", out);
		break;
	case NOOK_OPERANDS_CONTAINERS:
		fputs(" \\\n\t\t'*:container:_nook_names'", out);
		break;
	case NOOK_OPERANDS_CONTAINER_COMMAND:
		fputs(" \\\n\t\t'1:container:_nook_names' \\\n\t\t'*::command:_normal'", out);
		break;
	case NOOK_OPERANDS_NOOK_COMMAND:
		fputs(" \\\n\t\t'1: :_nook_commands'", out);
		break;
	case NOOK_OPERANDS_VERB:
		fprintf(out, " \\\n\t\t'1: :_nook_%s_verbs' \\\n\t\t'*:: :->words'\n", c->name);
		fprintf(out,
			"\t[[ $state == words ]] || return\n"
			"\t(( $+functions[_nook_%s_${words[1]}] )) && _nook_%s_${words[1]}",
			c->name, c->name);
		break;
	case NOOK_OPERANDS_NAMESPACE:
		fputs(" \\\n\t\t'*:namespace:_nook_namespaces'", out);
		break;
	case NOOK_OPERANDS_NETWORKS:
		fputs(" \\\n\t\t'*:network: _nook_networks'", out);
		break;
	case NOOK_OPERANDS_CONTAINER_NETWORK:
		fputs(" \\\n\t\t'1:container:_nook_names' \\\n\t\t'2:network: _nook_networks'",
		      out);
		break;
	case NOOK_OPERANDS_SHELL:
		fputs(" \\\n\t\t'1:shell:(bash zsh)'", out);
		break;
	}
}

void nook_complete_zsh(FILE *out)
{
	fputs(head, out);
	put_list(out, "");

	for (size_t i = 0; i < nook_n_commands; i++) {
		const struct nook_command *c = &nook_commands[i];

		const char *space = strchr(c->name, ' ');

		if (c->operands == NOOK_OPERANDS_VERB)
			put_list(out, c->name);
		/* "_nook_ns_ls" */
		fprintf(out, "\n_nook_%.*s%s%s() {\n", (int)strcspn(c->name, " "), c->name,
			space ? "_" : "", space ? space + 1 : "");
		if (c->operands == NOOK_OPERANDS_VERB)
			fputs("\tlocal curcontext=$curcontext state line\n\n", out);
		fprintf(out, "\t_arguments %s-s -S",
			c->operands == NOOK_OPERANDS_VERB ? "-C " : "");
		for (size_t k = 0; k < c->options->n; k++) {
			if (c->options->rows[k].name)
				put_option(out, &c->options->rows[k]);
		}
		put_operands(out, c);
		fputs("\n}\n", out);
	}
	fputs(tail, out);
}
