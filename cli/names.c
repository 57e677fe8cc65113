/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include "base/text.h"
#include "nook/container.h"

#include <errno.h>
#include <string.h>

int nook_cli_read(struct nook_arena *a, const struct nook_option_table *table, char **argv,
		  void *into, struct nook_option_words *ret)
{
	struct nook_error err = { 0 };
	int rc = nook_arena_open(a, &err);

	if (rc < 0)
		return nook_cli_failed(&err, NULL, NOOK_EXIT_FAILURE);

	rc = nook_options_read(table, a, argv + 1, into, ret, &err);
	if (rc == -ECANCELED)
		return nook_help_command(table->command + strlen("nook "));
	return rc < 0 ? nook_cli_refused(&err) : -1;
}

int nook_cli_names(struct nook_arena *a, const struct nook_option_table *table, char **argv,
		   void *into, struct nook_option_words *ret)
{
	struct nook_error err = { 0 };
	int status = nook_cli_read(a, table, argv, into, ret);

	if (status >= 0)
		return status;
	if (ret->n_words == 0) {
		nook_hint(&err, "nook ps lists the containers.");
		(void)nook_refuse(&err, EINVAL, "the container's NAME is missing: %s NAME",
				  table->command);
		return nook_cli_refused(&err);
	}
	for (size_t i = 0; i < ret->n_words; i++) {
		if (!nook_valid_id(ret->words[i])) {
			(void)nook_refuse(&err, EINVAL, "'%s' can't be a container's name",
					  ret->words[i]);
			return nook_cli_refused(&err);
		}
	}
	return -1;
}

int nook_cli_each(const struct nook_option_table *table, char **argv, void *words,
		  nook_cli_one *one)
{
	auto_arena struct nook_arena a = { 0 };
	struct nook_option_words names;
	struct nook_error err = { 0 };
	const char *state_dir;
	int status = nook_cli_names(&a, table, argv, words, &names);

	if (status >= 0)
		return status;
	if (nook_state_dir(&state_dir, &err) < 0)
		return nook_cli_failed(&err, NULL, NOOK_EXIT_FAILURE);

	status = 0;
	for (size_t i = 0; i < names.n_words; i++) {
		memset(&err, 0, sizeof(err));
		if (one(&a, state_dir, names.words[i], words, &err) < 0)
			status = nook_cli_failed(&err, NULL, NOOK_EXIT_FAILURE);
	}
	return status;
}

int nook_cli_no_words(const struct nook_option_table *table, const struct nook_option_words *words)
{
	struct nook_error err = { 0 };

	if (words->n_words == 0)
		return -1;
	nook_hint(&err, "%s --help shows how it is used.", table->command);
	(void)nook_refuse(&err, EINVAL, "%s takes no word such as '%s'", table->command,
			  words->words[0]);
	return nook_cli_refused(&err);
}
