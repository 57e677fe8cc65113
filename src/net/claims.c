/* SPDX-License-Identifier: Apache-2.0 */
#include "claims.h"

#include "base/own.h"
#include "base/text.h"
#include "store.h"

#include <string.h>

#define PATH_SIZE 300 /* "net/addresses/", and any name */

static const char *path_of(const char *folder, const char *file, char out[PATH_SIZE])
{
	(void)nook_format(out, PATH_SIZE, "net/%s/%s", folder, file);
	return out;
}

int nook_claim_holder(int base, const char *folder, const char *file, char out[NOOK_HOLDER_SIZE],
		      struct nook_error *err)
{
	char path[PATH_SIZE];

	return nook_held_by(base, path_of(folder, file, path), out, err);
}

bool nook_claim_is_mine(const struct nook_state *state, const char *folder, const char *file)
{
	char holder[NOOK_HOLDER_SIZE];
	int rc = nook_claim_holder(state->base, folder, file, holder, NULL);

	/* Twice: what is not undone because it seems to be nobody's stays. */
	if (rc < 0 && rc != -ENOENT)
		rc = nook_claim_holder(state->base, folder, file, holder, NULL);
	return rc == 0 && strcmp(holder, state->name) == 0;
}

bool nook_claim_is_dead(int base, const char *folder, const char *file)
{
	char path[PATH_SIZE];

	return nook_held_by_dead(base, path_of(folder, file, path));
}

int nook_claim_take(const struct nook_state *state, const char *folder, const char *file,
		    char holder[NOOK_HOLDER_SIZE], struct nook_error *err)
{
	char path[PATH_SIZE];
	auto_close int made = nook_net_folder(state->base, folder, true, err);

	return made < 0 ? made : nook_held_take(state, path_of(folder, file, path), holder, err);
}

int nook_claim_release(const struct nook_state *state, const char *folder, const char *file,
		       struct nook_error *err)
{
	char path[PATH_SIZE];

	return nook_held_release(state->base, path_of(folder, file, path), state->name, err);
}

int nook_claim_release_all(const struct nook_state *state, const char *folder,
			   struct nook_error *err)
{
	char path[PATH_SIZE];

	(void)nook_format(path, sizeof(path), "net/%s", folder); /* one of ours: short */
	return nook_held_release_all(state, path, err);
}
