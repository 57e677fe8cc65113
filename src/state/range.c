/* SPDX-License-Identifier: Apache-2.0 */
/* Ranges of ids, held by ids/FIRST: held.h. */
#include "files.h"
#include "held.h"

#include "base/clock.h"
#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* Directory services draw their ids from 200,000 to 2,000,200,000 by default (sssd, FreeIPA) and
 * need not list them in any file: slots past that are tried first. */
#define PREFERRED ((2000200000u - NOOK_RANGE_FIRST) / NOOK_RANGE_SIZE + 1)

#define PATH_SIZE 16 /* "ids/" and ten digits */

static const char *path_of(uint32_t first, char out[PATH_SIZE])
{
	(void)nook_format(out, PATH_SIZE, "ids/%u", first);
	return out;
}

/* A place to begin that others who look at the same time don't have: two who find the same range
 * cost one of them a new plan. */
static unsigned somewhere(void)
{
	uint64_t seed =
		((uint64_t)nook_now_ns() ^ (uint64_t)getpid() << 32) * UINT64_C(0x9e3779b97f4a7c15);
	return (unsigned)(seed >> 40);
}

/* Looks at slots from @from to before @to, once around. @base: NO_FD: nobody holds any. -EUSERS:
 * none is free. */
static int find_between(int base, const uint64_t *taken, unsigned from, unsigned to, uint32_t *ret)
{
	unsigned n = to - from, start = somewhere() % n;

	for (unsigned i = 0; i < n; i++) {
		unsigned slot = from + (start + i) % n;
		uint32_t first = NOOK_RANGE_FIRST + slot * NOOK_RANGE_SIZE;
		char path[PATH_SIZE];

		if (taken[slot / 64] >> slot % 64 & 1)
			continue;

		if (base < 0 || nook_held_is_free(base, path_of(first, path))) {
			*ret = first;
			return 0;
		}
	}
	return -EUSERS;
}

int nook_range_find(const char *state_dir, uint32_t *ret, struct nook_error *err)
{
	uint64_t taken[NOOK_RANGE_SLOTS / 64] = { 0 };
	auto_close int etc = open("/etc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	auto_close int base = nook_base_open(state_dir, false, err), ids = NO_FD;
	int rc = 0;

	if (base < 0 && base != -ENOENT)
		return base;
	if (base >= 0)
		ids = nook_folder_open(base, NOOK_FOLDER_IDS, false, err);
	if (ids < 0 && ids != NO_FD && ids != -ENOENT)
		return ids;
	if (ids < 0)
		close_fd(&base);

	if (etc >= 0)
		rc = nook_range_mark_etc(etc, taken, err);

	if (rc == 0)
		rc = find_between(base, taken, PREFERRED, NOOK_RANGE_SLOTS, ret);
	if (rc == -EUSERS)
		rc = find_between(base, taken, 0, PREFERRED, ret);
	if (rc == -EUSERS)
		return nook_refuse(err, EUSERS,
				   "all %u ranges of ids from %u up are taken by containers, "
				   "/etc/subuid, /etc/subgid or accounts",
				   NOOK_RANGE_SLOTS, NOOK_RANGE_FIRST);
	return rc;
}

static int check_range(uint32_t first, struct nook_error *err)
{
	if (first >= NOOK_RANGE_FIRST && first % NOOK_RANGE_SIZE == 0 &&
	    (first - NOOK_RANGE_FIRST) / NOOK_RANGE_SIZE < NOOK_RANGE_SLOTS)
		return 0;
	return nook_refuse(err, EINVAL, "%u begins no range of ids that nook hands out", first);
}

int nook_range_release(const struct nook_state *state, uint32_t first, struct nook_error *err)
{
	char path[PATH_SIZE];

	return nook_held_release(state->base, path_of(first, path), state->name, err);
}

int nook_range_claim(const struct nook_state *state, uint32_t first, struct nook_error *err)
{
	char path[PATH_SIZE], holder[NOOK_HOLDER_SIZE];
	int rc = check_range(first, err);

	if (rc == 0)
		rc = nook_held_take(state, path_of(first, path), holder, err);
	if (rc != -EEXIST)
		return rc;
	return nook_refuse(err, EEXIST, "the range of ids from %u is held by container %s", first,
			   holder);
}

static const char *kept_by(const char *name, char out[NOOK_HOLDER_SIZE])
{
	(void)nook_format(out, NOOK_HOLDER_SIZE, NOOK_HELD_KEPT "%s", name);
	return out;
}

int nook_range_keep(int base, const char *name, uint32_t first, struct nook_error *err)
{
	char path[PATH_SIZE], text[NOOK_HOLDER_SIZE];
	auto_close int ids = nook_folder_open(base, NOOK_FOLDER_IDS, true, err);
	int rc = ids < 0 ? ids : check_range(first, err);

	if (rc == 0 && symlinkat(kept_by(name, text), base, path_of(first, path)) < 0)
		rc = nook_fail(err, errno, "symlink %s in the state directory", path);
	return rc;
}

int nook_range_unkeep(int base, const char *name, uint32_t first, struct nook_error *err)
{
	char path[PATH_SIZE], text[NOOK_HOLDER_SIZE];

	return nook_held_release(base, path_of(first, path), kept_by(name, text), err);
}

int nook_range_release_all(const struct nook_state *state, struct nook_error *err)
{
	return nook_held_release_all(state, nook_folder_name(NOOK_FOLDER_IDS), err);
}
