/* SPDX-License-Identifier: Apache-2.0 */
#include "claims.h"

#include "base/own.h"
#include "base/text.h"
#include "state/files.h"
#include "store.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define PATH_SIZE 160 /* "net/addresses/", 32 bytes, 50 bytes, and room */

/* Relative to STATE_DIR: nobody else can put a symlink into it, and a cleanup needs no descriptor
 * this way when these have run out. */
static void path_of(const char *folder, const char *file, char out[PATH_SIZE])
{
	(void)nook_format(out, PATH_SIZE, "net/%s/%s", folder, file);
}

int nook_claim_holder(int base, const char *folder, const char *file, char out[256],
		      struct nook_error *err)
{
	char path[PATH_SIZE];

	path_of(folder, file, path);

	ssize_t n = readlinkat(base, path, out, 256);

	if (n < 0 && errno == ENOENT)
		return -ENOENT;
	if (n < 0)
		return nook_fail(err, errno, "readlink %s in the state directory", path);
	out[n < 256 ? n : 255] = '\0';
	if (n == 256 || !nook_valid_id(out))
		return nook_refuse(err, EINVAL, "%s in the state directory names no container",
				   path);
	return 0;
}

bool nook_claim_is_mine(const struct nook_state *state, const char *folder, const char *file)
{
	char holder[256];

	return nook_claim_holder(state->base, folder, file, holder, NULL) == 0 &&
	       strcmp(holder, state->name) == 0;
}

bool nook_claim_is_dead(int base, const char *folder, const char *file)
{
	struct nook_holder lock;
	char holder[256];

	return nook_claim_holder(base, folder, file, holder, NULL) == 0 &&
	       nook_lock_holder(base, holder, &lock, NULL) == 0 && !lock.held;
}

static int give_back(const struct nook_state *state, const char *folder, const char *file,
		     struct nook_error *err)
{
	char path[PATH_SIZE], holder[256];
	int rc = nook_claim_holder(state->base, folder, file, holder, err);

	if (rc == -ENOENT || (rc == 0 && strcmp(holder, state->name) != 0))
		return 0;
	if (rc < 0)
		return rc;

	path_of(folder, file, path);
	if (unlinkat(state->base, path, 0) < 0 && errno != ENOENT)
		return nook_fail(err, errno, "unlink %s in the state directory", path);
	return 0;
}

int nook_claim_release(const struct nook_state *state, const char *folder, const char *file,
		       struct nook_error *err)
{
	/* Twice, as files are deleted. */
	return give_back(state, folder, file, NULL) == 0 ? 0 : give_back(state, folder, file, err);
}

/* Undoes a dead container, and takes what it holds from it. -EEXIST: it lives, or can't be undone.
 */
static int reclaim(int base, const char *folder, const char *file, const char *holder,
		   struct nook_error *err)
{
	struct nook_state s = NOOK_STATE_NONE;
	int rc = nook_state_open_at(base, holder, &s, err);

	if (rc < 0)
		return rc;

	/* With its lock in our hands nobody else takes the name, and so nothing for it. */
	rc = nook_lock_take(&s, err);
	if (rc == 0)
		rc = nook_state_clear(&s, err);
	if (rc == 0)
		rc = nook_claim_release(&s, folder, file, err);
	if (rc < 0) {
		nook_state_close(&s);
		return -EEXIST;
	}
	return nook_state_drop(&s, err);
}

int nook_claim_take(const struct nook_state *state, const char *folder, const char *file,
		    char holder[256], struct nook_error *err)
{
	char path[PATH_SIZE];
	auto_close int made = nook_net_folder(state->base, folder, true, err);

	if (made < 0)
		return made;
	path_of(folder, file, path);
	holder[0] = '\0';
	for (int i = 0; i < 3; i++) {
		if (symlinkat(state->name, state->base, path) == 0)
			return 0;
		if (errno != EEXIST)
			return nook_fail(err, errno, "symlink %s in the state directory", path);

		int rc = nook_claim_holder(state->base, folder, file, holder, err);

		if (rc == -ENOENT) /* given back just now */
			continue;
		if (rc < 0)
			return rc;
		if (strcmp(holder, state->name) == 0)
			return 0;
		rc = reclaim(state->base, folder, file, holder, err);
		if (rc < 0)
			return rc;
	}
	return -EEXIST;
}

int nook_claim_release_all(const struct nook_state *state, const char *folder,
			   struct nook_error *err)
{
	auto_closedir DIR *dir = NULL;
	int rc = nook_net_folder_list(state->base, folder, &dir, err);

	if (rc < 0)
		return rc == -ENOENT ? 0 : rc;
	while (rc == 0) {
		errno = 0;
		const struct dirent *entry = readdir(dir);

		if (!entry)
			return errno ? nook_fail(err, errno, "read net/%s in the state directory",
						 folder)
				     : 0;
		/* Our own names are shorter than any that would be cut. */
		if (strlen(entry->d_name) < PATH_SIZE / 2 && entry->d_name[0] != '.')
			rc = nook_claim_release(state, folder, entry->d_name, err);
	}
	return rc;
}
