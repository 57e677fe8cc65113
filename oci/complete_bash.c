/* SPDX-License-Identifier: Apache-2.0 */
#include "complete.h"

#include <string.h>

/* Bash splits words at = and : too, so a value may follow its option after a "=", and go on behind
 * a ":". */
static const char head[] =
	"# bash completion of nook-oci: written by `nook-oci completion bash`\n"
	"# shellcheck disable=SC2207 # words of compgen -W have no spaces, and files are split by "
	"lines\n"
	"\n"
	"_nook_oci_files() {\n"
	"\tlocal IFS=$'\\n'\n"
	"\tCOMPREPLY=($(compgen \"$1\" -- \"$cur\"))\n"
	"\tcompopt -o filenames 2>/dev/null\n"
	"}\n"
	"\n"
	"_nook_oci_ids() {\n"
	"\tCOMPREPLY=($(compgen -W \"$(nook-oci \"${root[@]}\" list --quiet 2>/dev/null)\" -- "
	"\"$cur\"))\n"
	"}\n"
	"\n"
	"# A program and its arguments, which begin at word $1.\n"
	"_nook_oci_program() {\n"
	"\tif declare -F _command_offset >/dev/null; then\n"
	"\t\t_command_offset \"$1\"\n"
	"\telif ((COMP_CWORD == $1)); then\n"
	"\t\tCOMPREPLY=($(compgen -c -- \"$cur\"))\n"
	"\telse\n"
	"\t\t_nook_oci_files -f\n"
	"\tfi\n"
	"}\n"
	"\n"
	"_nook_oci() {\n"
	"\tlocal cur=${COMP_WORDS[COMP_CWORD]} option='' program='' i\n"
	"\tlocal -a words=() root=()\n"
	"\tlocal values options in_order=' ";

static const char start[] = "'\n"
			    "\n"
			    "\tCOMPREPLY=()\n";

static const char walk[] =
	"\n"
	"\t# The words so far, or the option that the cursor's word is a value of.\n"
	"\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
	"\t\tif [[ ${COMP_WORDS[i]} == -?* ]]; then\n"
	"\t\t\t[[ $values == *\" ${COMP_WORDS[i]} \"* || ${COMP_WORDS[i + 1]} == = ]] || continue\n"
	"\t\t\toption=${COMP_WORDS[i]}\n"
	"\t\t\t[[ ${COMP_WORDS[i + 1]} == = ]] && ((i++))\n"
	"\t\t\t((i++))\n"
	"\t\t\t[[ $option == --root ]] && root=(--root \"${COMP_WORDS[i]}\")\n"
	"\t\t\twhile ((i < COMP_CWORD)) && [[ ${COMP_WORDS[i + 1]} == [:=]* || "
	"${COMP_WORDS[i]} == [:=]* ]]; do\n"
	"\t\t\t\t((i++))\n"
	"\t\t\tdone\n"
	"\t\t\t((i < COMP_CWORD)) && option=\n"
	"\t\t\tcontinue\n"
	"\t\tfi\n"
	"\t\twords+=(\"${COMP_WORDS[i]}\")\n"
	"\t\tif ((${#words[@]} > 1)); then\n"
	"\t\t\t# What follows the id is another program's.\n"
	"\t\t\t[[ $in_order == *\" ${words[0]} \"* ]] || continue\n"
	"\t\t\tprogram=$((i + 1))\n"
	"\t\t\tbreak\n"
	"\t\tfi\n"
	"\t\tcase ${COMP_WORDS[i]} in\n";

static const char after_walk[] = "\t\tesac\n"
				 "\tdone\n"
				 "\t[[ $cur == [:=] ]] && cur=\n"
				 "\n"
				 "\tif [[ $option ]]; then\n"
				 "\t\tcase \"${words[0]} $option\" in\n";

static const char after_options[] = "\t\tesac\n"
				    "\t\treturn\n"
				    "\tfi\n"
				    "\tif [[ ! $program && $cur == -* ]]; then\n"
				    "\t\tCOMPREPLY=($(compgen -W \"$options\" -- \"$cur\"))\n"
				    "\t\treturn\n"
				    "\tfi\n"
				    "\tcase \"${words[0]} ${#words[@]}\" in\n";

static const char tail[] = "\tesac\n"
			   "}\n"
			   "\n"
			   "complete -F _nook_oci nook-oci\n";

