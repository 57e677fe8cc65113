/* SPDX-License-Identifier: Apache-2.0 */
#include "complete.h"

#include "options.h"

#include <string.h>

/* Bash splits words at = and : too, so a value may follow its option after a "=", and a path may
 * follow a ":" inside of a value. */
static const char head[] =
	"# bash completion of nook: written by `nook completion bash`\n"
	"# shellcheck disable=SC2207 # words of compgen -W have no spaces, and files are split by "
	"lines\n"
	"\n"
	"# After the last comma of a list: the words that are not in it yet.\n"
	"_nook_list() {\n"
	"\tlocal before='' word cur=$1\n"
	"\tshift\n"
	"\t[[ $cur == *,* ]] && before=${cur%,*},\n"
	"\tfor word; do\n"
	"\t\t[[ ,$before == *,$word,* ]] || COMPREPLY+=($(compgen -W \"$before$word\" -- "
	"\"$cur\"))\n"
	"\tdone\n"
	"\tcompopt -o nospace 2>/dev/null\n"
	"}\n"
	"\n"
	"_nook_files() {\n"
	"\tlocal IFS=$'\\n'\n"
	"\tCOMPREPLY=($(compgen \"$1\" -- \"$cur\"))\n"
	"\tcompopt -o filenames 2>/dev/null\n"
	"}\n"
	"\n"
	"_nook_names() {\n"
	"\tCOMPREPLY=($(compgen -W \"$(nook ps --quiet 2>/dev/null)\" -- \"$cur\"))\n"
	"}\n"
	"\n"
	"_nook_namespaces() {\n"
	"\tCOMPREPLY=($(compgen -W \"$(nook ns ls --quiet 2>/dev/null)\" -- \"$cur\"))\n"
	"}\n"
	"\n"
	"# The words, and the networks.\n"
	"_nook_networks() {\n"
	"\tCOMPREPLY=($(compgen -W \"$* $(nook net ls --quiet 2>/dev/null)\" -- \"$cur\"))\n"
	"}\n"
	"\n"
	"# A program and its arguments, which begin at word $1.\n"
	"_nook_program() {\n"
	"\tif declare -F _command_offset >/dev/null; then\n"
	"\t\t_command_offset \"$1\"\n"
	"\telif ((COMP_CWORD == $1)); then\n"
	"\t\tCOMPREPLY=($(compgen -c -- \"$cur\"))\n"
	"\telse\n"
	"\t\t_nook_files -f\n"
	"\tfi\n"
	"}\n"
	"\n"
	"_nook() {\n"
	"\tlocal cur=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[1]} option='' values='' "
	"options=''\n"
	"\tlocal i first='' start=2\n"
	"\n"
	"\tCOMPREPLY=()\n"
	"\tif ((COMP_CWORD == 1)); then\n";

static const char middle[] =
	"\n"
	"\t# The first word that is no option, or the option that the cursor's word is a value "
	"of.\n"
	"\tfor ((i = start; i < COMP_CWORD; i++)); do\n"
	"\t\tcase ${COMP_WORDS[i]} in\n"
	"\t\t--)\n"
	"\t\t\tfirst=$((i + 1))\n"
	"\t\t\tbreak\n"
	"\t\t\t;;\n"
	"\t\t-?*)\n"
	"\t\t\t[[ $values == *\" ${COMP_WORDS[i]} \"* || ${COMP_WORDS[i + 1]} == = ]] || continue\n"
	"\t\t\toption=${COMP_WORDS[i]}\n"
	"\t\t\t[[ ${COMP_WORDS[i + 1]} == = ]] && ((i++))\n"
	"\t\t\t((i++))\n"
	"\t\t\twhile ((i < COMP_CWORD)) && [[ ${COMP_WORDS[i + 1]} == [:=]* || "
	"${COMP_WORDS[i]} == [:=]* ]]; do\n"
	"\t\t\t\t((i++))\n"
	"\t\t\tdone\n"
	"\t\t\t((i < COMP_CWORD)) && option=\n"
	"\t\t\t;;\n"
	"\t\t*)\n"
	"\t\t\tfirst=$i\n"
	"\t\t\tbreak\n"
	"\t\t\t;;\n"
	"\t\tesac\n"
	"\tdone\n"
	"\t[[ $cur == [:=] ]] && cur=\n"
	"\n"
	"\tif [[ $option ]]; then\n"
	"\t\tcase \"$command $option\" in\n";

