/* SPDX-License-Identifier: Apache-2.0 */
#include "words.h"

#include "base/text.h"
#include "values.h"
#include "words_set.h"

#include <errno.h>
#include <string.h>

static int check_command(const struct nook_option_words *words, struct nook_error *err)
{
	if (words->n_words > 0 && !words->words[0][0])
		return nook_refuse(err, EINVAL, "the COMMAND is an empty word");
	return 0;
}

int nook_words_run(struct nook_arena *a, char **argv, struct nook_run_words *ret,
		   struct nook_error *err)
{
	struct nook_option_words words;

	*ret = (struct nook_run_words){ 0 };

	int rc = nook_options_read(&nook_run_table, a, argv, ret, &words, err);

	ret->help = rc == -ECANCELED;
	if (ret->help)
		return 0;
	if (rc == 0)
		rc = check_command(&words, err);
	if (rc == 0)
		rc = nook_words_check(&words, &ret->spec, err);
	if (rc < 0)
		return rc;

	if (words.n_words > 0)
		ret->spec.argv = (const char **)words.words;
	return 0;
}

int nook_words_exec(struct nook_arena *a, char **argv, struct nook_exec_words *ret,
		    struct nook_error *err)
{
	struct nook_option_words words;

	*ret = (struct nook_exec_words){ 0 };

	int rc = nook_options_read(&nook_exec_table, a, argv, ret, &words, err);

	ret->help = rc == -ECANCELED;
	if (ret->help)
		return 0;
	if (rc < 0)
		return rc;
	if (words.n_words < 1)
		return nook_refuse(err, EINVAL,
				   "the container's NAME is missing: nook exec NAME COMMAND");

	char **command = words.words + 1;

	if (!nook_valid_id(words.words[0]))
		return nook_refuse(err, EINVAL, "'%s' can't be a container's name", words.words[0]);
	if (*command && strcmp(*command, "--") == 0) {
		command++;
	} else if (*command && **command == '-') {
		nook_hint(err, "Options stand before the NAME; a command that begins with '-' "
			       "stands behind --.");
		return nook_refuse(err, EINVAL, "'%s' stands where the COMMAND begins", *command);
	}
	if (!*command)
		return nook_refuse(err, EINVAL, "the COMMAND is missing: nook exec %s COMMAND",
				   words.words[0]);
	if (!**command)
		return nook_refuse(err, EINVAL, "the COMMAND is an empty word");

	ret->spec.name = words.words[0];
	ret->spec.argv = (const char **)command;
	return 0;
}