/* "values", the words that take one, and "options", all that --help shows. */
static void put_sets(FILE *out, const struct oci_table *t, const char *indent)
{
	fprintf(out, "%svalues=\" ", indent);
	for (size_t i = 0; i < t->n; i++) {
		const struct oci_option *o = &t->rows[i];

		if (!oci_complete_needs_value(o))
			continue;
		fprintf(out, "--%s ", o->name);
		if (o->letter)
			fprintf(out, "-%c ", o->letter);
	}
	fprintf(out, "\"\n%soptions=\"", indent);
	for (size_t i = 0, shown = 0; i < t->n; i++) {
		if (t->rows[i].help)
			fprintf(out, "%s--%s", shown++ ? " " : "", t->rows[i].name);
	}
	fputs("\"\n", out);
}

/* @words: of OCI_COMPLETE_WORDS */
static void put_action(FILE *out, enum oci_complete what, const char *words)
{
	switch (what) {
	case OCI_COMPLETE_FILE:
		fputs("_nook_oci_files -f", out);
		break;
	case OCI_COMPLETE_DIR:
		fputs("_nook_oci_files -d", out);
		break;
	case OCI_COMPLETE_WORDS:
		fputs("COMPREPLY=($(compgen -W \"", out);
		oci_complete_put_words(out, words, ' ');
		fputs("\" -- \"$cur\"))", out);
		break;
	case OCI_COMPLETE_ID:
		fputs("_nook_oci_ids", out);
		break;
	case OCI_COMPLETE_SIGNAL:
		fputs("COMPREPLY=($(compgen -A signal -- \"$cur\"))", out);
		break;
	case OCI_COMPLETE_COMMAND:
		fputs("COMPREPLY=($(compgen -W \"", out);
		for (size_t i = 0; i < oci_n_commands; i++)
			fprintf(out, "%s%s", i ? " " : "", oci_commands[i].name);
		fputs("\" -- \"$cur\"))", out);
		break;
	case OCI_COMPLETE_PROGRAM:
		fputs("_nook_oci_program \"${program:-$COMP_CWORD}\"", out);
		break;
	case OCI_COMPLETE_NOTHING:
		break;
	}
}

static void put_values(FILE *out, const char *command, const struct oci_table *t)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct oci_option *o = &t->rows[i];
		enum oci_complete what = oci_complete_value(o->value);

		if (what == OCI_COMPLETE_NOTHING)
			continue;
		fprintf(out, "\t\t\"%s --%s\"", command, o->name);
		if (o->letter)
			fprintf(out, " | \"%s -%c\"", command, o->letter);
		fputs(") ", out);
		put_action(out, what, o->value);
		fputs(" ;;\n", out);
	}
}

static void put_operands(FILE *out, const struct oci_command *c)
{
	for (size_t n = 0; n < 2; n++) {
		enum oci_complete what = oci_complete_operand(c, n);

		if (what == OCI_COMPLETE_NOTHING)
			continue;
		fprintf(out, "\t\"%s %zu\") ", c->name, n + 1);
		put_action(out, what, c->synopsis);
		fputs(" ;;\n", out);
	}
}

void oci_complete_bash(FILE *out)
{
	fputs(head, out);
	for (size_t i = 0; i < oci_n_commands; i++) {
		if (oci_commands[i].options->in_order)
			fprintf(out, "%s ", oci_commands[i].name);
	}
	fputs(start, out);
	put_sets(out, &oci_global_table, "\t");
	fputs(walk, out);
	for (size_t i = 0; i < oci_n_commands; i++) {
		fprintf(out, "\t\t%s)\n", oci_commands[i].name);
		put_sets(out, oci_commands[i].options, "\t\t\t");
		fputs("\t\t\t;;\n", out);
	}
	fputs(after_walk, out);
	put_values(out, "", &oci_global_table);
	for (size_t i = 0; i < oci_n_commands; i++)
		put_values(out, oci_commands[i].name, oci_commands[i].options);
	fputs(after_options, out);
	fputs("\t\" 0\") ", out);
	put_action(out, OCI_COMPLETE_COMMAND, NULL);
	fputs(" ;;\n", out);
	for (size_t i = 0; i < oci_n_commands; i++)
		put_operands(out, &oci_commands[i]);
	fputs(tail, out);
}