static const char after_options[] = "\t\tesac\n"
				    "\t\treturn\n"
				    "\tfi\n"
				    "\tif [[ ! $first && $cur == -* ]]; then\n"
				    "\t\tCOMPREPLY=($(compgen -W \"$options\" -- \"$cur\"))\n"
				    "\t\treturn\n"
				    "\tfi\n"
				    "\tcase $command in\n";

static const char tail[] = "\tesac\n"
			   "}\n"
			   "\n"
			   "complete -F _nook nook\n";

/* "values" and "options" of each command: the words that take a value, and all. */
static void put_words(FILE *out)
{
	fputs("\tcase $command in\n", out);
	for (size_t i = 0; i < nook_n_commands; i++) {
		const struct nook_option_table *t = nook_commands[i].options;

		fprintf(out, "\t\"%s\")\n\t\tvalues=\" ", nook_commands[i].name);
		for (size_t k = 0; k < t->n; k++) {
			const struct nook_option *o = &t->rows[k];

			if (!o->name || !o->value || (o->flags & NOOK_OPTION_OPTIONAL))
				continue;
			fprintf(out, "--%s ", o->name);
			if (o->letter)
				fprintf(out, "-%c ", o->letter);
		}
		fputs("\"\n\t\toptions=\"", out);
		for (size_t k = 0; k < t->n; k++) {
			const struct nook_option *o = &t->rows[k];

			if (!o->name)
				continue;
			fprintf(out, "%s--%s", k ? " " : "", o->name);
			if (o->flags & NOOK_OPTION_NO)
				fprintf(out, " --no-%s", o->name);
		}
		fputs("\"\n\t\t;;\n", out);
	}
	fputs("\tesac\n", out);
}

/* A command that has verbs: the verb is offered as the second word, and then belongs to the
 * command's name. */
static void put_verbs(FILE *out)
{
	for (size_t i = 0; i < nook_n_commands; i++) {
		const struct nook_command *c = &nook_commands[i];

		if (c->operands != NOOK_OPERANDS_VERB)
			continue;
		fprintf(out, "\tif [[ $command == %s ]]; then\n", c->name);
		fputs("\t\tif ((COMP_CWORD == 2)); then\n\t\t\tCOMPREPLY=($(compgen -W \"", out);
		for (size_t k = 0; k < nook_n_commands; k++) {
			const char *verb = nook_command_verb(&nook_commands[k], c->name);

			if (verb)
				fprintf(out, "%s ", verb);
		}
		fputs("--help\" -- \"$cur\"))\n\t\t\treturn\n\t\tfi\n"
		      "\t\tcommand=\"$command ${COMP_WORDS[2]}\" start=3\n\tfi\n\n",
		      out);
	}
}

