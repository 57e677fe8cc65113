/* SPDX-License-Identifier: Apache-2.0 */
#include "held.h"

#include "base/text.h"
#include "files.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#define PATH_SIZE 300 /* a folder of STATE_DIR, and any name in it */

int nook_held_by(int base, const char *path, char out[NOOK_HOLDER_SIZE], struct nook_error *err)
{
	ssize_t n = readlinkat(base, path, out, NOOK_HOLDER_SIZE);

	if (n < 0 && errno == ENOENT)
		return -ENOENT;
	if (n < 0)
		return nook_fail(err, errno, "readlink %s in the state directory", path);
	out[n < NOOK_HOLDER_SIZE ? n : NOOK_HOLDER_SIZE - 1] = '\0';

	const char *kept = nook_after(out, NOOK_HELD_KEPT);

	if (n == NOOK_HOLDER_SIZE || !nook_valid_id(kept ? kept : out))
		return nook_refuse(err, EINVAL, "%s in the state directory names no container",
				   path);
	return 0;
}

static bool is_dead(int base, const char *holder)
{
	struct nook_holder lock;

	return !nook_starts(holder, NOOK_HELD_KEPT) &&
	       nook_lock_holder(base, holder, &lock, NULL) == 0 && !lock.held;
}

bool nook_held_by_dead(int base, const char *path)
{
	char holder[NOOK_HOLDER_SIZE];

	return nook_held_by(base, path, holder, NULL) == 0 && is_dead(base, holder);
}

bool nook_held_is_free(int base, const char *path)
{
	char holder[NOOK_HOLDER_SIZE];
	int rc = nook_held_by(base, path, holder, NULL);

	return rc == -ENOENT || (rc == 0 && is_dead(base, holder));
}

static int give_back(int base, const char *path, const char *name, struct nook_error *err)
{
	char holder[NOOK_HOLDER_SIZE];
	int rc = nook_held_by(base, path, holder, err);

	if (rc == -ENOENT || (rc == 0 && strcmp(holder, name) != 0))
		return 0;
	if (rc < 0)
		return rc;
	if (unlinkat(base, path, 0) < 0 && errno != ENOENT)
		return nook_fail(err, errno, "unlink %s in the state directory", path);
	return 0;
}

int nook_held_release(int base, const char *path, const char *holder, struct nook_error *err)
{
	/* Twice, as files are deleted. */
	return give_back(base, path, holder, NULL) == 0 ? 0 : give_back(base, path, holder, err);
}

/* Undoes a dead container, and takes what it holds from it. -EEXIST: it lives, or can't be undone.
 */
static int reclaim(int base, const char *path, const char *holder, struct nook_error *err)
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
		rc = nook_held_release(base, path, holder, err);
	if (rc < 0) {
		nook_state_close(&s);
		return -EEXIST;
	}
	return nook_state_drop(&s, err);
}

int nook_held_take(const struct nook_state *state, const char *path, char holder[NOOK_HOLDER_SIZE],
		   struct nook_error *err)
{
	holder[0] = '\0';
	for (int i = 0; i < 3; i++) {
		if (symlinkat(state->name, state->base, path) == 0)
			return 0;
		if (errno != EEXIST)
			return nook_fail(err, errno, "symlink %s in the state directory", path);

		int rc = nook_held_by(state->base, path, holder, err);

		if (rc == -ENOENT) /* given back just now */
			continue;
		if (rc < 0)
			return rc;
		if (strcmp(holder, state->name) == 0)
			return 0;
		if (nook_starts(holder, NOOK_HELD_KEPT))
			break;
		rc = reclaim(state->base, path, holder, err);
		if (rc < 0)
			return rc;
	}
	return -EEXIST;
}

int nook_held_release_all(const struct nook_state *state, const char *folder,
			  struct nook_error *err)
{
	auto_closedir DIR *dir = NULL;
	int rc = nook_folder_list(state->base, folder, &dir, err);

	if (rc < 0)
		return rc == -ENOENT ? 0 : rc;

	const char *file;

	while (rc == 0 && (rc = nook_folder_next(dir, folder, &file, err)) > 0) {
		char path[PATH_SIZE];

		(void)nook_format(path, sizeof(path), "%s/%s", folder, file);
		rc = nook_held_release(state->base, path, state->name, err);
	}
	return rc;
}