/* The branch that completes the value of one option. */
static void put_value(FILE *out, const char *command, const struct nook_option *o)
{
	fprintf(out, "\t\t\"%s --%s\"", command, o->name);
	if (o->letter)
		fprintf(out, " | \"%s -%c\"", command, o->letter);
	fputs(") ", out);

	switch ((enum nook_complete)o->complete) {
	case NOOK_COMPLETE_WORDS:
		fprintf(out, "COMPREPLY=($(compgen -W \"%s\" -- \"$cur\"))%s ;;\n", o->words,
			strchr(o->words, '=') ? "; compopt -o nospace 2>/dev/null" : "");
		break;
	case NOOK_COMPLETE_LIST:
		fprintf(out, "_nook_list \"$cur\" %s ;;\n", o->words);
		break;
	case NOOK_COMPLETE_FILE:
		fputs("_nook_files -f ;;\n", out);
		break;
	case NOOK_COMPLETE_DIR:
		fputs("_nook_files -d ;;\n", out);
		break;
	case NOOK_COMPLETE_USER:
		fputs("COMPREPLY=($(compgen -u -- \"$cur\")) ;;\n", out);
		break;
	case NOOK_COMPLETE_ENV:
		fputs("COMPREPLY=($(compgen -e -- \"$cur\")) ;;\n", out);
		break;
	case NOOK_COMPLETE_NETWORK:
		fprintf(out, "_nook_networks %s ;;\n", o->words);
		break;
	case NOOK_COMPLETE_NOTHING:
		fputs(";;\n", out);
		break;
	}
}

static void put_operands(FILE *out, const struct nook_command *c)
{
	fprintf(out, "\t\"%s\") ", c->name);
	switch (c->operands) {
	case NOOK_OPERANDS_NONE:
		fputs(";;\n", out);
		break;
	case NOOK_OPERANDS_COMMAND:
		fputs("_nook_program \"${first:-$COMP_CWORD}\" ;;\n", out);
		break;
	case NOOK_OPERANDS_CONTAINERS:
		fputs("_nook_names ;;\n", out);
		break;
	case NOOK_OPERANDS_CONTAINER_COMMAND:
		fputs("if ((${first:-$COMP_CWORD} == COMP_CWORD)); then _nook_names; else "
		      "_nook_program $((first + 1)); fi ;;\n",
		      out);
		break;
	case NOOK_OPERANDS_NOOK_COMMAND:
		fputs("COMPREPLY=($(compgen -W \"", out);
		for (size_t i = 0; i < nook_n_commands; i++)
			fprintf(out, "%s%s", i ? " " : "",
				nook_command_verb(&nook_commands[i], "") ?: "");
		fputs("\" -- \"$cur\")) ;;\n", out);
		break;
	case NOOK_OPERANDS_VERB:
		fputs(";;\n", out); /* its verbs were offered before, see put_verbs() */
		break;
	case NOOK_OPERANDS_NAMESPACE:
		fputs("_nook_namespaces ;;\n", out);
		break;
	case NOOK_OPERANDS_NETWORKS:
		fputs("_nook_networks '' ;;\n", out);
		break;
	case NOOK_OPERANDS_CONTAINER_NETWORK:
		fputs("if ((${first:-$COMP_CWORD} == COMP_CWORD)); then _nook_names; else "
		      "_nook_networks ''; fi ;;\n",
		      out);
		break;
	case NOOK_OPERANDS_SHELL:
		fputs("COMPREPLY=($(compgen -W \"bash zsh\" -- \"$cur\")) ;;\n", out);
		break;
	}
}

void nook_complete_bash(FILE *out)
{
	fputs(head, out);
	fputs("\t\tCOMPREPLY=($(compgen -W \"", out);
	for (size_t i = 0; i < nook_n_commands; i++) {
		if (nook_command_verb(&nook_commands[i], ""))
			fprintf(out, "%s ", nook_commands[i].name);
	}
	fputs("--help --version\" -- \"$cur\"))\n\t\treturn\n\tfi\n\n", out);
	put_verbs(out);

	put_words(out);
	fputs(middle, out);
	for (size_t i = 0; i < nook_n_commands; i++) {
		const struct nook_option_table *t = nook_commands[i].options;

		for (size_t k = 0; k < t->n; k++) {
			if (t->rows[k].name && t->rows[k].value)
				put_value(out, nook_commands[i].name, &t->rows[k]);
		}
	}
	fputs(after_options, out);
	for (size_t i = 0; i < nook_n_commands; i++)
		put_operands(out, &nook_commands[i]);
	fputs(tail, out);
}
